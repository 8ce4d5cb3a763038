// The order of a start: data directory and its lock (LevelDB's), the edges, the ControlPlane over
// them, credentials by its vault, then what serves. Nothing is served before all of it stands.
#include "plumb/server/edge/server.h"

#include <algorithm>
#include <random>

#include "base/edge/descriptors.h"
#include "base/edge/files.h"
#include "base/log.h"
#include "base/net/edge/http_server.h"
#include "gitsync/edge/git_host.h"
#include "nodeagent/edge/grpc_transport.h"
#include "plumb/data_directory.h"
#include "plumb/endpoints.h"
#include "plumb/server/control_plane.h"
#include "plumb/server/descriptor_plan.h"
#include "plumb/server/edge/backup_route.h"
#include "plumb/server/edge/console.h"
#include "plumb/server/edge/credentials.h"
#include "plumb/server/edge/diff_route.h"
#include "plumb/server/edge/git_routes.h"
#include "plumb/server/edge/join_route.h"
#include "plumb/server/edge/restore.h"
#include "reconciler/cluster_objects.h"
#include "state/authorize.h"
#include "state/edge/leveldb_storage.h"
#include "state/errands/edge/http_caller.h"

namespace plumb {
namespace {

constexpr base::Duration kLocalNodeLifetime = base::Duration::Hours(24 * 365);

uint64_t RandomSeed() {
  std::random_device device;
  return static_cast<uint64_t>(device()) << 32 | device();
}

// Of the API, inside the cluster.
std::string ServiceAddress(const state::View& view) {
  const state::ObjectPtr service = view.Get(reconciler::ApiServiceKey());
  return service == nullptr ? "" : std::string((*service)["spec"]["clusterIP"].AsString());
}

std::vector<std::string> CertificateNames(const ServerOptions& options, const state::View& view) {
  std::vector<std::string> names = {"localhost",  "127.0.0.1",          "plumb",
                                    "kubernetes", "kubernetes.default", "kubernetes.default.svc"};
  names.push_back(names.back() + "." + options.cluster.cluster_domain);
  for (const std::string& address :
       {options.address, options.cluster.api_address, ServiceAddress(view)}) {
    if (!address.empty() && address != kAnyAddress) names.push_back(address);
  }
  names.insert(names.end(), options.names.begin(), options.names.end());
  return names;
}

ServerOptions WithApiPort(ServerOptions options) {
  options.cluster.api_port = options.port;
  return options;
}

std::string HistoryName(const std::string& ca_certificate) {
  const base::Result<std::string> digest = base::CertificateDigest(ca_certificate);
  return digest.ok() ? digest->substr(digest->find(':') + 1, 16) : "unknown";
}

}  // namespace

struct Server::Impl {
  Impl(base::RealLoop& the_loop, ServerOptions the_options)
      : loop(the_loop), options(WithApiPort(std::move(the_options))) {}
  ~Impl() {
    if (http) http->Stop();
    agents.reset();
    hooks.reset();
    if (storage) storage->GiveUp();  // what waits for room waits no longer
    loop.EndWorks();                 // what they use ends next, also after a start that failed
  }

  base::Status Start(std::function<void(base::Status)> failed);
  base::Status StartGit();
  base::Status StartHooks();
  base::Status StartServing();
  void AddConsole(const Authenticator& authenticate);
  gitsync::GitHostOptions GitOptions() const;
  std::string Url() const {
    return "https://" + (options.address == kAnyAddress ? "127.0.0.1" : options.address) + ":" +
           std::to_string(options.port);
  }

  base::RealLoop& loop;
  const ServerOptions options;
  DescriptorPlan descriptors;
  std::unique_ptr<state::Storage> storage;
  std::unique_ptr<gitsync::GitStore> git;
  std::unique_ptr<gitsync::GitHost> git_host;
  std::unique_ptr<state::HttpCaller> http_caller;
  std::unique_ptr<ControlPlane> plane;
  std::unique_ptr<Credentials> credentials;  // after plane, which has the vault
  std::unique_ptr<Console> console;
  std::unique_ptr<gitsync::HookServer> hooks;
  std::unique_ptr<nodeagent::GrpcListener> agents;
  std::unique_ptr<base::HttpServer> http;
};

base::Status Server::Impl::Start(std::function<void(base::Status)> failed) {
  RETURN_IF_ERROR(base::MakeDirectories(options.data_dir, 0700));
  RETURN_IF_ERROR(CheckRestored(options.data_dir));
  ASSIGN_OR_RETURN(descriptors, PlanDescriptors(base::RaiseDescriptorLimit(), options.with_node));
  state::LevelDbOptions storage_options;
  storage_options.max_open_files = static_cast<int>(descriptors.store_files);
  ASSIGN_OR_RETURN(storage,
                   state::OpenLevelDb(DataDirectory(options.data_dir).store(), storage_options));
  RETURN_IF_ERROR(StartGit());
  http_caller = state::NewHttpCaller(loop, state::AddressGuard(options.webhook_allow));
  ASSIGN_OR_RETURN(plane, ControlPlane::Start(loop,
                                              {.cluster = options.cluster,
                                               .git_url = Url() + kGitPrefix,
                                               .pod_security_default = options.pod_security_default,
                                               .last_words = options.last_words},
                                              {.storage = *storage,
                                               .git = *git,
                                               .http_caller = *http_caller,
                                               .authenticate =
                                                   [this](const base::IncomingRequest& request) {
                                                     return credentials->Authenticate(request);
                                                   },
                                               .first_credentials =
                                                   [this] {
                                                     return FirstCredentials(
                                                         DataDirectory(options.data_dir),
                                                         loop.now().wall);
                                                   },
                                               .history = HistoryName,
                                               .seed = RandomSeed},
                                              std::move(failed)));
  ASSIGN_OR_RETURN(credentials,
                   Credentials::Open(loop, plane->store(), plane->NewContext(),
                                     {.data_dir = options.data_dir,
                                      .names = CertificateNames(options, plane->store().view()),
                                      .server_url = Url()}));
  RETURN_IF_ERROR(StartHooks());
  return StartServing();
}

base::Status Server::Impl::StartGit() {
  const gitsync::GitHostOptions host = GitOptions();
  RETURN_IF_ERROR(base::MakeDirectories(host.root, 0700));
  RETURN_IF_ERROR(gitsync::WriteHookProgram(host.hook_program));
  git = gitsync::OpenGitStore(host);
  git_host = std::make_unique<gitsync::GitHost>(host);
  return base::Status();
}

// A hook runs on a thread of its server; the engine decides on the loop.
base::Status Server::Impl::StartHooks() {
  gitsync::HookHandlers handlers;
  handlers.pre_receive = [this](gitsync::PushRequest push,
                                std::shared_ptr<gitsync::HookSession> session) {
    loop.Post([this, push, session] { plane->engine().PreReceive(push, session); });
  };
  handlers.post_receive = [this](gitsync::PushRequest push,
                                 std::shared_ptr<gitsync::HookSession> session) {
    loop.Post([this, push, session] { plane->engine().PostReceive(push, session); });
  };
  ASSIGN_OR_RETURN(hooks,
                   gitsync::HookServer::Start(GitOptions().hook_socket, std::move(handlers)));
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
  console = std::make_unique<Console>(loop, plane->store(), plane->NewContext(), plane->engine(),
                                      *credentials);
  http->AddLoopHandler(kConsolePrefix,
                       [this](base::IncomingRequest request, std::unique_ptr<base::Reply> reply) {
                         console->Handle(std::move(request), std::move(reply));
                       });
  AddBackupRoute(*http, BackupSource{loop, plane->store(), GitOptions()}, authenticate);
  AddDiffRoute(
      *http,
      DiffSource{loop, plane->store(), plane->engine(), [this] { return plane->NewContext(); }},
      gitsync::OpenGitStore(GitOptions()), authenticate);
}

base::Status Server::Impl::StartServing() {
  const auto authenticate = [this](const base::IncomingRequest& request) {
    return credentials->Authenticate(request);
  };
  base::HttpServerOptions http_options;
  http_options.address = options.address;
  http_options.port = options.port;
  http_options.certificate_pem = credentials->server().cert_pem;
  http_options.key_pem = credentials->server().key_pem;
  http_options.client_ca_pem = credentials->ca().cert_pem;
  http_options.workers = descriptors.transfers;
  http_options.max_connections = descriptors.api_connections;
  http_options.max_newcomers_of_address =
      std::min(http_options.max_newcomers_of_address, descriptors.api_connections / 2);
  http_options.authenticate = authenticate;
  http = base::HttpServer::Create(loop, http_options);
  plane->AddRoutes(*http);
  AddConsole(authenticate);
  AddJoinRoute(*http, {loop, plane->store(), plane->hub(), *credentials});
  AddGitRoutes(*http, *git_host, {loop, plane->store()}, authenticate);
  RETURN_IF_ERROR(http->Start());
  nodeagent::ConnectionLimits limits;
  limits.connections = descriptors.agent_connections;
  limits.newcomers = descriptors.agent_newcomers;
  limits.newcomers_of_address = std::min(limits.newcomers_of_address, limits.newcomers);
  agents = std::make_unique<nodeagent::GrpcListener>(
      loop, options.address + ":" + std::to_string(options.port + kAgentPortOffset),
      nodeagent::TlsIdentity{credentials->ca().cert_pem, credentials->server().cert_pem,
                             credentials->server().key_pem},
      [this](std::unique_ptr<nodeagent::FrameChannel> channel) {
        plane->hub().Accept(std::move(channel));
      },
      [this](const std::string& certificate) { return credentials->CheckCertificate(certificate); },
      limits);
  // In a turn of its own: a token ends in the middle of a commit.
  credentials->OnEnded([this](const Credentials::Ended& ended) {
    loop.Post([this, ended] {
      plane->EndStreams(ended);
      plane->hub().Disconnect(ended);
    });
  });
  return agents->Start();
}

base::Result<std::unique_ptr<Server>> Server::Start(base::RealLoop& loop,
                                                    const ServerOptions& options,
                                                    std::function<void(base::Status)> failed) {
  auto impl = std::make_unique<Impl>(loop, options);
  RETURN_IF_ERROR(impl->Start(std::move(failed)));
  if (!impl->descriptors.note.empty()) base::LogInfo(impl->descriptors.note);
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;
std::string Server::url() const { return impl_->Url(); }
std::string Server::kubeconfig_path() const { return impl_->credentials->kubeconfig_path(); }
std::string Server::join_token_path() const { return impl_->credentials->join_token_path(); }

base::Status Server::WriteNodeIdentity(const std::string& node,
                                       const std::string& directory) const {
  const base::KeyPair& ca = impl_->credentials->ca();
  ASSIGN_OR_RETURN(const base::KeyPair pair,
                   base::IssueClientCertificate(ca, {state::NodeUser(node), {"system:nodes"}},
                                                {impl_->loop.now().wall, kLocalNodeLifetime}));
  RETURN_IF_ERROR(base::MakeDirectories(directory, 0700));
  RETURN_IF_ERROR(base::WriteFileAtomic(directory + "/ca.crt", ca.cert_pem, 0600));
  return base::WriteFileAtomic(directory + "/node.pem", pair.key_pem + pair.cert_pem, 0600);
}

}  // namespace plumb
