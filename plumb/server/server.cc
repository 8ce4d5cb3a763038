// The order of a start: data directory and its lock (LevelDB's), credentials, store, then what
// decides, then what serves. Nothing is served before all of it stands.
#include "plumb/server/server.h"

#include <random>

#include "base/edge/files.h"
#include "base/log.h"
#include "base/net/edge/http_server.h"
#include "gitsync/deploy/sync_engine.h"
#include "gitsync/edge/git_host.h"
#include "gitsync/edge/http_webhook_sender.h"
#include "gitsync/report/outbox.h"
#include "gitsync/report/status_publisher.h"
#include "nodeagent/edge/grpc_transport.h"
#include "nodeagent/hub/hub.h"
#include "plumb/data_directory.h"
#include "plumb/endpoints.h"
#include "plumb/server/backup_route.h"
#include "plumb/server/console.h"
#include "plumb/server/credentials.h"
#include "plumb/server/daemon_fit.h"
#include "plumb/server/diff_route.h"
#include "plumb/server/git_routes.h"
#include "plumb/server/join_route.h"
#include "plumb/server/log_source.h"
#include "plumb/server/restore.h"
#include "plumb/server/status_feed.h"
#include "plumb/version.h"
#include "reconciler/cluster_objects.h"
#include "reconciler/controllers/all.h"
#include "reconciler/reconciler.h"
#include "scheduler/scheduler.h"
#include "state/api/api.h"
#include "state/api/api_server.h"
#include "state/edge/leveldb_storage.h"
#include "state/store.h"

namespace plumb {
namespace {

constexpr base::Duration kLocalNodeLifetime = base::Duration::Hours(24 * 365);

uint64_t RandomSeed() {
  std::random_device device;
  return static_cast<uint64_t>(device()) << 32 | device();
}

std::vector<std::string> CertificateNames(const ServerOptions& options) {
  std::vector<std::string> names = {"localhost",  "127.0.0.1",          "plumb",
                                    "kubernetes", "kubernetes.default", "kubernetes.default.svc"};
  if (options.address != "0.0.0.0") names.push_back(options.address);
  names.insert(names.end(), options.names.begin(), options.names.end());
  return names;
}

// Names the history that revisions belong to: the same after a restart, another one for other data.
std::string HistoryName(const Credentials& credentials) {
  const base::Result<std::string> digest = base::CertificateDigest(credentials.ca().cert_pem);
  return digest.ok() ? digest->substr(digest->find(':') + 1, 16) : "unknown";
}

}  // namespace

struct Server::Impl {
  Impl(base::Loop& the_loop, ServerOptions the_options)
      : loop(the_loop), options(std::move(the_options)) {}
  ~Impl() {
    if (http) http->Stop();
    agents.reset();
    hooks.reset();
  }

  base::Status Start(std::function<void(base::Status)> failed);
  base::Status StartDeciding();
  base::Status StartServing();
  void AddConsole(const Authenticator& authenticate);
  gitsync::GitHostOptions GitOptions() const;
  std::string Url() const {
    return "https://" + (options.address == "0.0.0.0" ? "127.0.0.1" : options.address) + ":" +
           std::to_string(options.port);
  }

  base::Loop& loop;
  const ServerOptions options;
  std::unique_ptr<Credentials> credentials;
  std::unique_ptr<state::Storage> storage;
  std::unique_ptr<state::Store> store;
  state::DraftContext context;
  std::shared_ptr<const manifests::Schema> schema;
  std::unique_ptr<gitsync::GitStore> git;
  std::unique_ptr<gitsync::GitHost> git_host;
  std::unique_ptr<reconciler::Reconciler> reconciler;
  std::unique_ptr<scheduler::Scheduler> scheduler;
  std::unique_ptr<gitsync::StatusPublisher> publisher;
  std::unique_ptr<gitsync::WebhookSender> webhooks;
  std::unique_ptr<gitsync::Outbox> outbox;
  std::unique_ptr<gitsync::SyncEngine> engine;
  std::unique_ptr<nodeagent::Hub> hub;
  std::unique_ptr<state::Api> api;
  std::unique_ptr<state::ApiServer> api_server;
  std::unique_ptr<Console> console;
  std::unique_ptr<StatusFeed> status;
  std::unique_ptr<gitsync::HookServer> hooks;
  std::unique_ptr<nodeagent::GrpcListener> agents;
  std::unique_ptr<base::HttpServer> http;
};

base::Status Server::Impl::Start(std::function<void(base::Status)> failed) {
  RETURN_IF_ERROR(base::MakeDirectories(options.data_dir, 0700));
  RETURN_IF_ERROR(CheckRestored(options.data_dir));
  ASSIGN_OR_RETURN(storage, state::OpenLevelDb(DataDirectory(options.data_dir).store()));
  const base::WallTime now = loop.now().wall;
  ASSIGN_OR_RETURN(credentials,
                   Credentials::Open(options.data_dir, CertificateNames(options), Url(), now));
  ASSIGN_OR_RETURN(store, state::Store::Open(loop, *storage, {}, std::move(failed)));
  schema = manifests::Schema::BuiltIn();
  context = state::DraftContext{schema.get(), &options.cluster, now, RandomSeed()};
  RETURN_IF_ERROR(StartDeciding());
  return StartServing();
}

base::Status Server::Impl::StartDeciding() {
  state::Draft draft(store->view(), context);
  RETURN_IF_ERROR(reconciler::EnsureClusterObjects(draft));
  RETURN_IF_ERROR(store->Commit(draft.Finish()).status());
  const auto next_context = [this] {
    context.seed = RandomSeed();
    return context;
  };
  reconciler = std::make_unique<reconciler::Reconciler>(
      loop, *store, next_context(),
      reconciler::AllControllers({.started = loop.now().wall,
                                  .ca_certificate = credentials->ca().cert_pem,
                                  .daemon_fit = FitsDaemon}));
  scheduler = std::make_unique<scheduler::Scheduler>(loop, *store, next_context());

  const gitsync::GitHostOptions host = GitOptions();
  RETURN_IF_ERROR(base::MakeDirectories(host.root, 0700));
  RETURN_IF_ERROR(gitsync::WriteHookProgram(host.hook_program));
  git = gitsync::OpenGitStore(host);
  git_host = std::make_unique<gitsync::GitHost>(host);
  publisher = std::make_unique<gitsync::StatusPublisher>(loop, *store, *git, schema);
  webhooks = std::make_unique<gitsync::HttpWebhookSender>(
      loop, gitsync::AddressGuard(options.webhook_allow));
  outbox = std::make_unique<gitsync::Outbox>(loop, *store, next_context(), *webhooks);
  gitsync::EngineOptions engine_options;
  engine_options.url_base = Url() + kGitPrefix;
  engine_options.container_log = [this](const gitsync::ContainerLogRequest& request,
                                        std::function<void(std::string)> done) {
    if (hub != nullptr) ReadLogTail(*hub, request, std::move(done));
  };
  engine = std::make_unique<gitsync::SyncEngine>(loop, *store, *git, next_context(),
                                                 std::move(engine_options));
  // A hook runs on a thread of its server; the engine decides on the loop.
  gitsync::HookHandlers handlers;
  handlers.pre_receive = [this](gitsync::PushRequest push,
                                std::shared_ptr<gitsync::HookSession> session) {
    loop.Post([this, push, session] { engine->PreReceive(push, session); });
  };
  handlers.post_receive = [this](gitsync::PushRequest push,
                                 std::shared_ptr<gitsync::HookSession> session) {
    loop.Post([this, push, session] { engine->PostReceive(push, session); });
  };
  ASSIGN_OR_RETURN(hooks, gitsync::HookServer::Start(host.hook_socket, std::move(handlers)));

  nodeagent::HubOptions hub_options;
  hub_options.epoch = HistoryName(*credentials);
  hub = std::make_unique<nodeagent::Hub>(loop, *store, next_context(), hub_options);
  return base::Status();
}

gitsync::GitHostOptions Server::Impl::GitOptions() const {
  gitsync::GitHostOptions host;
  const DataDirectory data(options.data_dir);
  host.root = data.git();
  host.hook_socket = data.git_hook_socket();
  host.hook_program = data.git_hook_program();
  return host;
}

// What plumb's own commands ask.
void Server::Impl::AddConsole(const Authenticator& authenticate) {
  console = std::make_unique<Console>(*store, *engine, *credentials);
  http->AddLoopHandler(kConsolePrefix,
                       [this](base::IncomingRequest request, std::unique_ptr<base::Reply> reply) {
                         console->Handle(std::move(request), std::move(reply));
                       });
  status = std::make_unique<StatusFeed>(loop, *store, schema, authenticate);
  http->AddLoopHandler(kStatusPath,
                       [this](base::IncomingRequest request, std::unique_ptr<base::Reply> reply) {
                         status->Handle(std::move(request), std::move(reply));
                       });
  const auto preview_context = [this] {
    return state::DraftContext{schema.get(), &options.cluster, loop.now().wall, RandomSeed()};
  };
  AddBackupRoute(*http, BackupSource{loop, *store, options.data_dir, GitOptions()}, authenticate);
  AddDiffRoute(*http, DiffSource{loop, *store, *engine, preview_context},
               gitsync::OpenGitStore(GitOptions()), authenticate);
}

base::Status Server::Impl::StartServing() {
  const auto authenticate = [this](const base::IncomingRequest& request) {
    return credentials->Authenticate(request);
  };
  api = std::make_unique<state::Api>(schema, state::VersionInfo{.program_version = kVersion});
  state::ApiServerOptions api_options;
  api_options.seed = RandomSeed();
  api_server = std::make_unique<state::ApiServer>(loop, *store, *api, options.cluster, authenticate,
                                                  NodeLogSource(loop, *hub), api_options);

  base::HttpServerOptions http_options;
  http_options.address = options.address;
  http_options.port = options.port;
  http_options.certificate_pem = credentials->server().cert_pem;
  http_options.key_pem = credentials->server().key_pem;
  http_options.client_ca_pem = credentials->ca().cert_pem;
  http = base::HttpServer::Create(loop, http_options);
  for (const std::string& prefix : state::ApiServer::Prefixes()) {
    http->AddLoopHandler(prefix,
                         [this](base::IncomingRequest request, std::unique_ptr<base::Reply> reply) {
                           api_server->Handle(std::move(request), std::move(reply));
                         });
  }
  AddConsole(authenticate);
  AddJoinRoute(loop, *http, *credentials);
  AddGitRoutes(*http, *git_host, authenticate);
  RETURN_IF_ERROR(http->Start());
  agents = std::make_unique<nodeagent::GrpcListener>(
      loop, options.address + ":" + std::to_string(options.port + kAgentPortOffset),
      nodeagent::TlsIdentity{credentials->ca().cert_pem, credentials->server().cert_pem,
                             credentials->server().key_pem},
      [this](std::unique_ptr<nodeagent::FrameChannel> channel) {
        hub->Accept(std::move(channel));
      });
  return agents->Start();
}

base::Result<std::unique_ptr<Server>> Server::Start(base::Loop& loop, const ServerOptions& options,
                                                    std::function<void(base::Status)> failed) {
  auto impl = std::make_unique<Impl>(loop, options);
  RETURN_IF_ERROR(impl->Start(std::move(failed)));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;
std::string Server::url() const { return impl_->Url(); }
std::string Server::kubeconfig_path() const { return impl_->credentials->kubeconfig_path(); }
std::string Server::join_token() const { return impl_->credentials->join_token(); }

base::Status Server::WriteNodeIdentity(const std::string& node,
                                       const std::string& directory) const {
  const base::KeyPair& ca = impl_->credentials->ca();
  ASSIGN_OR_RETURN(
      const base::KeyPair pair,
      base::IssueClientCertificate(ca, {nodeagent::kNodeUserPrefix + node, {"system:nodes"}},
                                   {impl_->loop.now().wall, kLocalNodeLifetime}));
  RETURN_IF_ERROR(base::MakeDirectories(directory, 0700));
  RETURN_IF_ERROR(base::WriteFileAtomic(directory + "/ca.crt", ca.cert_pem, 0600));
  return base::WriteFileAtomic(directory + "/node.pem", pair.key_pem + pair.cert_pem, 0600);
}

}  // namespace plumb
