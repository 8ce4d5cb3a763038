// RuleProgrammer: keeps a Dataplane at the rules wanted last, and says which revision it has.
//
// Loop only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/loop.h"
#include "servicemesh/rules/dataplane.h"

namespace servicemesh {

inline constexpr base::Duration kRememberedWait = base::Duration::Seconds(10);

class RuleProgrammer {
 public:
  // Both outlive this.
  RuleProgrammer(base::Loop& loop, Dataplane& dataplane) : loop_(loop), dataplane_(dataplane) {}
  ~RuleProgrammer();  // not while a call to the dataplane can still come back

  // Programs these rules as soon as the dataplane is free; of several wanted meanwhile only the
  // last. Revisions must not go back.
  void Want(std::shared_ptr<const RuleSet> rules);

  // Rules of an earlier process. What the kernel has is newer, or as new: these are programmed only
  // if no others are wanted within kRememberedWait, as after a boot without the control plane.
  void Remember(std::shared_ptr<const RuleSet> rules);

  // The revision up to which packets follow the rules, stale UDP flows included. 0: none yet.
  uint64_t programmed_revision() const { return programmed_revision_; }
  // Called each time it advances.
  void OnProgrammed(std::function<void(uint64_t revision)> callback) {
    on_programmed_ = std::move(callback);
  }
  // Why the rules are not as wanted; OK if they are, or if nothing failed yet.
  const base::Status& trouble() const { return trouble_; }

 private:
  void Step();
  void Program(std::shared_ptr<const RuleSet> rules);
  void Flush(std::shared_ptr<const RuleSet> rules);
  void Finish(std::shared_ptr<const RuleSet> rules);
  void Fail(const base::Status& status);

  base::Loop& loop_;
  Dataplane& dataplane_;
  std::shared_ptr<const RuleSet> wanted_;
  std::shared_ptr<const RuleSet> programmed_;  // nullptr: unknown, all is written anew
  std::shared_ptr<const RuleSet> remembered_;
  base::Loop::TimerId remembered_timer_ = 0;  // with what is remembered
  bool busy_ = false;
  base::Loop::TimerId retry_ = 0;
  base::Duration delay_;
  uint64_t programmed_revision_ = 0;
  base::Status trouble_;
  std::function<void(uint64_t)> on_programmed_;
};

}  // namespace servicemesh
