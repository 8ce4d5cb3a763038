// SimServer: the control plane as one process: plumb's ControlPlane over the world's disk, Git and
// network. It is started again whenever it ended, as a service manager does.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/net/testing/memory_http.h"
#include "base/testing/sim_process.h"
#include "plumb/server/control_plane.h"
#include "tests/sim/receiver.h"
#include "tests/sim/world.h"

namespace tests {

// A request as a client makes it: its credential is the name of a role, or empty.
struct ApiRequest {
  std::string method = "GET";
  std::string target;
  std::string body = {};  // YAML or JSON
  std::string content_type = "application/json";
  std::string role = "admin";
};

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
  // A commit of this moment is that of a client's request.
  bool asking() const { return asking_; }
  uint64_t crashes() const { return crashes_; }
  void OnCrash(std::function<void()> listener) { on_crash_ = std::move(listener); }
  void set_clock_error(base::Duration error);
  Receiver& receiver() { return receiver_; }

  // Only while it is up.
  state::Store& store() { return plane_->store(); }
  const state::View& view() const { return plane_->store().view(); }
  gitsync::SyncEngine& engine() { return plane_->engine(); }
  nodeagent::Hub& hub() { return plane_->hub(); }
  bool Idle() const { return plane_->Idle(); }
  // A request over the API. Its answer comes when what it tells is durable; never, if the process
  // ends before.
  void Ask(const ApiRequest& request, base::MemoryHttp::Asker asker);
  // The same; `done` gets "200", or "409 Conflict: why".
  void Ask(const ApiRequest& request, std::function<void(const std::string&)> done);

 private:
  void Kill();
  plumb::VaultContents FirstCredentials();
  void CheckVault();

  World& world_;
  const std::function<void(state::Store&)> opened_;
  std::function<void()> on_crash_;
  const size_t log_window_;
  base::Rng seeds_;
  Receiver receiver_;
  base::Duration clock_error_;
  uint64_t crashes_ = 0;
  bool asking_ = false;
  int vaults_made_ = 0;
  std::string vault_;  // of the first life that served

  std::unique_ptr<base::SimProcess> process_;
  std::unique_ptr<state::HttpCaller> http_caller_;
  std::unique_ptr<plumb::ControlPlane> plane_;
  std::unique_ptr<base::MemoryHttp> http_;
};

}  // namespace tests
