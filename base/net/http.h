// What the API speaks in, apart from any server: requests, responses, and streams that outlive
// their request.
//
// Values, and one interface (Stream) that the HTTP edge and tests implement.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/identity.h"
#include "base/status.h"

namespace base {

struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // "/api/v1/pods": percent-decoded only segment by segment, see segments
  std::vector<std::string> segments;  // decoded; none is empty, ".", ".." or has NUL
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::map<std::string, std::string> headers;              // names in lower case
  std::string body;
  Identity identity;

  std::string_view Query(std::string_view name) const;   // the first, or ""
  std::string_view Header(std::string_view name) const;  // lower-case name; "" if absent
  // True if the header is a list ("a, b") that has `token`, in whatever case.
  bool HeaderHas(std::string_view name, std::string_view token) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;  // "Warning", "Retry-After", ...
  std::string body;
};

// An open response body: a watch, a log, the progress of something. Loop only.
class Stream {
 public:
  virtual ~Stream() = default;  // closes it in good order
  // Queues bytes. False once the peer is gone or more than kMaxStreamBacklog bytes wait: drop the
  // stream then.
  virtual bool Write(std::string_view bytes) = 0;
  // The same, without a copy where the stream can share: for an event that many streams carry.
  virtual bool Write(std::shared_ptr<const std::string> bytes) {
    return Write(std::string_view(*bytes));
  }
  virtual size_t Backlog() const = 0;
  // Called on the loop each time that the backlog falls from `size` bytes or more to less.
  virtual void OnDrained(size_t size, std::function<void()> drained) = 0;
  // Called on the loop once, when the peer goes away.
  virtual void OnClosed(std::function<void()> closed) = 0;
};
inline constexpr size_t kMaxStreamBacklog = 8u << 20;

inline constexpr size_t kMaxPathSegments = 64;
inline constexpr size_t kMaxQueryParameters = 1000;

// Decodes %XX. kBadRequest for an incomplete escape, NUL, or a result that is not UTF-8.
Result<std::string> PercentDecode(std::string_view text);
// Escapes all but RFC 3986's unreserved characters.
std::string PercentEncode(std::string_view text);

// The decoded segments of an absolute path: "/a/b%20c" is {"a", "b c"}, "/" is {}; one slash at the
// end is ignored. kBadRequest for what http.cc names as unsafe.
Result<std::vector<std::string>> SplitPath(std::string_view path);

// "a=1&b=x+y" is {{"a", "1"}, {"b", "x y"}}, in order, as WHATWG's form encoding has it.
Result<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view query);

// Fills path, segments and query from a request target: "/path?query" or "https://host/path?query".
Status ParseTarget(std::string_view target, HttpRequest& request);

// A failure as the API speaks of it: a metav1.Status with reason and causes, under the code's HTTP
// status.
HttpResponse FailureResponse(const Status& status);
// For HTTP's own failures, which Code has no name for: 408, 431, ...
HttpResponse FailureResponse(int http_status, std::string_view reason, std::string_view message);

}  // namespace base
