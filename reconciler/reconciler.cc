#include "reconciler/reconciler.h"

#include "base/log.h"

namespace reconciler {
namespace {

// Items worked on before the loop gets its turn again: a slice stays within a few milliseconds.
constexpr int kItemsPerSlice = 32;

}  // namespace

Reconciler::Reconciler(base::Loop& loop, state::Store& store, const state::DraftContext& context,
                       std::vector<std::unique_ptr<Controller>> controllers)
    : loop_(loop),
      store_(store),
      writer_(loop, store, context, state::ProgramActor("plumb-controllers")),
      controllers_(std::move(controllers)),
      queue_(loop, [this] { loop_.Post(lifeline_.Wrap([this] { RunSlice(); })); }) {
  on_commit_ = store_.OnCommit([this](const state::Change& change) { Enqueue(change); });
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

void Reconciler::RunSlice() {
  for (int i = 0; i < kItemsPerSlice; ++i) {
    const std::optional<Item> item = queue_.Take();
    if (!item) return;
    RunOne(*item);
  }
  if (queue_.empty()) return;
  loop_.Post(lifeline_.Wrap([this] { RunSlice(); }));
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
