// Commits are made in turns of their own, never from within another's commit. A wait ends with a
// look at the clock: times are on the wall clock, which may step, so no timer runs longer than
// kMaxTimer. What is due waits in the queue as a key only: its call is planned when its turn comes,
// with the state and the time of then.
#include "state/errands/errand_runner.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace state {
namespace {

constexpr base::Duration kMaxTimer = base::Duration::Minutes(1);

}  // namespace

ErrandRunner::ErrandRunner(base::Loop& loop, Store& store, const DraftContext& context,
                           HttpCaller& caller, std::vector<const ErrandKind*> kinds)
    : loop_(loop),
      store_(store),
      caller_(caller),
      kinds_(std::move(kinds)),
      writer_(loop, store, context, ProgramActor("plumb-errands")) {
  on_commit_ = store_.OnCommit([this](const Change& change) {
    const Key& key = change.key();
    for (const ErrandKind* kind : kinds_) {
      if (key.resource == kind->resource) Touch(key);
      const auto& wakes = kind->wakes_on;
      if (std::find(wakes.begin(), wakes.end(), key.resource) != wakes.end()) {
        TouchAll(*kind, key.ns);
      }
    }
  });
  TouchAll();
}

ErrandRunner::~ErrandRunner() { loop_.Cancel(timer_); }

const ErrandKind& ErrandRunner::KindOf(const Key& key) const {
  const auto found = std::find_if(kinds_.begin(), kinds_.end(), [&](const ErrandKind* kind) {
    return kind->resource == key.resource;
  });
  CHECK(found != kinds_.end());
  return **found;
}

void ErrandRunner::Touch(const Key& key) {
  touched_.insert(key);
  if (posted_) return;
  posted_ = true;
  loop_.Post(lifeline_.Wrap([this] {
    posted_ = false;
    Run();
  }));
}

void ErrandRunner::TouchAll(const ErrandKind& kind, const std::string& ns) {
  for (const ObjectPtr& errand : store_.view().List(kind.resource, ns)) Touch(errand->key);
}

void ErrandRunner::TouchAll() {
  for (const ErrandKind* kind : kinds_) TouchAll(*kind, "");
}

// The clock was set back: what was near is far, until it is planned anew.
void ErrandRunner::LookAtClock() {
  const base::WallTime now = loop_.now().wall;
  if (now < std::exchange(looked_, now)) TouchAll();
}

void ErrandRunner::Run() {
  LookAtClock();
  for (size_t i = 0; i < kMaxErrandsATurn && !touched_.empty(); ++i) {
    const Key key = *touched_.begin();
    touched_.erase(touched_.begin());
    Consider(key);
  }
  StartCalls();
  if (!touched_.empty()) Touch(*touched_.begin());
  SetTimer();
}

void ErrandRunner::Consider(const Key& key) {
  StopWaiting(key);
  const ObjectPtr errand = store_.view().Get(key);
  ErrandStep step = ErrandRest();
  if (errand != nullptr) step = KindOf(key).next(store_.view(), *errand, loop_.now().wall);
  const auto* call = std::get_if<ErrandCall>(&step);
  if (call == nullptr) queue_.Leave(key);
  if (call != nullptr && errand->revision > store_.durable()) {
    store_.WhenDurable(errand->revision, lifeline_.Wrap([this, key] { Touch(key); }));
  } else if (call != nullptr) {
    queue_.Enter(key, call->lane, OriginOf(call->call.url));
  } else if (const auto* wait = std::get_if<ErrandWait>(&step)) {
    WaitUntil(key, wait->until);
  } else if (auto* failure = std::get_if<ErrandFailure>(&step)) {
    const HttpAnswer answer{.status = std::move(failure->why)};
    Record(key, KindOf(key).absorb(*errand, answer, loop_.now().wall));
  } else if (auto* record = std::get_if<ErrandRecord>(&step)) {
    Record(key, std::move(*record));
  } else if (std::holds_alternative<ErrandRemoval>(step)) {
    Remove(key);
  }
}

void ErrandRunner::StartCalls() {
  while (const std::optional<Key> key = queue_.Take()) {
    const ObjectPtr errand = store_.view().Get(*key);
    ErrandStep step = ErrandRest();
    if (errand != nullptr && errand->revision <= store_.durable()) {
      step = KindOf(*key).next(store_.view(), *errand, loop_.now().wall);
    }
    auto* call = std::get_if<ErrandCall>(&step);
    if (call == nullptr) {  // it has changed since it came: it is looked at anew
      queue_.Done(*key);
      Touch(*key);
      continue;
    }
    const std::string uid(errand->Uid());
    caller_.Call(std::move(call->call),
                 lifeline_.Wrap([this, key = *key, uid](const HttpAnswer& answer) {
                   queue_.Done(key);
                   Answered(key, uid, answer);
                   StartCalls();
                 }));
  }
}

void ErrandRunner::Answered(const Key& key, const std::string& uid, const HttpAnswer& answer) {
  const ObjectPtr errand = store_.view().Get(key);
  if (errand == nullptr || errand->Uid() != uid) return Touch(key);  // deleted meanwhile
  Record(key, KindOf(key).absorb(*errand, answer, loop_.now().wall));
}

void ErrandRunner::Record(const Key& key, ErrandRecord record) {
  if (!record.failure.empty()) {
    base::LogWarning("an errand failed", {{"errand", key.ToString()}, {"why", record.failure}});
  }
  Draft draft = writer_.NewDraft();
  const base::Status staged = draft.UpdateStatus(key, std::move(record.status)).status();
  Commit(key, draft, staged);
}

void ErrandRunner::Remove(const Key& key) {
  Draft draft = writer_.NewDraft();
  const base::Status staged = draft.Delete(key, DeleteOptions()).status();
  Commit(key, draft, staged);
}

void ErrandRunner::Commit(const Key& key, const Draft& draft, const base::Status& staged) {
  base::Status done = staged;
  if (done.ok()) {
    const base::Result<Store::Committed> committed = writer_.Commit(draft);
    if (committed.ok() && committed->first != 0) return;  // the change calls for the next step
    done = committed.status();
  }
  if (!done.ok()) {
    base::LogWarning("an errand could not be recorded, trying again",
                     {{"errand", key.ToString()}, {"why", std::string(done.message())}});
  }
  WaitUntil(key, loop_.now().wall + kErrandRetry);
  SetTimer();
}

void ErrandRunner::WaitUntil(const Key& key, base::WallTime at) {
  StopWaiting(key);
  waiting_[key] = at;
  by_time_.insert({at, key});
}

void ErrandRunner::StopWaiting(const Key& key) {
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) return;
  by_time_.erase({found->second, key});
  waiting_.erase(found);
}

void ErrandRunner::SetTimer() {
  loop_.Cancel(timer_);
  timer_ = 0;
  if (by_time_.empty()) return;
  const base::Duration left = by_time_.begin()->first - loop_.now().wall;
  timer_ = loop_.After(std::clamp(left, base::Duration(), kMaxTimer), lifeline_.Wrap([this] {
    const base::WallTime now = loop_.now().wall;
    for (auto it = by_time_.begin(); it != by_time_.end() && it->first <= now; ++it) {
      Touch(it->second);
    }
    LookAtClock();
    if (touched_.empty()) SetTimer();
  }));
}

}  // namespace state
