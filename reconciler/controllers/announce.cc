#include "reconciler/controllers/announce.h"

#include "reconciler/pods.h"

namespace reconciler {

void EventOnce(Turn& turn, const state::Object& object, EventType type, std::string_view reason,
               std::string_view message) {
  for (const state::ObjectPtr& event : turn.view().Lookup(state::Index::kAbout, object.Uid())) {
    if ((*event)["reason"].AsString() == reason && (*event)["message"].AsString() == message)
      return;
  }
  turn.Event(object, type, reason, message);
}

base::Status MarkPodNotReady(Turn& turn, const state::Key& key, std::string_view reason,
                             std::string_view message) {
  const state::ObjectPtr pod = turn.view().Get(key);
  if (pod == nullptr || HasEnded(*pod) || !IsReady(*pod)) return base::Status();
  base::Json status = (*pod)["status"].ToJson();
  SetCondition(status, "Ready", "False", reason, message, turn.now().wall);
  return turn.draft().UpdateStatus(key, std::move(status)).status();
}

}  // namespace reconciler
