// HttpServer: HTTPS/1.1 for the API, Git and everything else on one port.
//
// A few pollers receive requests and send responses; no connection and no stream owns a thread,
// however slow its peer. exchange.h says how handlers serve.
// Client certificates are optional: the handler sees who was verified. The loop must outlive Stop.
#pragma once

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
  std::string client_ca_pem;         // who may vouch for clients; empty: no client certificates
  int workers = 16;                  // worker handlers that run at the same time, at most
  size_t max_connections = 4096;     // open ones, idle and streaming included
  size_t max_body_bytes = 3u << 20;  // of a loop handler's request
  size_t max_header_bytes = 64u << 10;
  Duration idle_timeout = Duration::Seconds(120);  // keep-alive
  Duration header_timeout =
      Duration::Seconds(10);  // from the first byte of a request to its last header
};

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
