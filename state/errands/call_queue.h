// CallQueue: whose call is next. Calls in a lane follow each other, in the order in which they
// came; lanes take turns. One server that is slow holds up no call to another one.
//
// A value; loop only.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "state/object.h"

namespace state {

inline constexpr size_t kMaxCalls = 8;          // under way at once
inline constexpr size_t kMaxCallsToOrigin = 4;  // of these, to one server: half of them

class CallQueue {
 public:
  // It waits in its lane for a call to `origin`; a place that it has there stays its own. Nothing
  // if its call is under way.
  void Enter(const Key& key, const std::string& lane, const std::string& origin);
  // It waits no more. Nothing if its call is under way.
  void Leave(const Key& key);

  // Whose turn it is: its call is under way from now on. Nothing while all that wait have to.
  std::optional<Key> Take();
  // The call of what Take() gave has ended.
  void Done(const Key& key);

  size_t under_way() const { return under_way_.size(); }
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Lane {
    std::string origin;     // of its next call
    std::deque<Key> queue;  // what waits in it
    bool busy = false;      // a call of it is under way
  };
  struct Call {
    std::string lane, origin;
  };

  std::map<std::string, Lane> lanes_;   // those where a call waits or is under way
  std::deque<std::string> turns_;       // lanes that could go, the next one first
  std::map<Key, std::string> waiting_;  // in which lane
  std::map<Key, Call> under_way_;
  std::map<std::string, size_t> calls_to_;  // origins
};

}  // namespace state
