// What every Pod gets that its schema does not say: the namespace's default service account, the
// imagePullSecrets of its service account if it names none, tolerations that keep it on a node
// which is lost for five minutes before it is evicted (Kubernetes' DefaultTolerationSeconds), and,
// if it has scheduling gates, the condition that says so.
#include "manifests/kinds/conditions.h"
#include "state/admission/admission.h"

namespace state {
namespace {

constexpr int64_t kDefaultTolerationSeconds = 300;

void AddDefaultToleration(base::Json& spec, std::string_view taint) {
  for (const base::Json& toleration : std::as_const(spec)["tolerations"].Elements()) {
    const std::string_view key = toleration["key"].AsString();
    const std::string_view effect = toleration["effect"].AsString();
    const bool all_keys = key.empty() && toleration["operator"].AsString() == "Exists";
    if ((key == taint || all_keys) && (effect.empty() || effect == "NoExecute")) return;
  }
  spec["tolerations"].Append(
      base::Json::MakeObject({{"key", taint},
                              {"operator", "Exists"},
                              {"effect", "NoExecute"},
                              {"tolerationSeconds", kDefaultTolerationSeconds}}));
}

void AddPullSecrets(const AdmissionRequest& request, base::Json& spec) {
  if (!std::as_const(spec)["imagePullSecrets"].empty()) return;
  const ObjectPtr account =
      request.view.Get("serviceaccounts", request.key.ns,
                       std::string(std::as_const(spec)["serviceAccountName"].AsString()));
  if (account == nullptr || (*account)["imagePullSecrets"].empty()) return;
  spec.Set("imagePullSecrets", (*account)["imagePullSecrets"].ToJson());
}

void SayGated(AdmissionRequest& request) {
  manifests::SetCondition(request.object["status"], "PodScheduled", "False", "SchedulingGated",
                          "the pod waits until its schedulingGates are removed",
                          request.context.now);
}

}  // namespace

base::Status AdmitPodDefaults(AdmissionRequest& request) {
  if (request.key.resource != "pods" || request.old != nullptr ||
      !request.object["spec"].IsObject()) {
    return base::Status();
  }
  base::Json& spec = request.object["spec"];
  if (spec["serviceAccountName"].AsString().empty()) spec.Set("serviceAccountName", "default");
  AddPullSecrets(request, spec);
  if (!std::as_const(spec)["schedulingGates"].empty()) SayGated(request);
  if (!spec["tolerations"].IsNull() && !spec["tolerations"].IsArray())
    return base::Status();  // validation will say so
  AddDefaultToleration(spec, "node.kubernetes.io/not-ready");
  AddDefaultToleration(spec, "node.kubernetes.io/unreachable");
  return base::Status();
}

}  // namespace state
