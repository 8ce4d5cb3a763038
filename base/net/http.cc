// Request targets are decoded so that no two meanings share one form:
//  - A path is split at its literal slashes first, then each segment is decoded once. Refused in a
//    segment: bad escapes, control bytes (NUL too), an encoded slash, ".", "..", and nothing at all
//    (except after a last slash). So "/" + join(segments, "/") names one list of segments only, and
//    nothing that is built from segments can climb out of its place.
//  - A query value may hold any UTF-8 except NUL ("+" is a space): commands travel in it.
// All is UTF-8, because names come back in JSON messages.
#include "base/net/http.h"

#include <algorithm>
#include <cstdint>

#include "base/json.h"
#include "base/utf8.h"

namespace base {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

Result<std::string> DecodeSegment(std::string_view raw) {
  ASSIGN_OR_RETURN(std::string segment, PercentDecode(raw));
  if (segment.empty()) return {Code::kBadRequest, "the path has an empty segment (\"//\")"};
  if (segment == "." || segment == "..") {
    return {Code::kBadRequest, "the path has a segment \".\" or \"..\"; send it resolved"};
  }
  if (std::any_of(segment.begin(), segment.end(), IsControl)) {
    return {Code::kBadRequest, "the path has a control character"};
  }
  if (segment.find('/') != std::string::npos) {
    return {Code::kBadRequest, "the path has an encoded slash (%2F) inside a segment"};
  }
  return segment;
}

Result<std::string> DecodeFormText(std::string_view raw) {
  std::string spaced(raw);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return PercentDecode(spaced);
}

// The text before `separator`, which is taken off `rest`; all of it if there is none.
std::string_view TakeUntil(std::string_view& rest, char separator) {
  size_t end = rest.find(separator);
  std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return taken;
}

// Cuts "https://host" off an absolute-form target (RFC 9112, 3.2.2).
std::string_view OriginForm(std::string_view target) {
  for (std::string_view scheme : {"https://", "http://"}) {
    if (!target.starts_with(scheme)) continue;
    target.remove_prefix(scheme.size());
    size_t slash = target.find_first_of("/?");
    return slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  return target;
}

HttpResponse FailureOf(int http_status, std::string_view reason, std::string_view message,
                       const std::vector<Cause>& causes) {
  Json body = Json::MakeObject({{"kind", "Status"},
                                {"apiVersion", "v1"},
                                {"metadata", Json::MakeObject()},
                                {"status", "Failure"},
                                {"message", ToUtf8(message)},
                                {"code", http_status}});
  if (!reason.empty()) body.Set("reason", reason);
  for (const Cause& cause : causes) {
    Json entry = Json::MakeObject({{"reason", cause.reason}, {"message", ToUtf8(cause.message)}});
    if (!cause.field.empty()) entry.Set("field", cause.field);
    body["details"]["causes"].Append(std::move(entry));
  }
  HttpResponse response;
  response.status = http_status;
  response.body = body.ToString();
  return response;
}

}  // namespace

std::string_view HttpRequest::Query(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

std::string_view HttpRequest::Header(std::string_view name) const {
  auto found = headers.find(std::string(name));
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

bool HttpRequest::HeaderHas(std::string_view name, std::string_view token) const {
  std::string_view list = Header(name);
  while (!list.empty()) {
    std::string_view each = TakeUntil(list, ',');
    each.remove_prefix(std::min(each.find_first_not_of(" \t"), each.size()));
    each = each.substr(0, each.find_last_not_of(" \t") + 1);
    if (std::equal(each.begin(), each.end(), token.begin(), token.end(),
                   [](char a, char b) { return Lower(a) == Lower(b); })) {
      return true;
    }
  }
  return false;
}

Result<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      int high = i + 1 < text.size() ? HexValue(text[i + 1]) : -1;
      int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return {Code::kBadRequest, "the URL has a \"%\" without two hexadecimal digits after it"};
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return {Code::kBadRequest, "the URL has a NUL byte"};
    decoded += c;
  }
  if (!IsUtf8(decoded)) return {Code::kBadRequest, "the URL is not UTF-8"};
  return decoded;
}

std::string PercentEncode(std::string_view text) {
  std::string encoded;
  for (char c : text) {
    bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      encoded += c;
      continue;
    }
    auto byte = static_cast<uint8_t>(c);
    encoded += '%';
    encoded += kHexDigits[byte >> 4];
    encoded += kHexDigits[byte & 15];
  }
  return encoded;
}

Result<std::vector<std::string>> SplitPath(std::string_view path) {
  if (!path.starts_with('/')) return {Code::kBadRequest, "the path does not begin with \"/\""};
  path.remove_prefix(1);
  std::vector<std::string> segments;
  while (!path.empty()) {
    if (segments.size() == kMaxPathSegments) {
      return {Code::kBadRequest,
              "the path has more than " + std::to_string(kMaxPathSegments) + " segments"};
    }
    ASSIGN_OR_RETURN(std::string segment, DecodeSegment(TakeUntil(path, '/')));
    segments.push_back(std::move(segment));
  }
  return segments;
}

Result<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    std::string_view value = TakeUntil(query, '&');
    if (value.empty()) continue;
    if (parameters.size() == kMaxQueryParameters) {
      return {Code::kBadRequest,
              "the query has more than " + std::to_string(kMaxQueryParameters) + " parameters"};
    }
    ASSIGN_OR_RETURN(std::string name, DecodeFormText(TakeUntil(value, '=')));
    ASSIGN_OR_RETURN(std::string text, DecodeFormText(value));
    parameters.emplace_back(std::move(name), std::move(text));
  }
  return parameters;
}

Status ParseTarget(std::string_view target, HttpRequest& request) {
  std::string_view query = OriginForm(target);
  std::string_view path = TakeUntil(query, '?');
  if (path.empty()) path = "/";
  ASSIGN_OR_RETURN(request.segments, SplitPath(path));
  ASSIGN_OR_RETURN(request.query, ParseQuery(query));
  request.path = path;
  return {};
}

HttpResponse FailureResponse(const Status& status) {
  return FailureOf(InfoOf(status.code()).http_status, ReasonOf(status.code()), status.message(),
                   status.causes());
}

HttpResponse FailureResponse(int http_status, std::string_view reason, std::string_view message) {
  return FailureOf(http_status, reason, message, {});
}

}  // namespace base
