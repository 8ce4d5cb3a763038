#include "state/writer.h"

#include <utility>

namespace state {
namespace {

DraftContext WrittenBy(DraftContext context, ActorPtr actor) {
  context.actor = std::move(actor);
  return context;
}

}  // namespace

Writer::Writer(base::Loop& loop, Store& store, const DraftContext& context, ActorPtr actor)
    : loop_(loop),
      store_(store),
      context_(WrittenBy(context, std::move(actor))),
      seeds_(context.seed) {}

DraftContext Writer::NewContext() {
  DraftContext context = context_;
  context.now = loop_.now().wall;
  context.seed = seeds_.Next();
  return context;
}

base::Result<Store::Committed> Writer::Commit(const Draft& draft) {
  return store_.Commit(draft.Finish());
}

void Writer::WhenDurable(base::Loop::Task task) {
  store_.WhenDurable(store_.revision(), std::move(task));
}

}  // namespace state
