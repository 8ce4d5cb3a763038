// Status and Result: how everything that can fail says so.
//
// A Status is a code that decides behaviour (retry, relist, stop), a message that tells a person
// what happened and what to do, and optional causes that point at single fields. Immutable and
// cheap to copy; any thread. One table (status.cc) maps a code to its HTTP status, Kubernetes
// reason and process exit code.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace base {

enum class Code {
  kOk,
  kBadRequest,            // the request cannot be read: syntax, encoding, unknown parameter
  kUnauthorized,          // who are you?
  kForbidden,             // you may not, or a quota says no
  kNotFound,              // no such object, resource or path
  kMethodNotAllowed,      // the resource does not serve this verb
  kNotAcceptable,         // no representation that the client accepts
  kAlreadyExists,         // create of an object that exists
  kConflict,              // a precondition (revision, uid) does not hold: read again, then retry
  kExpired,               // the revision was compacted away: list again
  kTooLarge,              // beyond a named limit on size
  kUnsupportedMediaType,  // a body in a form that is not served
  kInvalid,               // readable, but breaks the schema or a rule; causes say where
  kTooManyRequests,       // beyond a named limit on rate or concurrency: retry later
  kInternal,              // a bug, or an environment that broke a promise
  kUnavailable,           // not now: a peer is away, a shutdown is under way
  kTimeout,               // a deadline passed
  kCorruption,            // stored data does not read back as it was written
  kCancelled,             // superseded, or the caller went away
};

// One field-level cause of a failure, as in Kubernetes' Status.details.causes.
struct Cause {
  std::string reason;   // "FieldValueInvalid", "FieldValueRequired", ...
  std::string message;  // a sentence
  std::string field;    // "spec.containers[0].image"
};

class [[nodiscard]] Status {
 public:
  Status() = default;  // OK
  Status(Code code, std::string message, std::vector<Cause> causes = {});

  bool ok() const { return rep_ == nullptr; }
  Code code() const { return rep_ ? rep_->code : Code::kOk; }
  std::string_view message() const {
    return rep_ ? std::string_view(rep_->message) : std::string_view();
  }
  const std::vector<Cause>& causes() const;

  // The same failure, with `context` and ": " before its message. OK stays OK.
  Status WithContext(std::string_view context) const;

  // "NotFound: pods \"web\" not found", or "OK".
  std::string ToString() const;

 private:
  struct Rep {
    Code code;
    std::string message;
    std::vector<Cause> causes;
  };
  std::shared_ptr<const Rep> rep_;  // null means OK
};

// What a code means to the outside: RFC 9110 status, metav1.StatusReason, and the exit code of a
// command.
struct CodeInfo {
  Code code;
  int http_status;
  std::string_view reason;  // "" for codes that Kubernetes has no reason for
  int exit_code;
};
const CodeInfo& InfoOf(Code code);
// Every code has a reason of its own, Kubernetes' where there is one: its name on the wire.
std::string_view ReasonOf(Code code);
// The code of a reason; kInternal for one that is not known.
Code CodeOfReason(std::string_view reason);

// A T, or the Status that says why there is none. Never holds an OK Status.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit by design
  Result(Status status) : status_(std::move(status)) {}  // NOLINT: implicit by design
  Result(Code code, std::string message) : status_(code, std::move(message)) {}

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  // The value; the caller has checked ok().
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

// Ends the process with a sentence. For programmer errors only.
[[noreturn]] void CheckFailed(const char* file, int line, const char* what);

}  // namespace base

#define CHECK(condition)                                                   \
  do {                                                                     \
    if (!(condition)) ::base::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)

#define RETURN_IF_ERROR(expression)                                             \
  do {                                                                          \
    if (::base::Status return_if_error_ = (expression); !return_if_error_.ok()) \
      return return_if_error_;                                                  \
  } while (false)

#define BASE_CONCAT_INNER_(a, b) a##b
#define BASE_CONCAT_(a, b) BASE_CONCAT_INNER_(a, b)
#define ASSIGN_OR_RETURN(lhs, expression) \
  ASSIGN_OR_RETURN_IMPL_(BASE_CONCAT_(assign_or_return_, __LINE__), lhs, expression)
#define ASSIGN_OR_RETURN_IMPL_(temporary, lhs, expression) \
  auto temporary = (expression);                           \
  if (!temporary.ok()) return temporary.status();          \
  lhs = *std::move(temporary)
