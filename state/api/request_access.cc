// A list is confined to a node by the field selector spec.nodeName=NODE, as Kubernetes has it: what
// other requirements stand beside it only takes away.
#include "state/api/request_access.h"

#include "manifests/selector.h"

namespace state {
namespace {

std::string SelectedNode(const base::HttpRequest& request) {
  const auto fields = manifests::FieldSelector::Parse(request.Query("fieldSelector"));
  if (!fields.ok()) return "";
  for (const auto& each : fields->requirements()) {
    if (each.path == "spec.nodeName" && each.equal) return each.value;
  }
  return "";
}

}  // namespace

AccessObject AccessOf(const base::HttpRequest& request, const ApiRoute& route) {
  if (!route.is_resource) return {.path = request.path};
  AccessObject object{.key = {route.Resource(), route.ns, route.name},
                      .subresource = route.subresource};
  if (route.plural == "pods" && route.name.empty()) object.on_node = SelectedNode(request);
  return object;
}

base::Status AuthorizeRequest(const base::HttpRequest& request, const ApiRoute& route,
                              const View& view) {
  return Authorize(request.identity, VerbOf(request, route), AccessOf(request, route), view);
}

}  // namespace state
