// HttpCaller: the seam to other people's HTTP servers: one call, one answer. edge/http_caller does
// it over sockets, testing/fake_http_caller in virtual time; both pass http_caller_contract.
//
// Loop only.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/time.h"

namespace state {

inline constexpr size_t kMaxHttpAnswerBytes = 16384;  // of an answer's body; more is cut off

struct HttpCall {
  std::string method = "POST";
  std::string url;  // "https://host:port/path?query", encoded
  std::vector<std::pair<std::string, std::string>> headers = {};  // may hold secrets; never logged
  std::string body = {};
  std::string ca_pem = {};  // who may vouch for the server; empty: the system's authorities
  base::Duration time_limit = base::Duration::Seconds(15);  // of the exchange, connecting included
};

struct HttpAnswer {
  // OK if there was an answer, whatever it says: a redirect, too. kUnavailable if nobody answered
  // within the limit, kUnauthorized if it was not the server that it should be, kForbidden if calls
  // do not go to its address, kInvalid for a URL, header or certificate that does not parse.
  base::Status status;
  int code = 0;                                     // 0 without an answer
  std::map<std::string, std::string> headers = {};  // names in lower case
  std::string body = {};                            // its first kMaxHttpAnswerBytes

  bool succeeded() const { return status.ok() && code / 100 == 2; }
  std::string_view Header(const std::string& name) const;  // empty if there is none
};

class HttpCaller {
 public:
  virtual ~HttpCaller() = default;
  // `done` is called once, never from within Call; not any more when this has ended.
  virtual void Call(HttpCall call, std::function<void(HttpAnswer)> done) = 0;
};

// "https://host:port", as the URL has it; empty if it is no URL of http or https.
std::string OriginOf(std::string_view url);

}  // namespace state
