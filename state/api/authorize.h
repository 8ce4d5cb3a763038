// Who may do what. Pure: roles come with the identity's groups, and a node's rights from the View.
//
//   plumb:admin, system:masters   everything
//   plumb:deployer                reads everything, of Secrets only those of one namespace at a
//                                 time, and none of plumb-system; writes what stands in namespaces,
//                                 but not in kube-*, and neither Secrets, quotas and limits nor
//                                 bindings
//   plumb:viewer                  reads everything but Secrets, and logs
//   system:nodes                  what system:node:NAME needs to run the pods bound to NAME
//   any user                      discovery, OpenAPI
//   nobody                        /version, /healthz, /livez, /readyz
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/net/http.h"
#include "base/status.h"
#include "state/api/paths.h"
#include "state/view.h"

namespace state {

inline constexpr std::string_view kAdminGroup = "plumb:admin";
inline constexpr std::string_view kMastersGroup = "system:masters";
inline constexpr std::string_view kDeployerGroup = "plumb:deployer";
inline constexpr std::string_view kViewerGroup = "plumb:viewer";
inline constexpr std::string_view kNodesGroup = "system:nodes";
inline constexpr std::string_view kNodeUserPrefix = "system:node:";
inline constexpr std::string_view kAnonymous = "system:anonymous";

// OK, or kForbidden as Kubernetes words it.
base::Status Authorize(const base::HttpRequest& request, const ApiRoute& route, const View& view);

// What the path alone cannot tell: the object that a node creates must be its own.
base::Status AuthorizeNodeCreate(const base::Identity& identity, const ApiRoute& route,
                                 const base::Json& object);

}  // namespace state
