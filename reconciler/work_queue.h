// WorkQueue: which keys of which controller wait for a turn. Each is there once, however often it
// was asked for, and one that is asked for while it is being worked on comes again. Failures come
// back with growing delay.
//
// Loop only.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/backoff.h"
#include "base/loop.h"
#include "base/time.h"
#include "state/object.h"

namespace reconciler {

struct Item {
  size_t controller = 0;
  state::Key key;
  auto operator<=>(const Item&) const = default;
};

inline constexpr base::Backoff kRetry{base::Duration::Millis(20), base::Duration::Minutes(2)};

class WorkQueue {
 public:
  // `ready` is called when an item is there to be taken and none was before.
  WorkQueue(base::Loop& loop, std::function<void()> ready)
      : loop_(loop), ready_(std::move(ready)) {}
  ~WorkQueue();

  void Add(const Item& item);
  // After `delay`; the earliest of several counts.
  void AddAfter(const Item& item, base::Duration delay);
  void AddFailed(const Item& item);                         // after its backoff, which doubles
  void Forget(const Item& item) { failures_.erase(item); }  // it succeeded

  std::optional<Item> Take();
  bool empty() const { return queue_.empty(); }
  size_t size() const { return queue_.size(); }
  size_t waiting() const { return timers_.size(); }
  size_t failing() const { return failures_.size(); }

 private:
  struct Timer {
    base::Loop::TimerId id;
    base::MonotonicTime due;
  };
  base::Loop& loop_;
  std::function<void()> ready_;
  std::deque<Item> queue_;
  std::set<Item> queued_;
  std::map<Item, Timer> timers_;
  std::map<Item, uint32_t> failures_;
};

}  // namespace reconciler
