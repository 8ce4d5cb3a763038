// Connection: one TLS connection of the server, from its handshake to its end, request after
// request.
//
// On its poller's thread. It never blocks: it does what can be done now and waits in the poller for
// the rest, so that idle connections, slow senders and open streams cost no thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/edge/poller.h"
#include "base/net/edge/channel.h"
#include "base/net/edge/http1.h"
#include "base/net/edge/http_server.h"
#include "base/net/edge/tls_listener.h"
#include "base/net/least_rate.h"
#include "base/time.h"

namespace base {

// One of the handlers is set.
struct Route {
  std::string prefix;
  LoopHandler loop;
  WorkerHandler worker;
  WritesFunction writes;  // of a worker's; may be null
};

// What connections need of the server. Any thread.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  virtual const HttpServerOptions& options() const = 0;
  // Null if no route leads there.
  virtual std::shared_ptr<const Route> RouteOf(const HttpRequest& request) const = 0;
  // `user` is empty for who is not known.
  virtual void Serve(std::shared_ptr<const Route> route, IncomingRequest incoming,
                     const std::string& user, std::shared_ptr<Channel> channel) = 0;
  // A share of the memory for bodies that are being received; false if all is taken.
  virtual bool ReserveBody(size_t bytes) = 0;
  virtual void ReleaseBody(size_t bytes) = 0;
  virtual const std::shared_ptr<ByteBudget>& unsent() const = 0;
  // A connection has shown that it is `user`'s, and makes room for nobody any more. False if he has
  // as many as he may already.
  virtual bool ConnectionKnown(uint64_t number, const std::string& user) = 0;
  virtual void ConnectionClosed(uint64_t number) = 0;
};

class Connection final : public Poller::Handler {
 public:
  // `number`: what the host knows it by.
  Connection(ConnectionHost& host, Poller& poller, Poller::Id id, uint64_t number, UniqueFd fd,
             Owned<SSL> ssl, std::string peer_address);
  ~Connection() override;

  void OnEvents(uint32_t epoll_events) override;
  void OnWake() override;
  void OnDeadline() override;

 private:
  enum class State { kHandshake, kHead, kBody, kServing, kLingering, kClosed };

  // Each does one step; false: nothing more can be done now.
  void Advance();
  bool Step();
  bool Handshake();
  bool ReceiveHead();
  bool ReceiveBody();
  bool Serve();
  bool Linger();

  bool BeginRequest(std::string_view head);
  Status Authenticate();
  bool RefuseUnknown(const Status& who);
  bool RefuseOneMore();
  bool BeginLoopRequest();
  bool BeginWorkerRequest();
  bool EndLoopBody();
  void Dispatch();
  bool Refuse(HttpResponse response);
  bool PassBodyOn();
  bool PassResponseOn();
  void EndResponse();

  bool Read();
  bool Flush();
  void Enter(State state);
  void Close();
  void SkipBlankLines();
  std::shared_ptr<Channel> NewChannel(ResponseRules rules, bool has_body);
  ResponseRules Rules(bool keep_alive, bool chunks) const;
  // Whose turn it is; starts or ends the measuring of its rate.
  void Measure();
  MonotonicTime Deadline() const;
  void TellPlainHttp();
  void ReleaseBody();

  ConnectionHost& host_;
  Poller& poller_;
  const Poller::Id id_;
  const uint64_t number_;
  UniqueFd fd_;
  Owned<SSL> ssl_;
  const std::string peer_address_;
  std::unique_ptr<PeerCertificate> certificate_;

  State state_ = State::kHandshake;
  MonotonicTime entered_at_;  // the state, or the first byte of a head
  LeastRate rate_;
  bool known_ = false;     // it has shown a credential
  size_t turn_bytes_ = 0;  // moved since the poller called; bounds a turn
  bool readable_ = false;  // until the socket says no, as edge-triggered epoll has it
  bool writable_ = false;
  bool peer_closed_ = false;
  bool broken_ = false;  // TLS failed: nothing more can be said in it

  std::string in_;      // received, not yet used
  size_t scanned_ = 0;  // of in_, for the end of the head
  std::string out_;     // being sent; Flush retries from out_offset_
  size_t out_offset_ = 0;

  RequestHead head_;
  IncomingRequest incoming_;
  std::string user_;     // of the request; empty: not known
  size_t max_body_ = 0;  // of the request
  std::shared_ptr<const Route> route_;
  std::optional<BodyDecoder> decoder_;  // while a body is on its way
  size_t reserved_ = 0;
  std::shared_ptr<Channel> channel_;  // while serving
  bool response_taken_ = false;       // its last byte is in out_
};

}  // namespace base
