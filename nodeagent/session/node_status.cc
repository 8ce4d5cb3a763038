// Rules (Kubernetes API, NodeStatus): allocatable is capacity less what is reserved, never below
// zero. Ready is False with the runtime's own reason while the runtime is not ready. A pressure
// condition is True while what is left is below its limit.
#include "nodeagent/session/node_status.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "manifests/kinds/conditions.h"
#include "manifests/quantity.h"

namespace nodeagent {
namespace {

using base::Json;

struct NodeCondition {
  std::string_view type;
  bool holds;
  std::string_view reason;
  std::string message;
};

Json ConditionJson(const NodeCondition& condition, const Json& last, base::WallTime now) {
  const char* status = condition.holds ? "True" : "False";
  return Json::MakeObject(
      {{"type", condition.type},
       {"status", status},
       {"reason", condition.reason},
       {"message", condition.message},
       {"lastHeartbeatTime", now.ToString()},
       {"lastTransitionTime", manifests::HeldSince(last, condition.type, status, now)}});
}

NodeCondition Pressure(std::string_view type, bool holds, std::string_view what) {
  const std::string_view enough = what == "memory" ? "KubeletHasSufficientMemory"
                                  : what == "disk" ? "KubeletHasNoDiskPressure"
                                                   : "KubeletHasSufficientPID";
  const std::string_view little = what == "memory" ? "KubeletHasInsufficientMemory"
                                  : what == "disk" ? "KubeletHasDiskPressure"
                                                   : "KubeletHasInsufficientPID";
  return {type, holds, holds ? little : enough,
          holds ? "the node is short of " + std::string(what)
                : "the node has enough " + std::string(what)};
}

Json Resources(const Machine& machine, int64_t cpu_millis, int64_t memory_bytes) {
  return Json::MakeObject(
      {{"cpu", manifests::Quantity::Milli(std::max<int64_t>(0, cpu_millis)).ToString()},
       {"memory", manifests::Quantity::Units(std::max<int64_t>(0, memory_bytes)).ToString(true)},
       {"ephemeral-storage", manifests::Quantity::Units(machine.disk_bytes).ToString(true)},
       {"pods", std::to_string(machine.max_pods)}});
}

Json Conditions(const Machine& machine, const Json& last, base::WallTime now) {
  const bool disk_is_low =
      machine.free_disk_bytes * 100 < machine.disk_bytes * kMinFreeDiskPercent ||
      machine.free_disk_inodes_percent < kMinFreeInodesPercent;
  const bool ready = machine.runtime_problem.empty();
  Json conditions = Json::MakeArray();
  for (const NodeCondition& condition :
       {Pressure("MemoryPressure", machine.free_memory_bytes < kMinFreeMemoryBytes, "memory"),
        Pressure("DiskPressure", disk_is_low, "disk"),
        Pressure("PIDPressure", machine.free_pids < kMinFreePids, "process ids"),
        NodeCondition{"Ready", ready, ready ? "KubeletReady" : "KubeletNotReady",
                      ready ? "the agent is ready" : machine.runtime_problem}}) {
    conditions.Append(ConditionJson(condition, last, now));
  }
  return conditions;
}

Json WithoutHeartbeats(Json status) {
  if (Json* conditions = status.Find("conditions"); conditions != nullptr) {
    for (Json& condition : conditions->MutableElements()) condition.Remove("lastHeartbeatTime");
  }
  return status;
}

}  // namespace

Json BuildNode(const Machine& machine) {
  return Json::MakeObject(
      {{"apiVersion", "v1"},
       {"kind", "Node"},
       {"metadata",
        Json::MakeObject(
            {{"name", machine.name},
             {"labels", Json::MakeObject({{"kubernetes.io/hostname", machine.name},
                                          {"kubernetes.io/os", "linux"},
                                          {"kubernetes.io/arch", machine.architecture}})}})}});
}

Json BuildNodeStatus(const Machine& machine, const Json& last, base::WallTime now) {
  const Json info = Json::MakeObject(
      {{"architecture", machine.architecture},
       {"bootID", machine.boot_id},
       {"containerRuntimeVersion", machine.runtime_name + "://" + machine.runtime_version},
       {"kernelVersion", machine.kernel},
       {"kubeProxyVersion", machine.agent_version},
       {"kubeletVersion", machine.agent_version},
       {"machineID", machine.machine_id},
       {"operatingSystem", "linux"},
       {"osImage", machine.os_image},
       {"systemUUID", machine.system_uuid}});
  const auto address = [](const char* type, const std::string& value) {
    return Json::MakeObject({{"type", type}, {"address", value}});
  };
  return Json::MakeObject(
      {{"capacity", Resources(machine, machine.cpu_millis, machine.memory_bytes)},
       {"allocatable", Resources(machine, machine.cpu_millis - machine.reserved_cpu_millis,
                                 machine.memory_bytes - machine.reserved_memory_bytes)},
       {"addresses", Json::MakeArray({address("InternalIP", machine.ip),
                                      address("Hostname", machine.hostname)})},
       {"nodeInfo", info},
       {"conditions", Conditions(machine, last, now)}});
}

bool SaysTheSame(const Json& a, const Json& b) {
  return WithoutHeartbeats(a) == WithoutHeartbeats(b);
}

}  // namespace nodeagent
