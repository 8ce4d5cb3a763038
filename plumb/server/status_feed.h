// StatusFeed: /plumb/v1/status: a StatusReport, or one whenever it changes.
//
//   GET /plumb/v1/status?kind=&name=&namespace=[&watch=true]     watch: one report a line
//
// For everybody who has a role. Loop only; reports are made on workers, over a View.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/net/exchange.h"
#include "base/net/open_streams.h"
#include "base/subscription.h"
#include "manifests/schema.h"
#include "plumb/reports/status_report.h"
#include "plumb/server/authenticator.h"
#include "state/store.h"

namespace plumb {

inline constexpr size_t kMaxStatusWatchers = 100;
inline constexpr base::Duration kStatusDelay = base::Duration::Millis(250);  // after a change
inline constexpr base::Duration kStatusHeartbeat = base::Duration::Seconds(30);

class StatusFeed {
 public:
  StatusFeed(base::Loop& loop, state::Store& store, Authenticator authenticate);
  ~StatusFeed();

  void Handle(base::IncomingRequest incoming, std::unique_ptr<base::Reply> reply);
  // Ends what is watched by those whom `ended` names.
  void EndStreams(const std::function<bool(const base::Identity&)>& ended) { open_.End(ended); }

 private:
  struct Watcher;
  using WatcherPtr = std::shared_ptr<Watcher>;

  base::Result<base::Identity> Admit(const base::IncomingRequest& incoming, bool watch) const;
  // Makes a report of what is durable; `done` runs on the loop, unless this is gone.
  void Make(const StatusQuery& query, std::function<void(base::Result<base::Json>)> done);
  void Start(const StatusQuery& query, base::Json first, std::unique_ptr<base::Reply> reply);
  void Refresh(uint64_t id, bool always);
  void Changed();
  void Beat();

  base::Loop& loop_;
  state::Store& store_;
  const Authenticator authenticate_;
  base::OpenStreams open_;
  std::map<uint64_t, WatcherPtr> watchers_;
  uint64_t next_id_ = 1;
  bool scheduled_ = false;
  base::Loop::TimerId heartbeat_ = 0;
  base::Subscription on_durable_;
  base::Lifeline lifeline_;
};

}  // namespace plumb
