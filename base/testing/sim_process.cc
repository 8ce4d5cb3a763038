#include "base/testing/sim_process.h"

#include <algorithm>

namespace base {

SimProcess::SimProcess(SimLoop& world, uint64_t seed) : world_(world), rng_(seed) {}

SimProcess::~SimProcess() {
  for (const TimerId timer : *timers_) world_.Cancel(timer);
}

Now SimProcess::now() const {
  Now now = world_.now();
  now.wall = now.wall + clock_error_;
  return now;
}

void SimProcess::Post(Task task) {
  world_.Post(lifeline_.Wrap([task = std::move(task)] { task(); }));
}

void SimProcess::Continue(Task task) {
  world_.Continue(lifeline_.Wrap([task = std::move(task)] { task(); }));
}

Loop::TimerId SimProcess::After(Duration delay, Task task) {
  const auto timer = std::make_shared<TimerId>(0);
  *timer = world_.After(delay, [timers = timers_, timer, task = std::move(task)] {
    timers->erase(*timer);
    task();
  });
  timers_->insert(*timer);
  return *timer;
}

void SimProcess::Cancel(TimerId timer) {
  timers_->erase(timer);
  world_.Cancel(timer);
}

void SimProcess::OffloadTo(Lane lane, std::function<Task()> work) {
  if (lane == Lane::kStorage) {
    storage_works_.push_back(std::move(work));
    if (storage_works_.size() == 1) BeginStorageWork();
    return;
  }
  After(OffloadDelay(), [this, work = std::move(work)] {
    if (Task completion = work()) After(OffloadDelay(), std::move(completion));
  });
}

void SimProcess::BeginStorageWork() {
  After(OffloadDelay(), [this] {
    After(OffloadDelay(), [this, completion = storage_works_.front()()] {
      storage_works_.pop_front();
      if (!storage_works_.empty()) BeginStorageWork();
      if (completion) completion();
    });
  });
}

Duration SimProcess::OffloadDelay() {
  const uint64_t choices = static_cast<uint64_t>(std::max(offload_delay_, Duration()).nanos()) + 1;
  return Duration::Nanos(static_cast<int64_t>(rng_.Below(choices)));
}

}  // namespace base
