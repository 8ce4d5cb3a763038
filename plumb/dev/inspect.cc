#include "plumb/dev/cluster.h"
#include "plumb/dev/daemons.h"
#include "plumb/dev/processes.h"

namespace plumb {

bool ClusterState::AllRuns() const {
  for (const MemberState& state : members) {
    if (!state.pid || !state.containerd.value_or(true)) return false;
  }
  return forwarding;
}

base::Result<ClusterState> Inspect(const std::string& requested) {
  ASSIGN_OR_RETURN(std::string directory, CanonicalDirectory(requested));
  ASSIGN_OR_RETURN(ClusterRecord record, LoadRecord(directory));
  ClusterState state;
  state.record = record;
  state.forwarding = FindDaemon(directory, "forwarder").has_value();
  for (Member& member : MembersOf(record)) {
    MemberState one;
    if (std::optional<PinnedProcess> process = FindDaemon(directory, member.name)) {
      one.pid = process->pid();
    }
    if (member.name != "registry" && member.name != "server") {
      one.containerd = SocketAccepts(ContainerdSocketPath(member));
    }
    one.member = std::move(member);
    state.members.push_back(std::move(one));
  }
  return state;
}

}  // namespace plumb
