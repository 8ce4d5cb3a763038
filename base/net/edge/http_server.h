// HttpServer: HTTPS/1.1 for the API, Git and everything else on one port.
//
// A few pollers receive requests and send responses; no connection and no stream owns a thread,
// however slow its peer. exchange.h says how handlers serve.
// Client certificates are optional: the handler sees who was verified. The loop must outlive Stop.
//
// Who has not shown a credential costs little: a connection has header_timeout from its beginning
// to its first request, has a place beside few others of its address, and is the first to make room
// when all are taken; of a body, kMaxUnknownBody is kept, and no worker runs for it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/loop.h"
#include "base/net/exchange.h"
#include "base/status.h"
#include "base/time.h"

namespace base {

struct HttpServerOptions {
  std::string address = "127.0.0.1";  // to listen on
  int port = 0;                       // 0: any; see HttpServer::port()
  std::string certificate_pem;        // chain
  std::string key_pem;
  std::string client_ca_pem;  // who may vouch for clients; empty: no client certificates
  // Worker handlers that run at the same time, at most, of those that read and of those that write;
  // of one user half of them.
  int workers = 16;
  // Open ones, idle and streaming included; of one user half of them.
  size_t max_connections = 4096;
  // Of one address, an IPv6 network of /64: connections that have shown no credential yet.
  size_t max_newcomers_of_address = 256;
  size_t max_body_bytes = 3u << 20;      // of a loop handler's request
  size_t max_unsent_bytes = 256u << 20;  // of answers that wait for their clients; then 429
  size_t max_header_bytes = 64u << 10;
  Duration idle_timeout = Duration::Seconds(120);  // keep-alive, of who is known
  // From the first byte of a request to its last header; of who is not known: from the connection's
  // beginning, and from the end of each answer.
  Duration header_timeout = Duration::Seconds(10);
  // Of a body and of an answer, a peer must send and read kLeastBytesPerSecond in each stretch of
  // so much time: a body that is kept, one that a worker waits for, an answer.
  Duration body_stretch = Duration::Seconds(10);
  Duration worker_body_stretch = Duration::Seconds(30);
  Duration answer_stretch = Duration::Seconds(60);
  // Who sent a request, by its head (and the certificate): nobody, or an error for a wrong
  // credential. Any thread. Null: everybody is known who asks for anything.
  std::function<Result<Identity>(const IncomingRequest&)> authenticate;
};

inline constexpr size_t kMaxUnknownBody = 64u << 10;

class HttpServer : public Routes {
 public:
  // kUnavailable "port 6443 is taken by another program; ..." and the like.
  virtual Status Start() = 0;
  virtual int port() const = 0;
  // New certificates for new connections.
  virtual Status Reload(const std::string& certificate_pem, const std::string& key_pem) = 0;
  // Stops accepting, closes streams, joins threads. Loop handlers under way may still answer into
  // the void.
  virtual void Stop() = 0;

  static std::unique_ptr<HttpServer> Create(Loop& loop, HttpServerOptions options);
};

}  // namespace base
