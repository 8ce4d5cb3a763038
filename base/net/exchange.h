// A request as its handler gets it, and the ways to answer: what a server and its handlers share,
// apart from any socket.
//
// Values and interfaces; edge/http_server implements them for HTTPS, tests and the simulation do so
// in memory. A Route decides how a request is served:
//  - a LoopHandler runs on the loop with the whole request and answers through a Reply, now or
//    later;
//  - a WorkerHandler runs on a worker thread and may block (Git's children do), with streaming
//    bodies both ways.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/net/duplex.h"
#include "base/net/http.h"
#include "base/status.h"
#include "base/time.h"

namespace base {

// What TLS knows of the peer.
struct PeerCertificate {
  std::string common_name;
  std::vector<std::string> organizations;
  std::string serial = {};  // hexadecimal, as CertificateInfo has it
  WallTime not_before = {};
};

struct IncomingRequest {
  HttpRequest request;  // identity is empty: what it may do is the handler's to find out
  std::string peer_address;
  std::unique_ptr<PeerCertificate> certificate;  // verified; null if none was presented
};

// How a loop handler answers: exactly one of these, once; on the loop.
class Reply {
 public:
  virtual ~Reply() = default;  // answers 500 if nothing was sent
  virtual void Send(HttpResponse response) = 0;
  // Sends the head and leaves the body open (chunked). Never compressed.
  virtual std::unique_ptr<Stream> Start(HttpResponse head) = 0;
  // Answers 101 Switching Protocols: the connection is the caller's from now on. `head` names the
  // protocol ("Upgrade: websocket", ...). The request must have asked for it.
  virtual std::unique_ptr<Duplex> Upgrade(HttpResponse head) = 0;
  // For an answer that may take long: called once if the client goes away before it has begun; may
  // destroy the Reply.
  virtual void OnGone(std::function<void()> gone) = 0;
};

// How a worker handler reads and answers; on its own thread; calls block.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const IncomingRequest& incoming() const = 0;
  // Reads the body piecewise (gzip request bodies are inflated); `sink` returns false to stop.
  // kTooLarge beyond `limit`.
  virtual Status ReadBody(size_t limit, const std::function<bool(std::string_view)>& sink) = 0;
  virtual void Send(const HttpResponse& response) = 0;
  // Chunked body from `source`, which calls `write` (false: the peer is gone) and returns when
  // done.
  virtual void Stream(
      const HttpResponse& head,
      const std::function<void(const std::function<bool(std::string_view)>& write)>& source) = 0;
};

using LoopHandler = std::function<void(IncomingRequest, std::unique_ptr<Reply>)>;
using WorkerHandler = std::function<void(Exchange&)>;
// Whether a worker's request writes: those that read have workers of their own.
using WritesFunction = std::function<bool(const HttpRequest&)>;

// Where handlers are added, before the server starts. The longest matching path prefix gets a
// request.
class Routes {
 public:
  virtual ~Routes() = default;
  virtual void AddLoopHandler(std::string prefix, LoopHandler handler) = 0;
  virtual void AddWorkerHandler(std::string prefix, WorkerHandler handler,
                                WritesFunction writes = nullptr) = 0;
};

}  // namespace base
