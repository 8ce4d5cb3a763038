// The order of steps: what was posted runs first, in order; with nothing posted, the earliest timer
// runs, and time moves to it; of two timers for one instant the older goes first. A task that
// continues a work runs when what was posted by then has run, before what those post. A completion
// of an offloaded work is a timer with a delay drawn from the seed. Time moves only between tasks.
#include "base/testing/sim_loop.h"

#include <algorithm>

namespace base {

SimLoop::SimLoop(uint64_t seed, WallTime start) : rng_(seed), turns_rng_(~seed) {
  now_.monotonic = MonotonicTime::FromNanos(0);
  now_.wall = start;
}

void SimLoop::Post(Task task) { ready_.push_back(std::move(task)); }

Loop::TimerId SimLoop::After(Duration delay, Task task) {
  const MonotonicTime due = now_.monotonic + std::max(delay, Duration());
  const TimerId id = next_timer_++;
  timers_.emplace(std::pair(due, id), std::move(task));
  timer_times_.emplace(id, due);
  return id;
}

void SimLoop::Cancel(TimerId timer) {
  const auto found = timer_times_.find(timer);
  if (found == timer_times_.end()) return;
  timers_.erase({found->second, timer});
  timer_times_.erase(found);
}

void SimLoop::Continue(Task task) {
  if (continuing_.empty()) ready_before_continuing_ = ready_.size();
  continuing_.push_back(std::move(task));
}

bool SimLoop::TurnIsOver() { return pieces_left_ == 0 || --pieces_left_ == 0; }

void SimLoop::OffloadTo(Lane lane, std::function<Task()> work) {
  Task completion = work();
  const uint64_t choices = static_cast<uint64_t>(std::max(offload_delay_, Duration()).nanos()) + 1;
  Duration delay = Duration::Nanos(static_cast<int64_t>(rng_.Below(choices)));
  if (lane == Lane::kStorage) {
    delay = std::max(delay, storage_done_ - now_.monotonic);
    storage_done_ = now_.monotonic + delay;
  }
  if (completion) After(delay, std::move(completion));
}

void SimLoop::RunReady() {
  while (Step(now_.monotonic)) {
  }
}

void SimLoop::RunFor(Duration span) {
  RunUntil([] { return false; }, span);
}

bool SimLoop::RunUntil(const std::function<bool()>& done, Duration limit) {
  const MonotonicTime end = now_.monotonic + limit;
  while (!done()) {
    if (Step(end)) continue;
    MoveTo(end);
    return false;
  }
  return true;
}

void SimLoop::JumpWallClock(Duration by) { now_.wall = now_.wall + by; }

void SimLoop::DropAll() {
  ready_.clear();
  continuing_.clear();
  timers_.clear();
  timer_times_.clear();
}

// The queue whose first task is next; null if both are empty, or what continues takes its time.
std::deque<Loop::Task>* SimLoop::NextQueue() {
  if (!continuing_.empty() && ready_before_continuing_ == 0 && continues_at_ <= now_.monotonic) {
    return &continuing_;
  }
  if (ready_.empty()) return nullptr;
  if (ready_before_continuing_ > 0) --ready_before_continuing_;
  return &ready_;
}

void SimLoop::MoveTo(MonotonicTime time) {
  now_.wall = now_.wall + (time - now_.monotonic);
  now_.monotonic = time;
}

// One task that is due by `until`, or the time until it is; false if there is none.
bool SimLoop::Step(MonotonicTime until) {
  if (std::deque<Task>* queue = NextQueue()) {
    Task task = std::move(queue->front());
    queue->pop_front();
    RunTask(std::move(task));
    if (queue == &continuing_) {
      ready_before_continuing_ = ready_.size();
      continues_at_ = now_.monotonic + turn_length_;
    }
    return true;
  }
  const bool timer =
      !timers_.empty() && (continuing_.empty() || timers_.begin()->first.first <= continues_at_);
  if (!timer && continuing_.empty()) return false;
  const MonotonicTime due = timer ? timers_.begin()->first.first : continues_at_;
  if (due > until) return false;
  MoveTo(due);
  if (!timer) return true;
  Task task = std::move(timers_.begin()->second);
  Cancel(timers_.begin()->first.second);
  RunTask(std::move(task));
  return true;
}

void SimLoop::RunTask(Task task) {
  pieces_left_ = 1 + turns_rng_.Below(pieces_a_turn_);
  task();
  ++turns_;
  if (on_turn_) on_turn_();
}

}  // namespace base
