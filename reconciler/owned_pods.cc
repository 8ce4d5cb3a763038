#include "reconciler/owned_pods.h"

#include <string>

#include "reconciler/pods.h"

namespace reconciler {
namespace {}  // namespace

base::Json PodFromTemplate(const state::Object& owner, base::Value pod_template) {
  base::Json pod = pod_template.ToJson();
  pod.Set("apiVersion", "v1");
  pod.Set("kind", "Pod");
  base::Json& metadata = pod["metadata"];
  metadata.Remove("name");
  metadata.Set("generateName", owner.key.name + "-");
  metadata.Set("namespace", owner.key.ns);
  metadata.Set("ownerReferences", base::Json::MakeArray({ControllerReference(owner)}));
  return pod;
}

base::Result<state::ObjectPtr> CreatePod(Turn& turn, const state::Object& owner, base::Json pod) {
  base::Result<state::ObjectPtr> created = turn.draft().Create(std::move(pod));
  if (created.ok()) {
    turn.Event(owner, EventType::kNormal, "SuccessfulCreate",
               "created pod " + (*created)->key.name);
  } else {
    turn.Event(owner, EventType::kWarning, "FailedCreate",
               "could not create a pod: " + std::string(created.status().message()));
    turn.Again(kRetryCreate);
  }
  return created;
}

base::Status DeletePod(Turn& turn, const state::Object& owner, const state::Object& pod) {
  const std::string name = pod.key.name;
  RETURN_IF_ERROR(turn.draft().Delete(pod.key, state::DeleteOptions()).status());
  turn.Event(owner, EventType::kNormal, "SuccessfulDelete", "deleted pod " + name);
  return base::Status();
}

}  // namespace reconciler
