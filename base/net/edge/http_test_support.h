// For tests of the HTTP server and client: a running loop, certificates, and a client that sends
// and reads bytes as it is told.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/edge/poller.h"
#include "base/edge/real_loop.h"
#include "base/net/edge/http_server.h"
#include "base/net/edge/openssl.h"
#include "base/net/edge/pki.h"

namespace base {

// How long a test waits for what must come: only a failing test waits that long.
inline constexpr std::chrono::seconds kTestWait{30};

inline WallTime WallNow() {
  return WallTime::FromNanos(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                 std::chrono::system_clock::now().time_since_epoch())
                                 .count());
}

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) ADD_FAILURE() << result.status().ToString();
  CHECK(result.ok());
  return *std::move(result);
}

inline size_t CountThreads() {
  namespace fs = std::filesystem;
  return static_cast<size_t>(
      std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator()));
}

// A blocking TLS connection to 127.0.0.1 that speaks no HTTP of its own.
class RawClient {
 public:
  struct Options {
    std::string ca_pem;           // who is believed; empty: anyone
    std::string certificate_pem;  // shown; may be empty
    std::string key_pem;
    int receive_buffer = 0;  // bytes; 0: the system's choice
  };

  explicit RawClient(int port) : RawClient(port, Options()) {}
  RawClient(int port, const Options& options) {
    signal(SIGPIPE, SIG_IGN);  // a test of hanging up writes to closed sockets
    fd_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (options.receive_buffer > 0) {
      setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &options.receive_buffer, sizeof(int));
    }
    timeval patience{kTestWait.count(), 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return;
    context_.reset(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    if (!options.certificate_pem.empty()) {
      SSL_CTX_use_certificate(context_.get(),
                              ParseCertificates(options.certificate_pem).front().get());
      SSL_CTX_use_PrivateKey(context_.get(), ParseKey(options.key_pem).get());
    }
    for (const Owned<X509>& authority : ParseCertificates(options.ca_pem)) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority.get());
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd_.get());
    connected_ = SSL_connect(ssl_.get()) == 1;
  }

  bool connected() const { return connected_; }
  SSL* ssl() { return ssl_.get(); }

  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      int count = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

  // What was received up to the end of `mark`, or all until the server hung up.
  std::string ReadUntil(std::string_view mark) {
    for (;;) {
      size_t end = received_.find(mark);
      if (end != std::string::npos) return Take(end + mark.size());
      if (!Receive()) return Take(received_.size());
    }
  }
  std::string ReadBytes(size_t count) {
    while (received_.size() < count && Receive()) {
    }
    return Take(std::min(count, received_.size()));
  }
  std::string ReadAll() {
    while (Receive()) {
    }
    return Take(received_.size());
  }

  // One response with a Content-Length: "200 body".
  std::string ReadResponse() {
    std::string head = ReadUntil("\r\n\r\n");
    size_t length_at = head.find("Content-Length: ");
    size_t length = length_at == std::string::npos ? 0 : std::stoul(head.substr(length_at + 16));
    last_head_ = head;
    return (head.size() < 12 ? "nothing" : head.substr(9, 3)) + " " + ReadBytes(length);
  }
  const std::string& last_head() const { return last_head_; }

  std::string Get(const std::string& target) {
    Send("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n");
    return ReadResponse();
  }

 private:
  bool Receive() {
    char bytes[16384];
    int count = SSL_read(ssl_.get(), bytes, sizeof(bytes));
    if (count > 0) received_.append(bytes, static_cast<size_t>(count));
    return count > 0;
  }
  std::string Take(size_t count) {
    std::string taken = received_.substr(0, count);
    received_.erase(0, count);
    return taken;
  }

  UniqueFd fd_;
  std::shared_ptr<SSL_CTX> context_;
  Owned<SSL> ssl_;
  bool connected_ = false;
  std::string received_;
  std::string last_head_;
};

// A loop on a thread of its own, a CA, and a server for localhost that is not started.
class HttpFixture : public testing::Test {
 protected:
  HttpFixture() : thread_([this] { loop_.Run(); }) {
    options_.certificate_pem = server_keys_.cert_pem + ca_.cert_pem;
    options_.key_pem = server_keys_.key_pem;
    options_.client_ca_pem = ca_.cert_pem;
  }
  ~HttpFixture() override {
    if (server_) server_->Stop();
    loop_.Stop();
    thread_.join();
  }

  // Makes the server from options_; handlers can be added, then Start.
  HttpServer& Make() {
    server_ = HttpServer::Create(loop_, options_);
    return *server_;
  }
  void Start() {
    Status status = server_->Start();
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  int port() const { return server_->port(); }

  // Runs on the loop, and returns what it returns.
  template <typename F>
  auto OnLoop(F f) -> decltype(f()) {
    auto task = std::make_shared<std::packaged_task<decltype(f())()>>(std::move(f));
    auto future = task->get_future();
    loop_.Post([task] { (*task)(); });
    return future.get();
  }

  // A handler that answers with `text`.
  static LoopHandler Says(std::string text) {
    return [text = std::move(text)](IncomingRequest, std::unique_ptr<Reply> reply) {
      HttpResponse response;
      response.body = text;
      reply->Send(std::move(response));
    };
  }

  const Validity validity_{WallNow(), Duration::Hours(1)};
  KeyPair ca_ = Must(CreateCa("test-ca", validity_));
  KeyPair server_keys_ =
      Must(IssueServerCertificate(ca_, {"localhost", "127.0.0.1", "::1"}, validity_));
  RealLoop loop_;
  HttpServerOptions options_;
  std::unique_ptr<HttpServer> server_;

 private:
  std::thread thread_;
};

}  // namespace base
