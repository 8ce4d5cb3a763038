// Scheduler: binds pods that have no node, on the loop, in batches, and writes on those that must
// wait why.
//
// Loop only. A pod that found no node waits for a change that could help it, as the plugins that
// refused it say, and at least a backoff that doubles from one second to ten, as kube-scheduler's.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>

#include "base/backoff.h"
#include "base/lifeline.h"
#include "base/loop.h"
#include "base/piecework.h"
#include "base/subscription.h"
#include "scheduler/ready_pods.h"
#include "scheduler/schedule.h"
#include "state/store.h"
#include "state/writer.h"

namespace scheduler {

inline constexpr const char* kSchedulerName = "default-scheduler";
// Pods bound at once: twice as many as before if the turn had time left, half if not.
inline constexpr size_t kMinBatch = 50, kMaxBatch = 2000;
inline constexpr base::Backoff kRetry{base::Duration::Seconds(1), base::Duration::Seconds(10)};

// Decisions that wait to be told as Events; what comes beyond is not told.
inline constexpr size_t kMaxSchedulerNews = 10'000;
inline constexpr size_t kNewsPerPiece = 50;

class Scheduler {
 public:
  Scheduler(base::Loop& loop, state::Store& store, const state::DraftContext& context);

  bool Idle() const { return ready_.empty() && news_.empty(); }
  size_t waiting() const { return parked_.size(); }

 private:
  void Observe(const state::Change& change);
  void ObservePod(const state::Change& change);
  void WakeParked(const ClusterChange& change);  // those that it could help
  void Release();   // makes ready those that are awake and have waited long enough
  bool RunBatch();  // whether more pods are ready
  base::Status CommitDecisions(const std::vector<Decision>& decisions);
  void ParkRefused(const std::vector<Decision>& decisions);
  void ParkAwake(const std::vector<Decision>& decisions);
  void Tell(const state::Object& pod, const Decision& decision);
  bool WriteNews();  // whether there is more
  void Delay(const state::Key& pod);
  void Forget(const state::Key& pod);

  base::Loop& loop_;
  state::Store& store_;
  state::Writer writer_;
  ClusterTable table_;
  ReadyPods ready_;
  size_t batch_ = kMinBatch;
  struct Parked {
    uint32_t attempts = 0;
    base::MonotonicTime not_before;
    uint64_t asleep = 0;  // the number of its Sleepers; 0: awake
  };
  std::map<state::Key, Parked> parked_;
  // Pods that were refused together, and wake together.
  struct Sleepers {
    std::shared_ptr<const Refusal> refusal;
    std::set<state::Key> pods;
  };
  std::map<uint64_t, Sleepers> asleep_;
  uint64_t last_sleepers_ = 0;
  base::Loop::TimerId release_timer_ = 0;
  struct News {
    state::Key pod;
    std::string uid;
    std::string node;  // "" if it found none
    std::string why;   // then
  };
  std::deque<News> news_;    // of decisions that were committed, to become Events
  base::Piecework work_;     // a batch a piece
  base::Piecework telling_;  // some news a piece
  base::Subscription on_commit_;
  base::Lifeline lifeline_;
};

}  // namespace scheduler
