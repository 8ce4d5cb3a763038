// HttpServer: HTTPS/1.1 for the API, Git and everything else on one port.
//
// A few pollers receive requests and send responses; no connection and no stream owns a thread,
// however slow its peer. A Route decides how a request is served:
//  - a loop handler runs on the loop with the whole request and answers through a Reply, now or
//  later;
//  - a worker handler runs on a worker thread and may block (Git's children do), with streaming
//  bodies both ways.
// Client certificates are optional: the handler sees who was verified. The loop must outlive Stop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/net/http.h"
#include "base/status.h"
#include "base/time.h"

namespace base {

struct HttpServerOptions {
  std::string address = "127.0.0.1";  // to listen on
  int port = 0;                       // 0: any; see HttpServer::port()
  std::string certificate_pem;        // chain
  std::string key_pem;
  std::string client_ca_pem;         // who may vouch for clients; empty: no client certificates
  int workers = 16;                  // worker handlers that run at the same time, at most
  size_t max_connections = 4096;     // open ones, idle and streaming included
  size_t max_body_bytes = 3u << 20;  // of a loop handler's request
  size_t max_header_bytes = 64u << 10;
  Duration idle_timeout = Duration::Seconds(120);  // keep-alive
  Duration header_timeout =
      Duration::Seconds(10);  // from the first byte of a request to its last header
};

// What TLS knows of the peer.
struct PeerCertificate {
  std::string common_name;
  std::vector<std::string> organizations;
};

struct IncomingRequest {
  HttpRequest request;  // identity is empty: authentication is the handler's
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

class HttpServer {
 public:
  using LoopHandler = std::function<void(IncomingRequest, std::unique_ptr<Reply>)>;
  using WorkerHandler = std::function<void(Exchange&)>;

  // Routes by the longest matching path prefix: Add before Start.
  virtual void AddLoopHandler(std::string prefix, LoopHandler handler) = 0;
  virtual void AddWorkerHandler(std::string prefix, WorkerHandler handler) = 0;

  // kUnavailable "port 6443 is taken by another program; ..." and the like.
  virtual Status Start() = 0;
  virtual int port() const = 0;
  // New certificates for new connections.
  virtual Status Reload(const std::string& certificate_pem, const std::string& key_pem) = 0;
  // Stops accepting, closes streams, joins threads. Loop handlers under way may still answer into
  // the void.
  virtual void Stop() = 0;
  virtual ~HttpServer() = default;

  static std::unique_ptr<HttpServer> Create(Loop& loop, HttpServerOptions options);
};

}  // namespace base
