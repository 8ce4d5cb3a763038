// A role is a predicate over (verb, resource, namespace, name); the first group that allows wins.
//
// A node (system:nodes, system:node:NAME) may:
//   - read services, endpoint slices, nodes, namespaces; its pods, by the field selector
//     spec.nodeName=NAME or one by one
//   - read a ConfigMap, Secret or ServiceAccount that a pod bound to it names, one by one, but none
//     of plumb's own Secrets
//   - write its own Node and Lease, the status of its pods, events; delete and evict its pods
#include "state/api/authorize.h"

#include "manifests/selector.h"
#include "state/own_secrets.h"

namespace state {
namespace {

using base::Code;
using base::Status;

struct Attributes {
  const base::HttpRequest& request;
  const ApiRoute& route;
  const View& view;
  std::string verb;

  bool Reads() const { return verb == "get" || verb == "list" || verb == "watch"; }
  bool Is(std::string_view group, std::string_view plural) const {
    return route.group == group && route.plural == plural;
  }
};

std::string UserOf(const base::Identity& identity) {
  return identity.user.empty() ? std::string(kAnonymous) : identity.user;
}

Status Forbidden(const Attributes& about) {
  const ApiRoute& route = about.route;
  std::string text;
  if (!route.is_resource) {
    text = "forbidden: User \"" + UserOf(about.request.identity) + "\" cannot " + about.verb +
           " path \"" + about.request.path + "\"";
    return Status(Code::kForbidden, text);
  }
  text = route.Resource();
  if (!route.name.empty()) text += " \"" + route.name + "\"";
  text += " is forbidden: User \"" + UserOf(about.request.identity) + "\" cannot " + about.verb +
          " resource \"" + route.plural +
          (route.subresource.empty() ? "" : "/" + route.subresource) + "\" in API group \"" +
          route.group + "\"";
  text += route.ns.empty() ? " at the cluster scope" : " in the namespace \"" + route.ns + "\"";
  return Status(Code::kForbidden, text);
}

bool IsPublicPath(const Attributes& about) {
  if (about.verb != "get" || about.request.segments.empty()) return false;
  const std::string& first = about.request.segments.front();
  return first == "version" || first == "healthz" || first == "livez" || first == "readyz";
}

bool IsDiscoveryPath(const Attributes& about) {
  if (about.verb != "get") return false;
  if (about.request.segments.empty()) return true;
  const std::string& first = about.request.segments.front();
  return first == "api" || first == "apis" || first == "openapi";
}

bool ViewerMay(const Attributes& about) {
  return about.Reads() && !about.Is("", "secrets") &&
         (about.route.subresource.empty() || about.route.subresource == "log" ||
          about.route.subresource == "status" || about.route.subresource == "scale");
}

bool DeployerMay(const Attributes& about) {
  const ApiRoute& route = about.route;
  if (about.Is("", "secrets")) {
    return about.Reads() && !route.ns.empty() && route.ns != kSystemNamespace;
  }
  if (about.Reads()) return ViewerMay(about);
  if (route.ns.empty() || route.ns.starts_with("kube-")) return false;
  // A namespace is itself no thing in a namespace.
  if (about.Is("", "namespaces")) return false;
  if (about.Is("", "resourcequotas") || about.Is("", "limitranges")) return false;
  return route.subresource != "binding";
}

// True if a pod's volumes, environment or pull secrets name the object.
bool Names(base::Value value, std::string_view field, std::string_view member,
           std::string_view name) {
  if (value.IsObject()) {
    if (value[field][member].AsString() == name) return true;
    for (const auto& [key, each] : value.Members()) {
      if (Names(each, field, member, name)) return true;
    }
  }
  for (const base::Value each : value.Elements()) {
    if (Names(each, field, member, name)) return true;
  }
  return false;
}

bool PodUses(const Object& pod, const Attributes& about) {
  const std::string& name = about.route.name;
  if (about.Is("", "secrets") && IsOwnSecret({"secrets", about.route.ns, name})) return false;
  const base::Value spec = pod["spec"];
  if (about.Is("", "serviceaccounts")) return spec["serviceAccountName"].AsString() == name;
  if (about.Is("", "configmaps")) {
    return Names(spec, "configMap", "name", name) || Names(spec, "configMapRef", "name", name) ||
           Names(spec, "configMapKeyRef", "name", name);
  }
  for (const base::Value pull : spec["imagePullSecrets"].Elements()) {
    if (pull["name"].AsString() == name) return true;
  }
  return Names(spec, "secret", "secretName", name) || Names(spec, "secret", "name", name) ||
         Names(spec, "secretRef", "name", name) || Names(spec, "secretKeyRef", "name", name);
}

bool UsedOnNode(const Attributes& about, std::string_view node) {
  for (const ObjectPtr& pod : about.view.Lookup(Index::kNode, node)) {
    if (pod->key.ns == about.route.ns && PodUses(*pod, about)) return true;
  }
  return false;
}

bool SelectsOwnPods(const Attributes& about, std::string_view node) {
  const auto fields = manifests::FieldSelector::Parse(about.request.Query("fieldSelector"));
  if (!fields.ok()) return false;
  for (const auto& each : fields->requirements()) {
    if (each.path == "spec.nodeName" && each.equal && each.value == node) return true;
  }
  return false;
}

bool NodeMayTouchPod(const Attributes& about, std::string_view node) {
  const ApiRoute& route = about.route;
  if (about.verb == "list" || about.verb == "watch") return SelectsOwnPods(about, node);
  const ObjectPtr pod = about.view.Get("pods", route.ns, route.name);
  const bool own = pod != nullptr && (*pod)["spec"]["nodeName"].AsString() == node;
  if (!own) return false;
  if (route.subresource == "status") return about.verb == "update" || about.verb == "patch";
  if (route.subresource == "eviction") return about.verb == "create";
  return route.subresource.empty() && (about.verb == "get" || about.verb == "delete");
}

bool NodeMay(const Attributes& about, std::string_view node) {
  const ApiRoute& route = about.route;
  if (about.Is("", "pods")) return NodeMayTouchPod(about, node);
  if (about.Is("", "nodes")) {
    if (about.Reads() || (about.verb == "create" && route.name.empty())) return true;
    return route.name == node && (about.verb == "update" || about.verb == "patch") &&
           (route.subresource.empty() || route.subresource == "status");
  }
  if (about.Is("coordination.k8s.io", "leases") && route.ns == "kube-node-lease") {
    return about.verb == "create" ? route.name.empty()
                                  : route.name == node && about.verb != "deletecollection";
  }
  if (about.Is("", "events")) {
    return about.verb == "create" || about.verb == "update" || about.verb == "patch";
  }
  if (about.Is("", "configmaps") || about.Is("", "secrets") || about.Is("", "serviceaccounts"))
    return about.verb == "get" && route.subresource.empty() && UsedOnNode(about, node);
  return about.Reads() && (about.Is("", "services") || about.Is("", "namespaces") ||
                           about.Is("discovery.k8s.io", "endpointslices"));
}

// The node's name; empty if this is no node.
std::string_view NodeOf(const base::Identity& identity) {
  if (!identity.InGroup(kNodesGroup) || !identity.user.starts_with(kNodeUserPrefix)) return {};
  return std::string_view(identity.user).substr(kNodeUserPrefix.size());
}

}  // namespace

Status Authorize(const base::HttpRequest& request, const ApiRoute& route, const View& view) {
  const Attributes about{request, route, view, VerbOf(request, route)};
  const base::Identity& identity = request.identity;
  if (identity.InGroup(kAdminGroup) || identity.InGroup(kMastersGroup)) return Status();
  if (!route.is_resource) {
    const bool allowed = IsPublicPath(about) || (!identity.user.empty() && IsDiscoveryPath(about));
    return allowed ? Status() : Forbidden(about);
  }
  if (identity.user.empty()) return Forbidden(about);
  if (identity.InGroup(kDeployerGroup) && DeployerMay(about)) return Status();
  if (identity.InGroup(kViewerGroup) && ViewerMay(about)) return Status();
  const std::string_view node = NodeOf(identity);
  if (!node.empty() && NodeMay(about, node)) return Status();
  return Forbidden(about);
}

Status AuthorizeNodeCreate(const base::Identity& identity, const ApiRoute& route,
                           const base::Json& object) {
  const std::string_view node = NodeOf(identity);
  if (node.empty() || identity.InGroup(kAdminGroup)) return Status();
  if (route.plural != "nodes" && route.plural != "leases") return Status();
  const std::string_view name = object["metadata"]["name"].AsString();
  if (name == node) return Status();
  return Status(Code::kForbidden, route.Resource() + " \"" + std::string(name) +
                                      "\" is forbidden: node \"" + std::string(node) +
                                      "\" is not allowed to create " + route.plural +
                                      " of another name");
}

}  // namespace state
