// Rules (Kubernetes documentation, "gRPC probes"): a connection of its own for each question, not
// encrypted, not through a proxy; good is a status of SERVING and nothing else.
//
// A call is the library's until it has answered: the destructor cancels those under way and waits
// for them. It ends on the loop's thread: the library's own, which answers, would have to wait for
// itself with the last channel of the process.
#include "nodeagent/edge/grpc_probe.h"

#include <grpcpp/grpcpp.h>
#include <health.grpc.pb.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "nodeagent/edge/probe_http.h"

namespace nodeagent {
namespace {

namespace health = grpc::health::v1;

constexpr int kMaxHealthAnswer = 4 << 10;  // bytes; the message is one of two

std::string Place(const Check& check) {
  const bool is_v6 = check.host.find(':') != std::string::npos;
  return (is_v6 ? "ipv6:[" + check.host + "]" : "ipv4:" + check.host) + ":" +
         std::to_string(check.port);
}

std::unique_ptr<health::Health::Stub> Connect(const Check& check) {
  grpc::ChannelArguments arguments;
  arguments.SetUserAgentPrefix(kProbeUserAgent);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMaxHealthAnswer);
  return health::Health::NewStub(
      grpc::CreateCustomChannel(Place(check), grpc::InsecureChannelCredentials(), arguments));
}

base::Status Verdict(const Check& check, base::Duration timeout, const grpc::Status& ended,
                     const health::HealthCheckResponse& answer) {
  const std::string who =
      check.service.empty() ? "the server" : "service \"" + check.service + "\"";
  switch (ended.error_code()) {
    case grpc::StatusCode::OK: break;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return base::Status(base::Code::kTimeout, "no answer from " + check.host + ":" +
                                                    std::to_string(check.port) + " within " +
                                                    timeout.ToString());
    case grpc::StatusCode::UNIMPLEMENTED:
      return base::Status(base::Code::kInternal,
                          "the server does not serve grpc.health.v1; add its health service");
    case grpc::StatusCode::NOT_FOUND:
      return base::Status(base::Code::kInternal, who + " is not known to the health service");
    default:
      return base::Status(base::Code::kUnavailable,
                          "the health of " + who + " cannot be asked for at " + check.host + ":" +
                              std::to_string(check.port) + ": " + ended.error_message());
  }
  if (answer.status() == health::HealthCheckResponse::SERVING) return {};
  return base::Status(
      base::Code::kInternal,
      who + " says " + health::HealthCheckResponse::ServingStatus_Name(answer.status()));
}

// One question; its own stub, so that the connection ends with it.
struct Call {
  Check check;
  base::Duration timeout;
  std::unique_ptr<health::Health::Stub> stub;
  grpc::ClientContext context;
  health::HealthCheckRequest request;
  health::HealthCheckResponse answer;
};

}  // namespace

struct GrpcProbes::UnderWay {
  std::mutex mutex;
  std::condition_variable empty;
  std::set<std::shared_ptr<Call>> calls;
  std::vector<std::shared_ptr<Call>> ended;  // since `ending`
  bool ending = false;
};

GrpcProbes::GrpcProbes(base::Loop& loop) : loop_(loop), calls_(std::make_unique<UnderWay>()) {}

GrpcProbes::~GrpcProbes() {
  std::unique_lock lock(calls_->mutex);
  calls_->ending = true;
  for (const std::shared_ptr<Call>& call : calls_->calls) call->context.TryCancel();
  calls_->empty.wait(lock, [this] { return calls_->calls.empty(); });
}

void GrpcProbes::Ask(const Check& check, base::Duration timeout,
                     std::function<void(CheckAnswer)> done) {
  const auto call = std::make_shared<Call>();
  call->check = check;
  call->timeout = timeout;
  call->stub = Connect(check);
  call->request.set_service(check.service);
  call->context.set_deadline(std::chrono::system_clock::now() +
                             std::chrono::nanoseconds(timeout.nanos()));
  {
    const std::lock_guard lock(calls_->mutex);
    calls_->calls.insert(call);
  }
  // The answer comes on a thread of the library's.
  call->stub->async()->Check(
      &call->context, &call->request, &call->answer,
      [this, weak = std::weak_ptr(call), done = std::move(done)](const grpc::Status& ended) {
        std::shared_ptr<Call> asked = weak.lock();
        const base::Status status = Verdict(asked->check, asked->timeout, ended, asked->answer);
        const std::lock_guard lock(calls_->mutex);
        calls_->calls.erase(asked);
        if (calls_->ending) {
          calls_->ended.push_back(std::move(asked));
        } else {
          loop_.Post([done, status, asked = std::move(asked)] { done(status); });
        }
        if (calls_->calls.empty()) calls_->empty.notify_all();
      });
}

}  // namespace nodeagent
