// Rules (Kubernetes' NodeRestriction; of labels, state/admission/node_restriction has the rule):
// - A pod is the node's if spec.nodeName names it and the uid is that of the report.
// - A pod's deletion is completed only if it was begun: a node cannot delete pods.
// - A status is validated as REST does. What is wrong in it is left out, and named; the rest is
//   written, since a node of another version must not go unheard for one field.
// - Labels that others gave the Node stay.
#include "nodeagent/hub/agent_writes.h"

#include <utility>

#include "manifests/kinds/conditions.h"
#include "nodeagent/hub/reported_status.h"
#include "state/admission/node_restriction.h"
#include "state/authorize.h"
#include "state/events.h"

namespace nodeagent {
namespace {

// As REST would ask: a frame is one more door.
bool NodeMay(const state::View& view, const std::string& node, std::string_view verb,
             const state::AccessObject& object) {
  const base::Identity identity{state::NodeUser(node), {std::string(state::kNodesGroup)}};
  return state::Authorize(identity, verb, object, view).ok();
}

// The pod, if the node may do that to it.
base::Result<state::ObjectPtr> OwnPod(const state::View& view, const std::string& node,
                                      const state::Key& key, const std::string& uid,
                                      std::string_view verb, const std::string& subresource) {
  if (key.resource != "pods") {
    return base::Status(base::Code::kForbidden, "node " + node + " reports on " + key.ToString() +
                                                    "; it may report on its pods only");
  }
  state::ObjectPtr pod = view.Get(key);
  if (pod == nullptr || pod->Uid() != uid) {
    return base::Status(base::Code::kNotFound,
                        key.ToString() + " with uid " + uid + " does not exist any more");
  }
  if (!NodeMay(view, node, verb, {.key = key, .subresource = subresource})) {
    return base::Status(base::Code::kForbidden,
                        key.ToString() + " is not bound to node " + node + ", which reports on it");
  }
  return pod;
}

// The reported status as far as it is right; the rest is named in `wrong`.
base::Result<base::Json> CheckedStatus(const state::Draft& draft, const state::Key& key,
                                       const base::Document& status, std::string& wrong) {
  if (!status.root().IsObject()) {
    return base::Status(base::Code::kInvalid, "a reported status is not a JSON object");
  }
  if (status.Bytes().size() > kMaxReportBytes) {
    return base::Status(base::Code::kTooLarge,
                        "a reported status has " + std::to_string(status.Bytes().size()) +
                            " bytes; the limit is " + std::to_string(kMaxReportBytes));
  }
  const manifests::Kind* kind = draft.schema().FindByResource(key.resource);
  CHECK(kind != nullptr);
  return ValidStatus(*kind, key.name, status.ToJson(), wrong);
}

base::Status LeftOut(const std::string& node, const state::Key& key, const std::string& wrong) {
  if (wrong.empty()) return {};
  return base::Status(base::Code::kInvalid, "of the status that node " + node + " reports of " +
                                                key.ToString() + " was left out " + wrong);
}

// Sets what of `labels` is the node's to set; the names of the others come back.
std::string SetLabels(const std::map<std::string, std::string>& labels, base::Json& object) {
  std::string refused;
  for (const auto& [name, value] : labels) {
    if (state::MayLabelItself(name)) {
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

base::Status WritePodStatus(state::Draft& draft, const std::string& node, const PodStatus& report) {
  RETURN_IF_ERROR(OwnPod(draft.view(), node, report.key, report.uid, "patch", "status").status());
  std::string wrong;
  ASSIGN_OR_RETURN(base::Json status, CheckedStatus(draft, report.key, report.status, wrong));
  RETURN_IF_ERROR(draft.UpdateStatus(report.key, std::move(status)).status());
  return LeftOut(node, report.key, wrong);
}

base::Status WritePodGone(state::Draft& draft, const std::string& node, const PodGone& report) {
  ASSIGN_OR_RETURN(const state::ObjectPtr pod,
                   OwnPod(draft.view(), node, report.key, report.uid, "delete", ""));
  if (!pod->Deleting()) {
    return base::Status(base::Code::kForbidden, report.key.ToString() +
                                                    " is not being deleted, but node " + node +
                                                    " says that nothing is left of it");
  }
  return draft.Delete(report.key, {.grace_period_seconds = 0, .uid = report.uid}).status();
}

base::Status WriteNodeStatus(state::Draft& draft, const std::string& node,
                             const NodeStatus& report) {
  const state::Key key{"nodes", "", node};
  std::string wrong;
  ASSIGN_OR_RETURN(base::Json status, CheckedStatus(draft, key, report.status, wrong));
  const state::ObjectPtr existing = draft.view().Get(key);
  base::Json object = existing ? existing->document.ToJson() : NewNode(node);
  const std::string refused = SetLabels(report.labels, object);
  RETURN_IF_ERROR(existing ? draft.Update(std::move(object)).status()
                           : draft.Create(std::move(object)).status());
  RETURN_IF_ERROR(draft.UpdateStatus(key, std::move(status)).status());
  if (refused.empty()) return LeftOut(node, key, wrong);
  return base::Status(base::Code::kForbidden, "node " + node + " may not give itself the labels " +
                                                  refused + "; an administrator can");
}

base::Status WritePodEvent(state::Draft& draft, const std::string& node, const PodEvent& report) {
  if (report.reason.size() + report.message.size() > kMaxEventBytes) {
    return base::Status(base::Code::kTooLarge, "an event of node " + node + " has more than " +
                                                   std::to_string(kMaxEventBytes) + " bytes");
  }
  ASSIGN_OR_RETURN(const state::ObjectPtr pod,
                   OwnPod(draft.view(), node, report.key, report.uid, "get", ""));
  state::WriteEvent(draft, *pod,
                    report.warning ? state::EventType::kWarning : state::EventType::kNormal,
                    report.reason, report.message, {.component = "kubelet", .host = node});
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
