// Event expiry: an Event goes kEventLifetime after it was last seen.
//
// Each Event is a key of its own, which waits in the queue until its time: nothing is scanned. The
// time is lastTimestamp; events of the newer form have series.lastObservedTime or eventTime, and
// one with none of them counts from its creation.
#include "reconciler/controllers/all.h"

namespace reconciler {
namespace {

constexpr base::Duration kEventLifetime = base::Duration::Hours(1);

base::WallTime LastSeen(const state::Object& event) {
  for (const base::Value time : {event["series"]["lastObservedTime"], event["lastTimestamp"],
                                 event["eventTime"], event.Meta("creationTimestamp")}) {
    const auto parsed = base::WallTime::Parse(time.AsString());
    if (parsed.ok()) return *parsed;
  }
  return base::WallTime();  // long ago
}

class EventExpiryController final : public Controller {
 public:
  std::string_view name() const override { return "event-expiry"; }

  void Affects(const state::Change& change, const state::View&,
               const Enqueue& enqueue) const override {
    // One that exists waits for its time already; it then reads how long it has left.
    if (change.key().resource == "events" && change.created()) enqueue(change.key());
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    const state::ObjectPtr event = turn.view().Get(key);
    if (event == nullptr || event->Deleting()) return base::Status();
    const base::Duration left = LastSeen(*event) + kEventLifetime - turn.now().wall;
    if (left > base::Duration()) {
      // The wall clock may step meanwhile: what is left is read anew then.
      turn.Again(std::min(left, kEventLifetime));
      return base::Status();
    }
    return turn.draft().Delete(key, state::DeleteOptions()).status();
  }
};

}  // namespace

std::unique_ptr<Controller> NewEventExpiryController(const ControllerSettings&) {
  return std::make_unique<EventExpiryController>();
}

}  // namespace reconciler
