// What a request of the API asks for, in the words of state/authorize.h. Pure.
#pragma once

#include "base/net/http.h"
#include "base/status.h"
#include "state/api/paths.h"
#include "state/authorize.h"

namespace state {

AccessObject AccessOf(const base::HttpRequest& request, const ApiRoute& route);

// Authorize for a request: OK, or kForbidden as Kubernetes words it.
base::Status AuthorizeRequest(const base::HttpRequest& request, const ApiRoute& route,
                              const View& view);

}  // namespace state
