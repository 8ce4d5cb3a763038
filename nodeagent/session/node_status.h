// The Node object of a machine, from what its agent has found out about it.
//
// Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/time.h"

namespace nodeagent {

struct Machine {
  std::string name;
  std::string hostname;
  std::string ip;
  int64_t cpu_millis = 0;
  int64_t memory_bytes = 0;
  int64_t disk_bytes = 0;  // of the file system that holds the volumes
  // Kept back for the system and the agent.
  int64_t reserved_cpu_millis = 0;
  int64_t reserved_memory_bytes = 0;
  int64_t max_pods = 110;
  std::string kernel;        // "6.1.0-18-amd64"
  std::string os_image;      // "Debian GNU/Linux 12 (bookworm)"
  std::string architecture;  // Go's name: "amd64"
  std::string machine_id, boot_id, system_uuid;
  std::string runtime_name, runtime_version;
  std::string agent_version;
  // What is left now.
  int64_t free_memory_bytes = 0;
  int64_t free_disk_bytes = 0;
  int64_t free_disk_inodes_percent = 100;
  int64_t free_pids = 0;
  std::string runtime_problem;  // "" if it is ready
};

// metadata and spec of a Node that does not exist yet.
base::Json BuildNode(const Machine& machine);

// The status; `last` is the one before, or null: conditions keep their transition times.
base::Json BuildNodeStatus(const Machine& machine, const base::Json& last, base::WallTime now);

// True if two statuses say the same but for the time of the heartbeat.
bool SaysTheSame(const base::Json& a, const base::Json& b);

// Below these the machine is under pressure.
inline constexpr int64_t kMinFreeMemoryBytes = int64_t{100} << 20;
inline constexpr int64_t kMinFreeDiskPercent = 10;
inline constexpr int64_t kMinFreeInodesPercent = 5;
inline constexpr int64_t kMinFreePids = 500;

}  // namespace nodeagent
