// SimLoop: a Loop on virtual time. Everything runs inline on the caller's thread, in an order that
// follows from the seed alone: posted tasks in order, timers by time then by age, offloaded works
// run at once and complete after a seeded delay. Tasks take no time (but see set_turn_length): a
// turn is over when the task has asked so often as the seed says. Two runs of one seed do the same
// steps.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <utility>

#include "base/loop.h"
#include "base/rng.h"

namespace base {

class SimLoop final : public Loop {
 public:
  explicit SimLoop(uint64_t seed, WallTime start = WallTime::FromSeconds(1'790'000'000));

  Now now() const override { return now_; }
  void Post(Task task) override;
  TimerId After(Duration delay, Task task) override;
  void Cancel(TimerId timer) override;
  void Continue(Task task) override;
  bool TurnIsOver() override;
  void OffloadTo(Lane lane, std::function<Task()> work) override;

  // Runs all that is due now, without moving time.
  void RunReady();
  // Runs until nothing is due within `span`, and moves time to its end.
  void RunFor(Duration span);
  // Runs until `done`, at most `limit` of virtual time; false if it was not reached.
  bool RunUntil(const std::function<bool()>& done, Duration limit);
  // Called after every task: where a simulation checks its invariants.
  void OnTurn(std::function<void()> check) { on_turn_ = std::move(check); }
  // A step of the wall clock; monotonic time goes on.
  void JumpWallClock(Duration by);
  // Drops all tasks, timers and works: what a crash of the process does.
  void DropAll();

  void set_offload_delay(Duration most) { offload_delay_ = most; }
  // A turn is over for a task that has asked between once and `most` times.
  void set_pieces_a_turn(uint64_t most) { pieces_a_turn_ = most; }
  // A task that continues a work takes so long: what is due meanwhile goes before the next of them.
  void set_turn_length(Duration length) { turn_length_ = length; }
  uint64_t turns() const { return turns_; }

 private:
  bool Step(MonotonicTime until);
  std::deque<Task>* NextQueue();
  void MoveTo(MonotonicTime time);
  void RunTask(Task task);

  Rng rng_;
  Rng turns_rng_;
  Now now_;
  Duration offload_delay_ = Duration::Millis(5);
  MonotonicTime storage_done_;  // when the last work of the storage's lane completes
  uint64_t pieces_a_turn_ = 64;
  uint64_t pieces_left_ = 0;  // of the task under way
  std::deque<Task> ready_;
  std::deque<Task> continuing_;
  size_t ready_before_continuing_ = 0;  // tasks that go before the first of those
  Duration turn_length_;
  MonotonicTime continues_at_;  // not before
  std::map<std::pair<MonotonicTime, TimerId>, Task> timers_;
  std::map<TimerId, MonotonicTime> timer_times_;
  TimerId next_timer_ = 1;
  uint64_t turns_ = 0;
  std::function<void()> on_turn_;
};

}  // namespace base
