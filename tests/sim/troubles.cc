#include "tests/sim/troubles.h"

#include <utility>

namespace tests {
namespace {

using base::Duration;

constexpr const char* kVerbs[] = {"list",         "find_image", "pull_image",     "run_sandbox",
                                  "stop_sandbox", "create",     "remove_sandbox", "start",
                                  "stop",         "remove",     "ready"};
// What the world's own workers do: program rules.
constexpr Duration kKernelTime = Duration::Millis(5);

constexpr const char* kKernelFaults[] = {"dataplane.apply", "dataplane.replace", "routes.set"};
constexpr const char* kImages[] = {"x/run", "x/drain:800ms", "x/stubborn"};

}  // namespace

Troubles::Troubles(World& world, SimServer& server, const Nodes& nodes, Users& users)
    : world_(world), server_(server), nodes_(nodes), users_(users), rng_(world.rng.Next()) {}

Duration Troubles::SomeTime() {
  const uint64_t luck = rng_.Below(40);
  const uint64_t most = luck == 0 ? 450'000 : luck < 5 ? 120'000 : 4'000;
  return Duration::Millis(static_cast<int64_t>(1 + rng_.Below(most)));
}

void Troubles::For(Duration time, std::function<void()> ends) {
  world_.loop.After(time, [this, healed = healed_, ends = std::move(ends)] {
    if (healed == healed_) ends();
  });
}

void Troubles::Fault(base::Faults& faults, const std::string& point) {
  world_.Trace("trouble: " + point);
  faults.Set(point, 1, 2);
  For(SomeTime(), [&faults, point] { faults.Set(point, 0); });
}

void Troubles::Begin() {
  switch (rng_.Below(8)) {
    case 0:
    case 1: return TroubleServer();
    case 2:
    case 3: return TroubleNetwork();
    case 4: return TroubleAgent();
    case 5: return TroubleRuntime();
    case 6: return TroubleContainers();
    default: return TroubleClocks();
  }
}

void Troubles::TroubleServer() {
  switch (rng_.Below(7)) {
    case 0:
    case 1: crash_in_ = 1 + rng_.Below(200); return;
    case 2: world_.faults.SetOnce("storage.write.fail", rng_.Below(4)); return;
    case 3: world_.faults.SetOnce("storage.write.lost", rng_.Below(4)); return;
    case 4: return Fault(world_.faults, "git.read.fail");
    case 5: return Fault(world_.faults, "git.commit.fail");
    default: users_.git()[rng_.Below(users_.git().size())]->LoseHook();
  }
}

void Troubles::TroubleNetwork() {
  const std::string node = SomeNode().name();
  switch (rng_.Below(3)) {
    case 0: world_.Trace(node + " hangs up"); return world_.network.Break(node);
    case 1:
      world_.Trace(node + " partitioned");
      world_.network.Partition(node);
      return For(SomeTime(), [this, node] { world_.network.Heal(node); });
    default:
      world_.network.set_delay(Duration::Millis(static_cast<int64_t>(rng_.Below(1500))));
      For(SomeTime(), [this] { world_.network.set_delay(Duration::Millis(20)); });
  }
}

void Troubles::TroubleAgent() {
  SimNode& node = SomeNode();
  const bool reboots = rng_.Chance(1, 4);
  reboots ? node.Reboot(SomeTime()) : node.CrashAgent(SomeTime());
  if (rng_.Chance(1, 3)) node.LoseCache();
}

void Troubles::TroubleRuntime() {
  SimNode& node = SomeNode();
  switch (rng_.Below(7)) {
    case 0:
      world_.Trace("slow kernels");
      world_.loop.set_offload_delay(Duration::Millis(static_cast<int64_t>(rng_.Below(3000))));
      return For(SomeTime(), [this] { world_.loop.set_offload_delay(kKernelTime); });
    case 1:
      world_.Trace("runtime of " + node.name() + " down");
      node.runtime().SetDown(true);
      return For(SomeTime(), [&node] { node.runtime().SetDown(false); });
    case 2: return Fault(node.faults(), "runtime.event.lost");
    case 3: return Fault(node.faults(), kKernelFaults[rng_.Below(std::size(kKernelFaults))]);
    case 4: {
      const std::string image = kImages[rng_.Below(std::size(kImages))];
      node.runtime().RemoveImage(image);
      node.runtime().SetPull(image, SomeTime(),
                             rng_.Chance(1, 2)
                                 ? base::Status()
                                 : base::Status(base::Code::kUnavailable, "no registry"));
      return For(SomeTime(),
                 [&node, image] { node.runtime().SetPull(image, Duration::Millis(800)); });
    }
    default: {
      constexpr const char* kWays[] = {".error", ".hang", ".lost"};
      const std::string verb = kVerbs[rng_.Below(std::size(kVerbs))];
      return Fault(node.faults(), "runtime." + verb + kWays[rng_.Below(3)]);
    }
  }
}

void Troubles::TroubleContainers() {
  SimNode& node = SomeNode();
  const nodeagent::RuntimeSnapshot now = node.runtime().Now();
  if (rng_.Chance(1, 3)) return Fault(node.faults(), "runtime.exit.wrong");
  if (rng_.Chance(1, 3) && !now.sandboxes.empty()) {
    return node.runtime().EndSandbox(now.sandboxes[rng_.Below(now.sandboxes.size())].id);
  }
  if (now.containers.empty()) return;
  node.runtime().EndContainer(now.containers[rng_.Below(now.containers.size())].id, 139, "Error");
}

void Troubles::TroubleClocks() {
  const auto minutes = static_cast<int64_t>(rng_.Below(121)) - 60;
  if (rng_.Chance(1, 2)) return world_.loop.JumpWallClock(Duration::Minutes(minutes));
  const Duration error = Duration::Seconds(minutes);
  rng_.Chance(1, 2) ? server_.set_clock_error(error) : SomeNode().set_clock_error(error);
}

void Troubles::Heal() {
  ++healed_;
  crash_in_ = 0;
  world_.faults.Clear();
  world_.network.set_delay(Duration::Millis(20));
  world_.loop.set_offload_delay(kKernelTime);
  for (const auto& node : nodes_) {
    node->faults().Clear();
    node->runtime().SetDown(false);
    for (const char* image : kImages) node->runtime().SetPull(image, Duration::Millis(800));
    world_.network.Heal(node->name());
  }
}

void Troubles::EndOfTurn() {
  if (crash_in_ == 0 || --crash_in_ > 0) return;
  const Duration downtime = SomeTime();
  world_.loop.Post([this, downtime] { server_.Crash(downtime); });
}

}  // namespace tests
