// Authenticator: who sent a request, by the credential that it carries. No credential at all is an
// empty identity; a wrong one is kUnauthorized. Any thread.
#pragma once

#include <functional>

#include "base/net/exchange.h"
#include "base/status.h"

namespace plumb {

using Authenticator = std::function<base::Result<base::Identity>(const base::IncomingRequest&)>;

}  // namespace plumb
