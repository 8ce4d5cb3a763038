#include "tests/sim/sim_server.h"

#include <utility>

#include "manifests/yaml/yaml.h"

namespace tests {
namespace {

constexpr base::Duration kRestart = base::Duration::Seconds(1);  // after the disk failed
constexpr size_t kMinPreparedWrites = 2;  // small pushes are committed as large ones are
constexpr std::string_view kBearer = "Bearer ";

base::Result<base::Identity> Authenticate(const base::IncomingRequest& incoming) {
  const std::string_view credential = incoming.request.Header("authorization");
  if (credential.empty()) return base::Identity();
  const std::string role(credential.substr(kBearer.size()));
  return base::Identity{role, {"plumb:" + role}};
}

// "409 Conflict: why" of a failed request, "200" of another.
std::string OutcomeOf(const base::HttpResponse& response) {
  std::string outcome = std::to_string(response.status);
  if (response.status < 400) return outcome;
  const auto parsed = base::ParseJson(response.body);
  if (!parsed.ok()) return outcome + " " + response.body;
  const base::Json& status = *parsed;
  return outcome + " " + std::string(status["reason"].AsString()) + ": " +
         std::string(status["message"].AsString());
}

}  // namespace

SimServer::SimServer(World& world, size_t log_window, std::function<void(state::Store&)> opened)
    : world_(world),
      opened_(std::move(opened)),
      log_window_(log_window),
      seeds_(world.rng.Next()),
      receiver_(world) {}

void SimServer::Start() {
  CHECK(!up());
  process_ = std::make_unique<base::SimProcess>(world_.loop, seeds_.Next());
  process_->set_clock_error(clock_error_);
  world_.disk.Reopen();
  http_caller_ = std::make_unique<state::FakeHttpCaller>(*process_, world_.outside);
  auto started = plumb::ControlPlane::Start(
      *process_,
      {.cluster = world_.config,
       .store = {.log_window = log_window_, .min_prepared_writes = kMinPreparedWrites},
       .git_url = "https://localhost/git"},
      {.storage = world_.disk,
       .git = world_.git,
       .http_caller = *http_caller_,
       .authenticate = Authenticate,
       .first_credentials = [this] { return FirstCredentials(); },
       .history = [](const std::string& ca_certificate) { return "history of " + ca_certificate; },
       .seed = [this] { return seeds_.Next(); }},
      [this](base::Status) {
        // The store is in the middle of this call: the process ends in a turn of its own.
        world_.loop.Post([this, process = process_.get()] {
          if (process_.get() == process) Crash(kRestart);
        });
      },
      opened_);
  if (!started.ok()) {
    http_caller_.reset();
    process_.reset();
    if (!world_.disk.broken()) {
      return world_.Fail("the control plane does not start: " + started.status().ToString());
    }
    world_.Trace("the disk failed a start");
    world_.loop.After(kRestart, [this] { Start(); });
    return;
  }
  plane_ = *std::move(started);
  CheckVault();
  http_ = std::make_unique<base::MemoryHttp>();
  plane_->AddRoutes(*http_);
  world_.network.Listen([this](std::unique_ptr<nodeagent::FrameChannel> channel) {
    hub().Accept(std::move(channel));
  });
  world_.Trace("server up at " + std::to_string(store().revision()));
}

// Each time others, so that whoever is asked twice is found out.
plumb::VaultContents SimServer::FirstCredentials() {
  const std::string number = std::to_string(++vaults_made_);
  return {.ca_certificate = "certificate " + number,
          .ca_key = "key " + number,
          .join_secret = "join " + number,
          .tokens = {{"ci", "deployer", "digest " + number}}};
}

// The credentials that were once in use are those of all later lives.
void SimServer::CheckVault() {
  const base::Result<plumb::VaultContents> vault = plumb::ReadVault(store().view());
  if (!vault.ok()) return world_.Fail("the vault does not read: " + vault.status().ToString());
  const std::string contents = vault->ca_certificate + ", " + vault->ca_key + ", " +
                               vault->join_secret + ", " +
                               (vault->tokens.empty() ? "" : vault->tokens[0].sha256);
  if (vault_.empty()) vault_ = contents;
  if (vault_ != contents) {
    world_.Fail("the vault held " + vault_ + ", and after a restart " + contents);
  }
}

void SimServer::Kill() {
  if (!up()) return;
  world_.network.StopListening();
  http_.reset();
  plane_.reset();
  http_caller_.reset();
  process_.reset();
}

void SimServer::Crash(base::Duration downtime) {
  if (!up()) return;
  ++crashes_;
  world_.Trace("server down");
  Kill();
  if (on_crash_) on_crash_();
  world_.loop.After(downtime, [this] { Start(); });
}

void SimServer::set_clock_error(base::Duration error) {
  clock_error_ = error;
  if (up()) process_->set_clock_error(error);
}

void SimServer::Ask(const ApiRequest& request, base::MemoryHttp::Asker asker) {
  base::IncomingRequest incoming;
  incoming.request.method = request.method;
  const base::Status parsed = base::ParseTarget(request.target, incoming.request);
  CHECK(parsed.ok());
  if (!request.role.empty()) {
    incoming.request.headers["authorization"] = std::string(kBearer) + request.role;
  }
  if (!request.body.empty()) {
    incoming.request.headers["content-type"] = request.content_type;
    const manifests::YamlFile file = manifests::ParseYaml(request.body);
    CHECK(file.documents.size() == 1);
    incoming.request.body = file.documents[0].ToString();
  }
  asking_ = true;
  http_->Ask(std::move(incoming), std::move(asker));
  asking_ = false;
}

void SimServer::Ask(const ApiRequest& request, std::function<void(const std::string&)> done) {
  Ask(request, base::MemoryHttp::Asker{
                   .answered = [done = std::move(done)](const base::HttpResponse& response) {
                     done(OutcomeOf(response));
                   }});
}

}  // namespace tests
