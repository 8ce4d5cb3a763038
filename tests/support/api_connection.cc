#include "tests/support/api_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <charconv>
#include <utility>

namespace testsupport {
namespace {

constexpr size_t kMaxHead = 64 << 10;
constexpr time_t kWaitSeconds = 180;  // without a byte: only where something has failed
constexpr size_t kPiece = 1 << 20;

base::Status Gone(const char* what) {
  return base::Status(base::Code::kUnavailable, std::string("the server hung up: ") + what);
}

// The value of a header of `head`, as the server writes it; "" if it is not there.
std::string_view HeaderOf(std::string_view head, std::string_view name) {
  const size_t at = head.find(name);
  if (at == std::string_view::npos) return {};
  const size_t begin = at + name.size();
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

}  // namespace

base::Result<ApiTrust> ApiTrust::OfDataDir(const std::string& data_dir) {
  ApiTrust trust;
  trust.context_.reset(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX* context = trust.context_.get();
  const std::string pki = data_dir + "/pki/";
  const bool loaded =
      SSL_CTX_load_verify_file(context, (pki + "ca.crt").c_str()) == 1 &&
      SSL_CTX_use_certificate_chain_file(context, (pki + "admin.crt").c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context, (pki + "admin.key").c_str(), SSL_FILETYPE_PEM) == 1;
  if (!loaded) return base::Status(base::Code::kNotFound, "no credentials in " + pki);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return trust;
}

base::Result<ApiConnection> ApiConnection::Open(const ApiTrust& trust, int port) {
  ApiConnection connection;
  connection.fd_ = base::UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(connection.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const timeval patience{.tv_sec = kWaitSeconds};
  setsockopt(connection.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(connection.fd(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
    return Gone("connect");
  connection.ssl_.reset(SSL_new(trust.context()));
  SSL_set_fd(connection.ssl(), connection.fd());
  if (SSL_connect(connection.ssl()) != 1) return Gone("TLS");
  return connection;
}

base::Status ApiConnection::Send(std::string_view method, std::string_view target,
                                 std::string_view body, std::string_view content_type) {
  std::string request(method);
  request.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
  if (!body.empty()) {
    request.append("Content-Type: ").append(content_type);
    request.append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  request.append("\r\n").append(body);
  if (SSL_write(ssl(), request.data(), static_cast<int>(request.size())) <= 0) return Gone("write");
  return {};
}

base::Status ApiConnection::Receive() {
  char bytes[32 << 10];
  const int count = SSL_read(ssl(), bytes, sizeof(bytes));
  if (count <= 0) return Gone("read");
  buffer_.append(bytes, static_cast<size_t>(count));
  return {};
}

base::Result<int> ApiConnection::ReadHead() {
  size_t scanned = 0, end = 0;
  while ((end = base::FindHeadEnd(buffer_, &scanned)) == 0) {
    if (buffer_.size() > kMaxHead) return Gone("a head without an end");
    RETURN_IF_ERROR(Receive());
  }
  const std::string head = buffer_.substr(0, end);
  buffer_.erase(0, end);
  int status = 0;
  std::from_chars(head.data() + std::min<size_t>(9, head.size()), head.data() + head.size(),
                  status);
  base::BodyFraming framing;
  if (!HeaderOf(head, "Transfer-Encoding: ").empty()) {
    framing.kind = base::BodyFraming::Kind::kChunked;
  } else if (!base::IsBodyless(status)) {
    framing.kind = base::BodyFraming::Kind::kLength;
    const std::string_view length = HeaderOf(head, "Content-Length: ");
    std::from_chars(length.data(), length.data() + length.size(), framing.length);
  }
  body_ = std::make_unique<base::BodyDecoder>(framing);
  return status;
}

base::Result<std::string_view> ApiConnection::ReadContent() {
  content_.clear();
  while (content_.empty() && !body_->done()) {
    if (buffer_.empty()) RETURN_IF_ERROR(Receive());
    ASSIGN_OR_RETURN(const size_t used, body_->Feed(buffer_, kPiece, content_));
    buffer_.erase(0, used);
  }
  return std::string_view(content_);
}

base::Result<ApiAnswer> ApiConnection::Do(std::string_view method, std::string_view target,
                                          std::string_view body, std::string_view content_type) {
  RETURN_IF_ERROR(Send(method, target, body, content_type));
  ApiAnswer answer;
  ASSIGN_OR_RETURN(answer.status, ReadHead());
  for (;;) {
    ASSIGN_OR_RETURN(const std::string_view piece, ReadContent());
    if (piece.empty()) return answer;
    answer.body += piece;
  }
}

base::Result<std::string> ApiConnection::Ask(std::string_view method, std::string_view target,
                                             std::string_view body) {
  ASSIGN_OR_RETURN(ApiAnswer answer, Do(method, target, body));
  if (answer.status / 100 == 2) return std::move(answer.body);
  return base::Status(base::Code::kInternal, std::string(method) + " " + std::string(target) +
                                                 ": " + std::to_string(answer.status) + " " +
                                                 answer.body.substr(0, 500));
}

}  // namespace testsupport
