// Rules:
// - A Pipe stands between a channel on the loop and a reactor on gRPC's threads. Its mutex guards
//   the outbox and the right to start an operation; gRPC may complete one inside the call that
//   started it, so the mutex is recursive. Callbacks of the channel run on the loop only.
// - One read is under way, and the next starts when the loop has handled its frame.
// - Who connects is accepted by a ConnectionGuard: gRPC's own listener knows no limits, and is deaf
//   for good once the process had no descriptor for it.
// - The reactor deletes itself in OnDone, the last that gRPC says; the Pipe then tells the channel.
#include "nodeagent/edge/grpc_transport.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "agent.grpc.pb.h"
#include "base/lifeline.h"
#include "base/log.h"
#include "nodeagent/edge/frame_codec.h"
#include "state/authorize.h"

namespace nodeagent {
namespace {

namespace wire = plumb::agent::v1;

// A connection without a call is of no use: an agent has one for its whole life.
constexpr base::Duration kMaxConnectionIdle = base::Duration::Seconds(60);

// The agent's reactors that live, so that the end can wait for them, and the stubs of those that
// are done: gRPC 1.51 must not lose its last channel on a thread of its own, so they are dropped on
// the loop. Any thread.
class Reactors {
 public:
  void Add() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  void Remove(std::unique_ptr<wire::Agent::Stub> stub) {
    const std::lock_guard lock(mutex_);
    done_.push_back(std::move(stub));
    if (--count_ == 0) none_.notify_all();
  }
  // Loop only.
  void DropDone() {
    std::vector<std::unique_ptr<wire::Agent::Stub>> done;
    const std::lock_guard lock(mutex_);
    done.swap(done_);
  }
  void WaitForNone() {
    std::unique_lock lock(mutex_);
    none_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  int count_ = 0;
  std::vector<std::unique_ptr<wire::Agent::Stub>> done_;
};

// What a Pipe asks of either kind of reactor; called with the Pipe's mutex held.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual void Read(wire::Frame* frame) = 0;
  virtual void Write(const wire::Frame* frame) = 0;
  virtual void Hangup() = 0;  // OnDone follows; nothing is asked afterwards
};

base::Status FromGrpc(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK: return base::Status(base::Code::kUnavailable, "the peer hung up");
    case grpc::StatusCode::PERMISSION_DENIED:
      return base::Status(base::Code::kForbidden, status.error_message());
    default: return base::Status(base::Code::kUnavailable, status.error_message());
  }
}

class Pipe : public std::enable_shared_from_this<Pipe> {
 public:
  explicit Pipe(base::Loop& loop) : loop_(loop) {}

  // Loop only: the channel's side.
  struct Callbacks {
    std::function<void(Frame)> on_frame;
    std::function<void(base::Status)> on_closed;
    std::function<void()> on_drained;
  } callbacks;
  bool owned = true;

  void Send(const Frame& frame) {
    wire::Frame encoded = EncodeFrame(frame);
    const size_t bytes = encoded.ByteSizeLong();
    const std::lock_guard lock(mutex_);
    if (wire_ == nullptr) return;
    if (backlog_ + bytes > kMaxBacklogBytes) {
      return HangupLocked(base::Status(base::Code::kTooLarge, "the peer does not read"));
    }
    backlog_ += bytes;
    outbox_.push_back(Outgoing{std::move(encoded), bytes});
    if (outbox_.size() == 1) wire_->Write(&outbox_.front().frame);
  }
  size_t Backlog() const {
    const std::lock_guard lock(mutex_);
    return backlog_;
  }
  void Hangup() {
    const std::lock_guard lock(mutex_);
    hung_up_ = true;  // perhaps before Open
    HangupLocked(base::Status(base::Code::kCancelled, "hung up"));
  }
  void HangupLocked(base::Status why) {
    if (wire_ == nullptr) return;
    if (why_.ok()) why_ = std::move(why);
    std::exchange(wire_, nullptr)->Hangup();
  }

  // gRPC's threads: the reactor's side.
  void Open(Wire* to) {
    const std::lock_guard lock(mutex_);
    if (hung_up_) return to->Hangup();
    wire_ = to;
    wire_->Read(&incoming_);
  }
  void ReadDone(bool ok) {
    if (!ok) return Hangup();
    base::Result<std::optional<Frame>> frame = DecodeFrame(incoming_);
    if (!frame.ok()) {
      const std::lock_guard lock(mutex_);
      return HangupLocked(frame.status());
    }
    loop_.Post([pipe = shared_from_this(), frame = *std::move(frame)]() mutable {
      if (frame && pipe->owned && pipe->callbacks.on_frame) {
        const auto on_frame = pipe->callbacks.on_frame;
        on_frame(*std::move(frame));
      }
      const std::lock_guard lock(pipe->mutex_);
      if (pipe->wire_) pipe->wire_->Read(&pipe->incoming_);
    });
  }
  void WriteDone(bool ok) {
    const std::lock_guard lock(mutex_);
    const size_t before = backlog_;
    backlog_ -= outbox_.front().bytes;
    outbox_.pop_front();
    if (!ok) return HangupLocked(base::Status(base::Code::kUnavailable, "the connection broke"));
    if (wire_ && !outbox_.empty()) wire_->Write(&outbox_.front().frame);
    if (before < kRefillBacklogBytes || backlog_ >= kRefillBacklogBytes) return;
    loop_.Post([pipe = shared_from_this()] {
      if (!pipe->owned || !pipe->callbacks.on_drained) return;
      const auto on_drained = pipe->callbacks.on_drained;
      on_drained();
    });
  }
  // The last of the reactor's calls.
  void Done(const grpc::Status& status) {
    const std::lock_guard lock(mutex_);
    wire_ = nullptr;
    const bool ours = !why_.ok() && why_.code() != base::Code::kCancelled;
    loop_.Post([pipe = shared_from_this(), why = ours ? why_ : FromGrpc(status)] {
      const auto on_closed = std::exchange(pipe->callbacks.on_closed, nullptr);
      if (pipe->owned && on_closed) on_closed(why);
    });
  }

 private:
  struct Outgoing {
    wire::Frame frame;
    size_t bytes;
  };
  base::Loop& loop_;
  mutable std::recursive_mutex mutex_;
  Wire* wire_ = nullptr;  // null before Open and after a hang-up
  wire::Frame incoming_;
  std::deque<Outgoing> outbox_;  // the first is being written
  size_t backlog_ = 0;
  bool hung_up_ = false;
  base::Status why_;
};

class GrpcChannel final : public FrameChannel {
 public:
  GrpcChannel(std::shared_ptr<Pipe> pipe, std::string peer, std::string credential = "")
      : pipe_(std::move(pipe)), peer_(std::move(peer)), credential_(std::move(credential)) {}
  ~GrpcChannel() override {
    pipe_->owned = false;
    pipe_->callbacks = {};
    pipe_->Hangup();
  }
  void Send(Frame frame) override { pipe_->Send(frame); }
  size_t Backlog() const override { return pipe_->Backlog(); }
  const std::string& peer() const override { return peer_; }
  std::string credential() const override { return credential_; }
  void OnFrame(std::function<void(Frame)> f) override { pipe_->callbacks.on_frame = std::move(f); }
  void OnClosed(std::function<void(base::Status)> f) override {
    pipe_->callbacks.on_closed = std::move(f);
  }
  void OnDrained(std::function<void()> f) override { pipe_->callbacks.on_drained = std::move(f); }

 private:
  const std::shared_ptr<Pipe> pipe_;
  const std::string peer_, credential_;
};

// The agent's end.

class ClientReactor final : public grpc::ClientBidiReactor<wire::Frame, wire::Frame>, public Wire {
 public:
  ClientReactor(std::shared_ptr<Pipe> pipe, std::shared_ptr<Reactors> live,
                const std::shared_ptr<grpc::Channel>& channel)
      : pipe_(std::move(pipe)), live_(std::move(live)), stub_(wire::Agent::NewStub(channel)) {}

  enum class Call { kControl, kStream };
  void Start(Call call) {
    live_->Add();
    if (call == Call::kControl) {
      stub_->async()->Control(&context_, this);
    } else {
      stub_->async()->Stream(&context_, this);
    }
    AddHold();  // until Hangup: the loop starts operations
    pipe_->Open(this);
    StartCall();
  }

  void Read(wire::Frame* frame) override { StartRead(frame); }
  void Write(const wire::Frame* frame) override { StartWrite(frame); }
  void Hangup() override {
    context_.TryCancel();
    RemoveHold();
  }

  void OnReadDone(bool ok) override { pipe_->ReadDone(ok); }
  void OnWriteDone(bool ok) override { pipe_->WriteDone(ok); }
  void OnDone(const grpc::Status& status) override {
    pipe_->Done(status);
    const std::shared_ptr<Reactors> live = live_;
    std::unique_ptr<wire::Agent::Stub> stub = std::move(stub_);
    delete this;
    live->Remove(std::move(stub));
  }

 private:
  const std::shared_ptr<Pipe> pipe_;
  const std::shared_ptr<Reactors> live_;
  std::unique_ptr<wire::Agent::Stub> stub_;
  grpc::ClientContext context_;
};

class GrpcDialer final : public FrameDialer {
 public:
  GrpcDialer(base::Loop& loop, std::string server, std::function<TlsIdentity()> identity)
      : loop_(loop), server_(std::move(server)), identity_(std::move(identity)) {}
  ~GrpcDialer() override {
    live_->WaitForNone();
    live_->DropDone();
  }

  std::unique_ptr<FrameChannel> Connect() override {
    live_->DropDone();
    const TlsIdentity identity = identity_();
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = identity.ca_pem;
    tls.pem_cert_chain = identity.certificate_pem;
    tls.pem_private_key = identity.key_pem;
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(static_cast<int>(kMaxFrameBytes));
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection is never an older one
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    connection_ =
        grpc::CreateCustomChannel("dns:///" + server_, grpc::SslCredentials(tls), arguments);
    return Call(ClientReactor::Call::kControl);
  }
  std::unique_ptr<FrameChannel> OpenStream() override {
    CHECK(connection_ != nullptr);
    live_->DropDone();
    return Call(ClientReactor::Call::kStream);
  }

 private:
  std::unique_ptr<FrameChannel> Call(ClientReactor::Call call) {
    auto pipe = std::make_shared<Pipe>(loop_);
    (new ClientReactor(pipe, live_, connection_))->Start(call);
    return std::make_unique<GrpcChannel>(std::move(pipe), "");
  }

  base::Loop& loop_;
  const std::string server_;
  const std::function<TlsIdentity()> identity_;
  const std::shared_ptr<Reactors> live_ = std::make_shared<Reactors>();
  std::shared_ptr<grpc::Channel> connection_;  // the newest
};

// The control plane's end.

class ServerReactor final : public grpc::ServerBidiReactor<wire::Frame, wire::Frame>, public Wire {
 public:
  explicit ServerReactor(std::shared_ptr<Pipe> pipe) : pipe_(std::move(pipe)) {}

  void Start() { pipe_->Open(this); }
  void Read(wire::Frame* frame) override { StartRead(frame); }
  void Write(const wire::Frame* frame) override { StartWrite(frame); }
  void Hangup() override { Finish(grpc::Status::OK); }

  void OnCancel() override { pipe_->Hangup(); }
  void OnReadDone(bool ok) override { pipe_->ReadDone(ok); }
  void OnWriteDone(bool ok) override { pipe_->WriteDone(ok); }
  void OnDone() override {
    pipe_->Done(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the node hung up"));
    delete this;
  }

 private:
  const std::shared_ptr<Pipe> pipe_;
};

class Refusal final : public grpc::ServerBidiReactor<wire::Frame, wire::Frame> {
 public:
  explicit Refusal(const std::string& why) {
    Finish(grpc::Status(grpc::StatusCode::PERMISSION_DENIED, why));
  }
  void OnDone() override { delete this; }
};

std::string CertificateOf(const grpc::AuthContext& peer) {
  const std::vector<grpc::string_ref> pem =
      peer.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  return pem.empty() ? "" : std::string(pem[0].data(), pem[0].size());
}

std::string CommonNameOf(const grpc::AuthContext& peer) {
  const std::vector<grpc::string_ref> names = peer.FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
  return names.size() == 1 ? std::string(names[0].data(), names[0].size()) : "";
}

}  // namespace

struct GrpcListener::Impl final : public wire::Agent::CallbackService {
  Impl(base::Loop& on_loop, std::string at, TlsIdentity with, GrpcListener::Accept to,
       GrpcListener::Admit whom, const ConnectionLimits& limits)
      : loop(on_loop),
        address(std::move(at)),
        identity(std::move(with)),
        accept(std::move(to)),
        admit(std::move(whom)),
        guard(limits, [this](int fd) { HandOver(fd); }) {}

  // On the guard's thread.
  void HandOver(int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd;
    acceptor->HandleNewConnection(&connection);
  }

  using Reactor = grpc::ServerBidiReactor<wire::Frame, wire::Frame>;
  // Their first frames tell them apart.
  Reactor* Control(grpc::CallbackServerContext* context) override { return Take(context); }
  Reactor* Stream(grpc::CallbackServerContext* context) override { return Take(context); }

  Reactor* Take(grpc::CallbackServerContext* context) {
    const std::string user = CommonNameOf(*context->auth_context());
    const std::string node(state::NodeOfUser(user));
    if (node.empty()) {
      return new Refusal("the certificate of \"" + user + "\" is not a node's; join first");
    }
    std::string credential;
    if (admit != nullptr) {
      base::Result<std::string> admitted = admit(CertificateOf(*context->auth_context()));
      if (!admitted.ok()) return new Refusal(std::string(admitted.status().message()));
      credential = *std::move(admitted);
    }
    guard.Known(context->peer());
    auto pipe = std::make_shared<Pipe>(loop);
    // Posted before the first read starts: the channel has its callbacks when a frame arrives.
    loop.Post([this, tie = lifeline.tie(), pipe, node, credential] {
      auto channel = std::make_unique<GrpcChannel>(pipe, node, credential);  // dropped, it hangs up
      if (tie.holds()) accept(std::move(channel));
    });
    auto* reactor = new ServerReactor(pipe);
    reactor->Start();
    return reactor;
  }

  base::Loop& loop;
  const std::string address;
  const TlsIdentity identity;
  const GrpcListener::Accept accept;
  const GrpcListener::Admit admit;
  base::Lifeline lifeline;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  ConnectionGuard guard;
};

GrpcListener::GrpcListener(base::Loop& loop, std::string address, TlsIdentity identity,
                           Accept accept, Admit admit, const ConnectionLimits& limits)
    : impl_(std::make_unique<Impl>(loop, std::move(address), std::move(identity), std::move(accept),
                                   std::move(admit), limits)) {}

GrpcListener::~GrpcListener() { Stop(); }

base::Status GrpcListener::Start() {
  grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = impl_->identity.ca_pem;
  tls.pem_key_cert_pairs.push_back({impl_->identity.key_pem, impl_->identity.certificate_pem});
  grpc::ServerBuilder builder;
  impl_->acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::SslServerCredentials(tls));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS,
                             static_cast<int>(kMaxConnectionIdle.millis()));
  builder.SetMaxReceiveMessageSize(static_cast<int>(kMaxFrameBytes));
  builder.RegisterService(impl_.get());
  impl_->server = builder.BuildAndStart();
  if (impl_->server == nullptr) {
    return base::Status(base::Code::kInternal,
                        "cannot serve nodes; is the server's certificate damaged?");
  }
  const size_t colon = impl_->address.rfind(':');
  return impl_->guard.Start(impl_->address.substr(0, colon),
                            std::atoi(impl_->address.c_str() + colon + 1));
}

int GrpcListener::port() const { return impl_->guard.port(); }

void GrpcListener::Stop() {
  impl_->lifeline.Cut();
  if (impl_->server == nullptr) return;
  impl_->guard.Stop();
  impl_->server->Shutdown(std::chrono::system_clock::now());
  impl_->server->Wait();
  impl_->server.reset();
}

std::unique_ptr<FrameDialer> NewGrpcDialer(base::Loop& loop, std::string server,
                                           std::function<TlsIdentity()> identity) {
  return std::make_unique<GrpcDialer>(loop, std::move(server), std::move(identity));
}

}  // namespace nodeagent
