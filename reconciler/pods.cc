#include "reconciler/pods.h"

#include "manifests/kinds/pod.h"

namespace reconciler {

base::WallTime TimeOf(base::Value text) {
  const base::Result<base::WallTime> time = base::WallTime::Parse(text.AsString());
  return time.ok() ? *time : base::WallTime();
}

bool HasEnded(const state::Object& pod) { return manifests::HasEnded(pod.document.root()); }

bool IsActive(const state::Object& pod) { return manifests::IsActivePod(pod.document.root()); }

bool IsReady(const state::Object& pod) { return manifests::IsReadyPod(pod.document.root()); }

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

base::Json ControllerReference(const state::Object& owner) {
  return base::Json::MakeObject({{"apiVersion", owner["apiVersion"].AsString()},
                                 {"kind", owner["kind"].AsString()},
                                 {"name", owner.key.name},
                                 {"uid", owner.Uid()},
                                 {"controller", true},
                                 {"blockOwnerDeletion", true}});
}

}  // namespace reconciler
