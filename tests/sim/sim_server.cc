#include "tests/sim/sim_server.h"

#include <utility>

#include "manifests/yaml/yaml.h"
#include "plumb/server/daemon_fit.h"
#include "reconciler/cluster_objects.h"
#include "reconciler/controllers/all.h"
#include "state/api/status.h"

namespace tests {
namespace {

constexpr base::Duration kRestart = base::Duration::Seconds(1);  // after the disk failed

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
      store_options_{.log_window = log_window},
      api_(world.schema, state::VersionInfo()),
      seeds_(world.rng.Next()) {}

state::DraftContext SimServer::Context() {
  return {world_.schema.get(), &world_.config, process_->now().wall, seeds_.Next()};
}

void SimServer::Start() {
  CHECK(!up());
  process_ = std::make_unique<base::SimProcess>(world_.loop, seeds_.Next());
  process_->set_clock_error(clock_error_);
  world_.disk.Reopen();
  auto opened = state::Store::Open(*process_, world_.disk, store_options_, [this](base::Status) {
    // The store is in the middle of this call: the process ends in a turn of its own.
    world_.loop.Post([this, process = process_.get()] {
      if (process_.get() == process) Crash(kRestart);
    });
  });
  if (!opened.ok()) {
    process_.reset();
    return world_.Fail("the store does not open again: " + opened.status().ToString());
  }
  store_ = *std::move(opened);
  opened_(*store_);

  state::Draft draft(store_->view(), Context());
  base::Status ready = reconciler::EnsureClusterObjects(draft);
  if (ready.ok()) ready = store_->Commit(draft.Finish()).status();
  if (!ready.ok()) world_.Fail("the cluster's objects: " + ready.ToString());
  reconciler_ = std::make_unique<reconciler::Reconciler>(
      *process_, *store_, Context(),
      reconciler::AllControllers({.started = process_->now().wall,
                                  .ca_certificate = "ca",
                                  .daemon_fit = plumb::FitsDaemon}));
  scheduler_ = std::make_unique<scheduler::Scheduler>(*process_, *store_, Context());
  publisher_ =
      std::make_unique<gitsync::StatusPublisher>(*process_, *store_, world_.git, world_.schema);
  engine_ = std::make_unique<gitsync::SyncEngine>(*process_, *store_, world_.git, Context());
  hub_ = std::make_unique<nodeagent::Hub>(*process_, *store_, Context(),
                                          nodeagent::HubOptions{.epoch = "history"});
  watches_ = std::make_unique<state::WatchHub>(*process_, *store_,
                                               state::WatchOptions{.seed = seeds_.Next()});
  world_.network.Listen([this](std::unique_ptr<nodeagent::FrameChannel> channel) {
    hub_->Accept(std::move(channel));
  });
  world_.Trace("server up at " + std::to_string(store_->revision()));
}

void SimServer::Kill() {
  if (!up()) return;
  world_.network.StopListening();
  watches_.reset();
  hub_.reset();
  engine_.reset();
  publisher_.reset();
  scheduler_.reset();
  reconciler_.reset();
  store_.reset();
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

state::Answer SimServer::Handle(std::string_view method, std::string_view target,
                                std::string_view body, std::string_view content_type) {
  base::HttpRequest request;
  request.method = method;
  const base::Status parsed = base::ParseTarget(target, request);
  CHECK(parsed.ok());
  request.identity = base::Identity{"admin", {"plumb:admin"}};
  if (!body.empty()) {
    request.headers["content-type"] = content_type;
    const manifests::YamlFile file = manifests::ParseYaml(body);
    CHECK(file.documents.size() == 1);
    request.body = file.documents[0].ToString();
  }
  return api_.Handle(request, store_->view(), Context());
}

std::string SimServer::Ask(std::string_view method, std::string_view target, std::string_view body,
                           std::string_view content_type) {
  state::Answer answer = Handle(method, target, body, content_type);
  if (answer.kind == state::Answer::Kind::kRespond) return OutcomeOf(answer.response);
  CHECK(answer.kind == state::Answer::Kind::kCommit);
  asking_ = true;
  const auto committed = store_->Commit(*std::move(answer.transaction));
  asking_ = false;
  if (!committed.ok()) return std::string(committed.status().message());
  return OutcomeOf(answer.render(*committed));
}

}  // namespace tests
