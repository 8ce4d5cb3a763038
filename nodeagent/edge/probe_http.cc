// Rules (Kubernetes documentation, "HTTP probes"):
// - User-Agent and Accept have defaults; one that the manifest names stands in its place, and with
//   an empty value there is none. Host is the address that is asked unless the manifest names it.
//   Each of them is sent once; other headers are sent as they are.
// - An answer with a status of 301, 302, 303, 307 or 308 and a Location is a redirect. To the host
//   that was asked, of whatever port and scheme, it is followed, with the same headers.
#include "nodeagent/edge/probe_http.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>
#include <vector>

namespace nodeagent {
namespace {

// A header's text without what would end its line.
std::string WithoutBreaks(std::string text) {
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
  return text;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

std::string HostAndPort(const Check& check) {
  const bool is_v6 = check.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + check.host + "]" : check.host) + ":" + std::to_string(check.port);
}

int StatusOf(std::string_view line) {
  int status = 0;
  const size_t space = line.find(' ');
  if (!line.starts_with("HTTP/1.") || space == line.npos) return 0;
  std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
  return status;
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// The value of the header `name`, which is lower case; empty if there is none.
std::string HeaderOf(std::string_view head, std::string_view name) {
  for (size_t end = head.find('\n'); end != head.npos; end = head.find('\n')) {
    head.remove_prefix(end + 1);
    const std::string_view line = head.substr(0, head.find_first_of("\r\n"));
    const size_t colon = line.find(':');
    if (colon == line.npos || Lower(line.substr(0, colon)) != name) continue;
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    if (begin == line.npos) return "";
    return std::string(line.substr(begin, line.find_last_not_of(" \t") - begin + 1));
  }
  return "";
}

size_t EndOfHead(std::string_view text) {
  return std::min(text.find("\r\n\r\n"), text.find("\n\n"));
}

// A path without "." and ".." (RFC 3986, 5.2.4); it begins with a slash.
std::string WithoutDots(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(end);
    const bool dots = part == "." || part == "..";
    if (part == ".." && !parts.empty()) parts.pop_back();
    if (!dots) parts.push_back(part);
    if (dots && path.empty()) parts.push_back("");
  }
  std::string clean;
  for (const std::string_view part : parts) clean += "/" + std::string(part);
  return clean.empty() ? "/" : clean;
}

// What a path and a query are asked for as: without the fragment, which only a browser reads.
std::string Target(std::string_view text) {
  text = text.substr(0, text.find('#'));
  const size_t query = std::min(text.find('?'), text.size());
  std::string path(text.substr(0, query));
  if (!path.starts_with('/')) path.insert(0, 1, '/');
  return WithoutDots(path) + std::string(text.substr(query));
}

// "HOST", "HOST:PORT", "[HOST]:PORT", with a user before them or without, into a check whose port
// has the default. False for what is none.
bool ReadAuthority(std::string_view authority, Check& check) {
  if (const size_t at = authority.rfind('@'); at != authority.npos) authority.remove_prefix(at + 1);
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.rfind(':');
  const bool has_port = colon != authority.npos && (bracket == authority.npos || colon > bracket);
  std::string_view host = authority.substr(0, has_port ? colon : authority.npos);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  check.host = host;
  if (!has_port || colon + 1 == authority.size()) return !host.empty();
  const char* end = authority.data() + authority.size();
  return !host.empty() && std::from_chars(authority.data() + colon + 1, end, check.port).ptr == end;
}

// The directory of the path that was asked, for a location that is relative to it.
std::string DirectoryOfPath(std::string_view path) {
  path = path.substr(0, path.find_first_of("?#"));
  return std::string(path.substr(0, path.rfind('/') + 1));
}

}  // namespace

std::string ProbeRequest(const Check& check) {
  std::vector<std::pair<std::string, std::string>> headers = {{"Host", HostAndPort(check)},
                                                              {"User-Agent", kProbeUserAgent},
                                                              {"Accept", "*/*"},
                                                              {"Connection", "close"}};
  const size_t defaults = headers.size();
  std::set<std::string> named;  // of those with a default
  for (const auto& [name, value] : check.headers) {
    const auto known = std::find_if(headers.begin(), headers.begin() + defaults,
                                    [&](auto& each) { return Lower(each.first) == Lower(name); });
    if (known == headers.begin() + defaults) {
      headers.emplace_back(WithoutBreaks(name), WithoutBreaks(value));
    } else if (named.insert(known->first).second && (known->first != "Host" || !value.empty())) {
      known->second = WithoutBreaks(value);
    }
  }
  std::string request = "GET " + WithoutBreaks(check.path) + " HTTP/1.1\r\n";
  for (size_t i = 0; i < headers.size(); ++i) {
    const auto& [name, value] = headers[i];
    if (i < defaults && value.empty()) continue;
    request += name + ": " + value + "\r\n";
  }
  return request + "\r\n";
}

std::optional<ProbeAnswer> ReadProbeAnswer(std::string_view text, bool ended) {
  const bool all = ended || text.size() >= kMaxProbeAnswer;
  const size_t line_end = text.find('\n');
  if (line_end == text.npos && !all) return std::nullopt;
  ProbeAnswer answer;
  answer.status = StatusOf(text.substr(0, line_end));
  if (!IsRedirect(answer.status)) return answer;
  const size_t end = EndOfHead(text);
  if (end == text.npos && !all) return std::nullopt;
  answer.location = HeaderOf(text.substr(0, end), "location");
  return answer;
}

std::optional<Check> FollowRedirect(const Check& check, std::string_view location) {
  Check next = check;
  const size_t scheme_end = location.find("://");
  const bool has_scheme = scheme_end != location.npos &&
                          location.substr(0, scheme_end).find_first_of("/?#") == location.npos;
  if (has_scheme) {
    const std::string scheme = Lower(location.substr(0, scheme_end));
    next.port = scheme == "https" ? 443 : scheme == "http" ? 80 : 0;
    next.tls = scheme == "https";
    location.remove_prefix(scheme_end + 1);
  } else if (location.starts_with("//")) {
    next.port = check.tls ? 443 : 80;
  }
  if (location.starts_with("//")) {
    location.remove_prefix(2);
    const size_t path = std::min(location.find_first_of("/?#"), location.size());
    if (next.port != 0 && !ReadAuthority(location.substr(0, path), next)) next.port = 0;
    if (next.port != 0 && Lower(next.host) != Lower(check.host)) return std::nullopt;
    next.path = Target(location.substr(path));
  } else if (location.starts_with('/')) {
    next.path = Target(location);
  } else if (location.starts_with('?')) {
    next.path =
        Target(check.path.substr(0, check.path.find_first_of("?#")) + std::string(location));
  } else {
    next.path = Target(DirectoryOfPath(check.path) + std::string(location));
  }
  return next;
}

}  // namespace nodeagent
