#include "reconciler/pods.h"

#include <algorithm>

namespace reconciler {

bool HasEnded(const state::Object& pod) {
  const std::string_view phase = pod["status"]["phase"].AsString();
  return phase == "Succeeded" || phase == "Failed";
}

bool IsActive(const state::Object& pod) { return !pod.Deleting() && !HasEnded(pod); }

bool IsReady(const state::Object& pod) { return ConditionIs(pod["status"], "Ready", "True"); }

bool IsAvailable(const state::Object& pod, int64_t min_ready_seconds, base::WallTime now,
                 base::Duration* wait) {
  if (!IsReady(pod)) return false;
  if (min_ready_seconds == 0) return true;
  const base::Result<base::WallTime> since =
      base::WallTime::Parse(ConditionOf(pod["status"], "Ready")["lastTransitionTime"].AsString());
  if (!since.ok()) return false;
  const base::Duration missing = *since + base::Duration::Seconds(min_ready_seconds) - now;
  if (missing <= base::Duration()) return true;
  if (wait != nullptr) *wait = missing;
  return false;
}

base::Value ConditionOf(base::Value status, std::string_view type) {
  for (base::Value condition : status["conditions"].Elements()) {
    if (condition["type"].AsString() == type) return condition;
  }
  return base::Value();
}

bool ConditionIs(base::Value status, std::string_view type, std::string_view value) {
  return ConditionOf(status, type)["status"].AsString() == value;
}

void SetCondition(base::Json& status, std::string_view type, std::string_view value,
                  std::string_view reason, std::string_view message, base::WallTime now) {
  base::Json::Array& conditions = status["conditions"].MutableElements();
  auto it = std::find_if(conditions.begin(), conditions.end(),
                         [&](const base::Json& each) { return each["type"].AsString() == type; });
  if (it == conditions.end()) {
    conditions.push_back(base::Json::MakeObject({{"type", type}}));
    it = conditions.end() - 1;
  }
  const base::Json& old = *it;
  if (old["status"].AsString() != value) it->Set("lastTransitionTime", now.ToString());
  it->Set("status", value);
  it->Set("reason", reason);
  it->Set("message", message);
}

void RemoveCondition(base::Json& status, std::string_view type) {
  base::Json* conditions = status.Find("conditions");
  if (conditions == nullptr) return;
  std::erase_if(conditions->MutableElements(),
                [&](const base::Json& each) { return each["type"].AsString() == type; });
}

base::Json ControllerReference(const state::Object& owner) {
  return base::Json::MakeObject({{"apiVersion", owner["apiVersion"].AsString()},
                                 {"kind", owner["kind"].AsString()},
                                 {"name", owner.key.name},
                                 {"uid", owner.Uid()},
                                 {"controller", true},
                                 {"blockOwnerDeletion", true}});
}

}  // namespace reconciler
