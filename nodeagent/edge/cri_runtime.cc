// Rules:
// - A call's completion arrives on a thread of gRPC, is posted to the loop, and answers there.
// - List asks for all containers, then for all sandboxes; a container whose sandbox is not among
//   them was removed in between and is left out. What only a status tells (times, exit code, the
//   sandbox's address) is asked for once and remembered while the phase stays the same, so that a
//   List in a quiet time is two calls. One status may still change after the exit: containerd
//   learns of an out-of-memory kill by an event of its own, so an exit by SIGKILL is remembered
//   only when it is kExitSettles old.
// - Events: containerd publishes an exit before its CRI side has noted it. OnChange comes
//   kEventDelay after the first event of a burst, and once more kEchoDelay after its last. After
//   the stream broke, events may have been missed: a new stream starts with an OnChange.
// - Idempotency is ours where containerd has none: a name that is taken is looked up, a start that
//   is refused is OK if the container has been started.
#include "nodeagent/edge/cri_runtime.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/backoff.h"
#include "base/lifeline.h"
#include "containerd_events.grpc.pb.h"
#include "cri.grpc.pb.h"
#include "nodeagent/edge/cri_messages.h"
#include "nodeagent/edge/cri_streaming.h"
#include "nodeagent/pods/pull_status.h"

namespace nodeagent {
namespace {

namespace cri = runtime::v1;
namespace events = containerd::services::events::v1;

constexpr base::Duration kEventDelay = base::Duration::Millis(20);
constexpr base::Duration kEchoDelay = base::Duration::Millis(300);
constexpr base::Duration kExitSettles = base::Duration::Seconds(3);
constexpr base::Backoff kEventRetry{base::Duration::Millis(100), base::Duration::Seconds(2)};
constexpr int kChannelBackoffMillis[] = {50, 500};  // first, largest
constexpr int32_t kKilledExitCode = 128 + 9;

std::chrono::system_clock::time_point DeadlineAfter(base::Duration timeout) {
  return std::chrono::system_clock::now() + std::chrono::nanoseconds(timeout.nanos());
}

// The calls under way, so that the end can cancel them and wait for their last callback. Any
// thread.
class CallsUnderWay {
 public:
  void Add(std::shared_ptr<grpc::ClientContext> context) {
    const std::lock_guard lock(mutex_);
    contexts_.push_back(std::move(context));
  }
  // The last thing that a completion does with what the runtime owns.
  void Remove(const grpc::ClientContext* context) {
    const std::lock_guard lock(mutex_);
    std::erase_if(contexts_, [context](const auto& held) { return held.get() == context; });
    if (contexts_.empty()) empty_.notify_all();
  }
  void CancelAndWait() {
    std::unique_lock lock(mutex_);
    const auto cancelled = contexts_;
    lock.unlock();  // a cancellation may run completions right here
    for (const auto& context : cancelled) context->TryCancel();
    lock.lock();
    empty_.wait(lock, [this] { return contexts_.empty(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable empty_;
  std::vector<std::shared_ptr<grpc::ClientContext>> contexts_;
};

// containerd's events; deletes itself when the stream has ended. Callbacks on gRPC's threads.
class EventStream final : public grpc::ClientReadReactor<events::Envelope> {
 public:
  EventStream(std::shared_ptr<CallsUnderWay> calls, std::function<void()> on_event,
              std::function<void()> on_end)
      : calls_(std::move(calls)), on_event_(std::move(on_event)), on_end_(std::move(on_end)) {}

  void Start(events::Events::Stub& stub) {
    for (const char* topic : {"/tasks/start", "/tasks/exit", "/tasks/delete", "/tasks/oom"}) {
      request_.add_filters(std::string("namespace==\"k8s.io\",topic==\"") + topic + "\"");
    }
    calls_->Add(context_);
    stub.async()->Subscribe(context_.get(), &request_, this);
    StartRead(&envelope_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (!IsExecEnd()) on_event_();
    StartRead(&envelope_);
  }
  void OnDone(const grpc::Status&) override {
    on_end_();
    calls_->Remove(context_.get());
    delete this;
  }

 private:
  // The end of a process that was executed in a container, such as a probe, changes nothing.
  bool IsExecEnd() const {
    events::TaskExit exit;
    return envelope_.topic() == "/tasks/exit" && exit.ParseFromString(envelope_.event().value()) &&
           exit.id() != exit.container_id();
  }

  const std::shared_ptr<CallsUnderWay> calls_;
  const std::function<void()> on_event_;
  const std::function<void()> on_end_;
  const std::shared_ptr<grpc::ClientContext> context_ = std::make_shared<grpc::ClientContext>();
  events::SubscribeRequest request_;
  events::Envelope envelope_;
};

std::shared_ptr<grpc::Channel> Connect(const std::string& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxCriMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxCriMessageBytes);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kChannelBackoffMillis[0]);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kChannelBackoffMillis[1]);
  // Without it, the path would be the authority, which Go's server refuses.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  return grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments);
}

base::Status MakeDirectory(const std::filesystem::path& path) {
  if (path.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return {};
  return base::Status(base::Code::kInternal,
                      "cannot make log directory " + path.string() + ": " + error.message());
}

bool IsNameTaken(const base::Status& status) {
  return status.code() == base::Code::kAlreadyExists ||
         status.message().find("is reserved for") != std::string_view::npos;
}

// Of what failed because it is gone already.
base::Status OkIfGone(base::Status status) {
  return status.code() == base::Code::kNotFound ? base::Status() : status;
}

class CriRuntime final : public Runtime {
 public:
  CriRuntime(base::Loop& loop, CriOptions options)
      : loop_(loop),
        options_(std::move(options)),
        channel_(Connect(options_.socket)),
        runtime_(cri::RuntimeService::NewStub(channel_)),
        images_(cri::ImageService::NewStub(channel_)),
        events_(events::Events::NewStub(channel_)) {}

  ~CriRuntime() override {
    for (base::Loop::TimerId timer : {event_timer_, echo_timer_, event_retry_timer_}) {
      if (timer != 0) loop_.Cancel(timer);
    }
    calls_->CancelAndWait();
  }

  void Version(Done<RuntimeVersion> done) override {
    cri::VersionRequest request;
    request.set_version("v1");
    Query(&RuntimeStub::Version, request, [done](base::Result<cri::VersionResponse> answer) {
      if (!answer.ok()) return done(answer.status());
      done(RuntimeVersion{answer->runtime_name(), answer->runtime_version()});
    });
  }

  void Ready(DoneStatus done) override {
    Query(&RuntimeStub::Status, cri::StatusRequest(),
          [done](base::Result<cri::StatusResponse> answer) {
            done(answer.ok() ? ReadinessOf(answer->status()) : answer.status());
          });
  }

  void List(Done<RuntimeSnapshot> done) override;

  // Whether the image's own user is certainly not root: a name could be anybody's.
  void CheckUserOf(const std::string& image, DoneStatus done) {
    cri::ImageStatusRequest request;
    request.mutable_image()->set_image(image);
    Call(images_->async(), &ImageStub::ImageStatus, request, options_.query_timeout,
         [done](base::Result<cri::ImageStatusResponse> answer) {
           if (!answer.ok()) return done(answer.status());
           if (answer->image().uid().value() != 0) return done(base::Status());
           const std::string& name = answer->image().username();
           const std::string user =
               name.empty() || name == "root" ? "root" : "\"" + name + "\", which may be root";
           done(base::Status(base::Code::kInvalid,
                             "runAsNonRoot is set, but the image runs as " + user +
                                 "; set runAsUser to the number of another user"));
         });
  }

  void FindImage(const std::string& reference, Done<std::string> done) override {
    cri::ImageStatusRequest request;
    request.mutable_image()->set_image(reference);
    Call(images_->async(), &ImageStub::ImageStatus, request, options_.query_timeout,
         [done, reference](base::Result<cri::ImageStatusResponse> answer) {
           if (!answer.ok()) return done(answer.status());
           if (answer->has_image()) return done(answer->image().id());
           done(base::Status(base::Code::kNotFound,
                             "image \"" + reference + "\" is not on this node; pull it"));
         });
  }

  void PullImage(const std::string& reference, const std::optional<ImageCredentials>& credentials,
                 Done<std::string> done) override {
    cri::PullImageRequest request;
    request.mutable_image()->set_image(reference);
    if (credentials) {
      request.mutable_auth()->set_username(credentials->username);
      request.mutable_auth()->set_password(credentials->password);
      request.mutable_auth()->set_server_address(credentials->server_address);
    }
    Start(images_->async(), &ImageStub::PullImage, request, options_.pull_timeout,
          [done, reference](const grpc::Status& status, cri::PullImageResponse& response) {
            if (status.ok()) return done(response.image_ref());
            const base::Status failed = StatusOf(status.error_code(), status.error_message());
            done(PullStatus(reference, failed.code(), status.error_message()));
          });
  }

  void RunSandbox(const SandboxConfig& config, Done<std::string> done) override {
    if (base::Status made = MakeDirectory(config.log_directory); !made.ok()) {
      return loop_.Post([done, made] { done(made); });
    }
    cri::RunPodSandboxRequest request;
    *request.mutable_config() = ToCri(config);
    Change(&RuntimeStub::RunPodSandbox, request,
           [this, done, config](base::Result<cri::RunPodSandboxResponse> answer) {
             if (answer.ok()) return done(answer->pod_sandbox_id());
             if (!IsNameTaken(answer.status())) return done(answer.status());
             FindSandbox(config, answer.status(), done);
           });
  }

  void StopSandbox(const std::string& id, DoneStatus done) override {
    cri::StopPodSandboxRequest request;
    request.set_pod_sandbox_id(id);
    Change(&RuntimeStub::StopPodSandbox, request,
           [done](base::Result<cri::StopPodSandboxResponse> answer) {
             done(OkIfGone(answer.status()));
           });
  }

  void RemoveSandbox(const std::string& id, DoneStatus done) override {
    cri::RemovePodSandboxRequest request;
    request.set_pod_sandbox_id(id);
    Change(&RuntimeStub::RemovePodSandbox, request,
           [done](base::Result<cri::RemovePodSandboxResponse> answer) {
             done(OkIfGone(answer.status()));
           });
  }

  void CreateContainer(const std::string& sandbox_id, const SandboxConfig& sandbox,
                       const ContainerConfig& config, Done<std::string> done) override {
    const std::filesystem::path log =
        std::filesystem::path(sandbox.log_directory) / config.log_path;
    if (base::Status made = MakeDirectory(log.parent_path()); !made.ok()) {
      return loop_.Post([done, made] { done(made); });
    }
    cri::CreateContainerRequest request;
    request.set_pod_sandbox_id(sandbox_id);
    *request.mutable_config() = ToCri(sandbox, config);
    *request.mutable_sandbox_config() = ToCri(sandbox, config.security.privileged);
    const auto create = [this, done, sandbox_id, name = config.name, attempt = config.attempt,
                         request = std::move(request)] {
      Change(&RuntimeStub::CreateContainer, request,
             [this, done, sandbox_id, name,
              attempt](base::Result<cri::CreateContainerResponse> answer) {
               if (answer.ok()) return done(answer->container_id());
               if (!IsNameTaken(answer.status())) return done(answer.status());
               FindContainer(sandbox_id, name, attempt, answer.status(), done);
             });
    };
    if (!config.security.must_not_be_root || config.security.run_as_user) return create();
    CheckUserOf(config.image, [done, create](const base::Status& status) {
      status.ok() ? create() : done(status);
    });
  }

  void StartContainer(const std::string& id, DoneStatus done) override {
    cri::StartContainerRequest request;
    request.set_container_id(id);
    Change(&RuntimeStub::StartContainer, request,
           [this, done, id](base::Result<cri::StartContainerResponse> answer) {
             if (answer.ok() || answer.status().code() != base::Code::kInternal) {
               return done(answer.status());
             }
             OkIfStarted(id, answer.status(), done);
           });
  }

  void StopContainer(const std::string& id, base::Duration grace, DoneStatus done) override {
    cri::StopContainerRequest request;
    request.set_container_id(id);
    request.set_timeout(WholeSeconds(grace));
    Call(runtime_->async(), &RuntimeStub::StopContainer, request, grace + kStopSlack,
         [done](base::Result<cri::StopContainerResponse> answer) {
           done(OkIfGone(answer.status()));
         });
  }

  void RemoveContainer(const std::string& id, DoneStatus done) override {
    cri::RemoveContainerRequest request;
    request.set_container_id(id);
    Change(&RuntimeStub::RemoveContainer, request,
           [done](base::Result<cri::RemoveContainerResponse> answer) {
             done(OkIfGone(answer.status()));
           });
  }

  void ReopenLog(const std::string& id, DoneStatus done) override {
    cri::ReopenContainerLogRequest request;
    request.set_container_id(id);
    Change(&RuntimeStub::ReopenContainerLog, request,
           [done](base::Result<cri::ReopenContainerLogResponse> answer) { done(answer.status()); });
  }

  void Exec(const std::string& id, const std::vector<std::string>& command, base::Duration timeout,
            Done<ExecResult> done) override {
    cri::ExecSyncRequest request;
    request.set_container_id(id);
    request.mutable_cmd()->Assign(command.begin(), command.end());
    // containerd kills the process at the call's deadline; its own limit, in whole seconds, is for
    // the case that the deadline is lost on the way.
    request.set_timeout(WholeSeconds(timeout));
    Call(runtime_->async(), &RuntimeStub::ExecSync, request, timeout,
         [done, timeout](base::Result<cri::ExecSyncResponse> answer) {
           if (answer.status().code() == base::Code::kTimeout) {
             return done(base::Status(base::Code::kTimeout,
                                      "the command did not end within " + timeout.ToString()));
           }
           if (!answer.ok()) return done(answer.status());
           done(ExecResult{answer->exit_code(), answer->stdout().substr(0, kMaxExecOutput) +
                                                    answer->stderr().substr(0, kMaxExecOutput)});
         });
  }

  std::unique_ptr<base::Duplex> OpenExec(const std::string& id,
                                         const state::ExecRequest& exec) override {
    auto command = std::make_unique<SpdyCommand>(loop_, exec);
    Query(
        &RuntimeStub::Exec, ToCri(id, exec),
        [this, raw = command.get(), tie = command->tie()](base::Result<cri::ExecResponse> answer) {
          if (!tie.holds()) return;
          if (!answer.ok()) return raw->Fail(answer.status());
          streaming_.Connect(answer->url(), *raw);
        });
    return command;
  }

  void OnChange(std::function<void()> changed) override {
    changed_ = std::move(changed);
    StartEvents();
  }

 private:
  using RuntimeStub = cri::RuntimeService::StubInterface::async_interface;
  using ImageStub = cri::ImageService::StubInterface::async_interface;
  template <typename Stub, typename Request, typename Response>
  using Method = void (Stub::*)(grpc::ClientContext*, const Request*, Response*,
                                std::function<void(grpc::Status)>);
  template <typename Response>
  using RawAnswer = std::type_identity_t<std::function<void(const grpc::Status&, Response&)>>;
  template <typename Response>
  using Answer = std::type_identity_t<std::function<void(base::Result<Response>)>>;

  // One List under way.
  struct Listing {
    Done<RuntimeSnapshot> done;
    std::vector<cri::PodSandbox> sandboxes;
    std::vector<cri::Container> containers;
    std::map<std::string, cri::ContainerStatus> statuses;
    std::map<std::string, std::string> addresses;
    std::vector<std::function<void()>> wanted;  // calls for statuses to be made
    size_t under_way = 0;
    base::Status failure;
  };
  using ListingPtr = std::shared_ptr<Listing>;

  template <typename Stub, typename Request, typename Response>
  void Start(std::type_identity_t<Stub>* stub, Method<Stub, Request, Response> method,
             Request request, base::Duration timeout, RawAnswer<Response> answer);
  template <typename Stub, typename Request, typename Response>
  void Call(std::type_identity_t<Stub>* stub, Method<Stub, Request, Response> method,
            Request request, base::Duration timeout, Answer<Response> answer) {
    Start(stub, method, std::move(request), timeout,
          [this, answer = std::move(answer)](const grpc::Status& status, Response& response) {
            if (status.ok()) return answer(std::move(response));
            answer(Explain(StatusOf(status.error_code(), status.error_message())));
          });
  }
  template <typename Request, typename Response>
  void Query(Method<RuntimeStub, Request, Response> method, Request request,
             Answer<Response> answer) {
    Call(runtime_->async(), method, std::move(request), options_.query_timeout, std::move(answer));
  }
  template <typename Request, typename Response>
  void Change(Method<RuntimeStub, Request, Response> method, Request request,
              Answer<Response> answer) {
    Call(runtime_->async(), method, std::move(request), options_.change_timeout, std::move(answer));
  }

  base::Status Explain(base::Status status) const {
    if (status.code() != base::Code::kUnavailable) return status;
    return status.WithContext("the container runtime does not answer at " + options_.socket);
  }

  void FindSandbox(const SandboxConfig& config, const base::Status& taken, Done<std::string> done);
  void FindContainer(const std::string& sandbox_id, const std::string& name, uint32_t attempt,
                     const base::Status& taken, Done<std::string> done);
  void OkIfStarted(const std::string& id, const base::Status& refused, DoneStatus done);

  void ListSandboxes(const ListingPtr& listing);
  void PlanStatuses(const ListingPtr& listing);
  void FetchContainerStatus(const ListingPtr& listing, const std::string& id);
  void FetchSandboxStatus(const ListingPtr& listing, const std::string& id);
  void Fetched(const ListingPtr& listing, const base::Status& status);
  void FetchMore(const ListingPtr& listing);
  void FinishList(Listing& listing);
  bool IsSettled(const cri::ContainerStatus& status) const;

  void StartEvents();
  void StreamEnded();
  void ScheduleChange();

  base::Loop& loop_;
  const CriOptions options_;
  const std::shared_ptr<CallsUnderWay> calls_ = std::make_shared<CallsUnderWay>();
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<cri::RuntimeService::Stub> runtime_;
  const std::unique_ptr<cri::ImageService::Stub> images_;
  const std::unique_ptr<events::Events::Stub> events_;

  std::map<std::string, cri::ContainerStatus> statuses_;  // by container
  std::map<std::string, std::string> addresses_;          // of ready sandboxes

  std::function<void()> changed_;
  base::Loop::TimerId event_timer_ = 0;
  base::Loop::TimerId echo_timer_ = 0;
  base::Loop::TimerId event_retry_timer_ = 0;
  base::Backoff event_retry_ = kEventRetry;
  base::MonotonicTime stream_started_;
  CriStreaming streaming_{loop_};
  base::Lifeline lifeline_;
};

template <typename Stub, typename Request, typename Response>
void CriRuntime::Start(std::type_identity_t<Stub>* stub, Method<Stub, Request, Response> method,
                       Request request, base::Duration timeout, RawAnswer<Response> answer) {
  struct State {
    grpc::ClientContext context;
    Request request;
    Response response;
    grpc::Status status;
    RawAnswer<Response> answer;
  };
  auto state = std::make_shared<State>();
  state->request = std::move(request);
  state->answer = std::move(answer);
  state->context.set_deadline(DeadlineAfter(timeout));
  calls_->Add(std::shared_ptr<grpc::ClientContext>(state, &state->context));
  (stub->*method)(
      &state->context, &state->request, &state->response,
      [&loop = loop_, tie = lifeline_.tie(), calls = calls_, state](grpc::Status status) {
        state->status = std::move(status);
        loop.Post(tie.Wrap([state] { state->answer(state->status, state->response); }));
        calls->Remove(&state->context);
      });
}

// A sandbox of that name exists, or is about to: its id if it is of use.
void CriRuntime::FindSandbox(const SandboxConfig& config, const base::Status& taken,
                             Done<std::string> done) {
  cri::ListPodSandboxRequest request;
  (*request.mutable_filter()->mutable_label_selector())[kManagedLabel] = "true";
  Query(&RuntimeStub::ListPodSandbox, request,
        [=](base::Result<cri::ListPodSandboxResponse> answer) {
          if (!answer.ok()) return done(answer.status());
          for (const cri::PodSandbox& sandbox : answer->items()) {
            if (sandbox.metadata().uid() != config.pod_uid) continue;
            if (sandbox.metadata().attempt() != config.attempt) continue;
            if (sandbox.state() == cri::SANDBOX_READY) return done(sandbox.id());
            return done(base::Status(base::Code::kAlreadyExists,
                                     "this attempt's sandbox has ended; take the next attempt"));
          }
          done(base::Status(base::Code::kConflict, std::string(taken.message())));
        });
}

void CriRuntime::FindContainer(const std::string& sandbox_id, const std::string& name,
                               uint32_t attempt, const base::Status& taken,
                               Done<std::string> done) {
  cri::ListContainersRequest request;
  request.mutable_filter()->set_pod_sandbox_id(sandbox_id);
  Query(&RuntimeStub::ListContainers, request,
        [=](base::Result<cri::ListContainersResponse> answer) {
          if (!answer.ok()) return done(answer.status());
          for (const cri::Container& container : answer->containers()) {
            if (container.metadata().name() != name) continue;
            if (container.metadata().attempt() == attempt) return done(container.id());
          }
          done(base::Status(base::Code::kConflict, std::string(taken.message())));
        });
}

void CriRuntime::OkIfStarted(const std::string& id, const base::Status& refused, DoneStatus done) {
  cri::ContainerStatusRequest request;
  request.set_container_id(id);
  Query(&RuntimeStub::ContainerStatus, request,
        [=](base::Result<cri::ContainerStatusResponse> answer) {
          if (!answer.ok()) return done(refused);
          const cri::ContainerStatus& status = answer->status();
          const bool ran = status.state() == cri::CONTAINER_EXITED &&
                           status.reason() != "StartError" && status.started_at() != 0;
          done(status.state() == cri::CONTAINER_RUNNING || ran ? base::Status() : refused);
        });
}

void CriRuntime::List(Done<RuntimeSnapshot> done) {
  const auto listing = std::make_shared<Listing>();
  listing->done = std::move(done);
  cri::ListContainersRequest request;
  (*request.mutable_filter()->mutable_label_selector())[kManagedLabel] = "true";
  Query(&RuntimeStub::ListContainers, request,
        [this, listing](base::Result<cri::ListContainersResponse> answer) {
          if (!answer.ok()) return listing->done(answer.status());
          listing->containers.assign(answer->containers().begin(), answer->containers().end());
          ListSandboxes(listing);
        });
}

void CriRuntime::ListSandboxes(const ListingPtr& listing) {
  cri::ListPodSandboxRequest request;
  (*request.mutable_filter()->mutable_label_selector())[kManagedLabel] = "true";
  Query(&RuntimeStub::ListPodSandbox, request,
        [this, listing](base::Result<cri::ListPodSandboxResponse> answer) {
          if (!answer.ok()) return listing->done(answer.status());
          listing->sandboxes.assign(answer->items().begin(), answer->items().end());
          PlanStatuses(listing);
          FetchMore(listing);
        });
}

// Takes what is remembered and notes what is not.
void CriRuntime::PlanStatuses(const ListingPtr& listing) {
  for (const cri::Container& container : listing->containers) {
    const auto known = statuses_.find(container.id());
    const bool holds = known != statuses_.end() && (known->second.state() == container.state() ||
                                                    known->second.state() == cri::CONTAINER_EXITED);
    if (holds) {
      listing->statuses.insert(*known);
    } else {
      listing->wanted.push_back(
          [this, listing, id = container.id()] { FetchContainerStatus(listing, id); });
    }
  }
  for (const cri::PodSandbox& sandbox : listing->sandboxes) {
    if (sandbox.state() != cri::SANDBOX_READY) continue;
    if (const auto known = addresses_.find(sandbox.id()); known != addresses_.end()) {
      listing->addresses.insert(*known);
    } else {
      listing->wanted.push_back(
          [this, listing, id = sandbox.id()] { FetchSandboxStatus(listing, id); });
    }
  }
}

void CriRuntime::FetchContainerStatus(const ListingPtr& listing, const std::string& id) {
  cri::ContainerStatusRequest request;
  request.set_container_id(id);
  Query(&RuntimeStub::ContainerStatus, request,
        [this, listing, id](base::Result<cri::ContainerStatusResponse> answer) {
          if (answer.ok()) listing->statuses[id] = std::move(*answer->mutable_status());
          Fetched(listing, answer.status());
        });
}

void CriRuntime::FetchSandboxStatus(const ListingPtr& listing, const std::string& id) {
  cri::PodSandboxStatusRequest request;
  request.set_pod_sandbox_id(id);
  Query(&RuntimeStub::PodSandboxStatus, request,
        [this, listing, id](base::Result<cri::PodSandboxStatusResponse> answer) {
          if (answer.ok()) listing->addresses[id] = answer->status().network().ip();
          Fetched(listing, answer.status());
        });
}

void CriRuntime::Fetched(const ListingPtr& listing, const base::Status& status) {
  --listing->under_way;
  // What is gone by now is left out of the snapshot.
  if (!OkIfGone(status).ok()) listing->failure = status;
  FetchMore(listing);
}

void CriRuntime::FetchMore(const ListingPtr& listing) {
  if (!listing->failure.ok()) listing->wanted.clear();
  while (!listing->wanted.empty() && listing->under_way < kMaxStatusCalls) {
    const std::function<void()> fetch = std::move(listing->wanted.back());
    listing->wanted.pop_back();
    ++listing->under_way;
    fetch();
  }
  if (listing->under_way == 0) FinishList(*listing);
}

void CriRuntime::FinishList(Listing& listing) {
  if (!listing.failure.ok()) return listing.done(listing.failure);
  RuntimeSnapshot snapshot;
  std::map<std::string, const cri::PodSandbox*> sandboxes;  // in the snapshot's order
  for (const cri::PodSandbox& sandbox : listing.sandboxes) sandboxes[sandbox.id()] = &sandbox;
  for (const auto& [id, sandbox] : sandboxes) {
    const auto address = listing.addresses.find(id);
    const bool known = address != listing.addresses.end();
    if (!known && sandbox->state() == cri::SANDBOX_READY) continue;  // gone since it was listed
    snapshot.sandboxes.push_back(FromCri(*sandbox, known ? address->second : ""));
  }
  for (const cri::Container& container : listing.containers) {
    const auto status = listing.statuses.find(container.id());
    if (status == listing.statuses.end() || !sandboxes.count(container.pod_sandbox_id())) continue;
    snapshot.containers.push_back(FromCri(container, status->second));
  }
  std::sort(snapshot.containers.begin(), snapshot.containers.end(),
            [](const ContainerState& a, const ContainerState& b) { return a.id < b.id; });

  std::erase_if(listing.statuses, [this](const auto& entry) { return !IsSettled(entry.second); });
  statuses_ = std::move(listing.statuses);
  addresses_ = std::move(listing.addresses);
  listing.done(std::move(snapshot));
}

bool CriRuntime::IsSettled(const cri::ContainerStatus& status) const {
  if (status.state() != cri::CONTAINER_EXITED) return true;
  if (status.exit_code() != kKilledExitCode || status.reason() == "OOMKilled") return true;
  return base::WallTime::FromNanos(status.finished_at()) + kExitSettles < loop_.now().wall;
}

void CriRuntime::StartEvents() {
  event_retry_timer_ = 0;
  stream_started_ = loop_.now().monotonic;
  ScheduleChange();
  const auto post = [this, tie = lifeline_.tie()](void (CriRuntime::*what)()) {
    loop_.Post(tie.Wrap([this, what] { (this->*what)(); }));
  };
  auto* stream = new EventStream(
      calls_, [post] { post(&CriRuntime::ScheduleChange); },
      [post] { post(&CriRuntime::StreamEnded); });
  stream->Start(*events_);
}

void CriRuntime::StreamEnded() {
  const bool lasted = loop_.now().monotonic - stream_started_ > kEventRetry.most();
  if (lasted) event_retry_.Reset();
  event_retry_timer_ = loop_.After(event_retry_.Next(), [this] { StartEvents(); });
}

void CriRuntime::ScheduleChange() {
  if (event_timer_ == 0) {
    event_timer_ = loop_.After(kEventDelay, [this] {
      event_timer_ = 0;
      changed_();
    });
  }
  if (echo_timer_ != 0) loop_.Cancel(echo_timer_);
  echo_timer_ = loop_.After(kEchoDelay, [this] {
    echo_timer_ = 0;
    changed_();
  });
}

}  // namespace

std::unique_ptr<Runtime> NewCriRuntime(base::Loop& loop, const CriOptions& options) {
  return std::make_unique<CriRuntime>(loop, options);
}

}  // namespace nodeagent
