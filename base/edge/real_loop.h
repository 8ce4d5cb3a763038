// RealLoop: the Loop of a running program: the thread that calls Run(), the system's clocks, and a
// few threads for what it offloads.
//
// The threads of a lane start with its first work and end with the RealLoop. Post may be called
// from any thread, all else from the loop's own (or before Run).
#pragma once

#include <memory>

#include "base/loop.h"

namespace base {

class RealLoop final : public Loop {
 public:
  explicit RealLoop(int workers = 2);  // threads of each lane but the storage's
  ~RealLoop() override;                // EndWorks

  Now now() const override;
  void Post(Task task) override;
  TimerId After(Duration delay, Task task) override;
  void Cancel(TimerId timer) override;
  void Continue(Task task) override;
  bool TurnIsOver() override;
  void OffloadTo(Lane lane, std::function<Task()> work) override;

  // Runs tasks until Stop. The time now() gives is taken once a turn.
  void Run();
  void Stop();  // any thread; what was posted before it still runs, what continues waits
  // Waits for works under way; their completions do not run, nor do works that wait or are
  // offloaded later. For after the last Run, before what the works use ends.
  void EndWorks();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace base
