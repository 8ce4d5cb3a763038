// Errand: something that plumb wants of the outside, kept as an object: a webhook that is to
// arrive. A kind of errands is a row of pure functions over its objects; ErrandRunner does what
// they plan, and records how it went.
//
// An errand's whole memory is its object: the spec says what is wanted, the status how far it is.
// So whatever dies, the next process goes on from there: an errand is done at least once, and
// always as the same one, since its uid is its name outside. The rooms above own their kinds;
// plumb/ hands the table of them to the runner.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/json.h"
#include "base/status.h"
#include "base/time.h"
#include "state/errands/http_caller.h"
#include "state/view.h"

namespace state {

// What is next for an errand.
struct ErrandRest {};  // nothing, until it or something that its kind wakes on changes
struct ErrandWait {
  base::WallTime until;
};
struct ErrandCall {
  HttpCall call;
  std::string lane;  // calls in one lane follow each other
};
struct ErrandFailure {  // it counts as a call that was answered so
  base::Status why;
};
struct ErrandRecord {
  base::Json status;    // of the object from now on
  std::string failure;  // what went wrong, for the log; empty: nothing
};
struct ErrandRemoval {};  // the object goes

using ErrandStep =
    std::variant<ErrandRest, ErrandWait, ErrandCall, ErrandFailure, ErrandRecord, ErrandRemoval>;

struct ErrandKind {
  std::string_view resource;  // its objects: "deliveries.plumb.dev"
  // When an object of one of these changes, the errands of its namespace are planned anew.
  std::span<const std::string_view> wakes_on;
  // May say to call only what, called twice, does no harm.
  ErrandStep (*next)(const View& view, const Object& errand, base::WallTime now);
  // What a call, or a failure, leaves behind. It must make a difference, or the call is repeated
  // after kErrandRetry. The errand may have changed since it was called for.
  ErrandRecord (*absorb)(const Object& errand, const HttpAnswer& answer, base::WallTime now);
};

}  // namespace state
