// ControlPlane: what the server decides with, assembled over seams: the store and all that lives by
// its changes (controllers, scheduler, sync engine, what goes back to Git, errands, the nodes'
// sessions), and the API. The program gives it the real edges, the simulation fakes.
//
// Loop only. Destroying it ends every wait; what is durable stays.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/loop.h"
#include "base/net/exchange.h"
#include "base/status.h"
#include "gitsync/deploy/sync_engine.h"
#include "gitsync/report/status_publisher.h"
#include "manifests/rules/pod_security.h"
#include "nodeagent/hub/hub.h"
#include "plumb/server/authenticator.h"
#include "plumb/server/log_tails.h"
#include "plumb/server/status_feed.h"
#include "plumb/server/vault.h"
#include "reconciler/reconciler.h"
#include "scheduler/scheduler.h"
#include "state/api/api.h"
#include "state/api/api_server.h"
#include "state/errands/errand_runner.h"
#include "state/errands/http_caller.h"
#include "state/store.h"

namespace plumb {

struct ControlPlaneOptions {
  state::ClusterConfig cluster;
  state::StoreOptions store;
  std::string git_url;  // below which repositories are, as "https://10.0.0.1:6443/git"
  // What namespaces without a label allow from now on. Nothing: as the data says; new data says
  // baseline, that of a plumb which did not know of it nothing.
  std::optional<manifests::PodSecurityLevel> pod_security_default = {};
  bool last_words = true;  // what a crashed container said last is told with its deploy
};

// What a control plane needs of the world. All of it outlives the ControlPlane.
struct ControlPlaneSeams {
  state::Storage& storage;
  gitsync::GitStore& git;
  state::HttpCaller& http_caller;
  Authenticator authenticate;
  // The credentials of new data, which go into its vault: asked once in its life.
  std::function<base::Result<VaultContents>()> first_credentials;
  // Names the history that revisions belong to, by the authority's certificate: the same after a
  // restart, another one for other data.
  std::function<std::string(const std::string& ca_certificate)> history;
  // Never the same number twice in the life of the data.
  std::function<uint64_t()> seed;
};

class ControlPlane {
 public:
  // Opens the store and makes what every cluster has, durably. `failed` is called once if the store
  // can write no more. `opened`, if given, sees the store before anything is built over it.
  static base::Result<std::unique_ptr<ControlPlane>> Start(
      base::Loop& loop, ControlPlaneOptions options, ControlPlaneSeams seams,
      std::function<void(base::Status)> failed,
      const std::function<void(state::Store&)>& opened = nullptr);
  ~ControlPlane();

  // The API, and the status page's feed.
  void AddRoutes(base::Routes& routes);

  // Ends what is open of those whom `ended` names: their credential counts no more.
  void EndStreams(const std::function<bool(const base::Identity&)>& ended);

  state::Store& store() { return *store_; }
  gitsync::SyncEngine& engine() { return *engine_; }
  nodeagent::Hub& hub() { return *hub_; }
  // For a draft of this moment.
  state::DraftContext NewContext() const;
  // Nothing waits to be read, applied or told.
  bool Idle() const { return engine_->Idle() && publisher_->Idle() && errands_->Idle(); }

 private:
  ControlPlane(base::Loop& loop, ControlPlaneOptions options, ControlPlaneSeams seams);
  base::Status Assemble(std::function<void(base::Status)> failed,
                        const std::function<void(state::Store&)>& opened);
  // Opens the store and writes what must be in it.
  base::Status OpenStore(std::function<void(base::Status)> failed,
                         const std::function<void(state::Store&)>& opened);
  void AssembleGit();

  base::Loop& loop_;
  const ControlPlaneOptions options_;
  const ControlPlaneSeams seams_;
  // Each uses those above it.
  std::unique_ptr<state::Store> store_;
  std::unique_ptr<reconciler::Reconciler> reconciler_;
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  std::unique_ptr<nodeagent::Hub> hub_;
  std::unique_ptr<state::ErrandRunner> errands_;
  std::unique_ptr<gitsync::StatusPublisher> publisher_;
  std::unique_ptr<LogTails> log_tails_;
  std::unique_ptr<gitsync::SyncEngine> engine_;
  const state::Api api_;
  std::unique_ptr<state::ApiServer> api_server_;
  std::unique_ptr<StatusFeed> status_;
};

}  // namespace plumb
