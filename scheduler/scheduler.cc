#include "scheduler/scheduler.h"

#include <algorithm>

#include "base/log.h"
#include "manifests/kinds/conditions.h"
#include "manifests/kinds/pod.h"
#include "state/events.h"

namespace scheduler {
namespace {

bool NeedsNode(const state::Object& pod) {
  return pod["spec"]["nodeName"].AsString().empty() &&
         manifests::IsActivePod(pod.document.root()) &&
         pod["spec"]["schedulerName"].AsString(kSchedulerName) == kSchedulerName &&
         pod["spec"]["schedulingGates"].empty();
}

// Sets condition PodScheduled; the time moves only when the answer does.
base::Json WithScheduledCondition(const state::Object& pod, bool scheduled, const std::string& why,
                                  base::WallTime now) {
  base::Json status = pod["status"].ToJson();
  if (!status.IsObject()) status = base::Json::MakeObject();
  if (std::as_const(status)["phase"].IsNull()) status.Set("phase", "Pending");
  base::Json& condition = manifests::SetCondition(
      status, "PodScheduled", scheduled ? "True" : "False", "Unschedulable", why, now);
  if (scheduled) {
    condition.Remove("reason");
    condition.Remove("message");
  }
  return status;
}

}  // namespace

Scheduler::Scheduler(base::Loop& loop, state::Store& store, const state::DraftContext& context)
    : loop_(loop),
      store_(store),
      writer_(loop, store, context, state::ProgramActor("plumb-scheduler")),
      table_(store.view()),
      work_(loop, [this] { return RunBatch(); }),
      telling_(loop, [this] { return WriteNews(); }) {
  for (const state::ObjectPtr& pod : store.view().List("pods")) {
    if (NeedsNode(*pod)) ready_.Insert(*pod);
  }
  on_commit_ = store.OnCommit([this](const state::Change& change) { Observe(change); });
  if (!ready_.empty()) work_.Wake();
}

void Scheduler::Observe(const state::Change& change) {
  if (const auto moved = table_.Apply(change, store_.view())) WakeParked(*moved);
  if (change.key().resource == "pods") ObservePod(change);
}

void Scheduler::ObservePod(const state::Change& change) {
  const state::Key& key = change.key();
  if (change.removed || !NeedsNode(*change.object)) {
    ready_.Erase(key);
    Forget(key);
    return;
  }
  const bool same = change.previous && (*change.previous)["spec"] == (*change.object)["spec"] &&
                    change.previous->Labels() == change.object->Labels();
  if (same) return;
  Forget(key);
  ready_.Insert(*change.object);
  work_.Wake();
}

void Scheduler::WakeParked(const ClusterChange& change) {
  bool any = false;
  for (auto it = asleep_.begin(); it != asleep_.end();) {
    if (!it->second.refusal->WakesOn(change)) {
      ++it;
      continue;
    }
    for (const state::Key& pod : it->second.pods) parked_[pod].asleep = 0;
    it = asleep_.erase(it);
    any = true;
  }
  if (any) Release();
}

void Scheduler::Release() {
  const base::MonotonicTime now = loop_.now().monotonic;
  base::Duration next = kRetry.most();
  bool some_wait = false;
  for (const auto& [key, parked] : parked_) {
    if (parked.asleep != 0) continue;
    if (parked.not_before <= now) {
      if (const state::ObjectPtr pod = store_.view().Get(key)) ready_.Insert(*pod);
    } else {
      next = std::min(next, parked.not_before - now);
      some_wait = true;
    }
  }
  if (!ready_.empty()) work_.Wake();
  if (some_wait && release_timer_ == 0) {
    release_timer_ = loop_.After(next, lifeline_.Wrap([this] {
      release_timer_ = 0;
      Release();
    }));
  }
}

bool Scheduler::RunBatch() {
  std::vector<PodInfo> pods;
  while (!ready_.empty() && pods.size() < batch_) {
    const state::ObjectPtr pod = store_.view().Get(*ready_.Take());
    if (pod != nullptr && NeedsNode(*pod)) pods.emplace_back(pod);
  }
  if (pods.empty()) return false;
  const std::vector<Decision> decisions = Schedule(table_, pods);
  // The table learns of what was placed by the commit, like everybody else.
  for (size_t i = 0; i < pods.size(); ++i) {
    if (!decisions[i].node.empty()) table_.Unplace(pods[i], *table_.Find(decisions[i].node));
  }
  // Before the commit, which may place what one of them waits for.
  ParkRefused(decisions);
  const base::Status status = CommitDecisions(decisions);
  if (!status.ok()) {
    base::LogWarning("binding failed", {{"error", status.ToString()}});
    ParkAwake(decisions);
  }
  batch_ = loop_.TurnIsOver() ? std::max(batch_ / 2, kMinBatch) : std::min(batch_ * 2, kMaxBatch);
  return !ready_.empty();
}

base::Status Scheduler::CommitDecisions(const std::vector<Decision>& decisions) {
  state::Draft draft = writer_.NewDraft();
  std::vector<state::ObjectPtr> before;
  for (const Decision& decision : decisions) {
    const bool placed = !decision.node.empty();
    const state::ObjectPtr pod = draft.view().Get(decision.pod);
    before.push_back(pod);
    const std::string why = placed ? "" : decision.refusal->why;
    base::Json status = WithScheduledCondition(*pod, placed, why, draft.context().now);
    RETURN_IF_ERROR((placed ? draft.Bind(decision.pod, decision.node, std::move(status))
                            : draft.UpdateStatus(decision.pod, std::move(status)))
                        .status());
  }
  RETURN_IF_ERROR(writer_.Commit(draft).status());
  for (size_t i = 0; i < decisions.size(); ++i) Tell(*before[i], decisions[i]);
  return base::Status();
}

// Of a pod that goes on waiting for the same reason nothing is told.
void Scheduler::Tell(const state::Object& pod, const Decision& decision) {
  const std::string why = decision.refusal == nullptr ? "" : decision.refusal->why;
  const base::Value known = manifests::ConditionOf(pod["status"], "PodScheduled");
  if (decision.node.empty() && known["message"].AsString() == why) return;
  if (news_.size() >= kMaxSchedulerNews) return;
  news_.push_back({pod.key, std::string(pod.Uid()), decision.node, why});
  telling_.Wake();
}

bool Scheduler::WriteNews() {
  state::Draft draft = writer_.NewDraft();
  for (size_t i = 0; i < kNewsPerPiece && !news_.empty(); ++i) {
    const News news = std::move(news_.front());
    news_.pop_front();
    const state::ObjectPtr pod = draft.view().Get(news.pod);
    if (pod == nullptr || pod->Uid() != news.uid) continue;
    const bool placed = !news.node.empty();
    state::WriteEvent(
        draft, *pod, placed ? state::EventType::kNormal : state::EventType::kWarning,
        placed ? "Scheduled" : "FailedScheduling",
        placed ? "Successfully assigned " + pod->key.ns + "/" + pod->key.name + " to " + news.node
               : news.why,
        {.component = kSchedulerName});
  }
  const base::Status status = writer_.Commit(draft).status();
  if (!status.ok()) base::LogWarning("events lost", {{"error", status.ToString()}});
  return !news_.empty();
}

void Scheduler::ParkRefused(const std::vector<Decision>& decisions) {
  const Refusal* last = nullptr;
  for (const Decision& decision : decisions) {
    if (decision.refusal == nullptr) continue;
    if (decision.refusal.get() != last) {
      last = decision.refusal.get();
      asleep_[++last_sleepers_].refusal = decision.refusal;
    }
    Delay(decision.pod);
    parked_[decision.pod].asleep = last_sleepers_;
    asleep_[last_sleepers_].pods.insert(decision.pod);
  }
}

// Nothing of it was written: all are tried again when they have waited.
void Scheduler::ParkAwake(const std::vector<Decision>& decisions) {
  for (const Decision& decision : decisions) {
    if (decision.refusal == nullptr) {
      Delay(decision.pod);
    } else if (Parked& parked = parked_[decision.pod]; parked.asleep != 0) {
      asleep_.erase(parked.asleep);
      parked.asleep = 0;
    }
  }
  Release();
}

void Scheduler::Delay(const state::Key& pod) {
  Parked& parked = parked_[pod];
  parked.not_before = loop_.now().monotonic + kRetry.After(++parked.attempts);
}

void Scheduler::Forget(const state::Key& pod) {
  const auto it = parked_.find(pod);
  if (it == parked_.end()) return;
  const auto sleepers = asleep_.find(it->second.asleep);
  if (sleepers != asleep_.end()) {
    sleepers->second.pods.erase(pod);
    if (sleepers->second.pods.empty()) asleep_.erase(sleepers);
  }
  parked_.erase(it);
}

}  // namespace scheduler
