// ApiConnection: one keep-alive HTTPS connection to a plumb server on loopback, for programs that
// load it: little more than TLS and a socket, so that the server is what is measured.
//
// Blocks; one thread each. ApiTrust is shared.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/edge/files.h"
#include "base/net/edge/http1.h"
#include "base/status.h"

namespace testsupport {

// What a client needs to know and to show: the server's authority, the administrator's certificate.
class ApiTrust {
 public:
  static base::Result<ApiTrust> OfDataDir(const std::string& data_dir);
  SSL_CTX* context() const { return context_.get(); }

 private:
  std::shared_ptr<SSL_CTX> context_;
};

struct ApiAnswer {
  int status = 0;
  std::string body;
};

class ApiConnection {
 public:
  static base::Result<ApiConnection> Open(const ApiTrust& trust, int port);
  ApiConnection(ApiConnection&&) = default;
  ApiConnection& operator=(ApiConnection&&) = default;

  // Sends a request and reads its whole answer. kUnavailable if the server goes away.
  base::Result<ApiAnswer> Do(std::string_view method, std::string_view target,
                             std::string_view body = {},
                             std::string_view content_type = "application/json");
  // As Do, but an answer that is not 2xx is an error that shows its body.
  base::Result<std::string> Ask(std::string_view method, std::string_view target,
                                std::string_view body = {});

  // The two halves of Do, for answers that are read as they come.
  base::Status Send(std::string_view method, std::string_view target, std::string_view body,
                    std::string_view content_type = "application/json");
  base::Result<int> ReadHead();                  // the status
  base::Result<std::string_view> ReadContent();  // the next bytes of the body; "" at its end

  int fd() const { return fd_.get(); }
  SSL* ssl() const { return ssl_.get(); }
  // What was received and not yet read: for those who take the socket over.
  std::string TakeBuffered() { return std::move(buffer_); }
  base::BodyDecoder& body() { return *body_; }

 private:
  ApiConnection() = default;
  base::Status Receive();

  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  base::UniqueFd fd_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  std::string buffer_;  // received, not used up
  std::unique_ptr<base::BodyDecoder> body_;
  std::string content_;
};

}  // namespace testsupport
