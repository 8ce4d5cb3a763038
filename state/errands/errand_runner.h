// ErrandRunner: does what the errands of the state ask of the outside, and records how that went.
//
// Loop only. Level-triggered by errand: nothing is remembered that the state does not say, so a
// restart goes on where the last process was; what was on its way then is called for once more, as
// the same errand. Nothing is called for that is not durable: nobody outside is told what a crash
// could take back. The Store, Loop, caller and kinds outlive it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/subscription.h"
#include "state/errands/call_queue.h"
#include "state/errands/errand.h"
#include "state/errands/http_caller.h"
#include "state/store.h"
#include "state/writer.h"

namespace state {

inline constexpr size_t kMaxErrandsATurn = 64;  // looked at before others have their turn
// What could not be recorded is looked at again after it.
inline constexpr base::Duration kErrandRetry = base::Duration::Seconds(10);

class ErrandRunner {
 public:
  ErrandRunner(base::Loop& loop, Store& store, const DraftContext& context, HttpCaller& caller,
               std::vector<const ErrandKind*> kinds);
  ~ErrandRunner();

  // Nothing is on its way or due now; some may wait for their time.
  bool Idle() const { return queue_.under_way() == 0 && touched_.empty(); }

 private:
  const ErrandKind& KindOf(const Key& key) const;
  void Touch(const Key& key);
  void TouchAll(const ErrandKind& kind, const std::string& ns);
  void TouchAll();
  void Run();
  void LookAtClock();
  void Consider(const Key& key);
  void StartCalls();
  void Answered(const Key& key, const std::string& uid, const HttpAnswer& answer);
  void Record(const Key& key, ErrandRecord record);
  void Remove(const Key& key);
  void Commit(const Key& key, const Draft& draft, const base::Status& staged);
  void WaitUntil(const Key& key, base::WallTime at);
  void StopWaiting(const Key& key);
  void SetTimer();

  base::Loop& loop_;
  Store& store_;
  HttpCaller& caller_;
  const std::vector<const ErrandKind*> kinds_;
  Writer writer_;

  std::set<Key> touched_;  // to be looked at in the next turn
  bool posted_ = false;
  std::map<Key, base::WallTime> waiting_;             // errands until their time
  std::set<std::pair<base::WallTime, Key>> by_time_;  // the same
  CallQueue queue_;                                   // errands that are due
  base::Loop::TimerId timer_ = 0;
  base::WallTime looked_;  // at the clock, last
  base::Subscription on_commit_;
  base::Lifeline lifeline_;
};

}  // namespace state
