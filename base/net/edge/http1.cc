// The reader is strict, because what two readers understand in two ways is how requests are
// smuggled past one of them (RFC 9112, 11.2):
//  - lines end in CRLF; a bare CR or LF, a folded line, a space before the colon, a name that is no
//    token, a control byte or broken UTF-8 in a value refuse the request;
//  - Content-Length and Transfer-Encoding together, either of them twice, a length that is not
//  plain
//    digits, a transfer coding other than "chunked" refuse it too;
//  - Host must be there once in HTTP/1.1. Other repeated headers are joined by ", ".
// Values are kept byte for byte: nothing is percent-decoded. HTTP/1.0 is served without keep-alive.
#include "base/net/edge/http1.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "base/utf8.h"

namespace base {
namespace {

constexpr size_t kMaxChunkLine = 256;
constexpr size_t kMaxTrailerBytes = 8192;
constexpr std::string_view kBlankLine = "\r\n\r\n";

// Headers that say one thing only: a second one is an attack or a bug.
constexpr std::array<std::string_view, 6> kSingleHeaders = {"authorization",     "content-encoding",
                                                            "content-length",    "content-type",
                                                            "transfer-encoding", "host"};

Status Bad(std::string message) { return Status(Code::kBadRequest, std::move(message)); }

bool IsTokenChar(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenChar);
}

bool IsValueText(std::string_view text) {
  while (!text.empty()) {
    auto byte = static_cast<unsigned char>(text.front());
    size_t length = Utf8Length(text);
    if (length == 0 || (byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view Trim(std::string_view text) {
  size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// True if the comma-separated `list` has `word`, in any case.
bool HasWord(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    size_t comma = list.find(',');
    if (Lower(Trim(list.substr(0, comma))) == word) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

Result<uint64_t> ParseLength(std::string_view text) {
  // 18 digits cannot overflow and are more than anyone has.
  bool digits = !text.empty() && text.size() <= 18 &&
                text.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits) return Bad("Content-Length is not a number");
  uint64_t value = 0;
  for (char c : text) value = value * 10 + static_cast<uint64_t>(c - '0');
  return value;
}

Status ParseRequestLine(std::string_view line, RequestHead& head) {
  size_t method_end = line.find(' ');
  size_t target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || method_end == target_end) {
    return Bad("the request line is not \"METHOD target HTTP/1.1\"");
  }
  head.method = line.substr(0, method_end);
  head.target = line.substr(method_end + 1, target_end - method_end - 1);
  std::string_view version = line.substr(target_end + 1);
  if (!IsToken(head.method)) return Bad("the request's method is not a token");
  bool printable = std::all_of(head.target.begin(), head.target.end(),
                               [](char c) { return c > ' ' && c < 0x7f; });
  if (head.target.empty() || !printable) return Bad("the request target has unencoded bytes");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return Bad("only HTTP/1.1 and HTTP/1.0 are spoken here");
  }
  head.minor_version = version.back() - '0';
  return {};
}

Status ParseHeaderLine(std::string_view line, RequestHead& head) {
  size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
    return Bad("a header line is not \"Name: value\"");
  }
  std::string name = Lower(line.substr(0, colon));
  std::string_view value = Trim(line.substr(colon + 1));
  if (!IsValueText(value)) return Bad("header " + name + " has bytes that are no text");
  auto [entry, added] = head.headers.try_emplace(std::move(name), value);
  if (added) return {};
  if (std::find(kSingleHeaders.begin(), kSingleHeaders.end(), entry->first) !=
      kSingleHeaders.end()) {
    return Bad("header " + entry->first + " stands twice");
  }
  entry->second.append(entry->first == "cookie" ? "; " : ", ").append(value);
  return {};
}

std::string_view HeaderOf(const RequestHead& head, const std::string& name) {
  auto found = head.headers.find(name);
  return found == head.headers.end() ? std::string_view() : std::string_view(found->second);
}

Status Interpret(RequestHead& head) {
  if (head.minor_version == 1 && !head.headers.count("host")) return Bad("header host is missing");
  bool has_length = head.headers.count("content-length") > 0;
  if (head.headers.count("transfer-encoding")) {
    if (has_length) return Bad("Content-Length and Transfer-Encoding stand together");
    if (head.minor_version == 0) return Bad("HTTP/1.0 has no Transfer-Encoding");
    if (Lower(HeaderOf(head, "transfer-encoding")) != "chunked") {
      return Bad("the only Transfer-Encoding served is \"chunked\"");
    }
    head.body.kind = BodyFraming::Kind::kChunked;
  } else if (has_length) {
    ASSIGN_OR_RETURN(head.body.length, ParseLength(HeaderOf(head, "content-length")));
    if (head.body.length > 0) head.body.kind = BodyFraming::Kind::kLength;
  }
  head.keep_alive = head.minor_version == 1 && !HasWord(HeaderOf(head, "connection"), "close");
  head.expects_continue =
      head.minor_version == 1 && HasWord(HeaderOf(head, "expect"), "100-continue");
  return {};
}

// A response header that could break out of its line is defused.
void AppendHeader(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ");
  for (char c : value) out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  out.append("\r\n");
}

std::string HttpDate(int64_t seconds) {
  std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[40];
  return std::string(text, std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts));
}

}  // namespace

size_t FindHeadEnd(std::string_view buffer, size_t* scanned) {
  size_t from = *scanned < kBlankLine.size() ? 0 : *scanned - (kBlankLine.size() - 1);
  size_t end = buffer.find(kBlankLine, from);
  *scanned = buffer.size();
  return end == std::string_view::npos ? 0 : end + kBlankLine.size();
}

Result<RequestHead> ParseRequestHead(std::string_view text) {
  RequestHead head;
  bool first = true;
  size_t lines = 0;
  text.remove_suffix(2);  // the blank line; each line before it keeps its CRLF
  while (!text.empty()) {
    size_t end = text.find('\r');
    if (end == std::string_view::npos || text.substr(end, 2) != "\r\n") {
      return Bad("a header line does not end in CRLF");
    }
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    if (line.find('\n') != std::string_view::npos) return Bad("a header line has a bare LF");
    if (++lines > kMaxHeaders + 1) {
      return Bad("the request has more than " + std::to_string(kMaxHeaders) + " headers");
    }
    RETURN_IF_ERROR(first ? ParseRequestLine(line, head) : ParseHeaderLine(line, head));
    first = false;
  }
  RETURN_IF_ERROR(Interpret(head));
  return head;
}

BodyDecoder::BodyDecoder(BodyFraming framing)
    : state_(framing.kind == BodyFraming::Kind::kChunked ? State::kSize : State::kContent),
      chunked_(framing.kind == BodyFraming::Kind::kChunked),
      remaining_(framing.length) {
  if (!chunked_ && remaining_ == 0) state_ = State::kDone;
}

Result<size_t> BodyDecoder::Feed(std::string_view in, size_t limit, std::string& out) {
  size_t used = 0;
  while (used < in.size() && !done()) {
    if (state_ != State::kContent) {
      RETURN_IF_ERROR(ReadLine(in[used++]));
      continue;
    }
    size_t count = std::min({in.size() - used, limit, static_cast<size_t>(remaining_)});
    if (count == 0) break;
    out.append(in, used, count);
    used += count;
    limit -= count;
    remaining_ -= count;
    if (remaining_ == 0) state_ = chunked_ ? State::kContentEnd : State::kDone;
  }
  return used;
}

// Collects a line of the chunked framing; acts on it at its end.
Status BodyDecoder::ReadLine(char c) {
  line_ += c;
  if (line_.size() > kMaxChunkLine) return Bad("a line of the chunked body is too long");
  if (c != '\n') return {};
  if (!line_.ends_with("\r\n")) return Bad("a line of the chunked body does not end in CRLF");
  line_.resize(line_.size() - 2);
  Status status;
  if (state_ == State::kSize) {
    status = ReadSize();
  } else if (state_ == State::kContentEnd) {
    if (!line_.empty()) status = Bad("a chunk is longer than its size");
    state_ = State::kSize;
  } else {  // trailers are read and dropped
    trailer_bytes_ += line_.size();
    if (trailer_bytes_ > kMaxTrailerBytes) status = Bad("the trailers are too long");
    if (line_.empty()) state_ = State::kDone;
  }
  line_.clear();
  return status;
}

Status BodyDecoder::ReadSize() {
  std::string_view digits = std::string_view(line_).substr(0, line_.find(';'));
  digits = digits.substr(0, digits.find_last_not_of(" \t") + 1);
  // 15 hexadecimal digits cannot overflow.
  if (digits.empty() || digits.size() > 15 ||
      digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
    return Bad("a chunk's size is not a hexadecimal number");
  }
  remaining_ = std::stoull(std::string(digits), nullptr, 16);
  state_ = remaining_ == 0 ? State::kTrailer : State::kContent;
  return {};
}

std::string FormatResponseHead(const HttpResponse& response, ResponseBody body, bool keep_alive,
                               int64_t seconds_since_1970) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head.append(ReasonPhrase(response.status)).append("\r\n");
  AppendHeader("Date", HttpDate(seconds_since_1970), head);
  if (!IsBodyless(response.status)) {
    if (!response.content_type.empty()) AppendHeader("Content-Type", response.content_type, head);
    if (body == ResponseBody::kWhole) {
      AppendHeader("Content-Length", std::to_string(response.body.size()), head);
    } else if (body == ResponseBody::kChunked) {
      AppendHeader("Transfer-Encoding", "chunked", head);
    }
  }
  if (!keep_alive) AppendHeader("Connection", "close", head);
  for (const auto& [name, value] : response.headers) AppendHeader(name, value, head);
  head.append("\r\n");
  return head;
}

void AppendChunk(std::string_view content, std::string& out) {
  char size[20];
  int length = std::snprintf(size, sizeof(size), "%zx\r\n", content.size());
  out.append(size, static_cast<size_t>(length)).append(content).append("\r\n");
}

bool IsBodyless(int http_status) {
  return http_status < 200 || http_status == 204 || http_status == 304;
}

std::string_view ReasonPhrase(int http_status) {
  switch (http_status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Status";
  }
}

}  // namespace base
