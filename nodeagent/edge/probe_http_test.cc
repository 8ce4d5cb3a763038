#include "nodeagent/edge/probe_http.h"

#include <gtest/gtest.h>

namespace nodeagent {
namespace {

Check Asking(const std::string& path, decltype(Check::headers) headers = {}) {
  Check check;
  check.kind = Check::Kind::kHttp;
  check.host = "10.88.1.4";
  check.port = 8080;
  check.path = path;
  check.headers = std::move(headers);
  return check;
}

std::string HeadersOf(decltype(Check::headers) headers) {
  std::string text = ProbeRequest(Asking("/", std::move(headers)));
  std::erase(text, '\r');
  return text.substr(text.find('\n') + 1, text.size() - text.find('\n') - 2);
}

TEST(ProbeHttpTest, WhatTheManifestNamesStandsInPlaceOfTheDefault) {
  EXPECT_EQ(HeadersOf({}),
            "Host: 10.88.1.4:8080\nUser-Agent: kube-probe/1.35\nAccept: */*\nConnection: close\n");
  EXPECT_EQ(HeadersOf({{"user-agent", "mine/1.0"}, {"X-A", "1"}, {"ACCEPT", "text/plain"}}),
            "Host: 10.88.1.4:8080\nUser-Agent: mine/1.0\nAccept: text/plain\nConnection: close\n"
            "X-A: 1\n");
  EXPECT_EQ(HeadersOf({{"Host", "web.example"}, {"X-A", "1"}, {"X-A", "2"}, {"X-B", ""}}),
            "Host: web.example\nUser-Agent: kube-probe/1.35\nAccept: */*\nConnection: close\n"
            "X-A: 1\nX-A: 2\nX-B: \n");
}

TEST(ProbeHttpTest, AnEmptyValueRemovesADefaultButTheHost) {
  EXPECT_EQ(HeadersOf({{"Accept", ""}, {"User-Agent", ""}, {"host", ""}}),
            "Host: 10.88.1.4:8080\nConnection: close\n");
}

TEST(ProbeHttpTest, EachDefaultIsSentOnce) {
  EXPECT_EQ(HeadersOf({{"User-Agent", "a"}, {"user-agent", "b"}, {"Host", "c"}, {"HOST", "d"}}),
            "Host: c\nUser-Agent: a\nAccept: */*\nConnection: close\n");
}

TEST(ProbeHttpTest, NothingEndsALineEarly) {
  EXPECT_EQ(HeadersOf({{"X-A\r\nX-B", "1\r\n\r\nGET /"}, {"Accept", "a\nb"}}),
            "Host: 10.88.1.4:8080\nUser-Agent: kube-probe/1.35\nAccept: ab\nConnection: close\n"
            "X-AX-B: 1GET /\n");
}

std::string Said(std::string_view text, bool ended = false) {
  const auto answer = ReadProbeAnswer(text, ended);
  if (!answer) return "more";
  return std::to_string(answer->status) + (answer->location.empty() ? "" : " " + answer->location);
}

TEST(ProbeHttpTest, AnAnswerIsReadNoFurtherThanItTells) {
  EXPECT_EQ(Said("HTTP/1.1 20"), "more");
  EXPECT_EQ(Said("HTTP/1.1 200 OK\r\n"), "200");
  EXPECT_EQ(Said("HTTP/1.1 503 No\r\nLocation: /x\r\n"), "503");
  EXPECT_EQ(Said("hello\n"), "0");
  EXPECT_EQ(Said(std::string(kMaxProbeAnswer, 'x')), "0");
  EXPECT_EQ(Said("HTTP/1.1 302 Found\r\nLocation: /x\r\n"), "more");
  EXPECT_EQ(Said("HTTP/1.1 302 Found\r\nA: b\r\nlocation:  /x \r\n\r\n"), "302 /x");
  EXPECT_EQ(Said("HTTP/1.0 307 So\nLocation: /x\n\nLocation: /y"), "307 /x");
  EXPECT_EQ(Said("HTTP/1.1 302 Found\r\nA: b\r\n\r\n"), "302");
  EXPECT_EQ(Said("HTTP/1.1 304 Same\r\nLocation: /x\r\n\r\n"), "304");
  EXPECT_EQ(Said("HTTP/1.1 302 Found\r\nLocation: /x", true), "302 /x");
}

std::string LedTo(std::string_view location, const std::string& path = "/a/b?c=d") {
  const auto next = FollowRedirect(Asking(path), location);
  if (!next) return "another host";
  if (next->port == 0) return "no place";
  return (next->tls ? "https " : "http ") + std::to_string(next->port) + " " + next->path;
}

TEST(ProbeHttpTest, ARedirectIsFollowedOnTheHostThatWasAsked) {
  EXPECT_EQ(LedTo("/fine"), "http 8080 /fine");
  EXPECT_EQ(LedTo("fine"), "http 8080 /a/fine");
  EXPECT_EQ(LedTo("../fine?x=/../y#z"), "http 8080 /fine?x=/../y");
  EXPECT_EQ(LedTo("?e=f"), "http 8080 /a/b?e=f");
  EXPECT_EQ(LedTo("/to?next=http://x.example/"), "http 8080 /to?next=http://x.example/");
  EXPECT_EQ(LedTo("http://10.88.1.4:9090/x"), "http 9090 /x");
  EXPECT_EQ(LedTo("http://10.88.1.4"), "http 80 /");
  EXPECT_EQ(LedTo("HTTPS://10.88.1.4/x"), "https 443 /x");
  EXPECT_EQ(LedTo("//10.88.1.4:81/x"), "http 81 /x");
}

TEST(ProbeHttpTest, ARedirectElsewhereIsNotFollowed) {
  EXPECT_EQ(LedTo("http://10.88.1.5:8080/x"), "another host");
  EXPECT_EQ(LedTo("https://login.example/x"), "another host");
  EXPECT_EQ(LedTo("//169.254.169.254/"), "another host");
  EXPECT_EQ(LedTo("http://10.88.1.4@evil.example/"), "another host");
  EXPECT_EQ(LedTo("ftp://10.88.1.4/x"), "no place");
  EXPECT_EQ(LedTo("http://10.88.1.4:port/x"), "no place");
  EXPECT_EQ(LedTo("http:///x"), "no place");
}

TEST(ProbeHttpTest, AnAddressOfVersion6IsInBrackets) {
  Check check = Asking("/");
  check.host = "fd00::4";
  EXPECT_EQ(ProbeRequest(check).substr(16, 21), "Host: [fd00::4]:8080\r");
  const auto next = FollowRedirect(check, "http://[fd00::4]:81/x");
  ASSERT_TRUE(next);
  EXPECT_EQ(next->host + " " + std::to_string(next->port), "fd00::4 81");
}

}  // namespace
}  // namespace nodeagent
