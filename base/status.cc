// The one table of codes. Kubernetes reasons are those of metav1.StatusReason; exit codes are
// plumb's own (documented in README.md): 1 a failure, 2 wrong usage or input, 3 timed out, 4 not
// found, 5 no permission, 6 unavailable.
#include "base/status.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace base {
namespace {

constexpr std::array kCodes = {
    CodeInfo{Code::kOk, 200, "", 0},
    CodeInfo{Code::kBadRequest, 400, "BadRequest", 2},
    CodeInfo{Code::kUnauthorized, 401, "Unauthorized", 5},
    CodeInfo{Code::kForbidden, 403, "Forbidden", 5},
    CodeInfo{Code::kNotFound, 404, "NotFound", 4},
    CodeInfo{Code::kMethodNotAllowed, 405, "MethodNotAllowed", 2},
    CodeInfo{Code::kNotAcceptable, 406, "NotAcceptable", 2},
    CodeInfo{Code::kAlreadyExists, 409, "AlreadyExists", 1},
    CodeInfo{Code::kConflict, 409, "Conflict", 1},
    CodeInfo{Code::kExpired, 410, "Expired", 1},
    CodeInfo{Code::kTooLarge, 413, "RequestEntityTooLarge", 2},
    CodeInfo{Code::kUnsupportedMediaType, 415, "UnsupportedMediaType", 2},
    CodeInfo{Code::kInvalid, 422, "Invalid", 2},
    CodeInfo{Code::kTooManyRequests, 429, "TooManyRequests", 6},
    CodeInfo{Code::kInternal, 500, "InternalError", 1},
    CodeInfo{Code::kUnavailable, 503, "ServiceUnavailable", 6},
    CodeInfo{Code::kTimeout, 504, "Timeout", 3},
    CodeInfo{Code::kCorruption, 500, "InternalError", 1},
    CodeInfo{Code::kCancelled, 499, "", 1},
};

}  // namespace

const CodeInfo& InfoOf(Code code) {
  const CodeInfo& info = kCodes[static_cast<size_t>(code)];
  CHECK(info.code == code);  // the table follows the enumeration's order
  return info;
}

std::string_view ReasonOf(Code code) {
  if (code == Code::kOk) return "OK";
  if (code == Code::kCorruption) return "Corruption";
  if (code == Code::kCancelled) return "Cancelled";
  return InfoOf(code).reason;
}

Code CodeOfReason(std::string_view reason) {
  for (const CodeInfo& info : kCodes) {
    if (info.code != Code::kOk && ReasonOf(info.code) == reason) return info.code;
  }
  return Code::kInternal;
}

Status::Status(Code code, std::string message, std::vector<Cause> causes) {
  CHECK(code != Code::kOk);
  rep_ = std::make_shared<const Rep>(Rep{code, std::move(message), std::move(causes)});
}

const std::vector<Cause>& Status::causes() const {
  static const std::vector<Cause> kNone;
  return rep_ ? rep_->causes : kNone;
}

Status Status::WithContext(std::string_view context) const {
  if (ok()) return *this;
  return Status(rep_->code, std::string(context) + ": " + rep_->message, rep_->causes);
}

std::string Status::ToString() const {
  if (ok()) return "OK";
  return std::string(ReasonOf(rep_->code)) + ": " + rep_->message;
}

void CheckFailed(const char* file, int line, const char* what) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, what);
  std::abort();
}

}  // namespace base
