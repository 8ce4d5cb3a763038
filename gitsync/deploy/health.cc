#include "gitsync/deploy/health.h"

#include "manifests/kinds/kind_facts.h"

namespace gitsync {
namespace {

// What one container of a pod says is wrong.
std::string ContainerTrouble(base::Value container) {
  const base::Value waiting = container["state"]["waiting"];
  base::Value ended = container["state"]["terminated"];
  if (!ended.Exists()) ended = container["lastState"]["terminated"];
  const std::string_view reason = waiting["reason"].AsString();
  const bool stuck =
      reason.ends_with("BackOff") || reason.starts_with("Err") || reason.ends_with("Error");
  const bool broke = ended.Exists() && ended["exitCode"].AsInt() != 0;
  if (!stuck && !broke) return "";
  std::string text = "container " + std::string(container["name"].AsString()) + ": ";
  if (stuck) text += reason;
  if (stuck && !broke && waiting["message"].IsString()) {
    text += ": " + std::string(waiting["message"].AsString());
  }
  if (broke) {
    text +=
        std::string(stuck ? ", last exit " : "exit ") + std::to_string(ended["exitCode"].AsInt());
    if (ended["reason"].IsString()) text += " (" + std::string(ended["reason"].AsString()) + ")";
  }
  return text;
}

std::optional<Trouble> TroubleOfPod(const state::ObjectPtr& pod) {
  for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
    for (const base::Value container : (*pod)["status"][list].Elements()) {
      if (container["ready"].AsBool()) continue;
      const std::string text = ContainerTrouble(container);
      if (text.empty()) continue;
      Trouble trouble{pod, std::string(container["name"].AsString()),
                      "pod " + pod->key.name + ": " + text};
      trouble.crashed = container["state"]["terminated"].Exists() ||
                        container["lastState"]["terminated"].Exists();
      trouble.previous = container["state"]["running"].Exists();
      return trouble;
    }
  }
  return std::nullopt;
}

}  // namespace

bool IsInert(const state::Key& key) { return manifests::FactsOf(key.resource).settled; }

Health HealthOf(const state::Object& object, const state::View& view) {
  Health health = manifests::HealthOf(object.key.resource, object.document.root());
  // Of pods that are on their way out, or that a controller is about to replace, nobody asks.
  if (health.level == Health::Level::kHealthy || object.Deleting() ||
      !manifests::IsObserved(object.key.resource, object.document.root())) {
    return health;
  }
  const std::string trouble = PodTrouble(object, view);
  if (!trouble.empty()) health.reason += "; " + trouble;
  return health;
}

std::optional<Trouble> FindTrouble(const state::Object& object, const state::View& view) {
  if (object.key.resource == "pods") {
    const state::ObjectPtr pod = view.Get(object.key);
    return pod == nullptr ? std::nullopt : TroubleOfPod(pod);
  }
  for (const state::ObjectPtr& owned : view.Lookup(state::Index::kOwner, object.Uid())) {
    if (manifests::FactsOf(owned->key.resource).pods == nullptr) continue;
    if (std::optional<Trouble> trouble = FindTrouble(*owned, view)) return trouble;
  }
  return std::nullopt;
}

std::string PodTrouble(const state::Object& object, const state::View& view) {
  const std::optional<Trouble> trouble = FindTrouble(object, view);
  return trouble ? trouble->text : "";
}

}  // namespace gitsync
