// A path is /api/VERSION/... for the core group and /apis/GROUP/VERSION/... for the others. Then
// comes the resource, in a namespace or not, an object's name, a subresource. "namespaces/x/status"
// is the namespace's own subresource and not a resource called "status".
#include "state/api/paths.h"

namespace state {
namespace {

bool IsNamespaceSubresource(const std::string& segment) {
  return segment == "status" || segment == "finalize";
}

}  // namespace

ApiRoute ParseRoute(const std::vector<std::string>& segments) {
  ApiRoute route;
  size_t at = 0;
  if (segments.size() >= 3 && segments[0] == "api") {
    route.version = segments[1];
    at = 2;
  } else if (segments.size() >= 4 && segments[0] == "apis") {
    route.group = segments[1];
    route.version = segments[2];
    at = 3;
  } else {
    return ApiRoute();
  }
  const bool in_namespace =
      segments.size() > at + 2 && segments[at] == "namespaces" &&
      !(segments.size() == at + 3 && IsNamespaceSubresource(segments[at + 2]));
  if (in_namespace) {
    route.ns = segments[at + 1];
    at += 2;
  }
  if (segments.size() > at + 3) return ApiRoute();
  route.is_resource = true;
  route.plural = segments[at];
  if (segments.size() > at + 1) route.name = segments[at + 1];
  if (segments.size() > at + 2) route.subresource = segments[at + 2];
  return route;
}

bool QueryFlag(const base::HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.query) {
    if (key == name) return value != "false" && value != "0" && value != "False" && value != "f";
  }
  return false;
}

std::string VerbOf(const base::HttpRequest& request, const ApiRoute& route) {
  const std::string& method = request.method;
  if (!route.is_resource) {
    std::string verb;
    for (char c : method) verb += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return verb;
  }
  // Whatever method opens it, a command changes what it runs in.
  if (route.subresource == "exec" && (method == "GET" || method == "POST")) return "create";
  if (method == "GET" || method == "HEAD") {
    if (!route.name.empty() && !QueryFlag(request, "watch")) return "get";
    return QueryFlag(request, "watch") ? "watch" : "list";
  }
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return route.name.empty() ? "deletecollection" : "delete";
  return "";
}

}  // namespace state
