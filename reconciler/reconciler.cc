// Changes are looked at before keys are worked on, in their order: a key that many of them concern
// is worked on once. What a controller is asked about a change, it is asked with the View of that
// moment, which may be newer than the change; so what it finds there is as good or better, and what
// it finds no more was removed by a change of its own.
#include "reconciler/reconciler.h"

#include "base/log.h"

namespace reconciler {
Reconciler::Reconciler(base::Loop& loop, state::Store& store, const state::DraftContext& context,
                       std::vector<std::unique_ptr<Controller>> controllers)
    : loop_(loop),
      store_(store),
      writer_(loop, store, context, state::ProgramActor("plumb-controllers")),
      controllers_(std::move(controllers)),
      queue_(loop, [this] { work_.Wake(); }),
      work_(loop, [this] { return RunNext(); }) {
  on_commit_ = store_.OnCommit([this](const state::Change& change) {
    changes_.push_back(change);
    if (changes_.size() > kMaxUnseenChanges) TakeChange();
    work_.Wake();
  });
  store_.view().ForEach([&](const state::ObjectPtr& object) {
    Enqueue(state::Change{object->revision, object, nullptr, false});
  });
}

void Reconciler::Enqueue(const state::Change& change) {
  for (size_t i = 0; i < controllers_.size(); ++i) {
    controllers_[i]->Affects(change, store_.view(), [&](const state::Key& key) {
      queue_.Add(Item{i, key});
    });
  }
}

void Reconciler::TakeChange() {
  const state::Change change = std::move(changes_.front());
  changes_.pop_front();
  Enqueue(change);
}

bool Reconciler::RunNext() {
  if (!changes_.empty()) {
    TakeChange();
  } else if (const std::optional<Item> item = queue_.Take()) {
    RunOne(*item);
  }
  return !changes_.empty() || !queue_.empty();
}

void Reconciler::RunOne(const Item& item) {
  const Controller& controller = *controllers_[item.controller];
  state::Draft draft = writer_.NewDraft();
  Turn turn(draft, loop_.now());
  base::Status status = controller.Reconcile(turn, item.key);
  if (status.ok()) status = writer_.Commit(draft).status();
  if (!status.ok()) {
    base::LogWarning("reconcile failed", {{"controller", std::string(controller.name())},
                                          {"key", item.key.ToString()},
                                          {"error", status.ToString()}});
    queue_.AddFailed(item);
    return;
  }
  queue_.Forget(item);
  if (turn.again()) queue_.AddAfter(item, *turn.again());
}

}  // namespace reconciler
