// Commits are made in turns of their own, never from within another's commit. A wait ends with a
// look at the clock: times are on the wall clock, which may step, so no timer runs longer than
// kMaxTimer.
#include "gitsync/report/outbox.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"
#include "gitsync/report/webhook_event.h"

namespace gitsync {

using Act = DeliveryStep::Act;

namespace {

constexpr base::Duration kMaxTimer = base::Duration::Minutes(1);
constexpr base::Duration kCommitRetry = base::Duration::Seconds(10);

}  // namespace

Outbox::Outbox(base::Loop& loop, state::Store& store, const state::DraftContext& context,
               WebhookSender& sender)
    : loop_(loop),
      store_(store),
      sender_(sender),
      writer_(loop, store, context, state::ProgramActor("plumb-outbox")),
      rng_(writer_.NewContext().seed) {
  on_commit_ = store_.OnCommit([this](const state::Change& change) {
    if (change.key().resource == kDeliveries) Touch(change.key());
    if (change.key().resource == kProviders) TouchAll(change.key().ns);
  });
  TouchAll("");
}

Outbox::~Outbox() { loop_.Cancel(timer_); }

void Outbox::Touch(const state::Key& key) {
  touched_.insert(key);
  if (posted_) return;
  posted_ = true;
  loop_.Post(lifeline_.Wrap([this] {
    posted_ = false;
    Run();
  }));
}

void Outbox::TouchAll(const std::string& ns) {
  for (const state::ObjectPtr& delivery : store_.view().List(kDeliveries, ns)) Touch(delivery->key);
}

// The clock was set back: what was near is far, until it is planned anew.
void Outbox::LookAtClock() {
  const base::WallTime now = loop_.now().wall;
  if (now < std::exchange(looked_, now)) TouchAll("");
}

void Outbox::Run() {
  LookAtClock();
  for (size_t i = 0; i < kMaxDeliveriesATurn && !touched_.empty(); ++i) {
    const state::Key key = *touched_.begin();
    touched_.erase(touched_.begin());
    Consider(key);
  }
  if (!touched_.empty()) Touch(*touched_.begin());
  SetTimer();
}

void Outbox::Consider(const state::Key& key) {
  if (const auto found = waiting_.find(key); found != waiting_.end()) {
    by_time_.erase({found->second, key});
    waiting_.erase(found);
  }
  blocked_.erase(key);
  const state::ObjectPtr delivery = store_.view().Get(key);
  if (delivery == nullptr) return;
  DeliveryStep step = NextStep(store_.view(), *delivery, loop_.now().wall);
  switch (step.act) {
    case Act::kIdle: return;
    case Act::kWait: return WaitUntil(key, step.at);
    case Act::kSend: return Send(delivery, std::move(step.call));
    case Act::kFail:
      return Answered(key, {base::Status(base::Code::kNotFound, std::move(step.why)), 0, ""});
    case Act::kGiveUp: return Record(key, AfterGivingUp(*delivery, step.why, loop_.now().wall));
    case Act::kRemove: return Remove(key);
  }
}

void Outbox::Send(const state::ObjectPtr& delivery, WebhookCall call) {
  const state::Key& key = delivery->key;
  if (delivery->revision > store_.durable()) {
    // Nobody outside is told what a crash could take back.
    return store_.WhenDurable(delivery->revision, lifeline_.Wrap([this, key] { Touch(key); }));
  }
  const std::pair<std::string, std::string> provider(key.ns,
                                                     (*delivery)["spec"]["provider"].AsString());
  if (sending_.size() >= kMaxSending || sending_.contains(provider)) {
    const auto busy = sending_.find(provider);
    if (busy == sending_.end() || busy->second != key) blocked_.insert(key);
    return;
  }
  sending_[provider] = key;
  sender_.Send(std::move(call), lifeline_.Wrap([this, provider, key](WebhookAnswer answer) {
    sending_.erase(provider);
    Answered(key, answer);
    for (const state::Key& each : blocked_) Touch(each);
  }));
}

void Outbox::Answered(const state::Key& key, const WebhookAnswer& answer) {
  const state::ObjectPtr delivery = store_.view().Get(key);
  if (delivery == nullptr) return;  // deleted meanwhile
  const bool given_up = (*delivery)["status"]["phase"].AsString() == "GivenUp";
  if (given_up && answer.http_status / 100 != 2) return;  // its Provider went meanwhile
  Record(key, AfterAttempt(*delivery, answer, loop_.now().wall, rng_.Next()));
}

void Outbox::Record(const state::Key& key, base::Json status) {
  if (std::as_const(status)["phase"].AsString() != "Delivered") {
    base::LogWarning(
        "a webhook was not delivered",
        {{"delivery", key.ToString()},
         {"why", std::string(std::as_const(status)["message"].AsString())},
         {"next", std::string(std::as_const(status)["nextAttempt"].AsString("never"))}});
  }
  state::Draft draft = writer_.NewDraft();
  Commit(key, draft, draft.UpdateStatus(key, std::move(status)).status());
}

void Outbox::Remove(const state::Key& key) {
  state::Draft draft = writer_.NewDraft();
  Commit(key, draft, draft.Delete(key, state::DeleteOptions()).status());
}

void Outbox::Commit(const state::Key& key, const state::Draft& draft, const base::Status& status) {
  base::Status done = status;
  if (done.ok()) done = writer_.Commit(draft).status();
  if (done.ok()) return;  // the change calls for the next step
  base::LogWarning("a delivery could not be recorded, trying again",
                   {{"delivery", key.ToString()}, {"why", std::string(done.message())}});
  WaitUntil(key, loop_.now().wall + kCommitRetry);
  SetTimer();
}

void Outbox::WaitUntil(const state::Key& key, base::WallTime at) {
  if (const auto found = waiting_.find(key); found != waiting_.end()) {
    by_time_.erase({found->second, key});
  }
  waiting_[key] = at;
  by_time_.insert({at, key});
}

void Outbox::SetTimer() {
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

}  // namespace gitsync
