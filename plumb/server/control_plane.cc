// The store comes first and goes last: everything else lives by its changes. What is in its vault
// is durable before anything is told that was made with it. The hub stands before the sync engine,
// which asks nodes for a failing container's last words.
#include "plumb/server/control_plane.h"

#include <utility>

#include "base/log.h"
#include "gitsync/report/delivery.h"
#include "gitsync/report/provider_rules.h"
#include "gitsync/report/webhook_event.h"
#include "plumb/endpoints.h"
#include "plumb/server/daemon_fit.h"
#include "plumb/version.h"
#include "reconciler/cluster_objects.h"
#include "reconciler/controllers/all.h"
#include "state/own_secrets.h"
#include "state/pod_security.h"

namespace plumb {
namespace {

// What the rooms know of kinds that every draft checks.
ControlPlaneOptions WithChecks(ControlPlaneOptions options) {
  options.cluster.checks = {gitsync::kProviderCheck};
  return options;
}

// What the rooms want of the outside.
std::vector<const state::ErrandKind*> AllErrands() { return {&gitsync::kDeliveryErrands}; }

}  // namespace

base::Result<std::unique_ptr<ControlPlane>> ControlPlane::Start(
    base::Loop& loop, ControlPlaneOptions options, ControlPlaneSeams seams,
    std::function<void(base::Status)> failed, const std::function<void(state::Store&)>& opened) {
  std::unique_ptr<ControlPlane> plane(new ControlPlane(loop, std::move(options), std::move(seams)));
  RETURN_IF_ERROR(plane->Assemble(std::move(failed), opened));
  return plane;
}

ControlPlane::ControlPlane(base::Loop& loop, ControlPlaneOptions options, ControlPlaneSeams seams)
    : loop_(loop),
      options_(WithChecks(std::move(options))),
      seams_(std::move(seams)),
      api_(state::VersionInfo{.program_version = kVersion},
           std::make_shared<const state::OpenApi>(*manifests::Schema::BuiltIn())) {}

ControlPlane::~ControlPlane() = default;

state::DraftContext ControlPlane::NewContext() const {
  return {&options_.cluster, loop_.now().wall, seams_.seed(),
          state::ProgramActor("plumb-controllers")};
}

base::Status ControlPlane::OpenStore(std::function<void(base::Status)> failed,
                                     const std::function<void(state::Store&)>& opened) {
  ASSIGN_OR_RETURN(store_,
                   state::Store::Open(loop_, seams_.storage, options_.store, std::move(failed)));
  if (opened) opened(*store_);
  state::Draft draft(store_->view(), NewContext());
  const bool is_new = draft.view().Get("namespaces", "", state::kSystemNamespace) == nullptr;
  RETURN_IF_ERROR(reconciler::EnsureClusterObjects(draft));
  RETURN_IF_ERROR(state::SettlePodSecurity(draft, is_new, options_.pod_security_default));
  if (!state::DefaultPodSecurity(draft.view())) base::LogWarning(state::kUnconfinedSentence);
  // Without a vault the data is an earlier plumb's, or new.
  if (!HasVault(store_->view())) gitsync::HoldProviders(draft);
  RETURN_IF_ERROR(store_->Commit(draft.Finish()).status());
  state::DraftContext vault_context = NewContext();
  vault_context.actor = state::VaultActor();
  state::Draft vault(store_->view(), vault_context);
  RETURN_IF_ERROR(EnsureVault(vault, seams_.first_credentials));
  RETURN_IF_ERROR(store_->Commit(vault.Finish()).status());
  return store_->WriteNow();
}

base::Status ControlPlane::Assemble(std::function<void(base::Status)> failed,
                                    const std::function<void(state::Store&)>& opened) {
  RETURN_IF_ERROR(OpenStore(std::move(failed), opened));
  ASSIGN_OR_RETURN(const VaultContents credentials, ReadVault(store_->view()));
  reconciler_ = std::make_unique<reconciler::Reconciler>(
      loop_, *store_, NewContext(),
      reconciler::AllControllers({.started = loop_.now().wall,
                                  .ca_certificate = credentials.ca_certificate,
                                  .daemon_fit = FitsDaemon}));
  scheduler_ = std::make_unique<scheduler::Scheduler>(loop_, *store_, NewContext());
  hub_ = std::make_unique<nodeagent::Hub>(
      loop_, *store_, NewContext(),
      nodeagent::HubOptions{.epoch = seams_.history(credentials.ca_certificate)});
  errands_ = std::make_unique<state::ErrandRunner>(loop_, *store_, NewContext(), seams_.http_caller,
                                                   AllErrands());
  AssembleGit();
  state::ApiServerOptions api_options;
  api_options.seed = seams_.seed();
  api_options.watches.seed = seams_.seed();
  api_server_ = std::make_unique<state::ApiServer>(
      loop_, *store_, api_, options_.cluster, seams_.authenticate,
      [this](const state::PodStream& stream) { return hub_->Open(stream.node, stream.request); },
      api_options);
  status_ = std::make_unique<StatusFeed>(loop_, *store_, seams_.authenticate);
  return base::Status();
}

void ControlPlane::AssembleGit() {
  publisher_ = std::make_unique<gitsync::StatusPublisher>(loop_, *store_, seams_.git);
  gitsync::EngineOptions engine;
  engine.url_base = options_.git_url;
  log_tails_ = std::make_unique<LogTails>(*hub_);
  if (options_.last_words) {
    engine.container_log = [this](const state::PodStream& log,
                                  std::function<void(std::string)> done) {
      log_tails_->Read(log, std::move(done));
    };
  }
  engine_ = std::make_unique<gitsync::SyncEngine>(loop_, *store_, seams_.git, NewContext(),
                                                  std::move(engine));
}

void ControlPlane::EndStreams(const std::function<bool(const base::Identity&)>& ended) {
  api_server_->EndStreams(ended);
  status_->EndStreams(ended);
}

void ControlPlane::AddRoutes(base::Routes& routes) {
  for (const std::string& prefix : state::ApiServer::Prefixes()) {
    routes.AddLoopHandler(
        prefix, [this](base::IncomingRequest request, std::unique_ptr<base::Reply> reply) {
          api_server_->Handle(std::move(request), std::move(reply));
        });
  }
  routes.AddLoopHandler(kStatusPath,
                        [this](base::IncomingRequest request, std::unique_ptr<base::Reply> reply) {
                          status_->Handle(std::move(request), std::move(reply));
                        });
}

}  // namespace plumb
