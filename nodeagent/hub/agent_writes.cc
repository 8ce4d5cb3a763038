// Rules (Kubernetes' NodeRestriction):
// - A pod is the node's if spec.nodeName names it and the uid is that of the report.
// - A pod's deletion is completed only if it was begun: a node cannot delete pods.
// - Labels under node-restriction.kubernetes.io are the administrator's. Of the other labels under
//   kubernetes.io and k8s.io a node may set those that describe it.
// - Labels that others gave the Node stay.
#include "nodeagent/hub/agent_writes.h"

#include <algorithm>
#include <utility>

#include "manifests/kinds/conditions.h"
#include "state/events.h"

namespace nodeagent {
namespace {

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

base::Result<state::ObjectPtr> OwnPod(const state::View& view, const std::string& node,
                                      const state::Key& key, const std::string& uid) {
  if (key.resource != "pods") {
    return base::Status(base::Code::kForbidden, "node " + node + " reports on " + key.ToString() +
                                                    "; it may report on its pods only");
  }
  state::ObjectPtr pod = view.Get(key);
  if (pod == nullptr || pod->Uid() != uid) {
    return base::Status(base::Code::kNotFound,
                        key.ToString() + " with uid " + uid + " does not exist any more");
  }
  if ((*pod)["spec"]["nodeName"].AsString() != node) {
    return base::Status(base::Code::kForbidden,
                        key.ToString() + " is not bound to node " + node + ", which reports on it");
  }
  return pod;
}

base::Status CheckStatus(const base::Document& status) {
  if (!status.root().IsObject()) {
    return base::Status(base::Code::kInvalid, "a reported status is not a JSON object");
  }
  if (status.Bytes().size() > kMaxReportBytes) {
    return base::Status(base::Code::kTooLarge,
                        "a reported status has " + std::to_string(status.Bytes().size()) +
                            " bytes; the limit is " + std::to_string(kMaxReportBytes));
  }
  return {};
}

// Sets what of `labels` is the node's to set; the names of the others come back.
std::string SetLabels(const std::map<std::string, std::string>& labels, base::Json& object) {
  std::string refused;
  for (const auto& [name, value] : labels) {
    if (MayLabelItself(name)) {
      object["metadata"]["labels"].Set(name, value);
    } else {
      refused += (refused.empty() ? "" : ", ") + name;
    }
  }
  return refused;
}

base::Json NewNode(const std::string& node) {
  return base::Json::MakeObject({{"apiVersion", "v1"},
                                 {"kind", "Node"},
                                 {"metadata", base::Json::MakeObject({{"name", node}})}});
}

base::Status EnsureLeaseNamespace(state::Draft& draft) {
  if (draft.view().Get("namespaces", "", kLeaseNamespace)) return {};
  return draft
      .Create(base::Json::MakeObject(
          {{"apiVersion", "v1"},
           {"kind", "Namespace"},
           {"metadata", base::Json::MakeObject({{"name", kLeaseNamespace}})}}))
      .status();
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

base::Status WritePodStatus(state::Draft& draft, const std::string& node, const PodStatus& report) {
  RETURN_IF_ERROR(CheckStatus(report.status));
  RETURN_IF_ERROR(OwnPod(draft.view(), node, report.key, report.uid).status());
  return draft.UpdateStatus(report.key, report.status.ToJson()).status();
}

base::Status WritePodGone(state::Draft& draft, const std::string& node, const PodGone& report) {
  ASSIGN_OR_RETURN(const state::ObjectPtr pod, OwnPod(draft.view(), node, report.key, report.uid));
  if (!pod->Deleting()) {
    return base::Status(base::Code::kForbidden, report.key.ToString() +
                                                    " is not being deleted, but node " + node +
                                                    " says that nothing is left of it");
  }
  return draft.Delete(report.key, {.grace_period_seconds = 0, .uid = report.uid}).status();
}

base::Status WriteNodeStatus(state::Draft& draft, const std::string& node,
                             const NodeStatus& report) {
  RETURN_IF_ERROR(CheckStatus(report.status));
  const state::Key key{"nodes", "", node};
  const state::ObjectPtr existing = draft.view().Get(key);
  base::Json object = existing ? existing->document.ToJson() : NewNode(node);
  const std::string refused = SetLabels(report.labels, object);
  RETURN_IF_ERROR(existing ? draft.Update(std::move(object)).status()
                           : draft.Create(std::move(object)).status());
  RETURN_IF_ERROR(draft.UpdateStatus(key, report.status.ToJson()).status());
  if (refused.empty()) return {};
  return base::Status(base::Code::kForbidden, "node " + node + " may not give itself the labels " +
                                                  refused + "; an administrator can");
}

base::Status WritePodEvent(state::Draft& draft, const std::string& node, const PodEvent& report) {
  if (report.reason.size() + report.message.size() > kMaxEventBytes) {
    return base::Status(base::Code::kTooLarge, "an event of node " + node + " has more than " +
                                                   std::to_string(kMaxEventBytes) + " bytes");
  }
  ASSIGN_OR_RETURN(const state::ObjectPtr pod, OwnPod(draft.view(), node, report.key, report.uid));
  state::WriteEvent(draft, *pod,
                    report.warning ? state::EventType::kWarning : state::EventType::kNormal,
                    report.reason, report.message);
  return {};
}

base::Status RenewLease(state::Draft& draft, const std::string& node, base::WallTime now,
                        base::Duration valid) {
  RETURN_IF_ERROR(EnsureLeaseNamespace(draft));
  const state::Key key{"leases.coordination.k8s.io", kLeaseNamespace, node};
  const state::ObjectPtr existing = draft.view().Get(key);
  base::Json lease =
      existing ? existing->document.ToJson()
               : base::Json::MakeObject(
                     {{"apiVersion", "coordination.k8s.io/v1"},
                      {"kind", "Lease"},
                      {"metadata",
                       base::Json::MakeObject({{"name", node}, {"namespace", kLeaseNamespace}})}});
  lease["spec"].Set("holderIdentity", node);
  lease["spec"].Set("leaseDurationSeconds", valid.seconds());
  lease["spec"].Set("renewTime", now.ToMicroString());
  return existing ? draft.Update(std::move(lease)).status()
                  : draft.Create(std::move(lease)).status();
}

base::Status MarkUnknown(state::Draft& draft, const std::string& node, base::WallTime now) {
  const state::Key key{"nodes", "", node};
  const state::ObjectPtr existing = draft.view().Get(key);
  if (existing == nullptr || (*existing)["status"]["conditions"].empty()) return {};
  base::Json status = (*existing)["status"].ToJson();
  const std::string_view was =
      manifests::ConditionOf((*existing)["status"], "Ready")["status"].AsString();
  if (!was.empty() && was != "Unknown") {
    manifests::SetCondition(status, "Ready", "Unknown", "NodeStatusUnknown",
                            "The node's agent has stopped reporting.", now);
  }
  return draft.UpdateStatus(key, std::move(status)).status();
}

}  // namespace nodeagent
