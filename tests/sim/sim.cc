#include "tests/sim/sim.h"

#include <utility>

#include "gitsync/report/webhook_event.h"
#include "nodeagent/session/node_status.h"

namespace tests {
namespace {

using base::Duration;

constexpr Duration kBeginning = Duration::Seconds(5);
constexpr Duration kMaxToSettle = Duration::Minutes(20);
constexpr Duration kMaxToRepair = Duration::Minutes(2);
constexpr Duration kLook = Duration::Seconds(1);  // how often it is looked at meanwhile
constexpr Duration kQuiet = Duration::Minutes(3);
constexpr Duration kSaved = Duration::Seconds(5);  // then all agents have saved their Views
constexpr Duration kShortDowntime = Duration::Millis(200);
constexpr size_t kLargeWindow = 100'000, kSmallWindow = 30;

// A renewed Lease, the heartbeat of a Node, an Event or a Delivery whose time is over: life, not
// news.
bool IsLife(const state::Change& change) {
  const std::string& resource = change.key().resource;
  if (resource == "leases.coordination.k8s.io") return true;
  if (resource == "events" || resource == gitsync::kDeliveries) return change.removed;
  if (resource != "nodes" || change.previous == nullptr || change.removed) return false;
  base::Json now = change.object->document.ToJson(), before = change.previous->document.ToJson();
  const bool same_status = nodeagent::SaysTheSame(now["status"], before["status"]);
  for (base::Json* each : {&now, &before}) {
    each->Remove("status");
    (*each)["metadata"].Remove("resourceVersion");
  }
  return same_status && now == before;
}

}  // namespace

Sim::Sim(uint64_t seed, const SimOptions& options)
    : options_(options),
      world_(seed),
      server_(world_, world_.rng.Chance(1, 2) ? kSmallWindow : kLargeWindow,
              [this](state::Store& store) { invariants_.Opened(store); }),
      invariants_(world_, server_, nodes_),
      users_(world_, server_),
      troubles_(world_, server_, nodes_, users_) {
  world_.verbose = options.verbose;
  for (int i = 1; i <= options.nodes; ++i) {
    nodes_.push_back(std::make_unique<SimNode>(world_, i));
    invariants_.WatchContainers(*nodes_.back());
  }
  for (const auto& [path, resource] :
       {std::pair("/api/v1/pods", "pods"), std::pair("/api/v1/configmaps", "configmaps"),
        std::pair("/apis/apps/v1/deployments", "deployments.apps")}) {
    watchers_.push_back(std::make_unique<Watcher>(world_, server_, invariants_, path, resource));
  }
  server_.OnCrash([this] { users_.ServerEnded(); });
}

Sim::~Sim() = default;

void Sim::RunFor(Duration time) {
  world_.loop.RunUntil([this] { return !world_.failure.empty(); }, time);
}

void Sim::Begin() {
  world_.loop.OnTurn([this] {
    invariants_.EndOfTurn();
    troubles_.EndOfTurn();
  });
  server_.Start();
  for (const auto& node : nodes_) node->StartAgent();
  for (const auto& watcher : watchers_) watcher->Start();
  RunFor(kBeginning);
  users_.Begin();
  RunFor(kBeginning);
}

// A run is dense, or it has time for what takes minutes.
void Sim::Live() {
  const bool slow = world_.rng.Chance(1, 4);
  const uint64_t most_pause = slow ? 20'000 : 800;
  for (int i = 0; i < options_.acts && world_.failure.empty(); ++i) {
    users_.Act();
    if (options_.troubles && world_.rng.Chance(1, 2)) troubles_.Begin();
    RunFor(Duration::Millis(static_cast<int64_t>(world_.rng.Below(most_pause))));
  }
}

void Sim::Settle() {
  world_.Trace("--- nothing goes wrong any more");
  troubles_.Heal();
  users_.WishWell();
  server_.receiver().Calm();
  for (const auto& watcher : watchers_) watcher->Calm();
  RunFor(nodeagent::kFakeCallTimeout);  // what hung before
  WaitUntilSettled(kMaxToSettle);
  if (!world_.failure.empty()) return;
  world_.Trace("--- things are changed by hand");
  users_.Meddle();
  WaitUntilSettled(kMaxToRepair);
}

void Sim::WaitUntilSettled(Duration most) {
  std::string missing = "nothing was looked at";
  const base::MonotonicTime end = world_.loop.now().monotonic + most;
  while (!missing.empty() && world_.failure.empty() && world_.loop.now().monotonic < end) {
    RunFor(kLook);
    const std::string now = WhatIsMissing(world_, server_, nodes_, users_, watchers_);
    if (now != missing && !now.empty()) world_.Trace("missing: " + now);
    missing = now;
  }
  if (!missing.empty()) world_.Fail("not settled after " + most.ToString() + ": " + missing);
}

void Sim::CheckQuiet() {
  RunFor(kSaved);
  world_.Trace("--- everything starts again");
  const uint64_t started = invariants_.starts(), stopped = invariants_.stops();
  server_.Crash(kShortDowntime);
  for (const auto& node : nodes_) node->CrashAgent(kShortDowntime);
  bool quiet = true;
  invariants_.OnCommit([this, &quiet](const state::Change& change) {
    if (IsLife(change) || !std::exchange(quiet, false)) return;
    const std::string was(change.previous ? change.previous->document.Bytes() : "nothing");
    world_.Fail("a further pass wrote " + change.key().ToString() + ": from " + was + " to " +
                std::string(change.object->document.Bytes()));
  });
  RunFor(kQuiet);
  invariants_.OnCommit(nullptr);
  if (!world_.failure.empty()) return;
  if (invariants_.starts() != started || invariants_.stops() != stopped) {
    world_.Fail("a further pass started " + std::to_string(invariants_.starts() - started) +
                " containers and stopped " + std::to_string(invariants_.stops() - stopped));
  }
  const std::string missing = WhatIsMissing(world_, server_, nodes_, users_, watchers_);
  if (!missing.empty()) world_.Fail("after a further pass: " + missing);
}

SimReport Sim::Run() {
  Begin();
  if (world_.failure.empty()) Live();
  if (world_.failure.empty()) Settle();
  if (world_.failure.empty()) CheckQuiet();
  SimReport report;
  report.failure = world_.failure;
  report.trace = world_.trace;
  report.commits = invariants_.commits();
  report.crashes = server_.crashes();
  report.turns = world_.loop.turns();
  report.started = invariants_.starts();
  report.stopped = invariants_.stops();
  for (const auto& user : users_.git()) report.deploys += user->history().size() - 1;
  for (const auto& watcher : watchers_) {
    report.watched += watcher->events();
    report.expired += watcher->expired();
  }
  return report;
}

}  // namespace tests
