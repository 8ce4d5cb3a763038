#include "tests/sim/sim_node.h"

#include <vector>

#include "reconciler/pods.h"

namespace tests {
namespace {

constexpr base::Duration kRenewal = base::Duration::Seconds(10);
constexpr const char* kLeases = "kube-node-lease";

// Not durable yet: a server would not have told anybody.
bool Told(const state::TestCluster& cluster, const state::Object& object) {
  return object.revision <= cluster.store().durable();
}

}  // namespace

SimNode::SimNode(state::TestCluster& cluster, std::string name, uint64_t seed)
    : cluster_(cluster), name_(std::move(name)), rng_(seed) {}

base::Duration SimNode::Soon() {
  return base::Duration::Millis(static_cast<int64_t>(20 + rng_.Below(400)));
}

// What the hub writes for an agent that is connected: the Lease once in a while, and Ready when it
// says otherwise.
void SimNode::ShowLife() {
  const base::Now now = cluster_.loop.now();
  const state::ObjectPtr node = cluster_.Get("nodes", "", name_);
  if (node == nullptr) return;
  const bool ready = reconciler::ConditionIs((*node)["status"], "Ready", "True");
  if (ready && renewed_ && now.monotonic - *renewed_ < kRenewal) return;
  renewed_ = now.monotonic;
  state::Draft draft(cluster_.store().view(), cluster_.Context());
  base::Json lease = base::Json::MakeObject(
      {{"apiVersion", "coordination.k8s.io/v1"},
       {"kind", "Lease"},
       {"metadata", base::Json::MakeObject({{"name", name_}, {"namespace", kLeases}})},
       {"spec", base::Json::MakeObject({{"holderIdentity", name_},
                                        {"leaseDurationSeconds", 40},
                                        {"renewTime", now.wall.ToMicroString()}})}});
  const bool exists = draft.view().Get("leases.coordination.k8s.io", kLeases, name_) != nullptr;
  const bool written = exists ? draft.Update(lease).ok() : draft.Create(lease).ok();
  if (!ready) {
    base::Json status = (*node)["status"].ToJson();
    reconciler::SetCondition(status, "Ready", "True", "AgentReady", "", now.wall);
    if (!draft.UpdateStatus(node->key, std::move(status)).ok()) return;
  }
  if (written || !ready) (void)cluster_.store().Commit(draft.Finish());
}

void SimNode::Work() {
  ShowLife();
  const base::MonotonicTime now = cluster_.loop.now().monotonic;
  std::vector<state::ObjectPtr> pods;
  for (const state::ObjectPtr& pod : cluster_.store().view().Lookup(state::Index::kNode, name_)) {
    if (Told(cluster_, *pod)) pods.push_back(pod);
  }
  std::map<std::string, Running> kept;
  for (const state::ObjectPtr& pod : pods) {
    const std::string uid(pod->Uid());
    if (pod->Deleting()) {
      const auto [stopping, first] = stopping_.try_emplace(uid, now + Soon());
      if (!first && stopping->second <= now) {
        state::Draft draft(cluster_.store().view(), cluster_.Context());
        if (draft.Delete(pod->key, {.grace_period_seconds = 0, .uid = uid}).ok()) {
          (void)cluster_.store().Commit(draft.Finish());
        }
      }
      continue;
    }
    const auto [running, started] = running_.try_emplace(uid, Running{now + Soon(), 0});
    kept.insert(*running);
    Report(*pod, running->second);
  }
  running_ = std::move(kept);
}

void SimNode::FailOne() {
  if (running_.empty()) return;
  auto it = running_.begin();
  std::advance(it, static_cast<ptrdiff_t>(rng_.Below(running_.size())));
  ++it->second.restarts;
  it->second.ready_at = cluster_.loop.now().monotonic + Soon();
}

void SimNode::Report(const state::Object& pod, const Running& running) {
  const bool ready = running.ready_at <= cluster_.loop.now().monotonic;
  const std::string wanted = ready ? "True" : "False";
  base::Json status = pod["status"].ToJson();
  if (!status.IsObject()) status = base::Json::MakeObject();
  base::Json::Array& conditions = status["conditions"].MutableElements();
  base::Json* condition = nullptr;
  for (base::Json& each : conditions) {
    if (std::as_const(each)["type"].AsString() == "Ready") condition = &each;
  }
  if (condition == nullptr) {
    conditions.push_back(base::Json::MakeObject({{"type", "Ready"}}));
    condition = &conditions.back();
  }
  if (std::as_const(*condition)["status"].AsString() == wanted &&
      std::as_const(status)["restarts"].AsInt() == running.restarts) {
    return;
  }
  condition->Set("status", wanted);
  condition->Set("lastTransitionTime", cluster_.loop.now().wall.ToString());
  status.Set("phase", ready || running.restarts > 0 ? "Running" : "Pending");
  status.Set("podIP", "10.88.0.1");
  status.Set("restarts", running.restarts);
  state::Draft draft(cluster_.store().view(), cluster_.Context());
  if (draft.UpdateStatus(pod.key, std::move(status)).ok())
    (void)cluster_.store().Commit(draft.Finish());
}

}  // namespace tests
