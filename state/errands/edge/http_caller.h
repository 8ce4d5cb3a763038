// The HttpCaller of a running server: HTTP and HTTPS, each call on a thread of a pool of its own,
// so that slow servers hold up nobody but each other.
//
// Destroying it hangs up on the calls under way. An address is checked after the name was looked
// up, and it is that address that is connected to. The time limit is for the whole exchange but the
// lookup of the name.
#pragma once

#include <memory>

#include "base/loop.h"
#include "state/errands/address_guard.h"
#include "state/errands/http_caller.h"

namespace state {

inline constexpr int kHttpCallerThreads = 8;  // one a call; more calls wait for one of them
inline constexpr base::Duration kMaxConnectTime = base::Duration::Seconds(5);

std::unique_ptr<HttpCaller> NewHttpCaller(base::Loop& loop, AddressGuard guard);

}  // namespace state
