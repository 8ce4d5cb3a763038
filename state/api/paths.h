// Where a request's path leads: a resource, one object of it, a subresource; or something else.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "base/net/http.h"

namespace state {

struct ApiRoute {
  bool is_resource = false;  // the rest is empty if not
  std::string group;         // "" for core
  std::string version;       // "v1"
  std::string plural;        // "pods"
  std::string ns;            // empty: cluster-scoped, or all namespaces
  std::string name;          // empty: the collection
  std::string subresource;   // "status", or empty

  // "v1" or "apps/v1".
  std::string ApiVersion() const { return group.empty() ? version : group + "/" + version; }
  // "pods" or "deployments.apps": as in object keys.
  std::string Resource() const { return group.empty() ? plural : plural + "." + group; }
};

// /api/v1/pods, /apis/apps/v1/namespaces/NS/deployments/NAME/status, ...
ApiRoute ParseRoute(const std::vector<std::string>& segments);

// What the request wants to do with its route, as authorization names it: "get", "list", "watch",
// "create", "update", "patch", "delete", "deletecollection"; of no resource, the method in lower
// case. Empty for a method that no resource has.
std::string VerbOf(const base::HttpRequest& request, const ApiRoute& route);

// "true", "1" and "True" of a query parameter, as Go reads them; an empty value counts as true if
// the parameter is there.
bool QueryFlag(const base::HttpRequest& request, std::string_view name);

}  // namespace state
