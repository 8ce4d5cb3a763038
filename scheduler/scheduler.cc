#include "scheduler/scheduler.h"

#include <algorithm>

#include "base/log.h"

namespace scheduler {
namespace {

bool NeedsNode(const state::Object& pod) {
  const std::string_view phase = pod["status"]["phase"].AsString();
  return pod["spec"]["nodeName"].AsString().empty() && !pod.Deleting() && phase != "Succeeded" &&
         phase != "Failed" &&
         pod["spec"]["schedulerName"].AsString(kSchedulerName) == kSchedulerName &&
         pod["spec"]["schedulingGates"].empty();
}

// Sets condition PodScheduled; the time moves only when the answer does.
base::Json WithScheduledCondition(const state::Object& pod, bool scheduled, const std::string& why,
                                  base::WallTime now) {
  base::Json status = pod["status"].ToJson();
  if (!status.IsObject()) status = base::Json::MakeObject();
  if (std::as_const(status)["phase"].IsNull()) status.Set("phase", "Pending");
  base::Json::Array& conditions = status["conditions"].MutableElements();
  auto it = std::find_if(conditions.begin(), conditions.end(), [](const base::Json& each) {
    return each["type"].AsString() == "PodScheduled";
  });
  if (it == conditions.end()) {
    conditions.push_back(base::Json::MakeObject({{"type", "PodScheduled"}}));
    it = conditions.end() - 1;
  }
  const std::string_view value = scheduled ? "True" : "False";
  if (std::as_const(*it)["status"].AsString() != value)
    it->Set("lastTransitionTime", now.ToString());
  it->Set("status", value);
  if (scheduled) {
    it->Remove("reason");
    it->Remove("message");
  } else {
    it->Set("reason", "Unschedulable");
    it->Set("message", why);
  }
  return status;
}

}  // namespace

Scheduler::Scheduler(base::Loop& loop, state::Store& store, const state::DraftContext& context)
    : loop_(loop), store_(store), writer_(loop, store, context), table_(store.view()) {
  for (const state::ObjectPtr& pod : store.view().List("pods")) {
    if (NeedsNode(*pod)) ready_.insert(pod->key);
  }
  on_commit_ = store.OnCommit([this](const state::Change& change) { Observe(change); });
  if (!ready_.empty()) Wake();
}

void Scheduler::Observe(const state::Change& change) {
  const state::Key& key = change.key();
  if (key.resource != "pods" && key.resource != "nodes") return;
  table_.Apply(change);
  if (key.resource == "nodes") {
    // A heartbeat changes nothing that a pod could wait for.
    const bool same =
        change.previous && !change.removed &&
        (*change.previous)["spec"] == (*change.object)["spec"] &&
        change.previous->Labels() == change.object->Labels() &&
        (*change.previous)["status"]["allocatable"] == (*change.object)["status"]["allocatable"];
    if (!same) Unpark();
    return;
  }
  if (change.removed || !NeedsNode(*change.object)) {
    ready_.erase(key);
    parked_.erase(key);
    const bool freed = change.previous &&
                       !(*change.previous)["spec"]["nodeName"].AsString().empty() &&
                       (change.removed || (*change.object)["status"]["phase"] !=
                                              (*change.previous)["status"]["phase"]);
    if (freed) Unpark();
    return;
  }
  const bool changed = !change.previous || (*change.previous)["spec"] != (*change.object)["spec"];
  if (!changed) return;
  parked_.erase(key);
  ready_.insert(key);
  Wake();
}

void Scheduler::Wake() {
  if (awake_) return;
  awake_ = true;
  loop_.Post(lifeline_.Wrap([this] {
    awake_ = false;
    RunTurn();
  }));
}

void Scheduler::Unpark() {
  if (parked_.empty()) return;
  const base::MonotonicTime now = loop_.now().monotonic;
  base::Duration next = kRetry.most();
  for (const auto& [key, parked] : parked_) {
    if (parked.not_before <= now) {
      ready_.insert(key);
    } else {
      next = std::min(next, parked.not_before - now);
    }
  }
  if (!ready_.empty()) Wake();
  if (ready_.size() < parked_.size() && unpark_timer_ == 0) {
    unpark_timer_ = loop_.After(next, lifeline_.Wrap([this] {
      unpark_timer_ = 0;
      Unpark();
    }));
  }
}

void Scheduler::RunTurn() {
  std::vector<PodInfo> pods;
  while (!ready_.empty() && pods.size() < kMaxBatch) {
    const state::ObjectPtr pod = store_.view().Get(*ready_.begin());
    ready_.erase(ready_.begin());
    if (pod != nullptr && NeedsNode(*pod)) pods.emplace_back(pod);
  }
  if (pods.empty()) return;
  const std::vector<Decision> decisions = Schedule(table_, pods);
  // The table learns of what was placed by the commit, like everybody else.
  for (size_t i = 0; i < pods.size(); ++i) {
    if (!decisions[i].node.empty()) table_.Find(decisions[i].node)->Remove(pods[i]);
  }
  const base::Status status = CommitDecisions(decisions);
  if (!status.ok()) {
    base::LogWarning("binding failed", {{"error", status.ToString()}});
    for (const Decision& decision : decisions) Park(decision);
  }
  for (const Decision& decision : decisions) {
    if (decision.node.empty()) Park(decision);
  }
  if (!ready_.empty()) Wake();
}

base::Status Scheduler::CommitDecisions(const std::vector<Decision>& decisions) {
  state::Draft draft = writer_.NewDraft();
  for (const Decision& decision : decisions) {
    const bool placed = !decision.node.empty();
    const state::ObjectPtr pod = draft.view().Get(decision.pod);
    base::Json status = WithScheduledCondition(*pod, placed, decision.why, draft.context().now);
    RETURN_IF_ERROR((placed ? draft.Bind(decision.pod, decision.node, std::move(status))
                            : draft.UpdateStatus(decision.pod, std::move(status)))
                        .status());
  }
  return writer_.Commit(draft).status();
}

void Scheduler::Park(const Decision& decision) {
  Parked& parked = parked_[decision.pod];
  parked.not_before = loop_.now().monotonic + kRetry.After(++parked.attempts);
}

}  // namespace scheduler
