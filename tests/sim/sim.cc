#include "tests/sim/sim.h"

#include "reconciler/controllers/all.h"
#include "reconciler/pods.h"
#include "state/record.h"

namespace tests {
namespace {

constexpr base::Duration kStep = base::Duration::Millis(150);
constexpr base::Duration kSettle = base::Duration::Minutes(5);
constexpr int kSets = 4;

std::string SetYaml(const std::string& name, uint64_t replicas, uint64_t milli_cpu) {
  return "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: " + name +
         "}\nspec:\n  replicas: " + std::to_string(replicas) +
         "\n  selector: {matchLabels: {app: " + name +
         "}}\n  template:\n    metadata: {labels: {app: " + name +
         "}}\n    spec:\n      containers: [{name: c, image: x, resources: {requests: {cpu: " +
         std::to_string(milli_cpu) + "m}}}]\n";
}

}  // namespace

Sim::Sim(uint64_t seed, const SimOptions& options)
    : rng_(seed), options_(options), cluster_(rng_.Next()) {
  for (int i = 1; i <= options.nodes; ++i) {
    const std::string name = "n" + std::to_string(i);
    cluster_.AddNode(name, "4", "8Gi");
    nodes_.push_back(std::make_unique<SimNode>(cluster_, name, rng_.Next()));
  }
  cluster_.Settle();
  last_revision_ = acknowledged_ = cluster_.store().revision();
  WatchStore();
  StartControlPlane();
}

Sim::~Sim() = default;

void Sim::WatchStore() {
  cluster_.store().OnCommit([this](const state::Change& change) { Observe(change); });
  cluster_.store().OnDurable(
      [this] { acknowledged_ = std::max(acknowledged_, cluster_.store().durable()); });
}

void Sim::StartControlPlane() {
  reconciler_ = std::make_unique<reconciler::Reconciler>(
      cluster_.loop, cluster_.store(), cluster_.Context(), reconciler::AllControllers());
  scheduler_ =
      std::make_unique<scheduler::Scheduler>(cluster_.loop, cluster_.store(), cluster_.Context());
}

void Sim::Fail(const std::string& what) {
  if (report_.failure.empty()) report_.failure = what;
}

// Safety, at every change: revisions without gaps, a pod bound once, no node over its capacity.
void Sim::Observe(const state::Change& change) {
  if (change.revision != last_revision_ + 1) {
    Fail("revision " + std::to_string(change.revision) + " follows " +
         std::to_string(last_revision_));
  }
  last_revision_ = change.revision;
  ++report_.commits;
  const std::string_view bytes = change.object->document.Bytes();
  report_.trace =
      report_.trace * 0x100000001B3 ^ state::Crc32c(bytes) ^ (change.removed ? 0x9E3779B9 : 0);
  if (change.key().resource != "pods") return;
  const std::string node((*change.object)["spec"]["nodeName"].AsString());
  if (node.empty()) return;
  const auto [it, first] = bound_.try_emplace(std::string(change.object->Uid()), node);
  if (it->second != node)
    Fail(change.key().ToString() + " was bound to " + it->second + " and then to " + node);
  if (first) CheckCapacity();
}

void Sim::CheckCapacity() {
  const scheduler::NodeTable table(cluster_.store().view());
  for (const auto& [name, node] : table.nodes()) {
    if (node.cpu_used > node.cpu_total) {
      Fail(name + " has " + std::to_string(node.cpu_used) + "m of cpu taken, of " +
           std::to_string(node.cpu_total) + "m");
    }
  }
}

void Sim::Crash() {
  ++report_.crashes;
  scheduler_.reset();
  reconciler_.reset();
  cluster_.Crash();
  last_revision_ = cluster_.store().revision();
  if (last_revision_ < acknowledged_) {
    Fail("revision " + std::to_string(acknowledged_) +
         " was acknowledged, but a restart found only " + std::to_string(last_revision_));
  }
  // A binding that was lost was never told to anybody: it may come out differently.
  bound_.clear();
  for (const state::ObjectPtr& pod : cluster_.store().view().List("pods")) {
    const std::string_view node = (*pod)["spec"]["nodeName"].AsString();
    if (!node.empty()) bound_.emplace(pod->Uid(), node);
  }
  WatchStore();
  StartControlPlane();
}

std::string Sim::RandomSet() { return "s" + std::to_string(rng_.Below(kSets)); }

void Sim::UserStep() {
  const std::string set = RandomSet();
  const bool exists = cluster_.Get("replicasets.apps", "default", set) != nullptr;
  switch (rng_.Below(exists ? 4 : 1)) {
    case 0:
    case 1: (void)cluster_.Try(SetYaml(set, rng_.Below(8), 100 + 100 * rng_.Below(8))); return;
    case 2: {
      std::vector<state::Key> pods;
      for (const state::ObjectPtr& pod : cluster_.store().view().List("pods"))
        pods.push_back(pod->key);
      if (pods.empty()) return;
      const state::Key& key = pods[rng_.Below(pods.size())];
      cluster_.Delete(key.resource, key.ns, key.name);
      return;
    }
    default: (void)cluster_.Try(SetYaml(set, 0, 100)); return;
  }
}

void Sim::Step() {
  UserStep();
  if (options_.node_faults && rng_.Chance(1, 4)) nodes_[rng_.Below(nodes_.size())]->FailOne();
  if (options_.crashes && rng_.Chance(1, 6)) {
    // Somewhere inside the step: what is under way is lost.
    cluster_.loop.RunFor(base::Duration::Millis(static_cast<int64_t>(rng_.Below(60))));
    Crash();
  }
  if (rng_.Chance(1, 10)) {
    cluster_.loop.JumpWallClock(
        base::Duration::Minutes(static_cast<int64_t>(rng_.Below(120)) - 60));
  }
  cluster_.loop.RunFor(kStep);
  for (const auto& node : nodes_) node->Work();
  cluster_.loop.RunFor(kStep);
}

// Liveness: without faults everything that was asked for comes to be, and then nothing is written
// any more.
void Sim::CheckSettled() {
  const base::MonotonicTime end = cluster_.loop.now().monotonic + kSettle;
  while (cluster_.loop.now().monotonic < end) {
    for (const auto& node : nodes_) node->Work();
    cluster_.loop.RunFor(base::Duration::Seconds(1));
  }
  for (const state::ObjectPtr& set : cluster_.store().view().List("replicasets.apps")) {
    int64_t ready = 0, pending = 0, pods = 0;
    for (const state::ObjectPtr& pod :
         cluster_.store().view().Lookup(state::Index::kOwner, set->Uid())) {
      if (pod->key.resource != "pods") continue;
      ++pods;
      if ((*pod)["spec"]["nodeName"].AsString().empty()) {
        ++pending;
      } else {
        ready += reconciler::IsReady(*pod);
      }
    }
    const int64_t wanted = (*set)["spec"]["replicas"].AsInt();
    if (pods != wanted || ready + pending != wanted ||
        (*set)["status"]["readyReplicas"].AsInt() != ready) {
      Fail(set->key.ToString() + " wants " + std::to_string(wanted) + " pods, has " +
           std::to_string(pods) + ", ready " + std::to_string(ready) + ", waiting for room " +
           std::to_string(pending));
    }
  }
  const state::Revision before = cluster_.store().revision();
  scheduler_.reset();
  reconciler_.reset();
  StartControlPlane();
  // Shorter than a Lease counts: nobody renews them meanwhile.
  cluster_.loop.RunFor(base::Duration::Seconds(20));
  std::string written;
  const auto changes = cluster_.store().Read(before, 1000);
  if (changes.ok()) {
    for (const state::Change& change : *changes) {
      // An event whose hour is over goes when it is over.
      if (change.key().resource != "events" || !change.removed)
        written += " " + change.key().ToString();
    }
  }
  if (!written.empty()) Fail("a further pass wrote:" + written);
}

SimReport Sim::Run() {
  for (int i = 0; i < options_.steps && report_.failure.empty(); ++i) Step();
  if (report_.failure.empty()) CheckSettled();
  report_.turns = cluster_.loop.turns();
  return report_;
}

}  // namespace tests
