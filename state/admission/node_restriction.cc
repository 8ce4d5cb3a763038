// Kubernetes' NodeRestriction, of what the path of a request cannot tell:
// - A node makes its own Node and Lease, and no others.
// - Of its Node it writes labels, annotations and the status. spec is the cluster's: the pod range
//   is given to it, taints and the cordon are administrators'. So are finalizers and owners, which
//   could keep a Node that is to go.
// - Labels under node-restriction.kubernetes.io are the administrators'. Of the other labels under
//   kubernetes.io and k8s.io a node may set those that describe it. None that it may not set it may
//   take away.
#include "state/admission/node_restriction.h"

#include <algorithm>

#include "state/admission/admission.h"
#include "state/authorize.h"

namespace state {
namespace {

using base::Json;
using base::Status;

constexpr std::string_view kOwnLabels[] = {
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
};
constexpr std::string_view kOwnDomains[] = {"kubelet.kubernetes.io", "node.kubernetes.io"};

bool IsUnder(std::string_view domain, std::string_view parent) {
  return domain == parent ||
         (domain.ends_with(parent) && domain[domain.size() - parent.size() - 1] == '.');
}

Status RefuseNode(std::string_view node, const std::string& what) {
  return Status(base::Code::kForbidden,
                "nodes \"" + std::string(node) + "\" is forbidden: node \"" + std::string(node) +
                    "\" is not allowed to " + what + "; an administrator can");
}

// The labels that differ.
std::string FirstForbiddenLabel(const Json& before, const Json& after) {
  const auto differs = [](const Json& from, const Json& to) {
    for (const auto& [name, value] : from.Members()) {
      const Json* other = to.Find(name);
      const bool same = other != nullptr && other->AsString() == value.AsString();
      if (!same && !MayLabelItself(name)) return std::string(name);
    }
    return std::string();
  };
  std::string name = differs(after, before);
  return name.empty() ? differs(before, after) : name;
}

bool IsNothing(const Json& value) {
  return value.IsNull() || (value.IsBool() && !value.AsBool()) ||
         (value.IsString() && value.AsString().empty()) ||
         ((value.IsArray() || value.IsObject()) && value.empty());
}

Status CheckOwnNode(std::string_view node, const Json& before, const Json& after) {
  const std::string label =
      FirstForbiddenLabel(before["metadata"]["labels"], after["metadata"]["labels"]);
  if (!label.empty()) return RefuseNode(node, "set or remove its label " + label);
  for (const char* member : {"finalizers", "ownerReferences"}) {
    if (!SameField(before["metadata"][member], after["metadata"][member]))
      return RefuseNode(node, "change its metadata." + std::string(member));
  }
  for (const Json* one : {&after, &before}) {
    for (const auto& [member, value] : (*one)["spec"].Members()) {
      if (!SameField(before["spec"][member], after["spec"][member]))
        return RefuseNode(node, "change its spec." + std::string(member));
    }
  }
  return Status();
}

}  // namespace

bool MayLabelItself(std::string_view label) {
  const size_t slash = label.find('/');
  const std::string_view domain = slash == std::string_view::npos ? "" : label.substr(0, slash);
  if (IsUnder(domain, "node-restriction.kubernetes.io")) return false;
  if (!IsUnder(domain, "kubernetes.io") && !IsUnder(domain, "k8s.io")) return true;
  if (std::find(std::begin(kOwnLabels), std::end(kOwnLabels), label) != std::end(kOwnLabels)) {
    return true;
  }
  return std::any_of(std::begin(kOwnDomains), std::end(kOwnDomains),
                     [domain](std::string_view own) { return IsUnder(domain, own); });
}

std::string_view ActingNode(const ActorPtr& actor) {
  if (actor == nullptr || actor->program) return {};
  const auto in_group = [&](std::string_view group) {
    return std::find(actor->groups.begin(), actor->groups.end(), group) != actor->groups.end();
  };
  const bool is_node = in_group(kNodesGroup) && !in_group(kAdminGroup) && !in_group(kMastersGroup);
  return is_node ? NodeOfUser(actor->user) : std::string_view();
}

Status CheckNodeCreates(const ActorPtr& actor, const Key& key) {
  const std::string_view node = ActingNode(actor);
  if (node.empty() || key.name == node) return Status();
  if (key.resource != "nodes" && key.resource != "leases.coordination.k8s.io") return Status();
  return Status(base::Code::kForbidden,
                key.resource + " \"" + key.name + "\" is forbidden: node \"" + std::string(node) +
                    "\" is not allowed to create " + key.resource + " of another name");
}

bool SameField(const Json& before, const Json& after) {
  return before == after || (IsNothing(before) && IsNothing(after));
}

base::Status AdmitNodeRestriction(AdmissionRequest& request) {
  const std::string_view node = ActingNode(request.context.actor);
  if (node.empty()) return Status();
  if (request.old == nullptr) RETURN_IF_ERROR(CheckNodeCreates(request.context.actor, request.key));
  if (request.key.resource != "nodes") return Status();
  const Json before = request.old == nullptr ? Json::MakeObject() : request.old->document.ToJson();
  return CheckOwnNode(node, before, request.object);
}

}  // namespace state
