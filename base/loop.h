// Loop: the one thread that decides, its clock, its timers, and a way to have heavy pure work done
// elsewhere.
//
// Two implementations pass the same contract test: edge/real_loop (a thread, real clocks, workers)
// and testing/sim_loop (virtual time from one seed). Code above the edges sees only this header: it
// cannot tell which.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "base/time.h"

namespace base {

class Loop {
 public:
  using Task = std::function<void()>;
  using TimerId = uint64_t;  // 0 is never a timer

  virtual ~Loop() = default;

  // Loop only.
  virtual Now now() const = 0;

  // Runs `task` on the loop, after all that was posted before it. Any thread.
  virtual void Post(Task task) = 0;

  // Runs `task` on the loop once `delay` has passed. Loop only.
  virtual TimerId After(Duration delay, Task task) = 0;

  // A timer that fired or was cancelled is ignored. Loop only.
  virtual void Cancel(TimerId timer) = 0;

  // For work that may be long, and goes on piece by piece (piecework.h). Loop only.
  //
  // Runs `task` on the loop after all that was posted before it, and one of its like a turn, in
  // their order: what is posted meanwhile waits for one of them, not for all.
  virtual void Continue(Task task) = 0;
  // The task under way has had its share of the loop's time, kTurnBudget; what is left of its work
  // is for another turn.
  virtual bool TurnIsOver() = 0;

  enum class Lane {
    kWorkers,  // a few threads; works may run at the same time and finish in any order
    kAnswers,  // the same, for what somebody waits for: behind nothing that has time
    kStorage,  // a thread of its own: one work after the other, behind nothing else
  };
  // Runs `work` elsewhere; the task that it returns then runs on the loop. `work` owns all it
  // touches and reads only immutable data. Loop only.
  virtual void OffloadTo(Lane lane, std::function<Task()> work) = 0;
  void Offload(std::function<Task()> work) { OffloadTo(Lane::kWorkers, std::move(work)); }
};

// How long work goes on before it lets others have their turn. A task ends at its first look at
// the time after that, so it takes longer by one piece.
inline constexpr Duration kTurnBudget = Duration::Millis(1);

}  // namespace base
