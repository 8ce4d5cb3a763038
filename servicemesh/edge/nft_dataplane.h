// NftDataplane: the rules in the kernel, through libnftables, in the table `ip plumb` of a network
// namespace. It owns that table: whatever else is in it goes with Replace.
//
// As Dataplane: loop only. The work is done on the loop's workers. Needs CAP_NET_ADMIN.
#pragma once

#include <memory>
#include <string>

#include "base/lifeline.h"
#include "base/loop.h"
#include "servicemesh/rules/dataplane.h"

namespace servicemesh {

class NftDataplane final : public Dataplane {
 public:
  // `network_namespace` as "/run/netns/NAME"; "" is the process's own. `loop` outlives this. Its
  // end leaves the rules in place; a `done` under way does not run.
  NftDataplane(base::Loop& loop, std::string network_namespace);

  void Replace(std::shared_ptr<const RuleSet> rules, Done done) override;
  void Apply(std::shared_ptr<const RuleDelta> delta, Done done) override;
  void FlushUdp(std::vector<ConntrackFlush> stale, Done done) override;

  // Deletes the table. Blocking; any thread; for taking a node down.
  static base::Status RemoveTable(const std::string& network_namespace);

 private:
  void Offload(std::function<base::Status()> work, Done done);

  base::Loop& loop_;
  const std::string network_namespace_;
  bool busy_ = false;
  std::vector<Ipv4> node_ips_;  // as programmed last
  base::Lifeline lifeline_;
};

}  // namespace servicemesh
