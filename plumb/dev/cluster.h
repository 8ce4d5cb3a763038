// Cluster: a development cluster on this machine: a control plane, nodes and a registry, each in a
// network namespace of its own (PLATFORM). All that it writes lies in one directory; several run
// side by side.
//
// One caller at a time works on a directory (a lock file sees to it); root only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/faults.h"
#include "base/status.h"
#include "plumb/dev/layout.h"

namespace plumb {

struct DevOptions {
  std::string directory;           // absolute or not; made if it is missing
  std::string name = "dev";        // of the cluster in this directory
  int nodes = 0;                   // 0: as many as there are, or kDefaultNodes
  uint16_t api_port = 0;           // of 127.0.0.1; 0: as before, or any free one
  uint16_t registry_port = 0;      // the same
  base::Faults* faults = nullptr;  // of tests: a point that is hit ends the process at once
  std::function<void(std::string_view line)> progress = [](std::string_view) {};
};
inline constexpr int kDefaultNodes = 3;

// Brings the cluster up: makes and starts what is missing, leaves the rest as it is. After an error
// or a crash another Up goes on, and Down removes what there is.
base::Result<ClusterRecord> Up(const DevOptions& options);

// Ends all processes and removes everything, in any state that a crash may have left. OK if there
// is nothing. On failure the causes name what stayed.
base::Status Down(const std::string& directory);

// As if the member lost its power: all its processes end without a warning, containers included.
// Up brings it back, with what its disk held.
base::Status Kill(const std::string& directory, std::string_view member);

struct MemberState {
  Member member;
  std::optional<pid_t> pid;        // of its daemon
  std::optional<bool> containerd;  // nodes only: does it answer?
};
struct ClusterState {
  ClusterRecord record;
  std::vector<MemberState> members;
  bool forwarding = false;
  bool AllRuns() const;
};
base::Result<ClusterState> Inspect(const std::string& directory);

// The directory in the one form that names it: absolute, links resolved as far as it exists.
base::Result<std::string> CanonicalDirectory(const std::string& directory);

}  // namespace plumb
