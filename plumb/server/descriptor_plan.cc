// Everybody gets his least; then all who want more get equally much, until each has what he wants
// or nothing is left.
#include "plumb/server/descriptor_plan.h"

#include <algorithm>
#include <array>

#include "nodeagent/hub/hub.h"

namespace plumb {
namespace {

// Standard streams, pollers, gRPC's own, the hooks' socket, errands' calls, a port's connections
// that are being closed.
constexpr size_t kOfProcess = 72;
// Of a node in it: containerd, logs (256 streams), probes, DNS.
constexpr size_t kOfNode = 512;
// Beside its tables LevelDB has logs, a manifest and a lock, which it counts; and there is the
// reserve that it opens files with when there are no others (state/edge/leveldb_env.h).
constexpr size_t kStoreReserve = 16;
// A child's three pipes, its hook's connection, packs that it is read from.
constexpr size_t kOfTransfer = 12;
constexpr size_t kLanes = 2;  // transfers that read, and that write

struct Part {
  size_t least, most;
};
constexpr size_t kStore = 0, kTransfers = 1, kApi = 2, kAgents = 3;
constexpr std::array<Part, 4> kParts = {{
    {74 + kStoreReserve, 500 + kStoreReserve},  // LevelDB takes no fewer
    {1 * kLanes * kOfTransfer, 16 * kLanes* kOfTransfer},
    {24, 4096},
    {24, nodeagent::kMaxConnections + 256},  // and the newcomers' second ones
}};

size_t Sum(size_t Part::*member) {
  size_t sum = 0;
  for (const Part& part : kParts) sum += part.*member;
  return sum;
}

std::array<size_t, kParts.size()> Share(size_t left) {
  std::array<size_t, kParts.size()> shares;
  for (size_t i = 0; i < kParts.size(); ++i) shares[i] = kParts[i].least;
  for (;;) {
    const size_t wanting =
        static_cast<size_t>(std::count_if(shares.begin(), shares.end(), [&](const size_t& share) {
          return share < kParts[&share - shares.data()].most;
        }));
    if (wanting == 0 || left < wanting) return shares;
    const size_t each = left / wanting;
    for (size_t i = 0; i < kParts.size(); ++i) {
      const size_t more = std::min(each, kParts[i].most - shares[i]);
      shares[i] += more;
      left -= more;
    }
  }
}

std::string HowToRaise(size_t to) {
  return "raise it with ulimit -n " + std::to_string(to) +
         ", or LimitNOFILE=" + std::to_string(to) + " in the service's unit";
}

}  // namespace

base::Result<DescriptorPlan> PlanDescriptors(size_t limit, bool with_node) {
  const size_t fixed = kOfProcess + (with_node ? kOfNode : 0);
  const size_t least = fixed + Sum(&Part::least), most = fixed + Sum(&Part::most);
  if (limit < least) {
    return base::Status(base::Code::kUnavailable,
                        "plumb may open " + std::to_string(limit) + " files, and needs " +
                            std::to_string(least) + " at least (" + std::to_string(most) +
                            " for all that it can serve); " + HowToRaise(most));
  }
  const auto shares = Share(std::min(limit, most) - least);
  DescriptorPlan plan;
  plan.store_files = shares[kStore] - kStoreReserve;
  plan.transfers = static_cast<int>(shares[kTransfers] / (kLanes * kOfTransfer));
  plan.api_connections = shares[kApi];
  plan.agent_newcomers = std::clamp<size_t>(shares[kAgents] / 4, 4, 256);
  plan.agent_connections = shares[kAgents] - plan.agent_newcomers;
  if (limit < most) {
    plan.note = "with " + std::to_string(limit) + " open files plumb serves " +
                std::to_string(plan.api_connections) + " clients and " +
                std::to_string(plan.agent_connections) + " connections of nodes at once; " +
                HowToRaise(most) + " for all that it can";
  }
  return plan;
}

}  // namespace plumb
