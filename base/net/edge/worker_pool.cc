#include "base/net/edge/worker_pool.h"

#include <signal.h>

#include <algorithm>
#include <utility>

namespace base {

bool WorkerPool::Submit(std::string owner, Job job) {
  std::lock_guard lock(mutex_);
  if (stopped_ || waiting_.size() >= kMaxWaitingJobs) return false;
  Share& share = shares_[owner];
  if (!IsWithin(owner, share.waiting, kMaxWaitingJobs / 2)) return false;
  ++share.waiting;
  waiting_.push_back({std::move(owner), std::move(job)});
  if (waiting_.size() > idle_ && threads_.size() < limit_) {
    // Signals are the main thread's.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    threads_.emplace_back([this] { Run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  changed_.notify_one();
  return true;
}

void WorkerPool::Stop() {
  std::deque<Waiting> dropped;
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(waiting_);
    threads.swap(threads_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

std::deque<WorkerPool::Waiting>::iterator WorkerPool::NextLocked() {
  return std::find_if(waiting_.begin(), waiting_.end(), [this](const Waiting& each) {
    return IsWithin(each.owner, shares_.at(each.owner).running, share_);
  });
}

void WorkerPool::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(lock, [&] { return stopped_ || NextLocked() != waiting_.end(); });
    --idle_;
    if (stopped_) return;
    const auto next = NextLocked();
    Waiting taken = std::move(*next);
    waiting_.erase(next);
    Share& share = shares_.at(taken.owner);
    --share.waiting;
    ++share.running;
    lock.unlock();
    taken.job();
    taken.job = nullptr;
    lock.lock();
    if (--share.running == 0 && share.waiting == 0) shares_.erase(taken.owner);
    // Jobs of his may have waited for his share, with threads idle.
    changed_.notify_one();
  }
}

}  // namespace base
