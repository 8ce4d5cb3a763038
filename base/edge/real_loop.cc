// A turn: read the clocks, run what had been posted by then, then the timers that are due, then one
// task that continues a work. What those post, or set to run at once, waits for the next turn, so
// that none starves the others. Between turns the thread sleeps until a post or the next timer,
// unless there is something to continue.
//
// Stop is a task like any other: what was posted before it runs, what comes after stays for the
// next Run.
//
// The queues have no limit of their own: each of their sources (connections, watches, offloads) is
// bounded where it enters, and a loop that refused a completion could not go on.
#include "base/edge/real_loop.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace base {
namespace {

template <typename Clock>
int64_t NanosOf() {
  const auto since_origin = Clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since_origin).count();
}

Now ReadClocks() {
  return {MonotonicTime::FromNanos(NanosOf<std::chrono::steady_clock>()),
          WallTime::FromNanos(NanosOf<std::chrono::system_clock>())};
}

std::chrono::steady_clock::time_point ToTimePoint(MonotonicTime time) {
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(time.nanos()));
}

}  // namespace

struct RealLoop::Impl {
  // The loop's own.
  const int worker_count;
  Now now = ReadClocks();
  std::map<std::pair<MonotonicTime, TimerId>, Task> timers;
  std::map<TimerId, MonotonicTime> timer_times;
  TimerId next_timer = 1;
  bool stopped = false;
  std::deque<Task> ready;  // taken from `posted`
  std::deque<Task> continuing;
  int64_t task_began = 0;  // nanoseconds of the monotonic clock

  // Shared.
  std::mutex mutex;
  std::condition_variable task_posted;  // wakes the loop
  std::deque<Task> posted;
  struct Works {
    std::vector<std::thread> threads;  // the loop's own
    std::condition_variable waiting;   // wakes them, also when ending
    std::deque<std::function<Task()>> all;
  };
  Works for_workers, for_answers, for_storage;
  bool ending = false;

  explicit Impl(int count) : worker_count(std::max(count, 1)) {}

  void Post(Task task) {
    {
      const std::lock_guard lock(mutex);
      posted.push_back(std::move(task));
    }
    task_posted.notify_one();
  }

  void Start(Works& works, int count) {
    while (static_cast<int>(works.threads.size()) < count)
      works.threads.emplace_back([this, &works] { RunWorks(works); });
  }

  void RunWorks(Works& works) {
    std::unique_lock lock(mutex);
    while (true) {
      works.waiting.wait(lock, [&] { return ending || !works.all.empty(); });
      if (ending) return;
      std::function<Task()> work = std::move(works.all.front());
      works.all.pop_front();
      lock.unlock();
      Task completion = work();
      work = nullptr;  // what it owns ends here, outside the lock
      if (completion) Post(std::move(completion));
      lock.lock();
    }
  }

  void WaitForWork() {
    std::unique_lock lock(mutex);
    const auto something_posted = [this] { return !posted.empty() || !continuing.empty(); };
    if (timers.empty()) {
      task_posted.wait(lock, something_posted);
    } else {
      task_posted.wait_until(lock, ToTimePoint(timers.begin()->first.first), something_posted);
    }
    ready.swap(posted);
  }

  void RunTask(const Task& task) {
    task_began = NanosOf<std::chrono::steady_clock>();
    task();
  }

  void RunReady() {
    while (!ready.empty() && !stopped) {
      const Task task = std::move(ready.front());
      ready.pop_front();
      RunTask(task);
    }
  }

  void RunDueTimers() {
    const TimerId first_of_next_turn = next_timer;
    while (!timers.empty() && !stopped) {
      const auto first = timers.begin();
      const auto [due, id] = first->first;
      if (due > now.monotonic || id >= first_of_next_turn) return;
      const Task task = std::move(first->second);
      timers.erase(first);
      timer_times.erase(id);
      RunTask(task);
    }
  }

  void RunOneContinuing() {
    if (continuing.empty() || stopped) return;
    const Task task = std::move(continuing.front());
    continuing.pop_front();
    RunTask(task);
  }

  // Puts what Stop left in `ready` back in front, so that order holds over a second Run.
  void ReturnUnfinished() {
    const std::lock_guard lock(mutex);
    posted.insert(posted.begin(), std::make_move_iterator(ready.begin()),
                  std::make_move_iterator(ready.end()));
    ready.clear();
  }
};

RealLoop::RealLoop(int workers) : impl_(std::make_unique<Impl>(workers)) {}

RealLoop::~RealLoop() { EndWorks(); }

void RealLoop::EndWorks() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->ending = true;
  }
  for (Impl::Works* works : {&impl_->for_workers, &impl_->for_answers, &impl_->for_storage}) {
    works->waiting.notify_all();
    for (std::thread& thread : works->threads) thread.join();
    works->threads.clear();
  }
}

Now RealLoop::now() const { return impl_->now; }

void RealLoop::Post(Task task) { impl_->Post(std::move(task)); }

Loop::TimerId RealLoop::After(Duration delay, Task task) {
  const MonotonicTime due = impl_->now.monotonic + std::max(delay, Duration());
  const TimerId id = impl_->next_timer++;
  impl_->timers.emplace(std::pair(due, id), std::move(task));
  impl_->timer_times.emplace(id, due);
  return id;
}

void RealLoop::Cancel(TimerId timer) {
  const auto found = impl_->timer_times.find(timer);
  if (found == impl_->timer_times.end()) return;
  impl_->timers.erase({found->second, timer});
  impl_->timer_times.erase(found);
}

void RealLoop::Continue(Task task) { impl_->continuing.push_back(std::move(task)); }

bool RealLoop::TurnIsOver() {
  return NanosOf<std::chrono::steady_clock>() - impl_->task_began >= kTurnBudget.nanos();
}

void RealLoop::OffloadTo(Lane lane, std::function<Task()> work) {
  Impl::Works& works = lane == Lane::kStorage   ? impl_->for_storage
                       : lane == Lane::kAnswers ? impl_->for_answers
                                                : impl_->for_workers;
  if (impl_->ending) return;  // set by this thread
  impl_->Start(works, lane == Lane::kStorage ? 1 : impl_->worker_count);
  {
    const std::lock_guard lock(impl_->mutex);
    works.all.push_back(std::move(work));
  }
  works.waiting.notify_one();
}

void RealLoop::Run() {
  impl_->stopped = false;
  while (!impl_->stopped) {
    impl_->WaitForWork();
    impl_->now = ReadClocks();
    const bool continues = !impl_->continuing.empty();
    impl_->RunReady();
    impl_->RunDueTimers();
    if (continues) impl_->RunOneContinuing();
  }
  impl_->ReturnUnfinished();
}

void RealLoop::Stop() {
  Post([this] { impl_->stopped = true; });
}

}  // namespace base
