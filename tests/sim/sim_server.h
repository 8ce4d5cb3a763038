// SimServer: the control plane as one process: the same parts as plumb/server.cc, over the world's
// disk, Git and network. It is started again whenever it ended, as a service manager does.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/testing/sim_process.h"
#include "gitsync/deploy/sync_engine.h"
#include "gitsync/report/status_publisher.h"
#include "nodeagent/hub/hub.h"
#include "reconciler/reconciler.h"
#include "scheduler/scheduler.h"
#include "state/api/api.h"
#include "state/api/watch_hub.h"
#include "state/store.h"
#include "tests/sim/world.h"

namespace tests {

class SimServer {
 public:
  // `opened` is called with each store before anything is built over it. A small `log_window` makes
  // watches expire.
  SimServer(World& world, size_t log_window, std::function<void(state::Store&)> opened);
  ~SimServer() { Kill(); }

  void Start();
  // Ends it at once, and starts it again after `downtime`. Not from within one of its own tasks.
  void Crash(base::Duration downtime);
  bool up() const { return process_ != nullptr; }
  // A commit of this moment is that of an Ask.
  bool asking() const { return asking_; }
  uint64_t crashes() const { return crashes_; }
  void OnCrash(std::function<void()> listener) { on_crash_ = std::move(listener); }
  void set_clock_error(base::Duration error);

  // Only while it is up.
  state::Store& store() { return *store_; }
  const state::View& view() const { return store_->view(); }
  gitsync::SyncEngine& engine() { return *engine_; }
  gitsync::StatusPublisher& publisher() { return *publisher_; }
  nodeagent::Hub& hub() { return *hub_; }
  state::WatchHub& watches() { return *watches_; }
  // A request of an administrator, committed at once: "200", or "409 Conflict: why". A body is YAML
  // or JSON.
  std::string Ask(std::string_view method, std::string_view target, std::string_view body = {},
                  std::string_view content_type = "application/json");
  state::Answer Handle(std::string_view method, std::string_view target, std::string_view body = {},
                       std::string_view content_type = "application/json");

 private:
  void Kill();
  state::DraftContext Context();

  World& world_;
  const std::function<void(state::Store&)> opened_;
  std::function<void()> on_crash_;
  const state::StoreOptions store_options_;
  const state::Api api_;
  base::Rng seeds_;
  base::Duration clock_error_;
  uint64_t crashes_ = 0;
  bool asking_ = false;

  std::unique_ptr<base::SimProcess> process_;
  std::unique_ptr<state::Store> store_;
  std::unique_ptr<reconciler::Reconciler> reconciler_;
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  std::unique_ptr<gitsync::StatusPublisher> publisher_;
  std::unique_ptr<gitsync::SyncEngine> engine_;
  std::unique_ptr<nodeagent::Hub> hub_;
  std::unique_ptr<state::WatchHub> watches_;
};

}  // namespace tests
