// Dataplane: the seam to the packet rules of this node's kernel.
//
// Loop only. One call at a time: the next may be made once `done` of the last has run. `done` runs
// on the loop. edge/nft_dataplane is the real one, testing/fake_dataplane keeps the rules in
// memory; both pass testing/dataplane_contract.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/status.h"
#include "servicemesh/rules/rules.h"

namespace servicemesh {

class Dataplane {
 public:
  using Done = std::function<void(base::Status)>;
  virtual ~Dataplane() = default;

  // Makes `rules` all that this node holds, whatever it held before.
  virtual void Replace(std::shared_ptr<const RuleSet> rules, Done done) = 0;

  // Applies the delta to what was programmed last. All or nothing; after an error the caller cannot
  // know what the kernel holds and should Replace.
  virtual void Apply(std::shared_ptr<const RuleDelta> delta, Done done) = 0;

  // Forgets the connection tracking entries of UDP that `stale` describes.
  virtual void FlushUdp(std::vector<ConntrackFlush> stale, Done done) = 0;
};

}  // namespace servicemesh
