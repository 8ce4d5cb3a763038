#include "reconciler/work_queue.h"

namespace reconciler {

WorkQueue::~WorkQueue() {
  for (const auto& [item, timer] : timers_) loop_.Cancel(timer.id);
}

void WorkQueue::Add(const Item& item) {
  if (const auto timer = timers_.find(item); timer != timers_.end()) {
    loop_.Cancel(timer->second.id);
    timers_.erase(timer);
  }
  if (!queued_.insert(item).second) return;
  queue_.push_back(item);
  if (queue_.size() == 1) ready_();
}

void WorkQueue::AddAfter(const Item& item, base::Duration delay) {
  if (queued_.count(item) != 0) return;
  const base::MonotonicTime due = loop_.now().monotonic + delay;
  const auto timer = timers_.find(item);
  if (timer != timers_.end()) {
    if (timer->second.due <= due) return;
    loop_.Cancel(timer->second.id);
    timers_.erase(timer);
  }
  const base::Loop::TimerId id = loop_.After(delay, [this, item] {
    timers_.erase(item);
    Add(item);
  });
  timers_.emplace(item, Timer{id, due});
}

void WorkQueue::AddFailed(const Item& item) { AddAfter(item, kRetry.After(++failures_[item])); }

std::optional<Item> WorkQueue::Take() {
  if (queue_.empty()) return std::nullopt;
  Item item = std::move(queue_.front());
  queue_.pop_front();
  queued_.erase(item);
  return item;
}

}  // namespace reconciler
