#include "nodeagent/session/node_status.h"

#include <gtest/gtest.h>

namespace nodeagent {
namespace {

Machine Healthy() {
  Machine machine;
  machine.name = machine.hostname = "n1";
  machine.ip = "10.0.0.1";
  machine.cpu_millis = 2000;
  machine.memory_bytes = int64_t{4} << 30;
  machine.disk_bytes = int64_t{100} << 30;
  machine.reserved_cpu_millis = 100;
  machine.reserved_memory_bytes = int64_t{256} << 20;
  machine.free_memory_bytes = int64_t{1} << 30;
  machine.free_disk_bytes = int64_t{50} << 30;
  machine.free_pids = 10'000;
  machine.runtime_name = "containerd";
  machine.runtime_version = "1.6.20";
  return machine;
}

std::string Conditions(const base::Json& status) {
  std::string text;
  for (const base::Json& condition : status["conditions"].Elements()) {
    text += std::string(condition["type"].AsString()) + "=" +
            std::string(condition["status"].AsString()) + " ";
  }
  return text;
}

const base::WallTime kNow = base::WallTime::FromSeconds(1'790'000'000);

TEST(NodeStatus, TellsWhatTheMachineHas) {
  const base::Json status = BuildNodeStatus(Healthy(), {}, kNow);
  EXPECT_EQ(status["capacity"].ToString(),
            R"({"cpu":"2","ephemeral-storage":"100Gi","memory":"4Gi","pods":"110"})");
  EXPECT_EQ(status["allocatable"].ToString(),
            R"({"cpu":"1900m","ephemeral-storage":"100Gi","memory":"3840Mi","pods":"110"})");
  EXPECT_EQ(Conditions(status),
            "MemoryPressure=False DiskPressure=False PIDPressure=False Ready=True ");
  EXPECT_EQ(status["nodeInfo"]["containerRuntimeVersion"].AsString(), "containerd://1.6.20");
}

TEST(NodeStatus, SaysWhatIsShortAndWhyItIsNotReady) {
  Machine machine = Healthy();
  machine.free_memory_bytes = 1 << 20;
  machine.free_disk_bytes = int64_t{9} << 30;
  machine.free_pids = 3;
  machine.runtime_problem = "the network is not configured";
  const base::Json status = BuildNodeStatus(machine, {}, kNow);
  EXPECT_EQ(Conditions(status),
            "MemoryPressure=True DiskPressure=True PIDPressure=True Ready=False ");
  EXPECT_EQ(status["conditions"].At(3)["message"].AsString(), "the network is not configured");
}

TEST(NodeStatus, HeartbeatAloneIsNoNewsAndTransitionsKeepTheirTime) {
  const base::Json first = BuildNodeStatus(Healthy(), {}, kNow);
  const base::Json second = BuildNodeStatus(Healthy(), first, kNow + base::Duration::Minutes(5));
  EXPECT_TRUE(SaysTheSame(first, second));
  EXPECT_FALSE(first == second);
  Machine broken = Healthy();
  broken.runtime_problem = "gone";
  EXPECT_FALSE(SaysTheSame(first, BuildNodeStatus(broken, second, kNow)));
}

}  // namespace
}  // namespace nodeagent
