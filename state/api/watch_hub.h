// WatchHub: all open watches of a server, over one cursor into the store's change log.
//
// Loop only. A change is read once and encoded once for each (event, form), however many watches
// carry it. A watch that begins behind, or with the objects that there are, catches up piecewise
// and as fast as its peer reads, and then joins the others; those that do so take turns. One that
// falls too far behind is closed: its client resumes from the last revision that it saw.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/net/http.h"
#include "base/piecework.h"
#include "base/rng.h"
#include "base/subscription.h"
#include "state/api/watch.h"
#include "state/store.h"

namespace state {

struct WatchOptions {
  base::Duration bookmark_interval = base::Duration::Minutes(1);
  // A watch that names no timeout ends after this long, plus a share of as much again by chance, so
  // that clients do not all come back at once.
  base::Duration default_timeout = base::Duration::Minutes(30);
  size_t max_watches = 20'000;
  // Changes that wait to be told: a whole transaction may. What exceeds them is told at once,
  // whatever the turn costs.
  size_t max_untold = kMaxTransactionWrites;
  uint64_t seed = 1;
};

class WatchHub {
 public:
  // Must be destroyed before `store` and `loop`.
  WatchHub(base::Loop& loop, Store& store, const WatchOptions& options);
  ~WatchHub();

  // OK if Add can serve the watch; kExpired, kTooManyRequests.
  base::Status Admit(const WatchRequest& request) const;
  // The stream is open; `request.after` is durable.
  void Add(WatchRequest request, std::unique_ptr<base::Stream> stream);

  size_t size() const { return watches_.size(); }
  size_t untold() const { return untold_.size(); }  // changes that live watches do not have yet
  bool HasToldAll() const;                          // no watch lacks anything that is durable

 private:
  using Id = uint64_t;
  struct Watch;
  class Encoder;
  struct InitialEvents;
  static constexpr size_t kBatch = 500;               // changes or objects at once, for one watch
  static constexpr size_t kCatchUpBacklog = 1 << 20;  // bytes that wait for a slow reader

  void Advance();
  void TellOne();
  bool TellNext();  // whether more is untold
  void Deliver(Watch& watch, const Change& change, Encoder& encoder);
  void Send(Watch& watch, std::shared_ptr<const std::string> line);
  void QueueBehind(Id id);
  void CatchUp(Id id);
  bool CatchUpNext();  // whether more are behind
  void MakeInitial(const Watch& watch);
  void SendInitial(Watch& watch);
  bool SendMissed(Watch& watch);
  void SendBookmarks();
  void Close(Id id);
  void RemoveDropped();

  base::Loop& loop_;
  Store& store_;
  const WatchOptions options_;
  base::Rng rng_;

  std::map<Id, std::unique_ptr<Watch>> watches_;
  std::map<std::string, std::set<Id>, std::less<>> live_;  // by resource
  std::set<Id> dropped_;  // to be removed once no loop runs over them
  Id next_id_ = 1;
  std::deque<Change> untold_;  // durable, and not seen by live watches
  Revision cursor_ = 0;        // what live watches have seen
  base::Loop::TimerId bookmark_timer_ = 0;
  std::deque<Id> behind_;  // whose next step can be taken; some may be gone
  // Pieces: a change; a step of one watch.
  base::Piecework telling_, catching_up_;
  base::Subscription on_durable_;
  base::Lifeline lifeline_;
};

}  // namespace state
