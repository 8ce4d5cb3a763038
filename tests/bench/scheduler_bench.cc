// 10,000 pods on 5,000 nodes: by the pure function alone, and by the scheduler over a store on
// LevelDB until the last binding is durable. Pods come in groups of equal ones, as Deployments make
// them; the peer's are all equal. With as many groups as pods no batch helps: fewer pods do, then.
#include "scheduler/schedule.h"
#include "scheduler/scheduler.h"
#include "state/edge/leveldb_storage.h"
#include "tests/bench/bench.h"
#include "tests/bench/objects.h"

namespace bench {
namespace {

constexpr int kNodes = 5000;
constexpr int kRuns = 3;
constexpr double kPeerRate = 680;
constexpr double kAim = 20;
constexpr char kPeer[] = "kube-scheduler, SchedulingBasic on 5,000 nodes, published floor";

// What `group` of `groups` asks for differs from group to group.
base::Json PendingPod(int number, int groups) {
  const int group = number % groups;
  base::Json pod = Pod("default", group, number);
  base::Json& container = pod["spec"]["containers"].MutableElements().front();
  container["resources"]["requests"].Set("cpu", std::to_string(100 + group) + "m");
  return pod;
}

state::Transaction ClusterOf(int pods, int groups) {
  state::Transaction transaction;
  for (int i = 0; i < kNodes; ++i)
    transaction.writes.push_back({{"nodes", "", NodeName(i)}, base::Document(Node(i)), 0});
  for (int i = 0; i < pods; ++i) {
    const base::Json pod = PendingPod(i, groups);
    const std::string name(pod["metadata"]["name"].AsString());
    transaction.writes.push_back({{"pods", "default", name}, base::Document(pod), 0});
  }
  return transaction;
}

double InMemory(int pods, int groups) {
  state::View view;
  for (state::Write& write : ClusterOf(pods, groups).writes) {
    auto object = std::make_shared<state::Object>();
    object->key = write.key;
    object->revision = 1;
    object->document = *write.document;
    view.Put(std::move(object));
  }
  scheduler::ClusterTable table(view);
  const double begin = Seconds();
  std::vector<scheduler::PodInfo> pending;
  for (const state::ObjectPtr& pod : view.List("pods")) pending.emplace_back(pod);
  const auto decisions = scheduler::Schedule(table, pending);
  const double seconds = Seconds() - begin;
  for (const auto& decision : decisions) CHECK(!decision.node.empty());
  return pods / seconds;
}

base::Result<double> ThroughStore(const Context& context, int pods, int groups, int run) {
  RunningLoop loop;
  ASSIGN_OR_RETURN(
      std::unique_ptr<state::Storage> storage,
      state::OpenLevelDb(Path(context, std::to_string(groups) + "-" + std::to_string(run))));
  base::Status broken;
  ASSIGN_OR_RETURN(std::unique_ptr<state::Store> store,
                   state::Store::Open(loop.loop(), *storage, {},
                                      [&](base::Status status) { broken = std::move(status); }));
  const state::ClusterConfig config;
  std::unique_ptr<scheduler::Scheduler> scheduler;
  base::Subscription on_durable;
  std::promise<double> bound;
  double begin = 0;
  loop.Call([&] {
    const auto committed = store->Commit(ClusterOf(pods, groups));
    CHECK(committed.ok());
    store->WhenDurable(committed->last, [&] {
      on_durable = store->OnDurable([&, left = pods, seen = store->durable()]() mutable {
        for (;;) {
          const auto changes = store->Read(seen, 1000);
          if (!changes.ok() || changes->empty()) return;
          for (const state::Change& change : *changes) {
            seen = change.revision;
            const bool is_bound = !(*change.object)["spec"]["nodeName"].AsString().empty();
            if (is_bound && --left == 0) bound.set_value(Seconds());
          }
        }
      });
      begin = Seconds();
      scheduler = std::make_unique<scheduler::Scheduler>(
          loop.loop(), *store, state::DraftContext{&config, loop.loop().now().wall, 1});
    });
    return 0;
  });
  const double rate = pods / (bound.get_future().get() - begin);
  loop.Call([&] {
    scheduler.reset();
    on_durable.End();
    store.reset();
    return 0;
  });
  if (!broken.ok()) return broken;
  return rate;
}

}  // namespace

base::Status BenchScheduler(const Context& context) {
  struct Case {
    int pods, groups;
    Aim aim;
  };
  for (const auto& [pods, groups, aim] :
       {Case{10'000, 1, RatioAtLeast(kAim)}, Case{10'000, 100, RatioAtLeast(kAim)},
        Case{1000, 1000, NoAim()}}) {
    std::vector<double> memory, store;
    for (int run = 0; run < kRuns; ++run) {
      memory.push_back(InMemory(pods, groups));
      ASSIGN_OR_RETURN(const double rate, ThroughStore(context, pods, groups, run));
      store.push_back(rate);
    }
    const auto report = [&, pods = pods, groups = groups, aim = aim](
                            const char* name, const std::vector<double>& rates) {
      Report({name,
              {{"nodes", kNodes}, {"pods", pods}, {"different_pods", groups}, {"runs", kRuns}},
              Median(rates),
              "pods/s",
              kPeer,
              kPeerRate,
              aim});
    };
    report("scheduler.memory", memory);
    report("scheduler.store", store);
  }
  return {};
}

}  // namespace bench
