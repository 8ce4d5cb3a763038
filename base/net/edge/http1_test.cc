#include "base/net/edge/http1.h"

#include <gtest/gtest.h>

namespace base {
namespace {

std::string Parse(const std::string& text) {
  Result<RequestHead> head = ParseRequestHead(text);
  if (!head.ok()) return std::string(head.status().message());
  std::string out = head->method + " " + head->target;
  for (const auto& [name, value] : head->headers) out += " " + name + "=[" + value + "]";
  if (head->body.kind == BodyFraming::Kind::kChunked) out += " chunked";
  if (head->body.length > 0) out += " length " + std::to_string(head->body.length);
  if (!head->keep_alive) out += " close";
  if (head->expects_continue) out += " continue";
  return out;
}

std::string With(const std::string& headers) {
  return Parse("POST / HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n");
}

TEST(Http1Test, HeadIsReadByteForByte) {
  EXPECT_EQ(Parse("GET /a%20b?x=%41 HTTP/1.1\r\nHost: h:1\r\nX-Token:  a%41+b \r\n"
                  "Accept: a\r\nACCEPT:b\r\nCookie: x=1\r\nCookie: y=2\r\n\r\n"),
            "GET /a%20b?x=%41 accept=[a, b] cookie=[x=1; y=2] host=[h:1] x-token=[a%41+b]");
  EXPECT_EQ(With("Content-Length: 12\r\nExpect: 100-Continue\r\nConnection: TE, Close\r\n"),
            "POST / connection=[TE, Close] content-length=[12] expect=[100-Continue] host=[h] "
            "length 12 close continue");
  EXPECT_EQ(With("Transfer-Encoding: Chunked\r\n"),
            "POST / host=[h] transfer-encoding=[Chunked] chunked");
  EXPECT_EQ(Parse("GET / HTTP/1.0\r\n\r\n"), "GET / close");
}

TEST(Http1Test, RequestsThatCouldBeReadInTwoWaysAreRefused) {
  EXPECT_EQ(With("Content-Length: 3\r\nContent-Length: 3\r\n"),
            "header content-length stands twice");
  EXPECT_EQ(With("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
            "Content-Length and Transfer-Encoding stand together");
  EXPECT_EQ(With("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            "header transfer-encoding stands twice");
  EXPECT_EQ(With("Transfer-Encoding: gzip, chunked\r\n"),
            "the only Transfer-Encoding served is \"chunked\"");
  for (const char* length : {"", "-1", "+1", "0x3", "1 2", "1,1", "9999999999999999999"}) {
    EXPECT_EQ(With("Content-Length: " + std::string(length) + "\r\n"),
              "Content-Length is not a number")
        << length;
  }
  EXPECT_EQ(With("Name : v\r\n"), "a header line is not \"Name: value\"");
  EXPECT_EQ(With("A: b\r\n folded\r\n"), "a header line is not \"Name: value\"");
  EXPECT_EQ(With("broken\r\n"), "a header line is not \"Name: value\"");
  EXPECT_EQ(With("A: b\nB: c\r\n"), "a header line has a bare LF");
  EXPECT_EQ(With("A: b\rB: c\r\n"), "a header line does not end in CRLF");
  EXPECT_EQ(With("A: \x01\r\n"), "header a has bytes that are no text");
  EXPECT_EQ(With("A: \xff\r\n"), "header a has bytes that are no text");
  EXPECT_EQ(With("Host: other\r\n"), "header host stands twice");
  EXPECT_EQ(Parse("GET / HTTP/1.1\r\n\r\n"), "header host is missing");
  EXPECT_EQ(Parse("GET /\r\nHost: h\r\n\r\n"),
            "the request line is not \"METHOD target HTTP/1.1\"");
  EXPECT_EQ(Parse("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"),
            "the request target has unencoded bytes");
  EXPECT_EQ(Parse("GET / HTTP/2.0\r\nHost: h\r\n\r\n"),
            "only HTTP/1.1 and HTTP/1.0 are spoken here");
  EXPECT_EQ(Parse("G(T / HTTP/1.1\r\nHost: h\r\n\r\n"), "the request's method is not a token");
  std::string many;
  for (size_t i = 0; i < kMaxHeaders; ++i) many += "X" + std::to_string(i) + ": v\r\n";
  EXPECT_EQ(With(many), "the request has more than 200 headers");
}

TEST(Http1Test, HeadEndIsFoundAcrossPieces) {
  const std::string text = "GET / HTTP/1.1\r\nHost: h\r\n\r\nrest";
  size_t scanned = 0;
  size_t end = 0;
  size_t given = 0;
  while (end == 0) end = FindHeadEnd(std::string_view(text).substr(0, ++given), &scanned);
  EXPECT_EQ(end, text.size() - 4);
  EXPECT_EQ(given, end);
}

// Feeds `wire` in pieces of `size`; "content|unused" or the error.
std::string Decode(BodyFraming framing, std::string_view wire, size_t size) {
  BodyDecoder decoder(framing);
  std::string content;
  size_t at = 0;
  while (at < wire.size() && !decoder.done()) {
    Result<size_t> used = decoder.Feed(wire.substr(at, size), 1000, content);
    if (!used.ok()) return std::string(used.status().message());
    at += *used;
  }
  return content + "|" + std::string(wire.substr(at)) + (decoder.done() ? "" : " more");
}

TEST(Http1Test, BodiesAreUnframedHoweverTheyAreCut) {
  const BodyFraming chunked{BodyFraming::Kind::kChunked, 0};
  const std::string wire =
      "4;name=\"v\"\r\nWiki\r\n00A \r\npedia in\r\n\r\n0\r\nTrailer: x\r\n\r\nNEXT";
  for (size_t size : {1u, 2u, 3u, 7u, 1000u}) {
    EXPECT_EQ(Decode(chunked, wire, size), "Wikipedia in\r\n|NEXT") << size;
    EXPECT_EQ(Decode({BodyFraming::Kind::kLength, 5}, "abcdefg", size), "abcde|fg") << size;
    EXPECT_EQ(Decode({BodyFraming::Kind::kLength, 5}, "abc", size), "abc| more") << size;
    EXPECT_EQ(Decode({}, "abc", size), "|abc") << size;
  }
}

TEST(Http1Test, BrokenChunksAreRefused) {
  const BodyFraming chunked{BodyFraming::Kind::kChunked, 0};
  EXPECT_EQ(Decode(chunked, "x\r\n", 100), "a chunk's size is not a hexadecimal number");
  EXPECT_EQ(Decode(chunked, "\r\n", 100), "a chunk's size is not a hexadecimal number");
  EXPECT_EQ(Decode(chunked, "-1\r\n", 100), "a chunk's size is not a hexadecimal number");
  EXPECT_EQ(Decode(chunked, "fffffffffffffffff\r\n", 100),
            "a chunk's size is not a hexadecimal number");
  EXPECT_EQ(Decode(chunked, "1\r\nab\r\n", 100), "a chunk is longer than its size");
  EXPECT_EQ(Decode(chunked, "1\n", 100), "a line of the chunked body does not end in CRLF");
  EXPECT_EQ(Decode(chunked, "1;" + std::string(300, 'x'), 1000),
            "a line of the chunked body is too long");
  std::string trailers = "0\r\n";
  for (int i = 0; i < 100; ++i) trailers += "X: " + std::string(100, 'x') + "\r\n";
  EXPECT_EQ(Decode(chunked, trailers, 1000), "the trailers are too long");
}

TEST(Http1Test, DecoderStopsAtTheLimitOfContent) {
  BodyDecoder decoder({BodyFraming::Kind::kLength, 100});
  std::string content;
  Result<size_t> used = decoder.Feed(std::string(50, 'x'), 20, content);
  ASSERT_TRUE(used.ok());
  EXPECT_EQ(*used, 20u);
  EXPECT_EQ(content.size(), 20u);
}

TEST(Http1Test, ResponseHeadCannotBeBrokenOutOf) {
  HttpResponse response;
  response.headers = {{"Warning", "299 - \"x\"\r\nEvil: 1"}};
  response.body = "{}";
  EXPECT_EQ(FormatResponseHead(response, ResponseBody::kWhole, true, 1'795'000'000),
            "HTTP/1.1 200 OK\r\nDate: Wed, 18 Nov 2026 11:06:40 GMT\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n"
            "Warning: 299 - \"x\"  Evil: 1\r\n\r\n");
  response.status = 204;
  response.headers.clear();
  EXPECT_EQ(FormatResponseHead(response, ResponseBody::kChunked, false, 0),
            "HTTP/1.1 204 No Content\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
            "Connection: close\r\n\r\n");
}

}  // namespace
}  // namespace base
