// SimProcess: one process of a simulation: a Loop over the world's SimLoop whose tasks, timers and
// works end with it. The world goes on without it, as it does after kill -9.
//
// Unlike SimLoop's own, its works begin later, too: a process may die before one has begun (a write
// that never reached the disk), or after it was done and before anybody was told.
#pragma once

#include <deque>
#include <memory>
#include <set>

#include "base/lifeline.h"
#include "base/testing/sim_loop.h"

namespace base {

class SimProcess final : public Loop {
 public:
  // `world` outlives it.
  SimProcess(SimLoop& world, uint64_t seed);
  ~SimProcess() override;  // nothing that it began happens any more
  SimProcess(const SimProcess&) = delete;
  SimProcess& operator=(const SimProcess&) = delete;

  Now now() const override;
  void Post(Task task) override;
  TimerId After(Duration delay, Task task) override;
  void Cancel(TimerId timer) override;
  void Continue(Task task) override;
  bool TurnIsOver() override { return world_.TurnIsOver(); }
  void OffloadTo(Lane lane, std::function<Task()> work) override;

  // How far its machine's wall clock is from the world's.
  void set_clock_error(Duration error) { clock_error_ = error; }
  void set_offload_delay(Duration most) { offload_delay_ = most; }

 private:
  Duration OffloadDelay();
  void BeginStorageWork();

  SimLoop& world_;
  Rng rng_;
  Duration clock_error_;
  Duration offload_delay_ = Duration::Millis(3);  // before a work, and again before its completion
  std::deque<std::function<Task()>> storage_works_;  // the first is under way
  const std::shared_ptr<std::set<TimerId>> timers_ = std::make_shared<std::set<TimerId>>();
  Lifeline lifeline_;
};

}  // namespace base
