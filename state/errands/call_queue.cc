// A lane that could go stands in `turns_` once: when its first call comes and none of it is under
// way, or when its call has ended and another one waits. Take looks past the lanes whose server has
// enough to do.
#include "state/errands/call_queue.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace state {

void CallQueue::Enter(const Key& key, const std::string& lane, const std::string& origin) {
  if (under_way_.contains(key)) return;
  if (const auto found = waiting_.find(key); found != waiting_.end() && found->second != lane) {
    Leave(key);
  }
  Lane& in = lanes_[lane];
  in.origin = origin;
  if (!waiting_.emplace(key, lane).second) return;
  in.queue.push_back(key);
  if (in.queue.size() == 1 && !in.busy) turns_.push_back(lane);
}

void CallQueue::Leave(const Key& key) {
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) return;
  const std::string name = std::move(found->second);
  waiting_.erase(found);
  Lane& lane = lanes_.at(name);
  lane.queue.erase(std::find(lane.queue.begin(), lane.queue.end(), key));
  if (!lane.queue.empty() || lane.busy) return;
  turns_.erase(std::find(turns_.begin(), turns_.end(), name));
  lanes_.erase(name);
}

std::optional<Key> CallQueue::Take() {
  if (under_way_.size() >= kMaxCalls) return std::nullopt;
  const auto turn = std::find_if(turns_.begin(), turns_.end(), [this](const std::string& name) {
    const auto calls = calls_to_.find(lanes_.at(name).origin);
    return calls == calls_to_.end() || calls->second < kMaxCallsToOrigin;
  });
  if (turn == turns_.end()) return std::nullopt;
  Lane& lane = lanes_.at(*turn);
  const Key key = lane.queue.front();
  lane.queue.pop_front();
  lane.busy = true;
  waiting_.erase(key);
  ++calls_to_[lane.origin];
  under_way_.emplace(key, Call{*turn, lane.origin});
  turns_.erase(turn);
  return key;
}

void CallQueue::Done(const Key& key) {
  const auto found = under_way_.find(key);
  CHECK(found != under_way_.end());
  const Call call = std::move(found->second);
  under_way_.erase(found);
  if (--calls_to_.at(call.origin) == 0) calls_to_.erase(call.origin);
  Lane& lane = lanes_.at(call.lane);
  lane.busy = false;
  if (lane.queue.empty()) {
    lanes_.erase(call.lane);
  } else {
    turns_.push_back(call.lane);
  }
}

}  // namespace state
