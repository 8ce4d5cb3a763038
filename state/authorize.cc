// A role is a predicate over (verb, object); the first group that allows wins. RBAC's objects will
// be one more of these predicates: it has the View at hand, and what it is asked is what
// Kubernetes asks them.
//
// A credential's bounds come before its role. One that is bound to repositories reaches these and
// what is deployed of them, and nothing else there is.
//
// A node (system:nodes, system:node:NAME) may:
//   - read services, endpoint slices, nodes, namespaces; its pods, by the field selector
//     spec.nodeName=NAME or one by one
//   - read a ConfigMap, Secret or ServiceAccount that a pod bound to it names, one by one, but none
//     of plumb's own Secrets
//   - write its own Node and Lease, the status of its pods, events; delete and evict its pods
// What of its Node it may write says admission/node_restriction.cc. It reads no Git, ever.
#include "state/authorize.h"

#include <algorithm>

#include "state/own_secrets.h"

namespace state {
namespace {

using base::Code;
using base::Status;

constexpr std::string_view kNodeUserPrefix = "system:node:";

struct Access {
  const base::Identity& identity;
  std::string_view verb;
  const AccessObject& object;
  const View& view;

  bool Reads() const { return verb == "get" || verb == "list" || verb == "watch"; }
  bool GetsPath() const { return verb == "get" && object.key.resource.empty(); }
  bool Is(std::string_view resource) const { return object.key.resource == resource; }
  const std::string& ns() const { return object.key.ns; }
  const std::string& name() const { return object.key.name; }
  const std::string& subresource() const { return object.subresource; }
};

std::string UserOf(const base::Identity& identity) {
  return identity.user.empty() ? std::string(kAnonymous) : identity.user;
}

Status Forbidden(const Access& about, const std::string& why = "") {
  const Key& key = about.object.key;
  const std::string user = "User \"" + UserOf(about.identity) + "\" cannot ";
  if (key.resource.empty()) {
    return Status(Code::kForbidden, "forbidden: " + user + std::string(about.verb) + " path \"" +
                                        about.object.path + "\"" + why);
  }
  const size_t dot = std::min(key.resource.find('.'), key.resource.size());
  std::string text = key.resource;
  if (!key.name.empty()) text += " \"" + key.name + "\"";
  text += " is forbidden: " + user + std::string(about.verb) + " resource \"" +
          key.resource.substr(0, dot) +
          (about.subresource().empty() ? "" : "/" + about.subresource()) + "\" in API group \"" +
          key.resource.substr(std::min(dot + 1, key.resource.size())) + "\"";
  text += key.ns.empty() ? " at the cluster scope" : " in the namespace \"" + key.ns + "\"";
  return Status(Code::kForbidden, text + why);
}

// The first part of the path of what is no resource.
std::string_view FirstOf(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  return path.substr(0, path.find('/'));
}

bool IsPublicPath(const Access& about) {
  const std::string_view first = FirstOf(about.object.path);
  return about.GetsPath() &&
         (first == "version" || first == "healthz" || first == "livez" || first == "readyz");
}

bool IsDiscoveryPath(const Access& about) {
  const std::string_view first = FirstOf(about.object.path);
  return about.GetsPath() &&
         (first.empty() || first == "api" || first == "apis" || first == "openapi");
}

bool AllowsViewersToFetch(const Access& about) {
  const ObjectPtr repository = about.view.Get(about.object.key);
  return repository != nullptr &&
         repository->Meta("annotations")[kViewersFetchAnnotation].AsString() == "true";
}

bool ViewerMay(const Access& about) {
  if (about.verb == kFetch) return about.Is(kGitRepositoryResource) && AllowsViewersToFetch(about);
  return about.Reads() && !about.Is("secrets") && !about.Is(kTokenResource) &&
         (about.subresource().empty() || about.subresource() == "log" ||
          about.subresource() == "status" || about.subresource() == "scale");
}

bool DeployerMay(const Access& about) {
  if (about.verb == kFetch || about.verb == kPush) return about.Is(kGitRepositoryResource);
  if (about.verb == kSync || about.verb == kSuspend) return about.Is(kKustomizationResource);
  if (about.Is("secrets")) {
    return about.Reads() && !about.ns().empty() && about.ns() != kSystemNamespace;
  }
  if (about.Reads()) return ViewerMay(about);
  // What stands in plumb-system says who deploys what, and where: administrators' own.
  if (about.ns().empty() || about.ns().starts_with("kube-") || about.ns() == kSystemNamespace) {
    return false;
  }
  // A namespace is itself no thing in a namespace.
  if (about.Is("namespaces")) return false;
  if (about.Is("resourcequotas") || about.Is("limitranges")) return false;
  return about.subresource() != "binding";
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

bool PodUses(const Object& pod, const Access& about) {
  const std::string& name = about.name();
  if (about.Is("secrets") && IsOwnSecret({"secrets", about.ns(), name})) return false;
  const base::Value spec = pod["spec"];
  if (about.Is("serviceaccounts")) return spec["serviceAccountName"].AsString() == name;
  if (about.Is("configmaps")) {
    return Names(spec, "configMap", "name", name) || Names(spec, "configMapRef", "name", name) ||
           Names(spec, "configMapKeyRef", "name", name);
  }
  for (const base::Value pull : spec["imagePullSecrets"].Elements()) {
    if (pull["name"].AsString() == name) return true;
  }
  return Names(spec, "secret", "secretName", name) || Names(spec, "secret", "name", name) ||
         Names(spec, "secretRef", "name", name) || Names(spec, "secretKeyRef", "name", name);
}

bool UsedOnNode(const Access& about, std::string_view node) {
  for (const ObjectPtr& pod : about.view.Lookup(Index::kNode, node)) {
    if (pod->key.ns == about.ns() && PodUses(*pod, about)) return true;
  }
  return false;
}

bool NodeMayTouchPod(const Access& about, std::string_view node) {
  if (about.verb == "list" || about.verb == "watch") return about.object.on_node == node;
  const ObjectPtr pod = about.view.Get(about.object.key);
  const bool own = pod != nullptr && (*pod)["spec"]["nodeName"].AsString() == node;
  if (!own) return false;
  if (about.subresource() == "status") return about.verb == "update" || about.verb == "patch";
  if (about.subresource() == "eviction") return about.verb == "create";
  return about.subresource().empty() && (about.verb == "get" || about.verb == "delete");
}

bool NodeMay(const Access& about, std::string_view node) {
  if (about.Is("pods")) return NodeMayTouchPod(about, node);
  if (about.Is("nodes")) {
    if (about.Reads() || (about.verb == "create" && about.name().empty())) return true;
    return about.name() == node && (about.verb == "update" || about.verb == "patch") &&
           (about.subresource().empty() || about.subresource() == "status");
  }
  if (about.Is("leases.coordination.k8s.io") && about.ns() == "kube-node-lease") {
    return about.verb == "create" ? about.name().empty()
                                  : about.name() == node && about.verb != "deletecollection";
  }
  if (about.Is("events")) {
    return about.verb == "create" || about.verb == "update" || about.verb == "patch";
  }
  if (about.Is("configmaps") || about.Is("secrets") || about.Is("serviceaccounts"))
    return about.verb == "get" && about.subresource().empty() && UsedOnNode(about, node);
  return about.Reads() && (about.Is("services") || about.Is("namespaces") ||
                           about.Is("endpointslices.discovery.k8s.io"));
}

bool Has(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// The repository that an object is, or is deployed from; empty if none.
std::string RepositoryOf(const Access& about) {
  if (about.ns() != kSystemNamespace || about.name().empty()) return "";
  if (about.Is(kGitRepositoryResource)) return about.name();
  if (!about.Is(kKustomizationResource)) return "";
  const ObjectPtr application = about.view.Get(about.object.key);
  if (application == nullptr) return "";
  return std::string((*application)["spec"]["sourceRef"]["name"].AsString());
}

// What the credential is bound to, as the end of a sentence; empty if it is not bound by it.
std::string OutOfBounds(const Access& about) {
  const base::CredentialBounds& bounds = about.identity.bounds;
  if (bounds.empty() || IsPublicPath(about) || IsDiscoveryPath(about)) return "";
  const auto bound_to = [](const std::string& what, const std::vector<std::string>& list) {
    std::string text = ": the token is bound to " + what;
    for (const std::string& each : list) text += (&each == &list.front() ? " " : ", ") + each;
    return text;
  };
  if (!bounds.verbs.empty() && !Has(bounds.verbs, about.verb))
    return bound_to("the verbs", bounds.verbs);
  if (!bounds.repositories.empty() && !Has(bounds.repositories, RepositoryOf(about)))
    return bound_to("the repositories", bounds.repositories);
  if (bounds.repositories.empty() && !bounds.branches.empty() && about.verb != kFetch &&
      about.verb != kPush) {
    return bound_to("the branches", bounds.branches);
  }
  return "";
}

}  // namespace

std::string NodeUser(std::string_view node) {
  return std::string(kNodeUserPrefix) + std::string(node);
}

std::string_view NodeOfUser(std::string_view user) {
  return user.starts_with(kNodeUserPrefix) ? user.substr(kNodeUserPrefix.size())
                                           : std::string_view();
}

std::string_view NodeOf(const base::Identity& identity) {
  if (identity.InGroup(kAdminGroup) || identity.InGroup(kMastersGroup)) return {};
  return identity.InGroup(kNodesGroup) ? NodeOfUser(identity.user) : std::string_view();
}

AccessObject RepositoryObject(std::string_view name) {
  return {.key = {std::string(kGitRepositoryResource), std::string(kSystemNamespace),
                  std::string(name)}};
}

AccessObject ApplicationObject(std::string_view name) {
  return {.key = {std::string(kKustomizationResource), std::string(kSystemNamespace),
                  std::string(name)}};
}

Status Authorize(const base::Identity& identity, std::string_view verb, const AccessObject& object,
                 const View& view) {
  const Access about{identity, verb, object, view};
  if (const std::string out = OutOfBounds(about); !out.empty()) return Forbidden(about, out);
  return AuthorizeByRole(identity, verb, object, view);
}

Status AuthorizeByRole(const base::Identity& identity, std::string_view verb,
                       const AccessObject& object, const View& view) {
  const Access about{identity, verb, object, view};
  if (identity.InGroup(kAdminGroup) || identity.InGroup(kMastersGroup)) return Status();
  if (object.key.resource.empty()) {
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

}  // namespace state
