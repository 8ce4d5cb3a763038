// Over cpp-httplib's client. A pinned digest replaces the usual verification: the one certificate
// of that digest in the chain that the server showed is the only root, and the server's must chain
// to it. The host name is checked by the library after that, as always.
#include "base/net/edge/http_client.h"

#include <fcntl.h>
#include <httplib.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <mutex>

#include "base/net/edge/openssl.h"
#include "base/net/edge/pki.h"

namespace base {
namespace {

struct Url {
  bool secure = true;
  std::string host;    // without brackets
  std::string server;  // "host:port", as Host says it
  int port = 0;
  std::string target;
};

bool HasControlOrSpace(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
}

Result<Url> ParseUrl(const std::string& text) {
  // It may hold a secret: it is not quoted.
  const Status bad(Code::kInvalid, "the address is no URL like https://host:port/path");
  std::string_view rest = text;
  if (HasControlOrSpace(rest)) return bad;
  Url url;
  url.secure = rest.starts_with("https://");
  if (!url.secure && !rest.starts_with("http://")) return bad;
  rest.remove_prefix(url.secure ? 8 : 7);
  size_t slash = std::min(rest.find_first_of("/?"), rest.size());
  url.server = rest.substr(0, slash);
  url.target = rest.substr(slash);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (url.server.find('@') != std::string::npos) return bad;
  std::string_view server = url.server;
  size_t host_end = server.starts_with('[') ? server.find(']') : server.find(':');
  if (server.starts_with('[')) {
    if (host_end == std::string_view::npos) return bad;
    url.host = server.substr(1, host_end++ - 1);
  } else {
    host_end = std::min(host_end, server.size());
    url.host = server.substr(0, host_end);
  }
  std::string_view port = server.substr(host_end);
  url.port = url.secure ? 443 : 80;
  if (!port.empty()) {
    auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), url.port);
    bool whole = port.front() == ':' && end == port.data() + port.size() && error == std::errc();
    if (!whole || url.port < 1 || url.port > 65535) return bad;
  }
  if (url.host.empty()) return bad;
  return url;
}

// Who may vouch for the server, when it is not the system's authorities.
struct Trust {
  std::vector<Owned<X509>> roots;
  std::string digest;  // a root is what has it
};

int VerifyUnder(X509_STORE* roots, X509_STORE_CTX* shown) {
  Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
  bool ready = X509_STORE_CTX_init(context.get(), roots, X509_STORE_CTX_get0_cert(shown),
                                   X509_STORE_CTX_get0_untrusted(shown)) == 1 &&
               X509_STORE_CTX_set_default(context.get(), "ssl_server") == 1;
  bool verified = ready && X509_verify_cert(context.get()) == 1;
  int error = verified ? X509_V_OK : X509_STORE_CTX_get_error(context.get());
  X509_STORE_CTX_set_error(shown, !verified && error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error);
  return verified ? 1 : 0;
}

// OpenSSL's verification callback: 1 if `shown` is good.
int VerifyByTrust(X509_STORE_CTX* shown, void* data) {
  const auto& trust = *static_cast<const Trust*>(data);
  Owned<X509_STORE> roots(X509_STORE_new());
  for (const Owned<X509>& root : trust.roots) X509_STORE_add_cert(roots.get(), root.get());
  STACK_OF(X509)* chain = X509_STORE_CTX_get0_untrusted(shown);
  for (int i = 0; !trust.digest.empty() && i < sk_X509_num(chain); ++i) {
    X509* certificate = sk_X509_value(chain, i);
    bool pinned = "sha256:" + Sha256Hex(DerOf(certificate)) == trust.digest;
    if (pinned && X509_check_ca(certificate) == 1) X509_STORE_add_cert(roots.get(), certificate);
  }
  return VerifyUnder(roots.get(), shown);
}

// OpenSSL writes to sockets without MSG_NOSIGNAL; a peer that hung up must not end the process.
class SigpipeHeld {
 public:
  SigpipeHeld() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~SigpipeHeld() {
    if (!sigismember(&before_, SIGPIPE)) {
      timespec at_once{};
      sigtimedwait(&pipe_, nullptr, &at_once);
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_;
  sigset_t before_;
};

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

Result<httplib::Request> RequestOf(const HttpCall& call, const Url& url) {
  httplib::Request request;
  request.method = call.method;
  request.path = url.target;
  request.body = call.body;
  request.headers.emplace("Host", url.server);
  for (const auto& [name, value] : call.headers) {
    if (HasControlOrSpace(name) ||
        value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return Status(Code::kInvalid, "header \"" + name + "\" has a line break or a space");
    }
    request.headers.emplace(name, value);
  }
  return request;
}

}  // namespace

struct HttpClient::Impl {
  explicit Impl(HttpClientOptions given) : options(std::move(given)) {}
  ~Impl() {
    client.reset();
    if (line >= 0) close(line);
  }

  Status Connect(const Url& url);
  Status ConnectSecurely(const Url& url);
  Status FailureOf(httplib::Error error, const Url& url) const;
  void TakeLine(int socket);

  HttpClientOptions options;
  Trust trust;         // outlives `client`
  std::string origin;  // of `client`
  std::unique_ptr<httplib::ClientImpl> client;
  httplib::SSLClient* tls = nullptr;  // client, if it is one

  std::mutex mutex;      // guards what follows
  int line = -1;         // the connection by a descriptor of our own, so that it is no other's ever
  bool hung_up = false;  // for good
};

void HttpClient::Impl::TakeLine(int socket) {
  const std::lock_guard lock(mutex);
  if (line >= 0) close(line);
  line = fcntl(socket, F_DUPFD_CLOEXEC, 0);
}

Status HttpClient::Impl::ConnectSecurely(const Url& url) {
  Owned<X509> certificate;
  Owned<EVP_PKEY> key;
  if (!options.certificate_pem.empty()) {
    std::vector<Owned<X509>> chain = ParseCertificates(options.certificate_pem);
    key = ParseKey(options.key_pem);
    if (chain.empty() || !key)
      return {Code::kInvalid, "the client's certificate or key is not PEM"};
    certificate = std::move(chain.front());
  }
  auto secure =
      std::make_unique<httplib::SSLClient>(url.host, url.port, certificate.get(), key.get());
  if (!secure->is_valid()) {
    return {Code::kInvalid, "the client's certificate and key do not belong together"};
  }
  SSL_CTX_set_min_proto_version(secure->ssl_context(), TLS1_2_VERSION);
  if (!options.ca_pem.empty()) {
    std::vector<Owned<X509>> authorities = ParseCertificates(options.ca_pem);
    if (authorities.empty()) return {Code::kInvalid, "the server's CA is not PEM"};
    trust.roots = std::move(authorities);
  }
  trust.digest = options.ca_pem.empty() ? options.ca_digest : "";
  if (!trust.roots.empty() || !trust.digest.empty()) {
    SSL_CTX_set_cert_verify_callback(secure->ssl_context(), VerifyByTrust, &trust);
  }
  tls = secure.get();
  client = std::move(secure);
  return {};
}

Status HttpClient::Impl::Connect(const Url& url) {
  std::string wanted = (url.secure ? "https://" : "http://") + url.server;
  if (client && origin == wanted) return {};
  origin.clear();
  tls = nullptr;
  std::string address;
  if (options.resolve) {
    ASSIGN_OR_RETURN(address, options.resolve(url.host));
  }
  if (url.secure) {
    RETURN_IF_ERROR(ConnectSecurely(url));
  } else {
    client = std::make_unique<httplib::ClientImpl>(url.host, url.port);
  }
  origin = wanted;
  if (!address.empty()) client->set_hostname_addr_map({{url.host, address}});
  client->set_socket_options([this](socket_t socket) { TakeLine(socket); });
  client->set_keep_alive(true);
  client->set_url_encode(false);
  client->set_tcp_nodelay(true);
  auto micros = [](Duration time) { return std::chrono::microseconds(time.nanos() / 1000); };
  client->set_connection_timeout(micros(options.connect_timeout));
  client->set_read_timeout(micros(options.read_timeout));
  client->set_write_timeout(micros(options.read_timeout));
  return {};
}

Status HttpClient::Impl::FailureOf(httplib::Error error, const Url& url) const {
  switch (error) {
    case httplib::Error::SSLServerVerification: {
      long result = tls != nullptr ? tls->get_openssl_verify_result() : X509_V_OK;
      std::string reason = "its certificate does not name " + url.host;
      if (result != X509_V_OK) reason = X509_verify_cert_error_string(result);
      if (result != X509_V_OK && !options.ca_digest.empty()) {
        reason = "no CA with digest " + options.ca_digest + " vouches for it";
      }
      return {Code::kUnauthorized, url.server + " is not the server it should be: " + reason};
    }
    case httplib::Error::ConnectionTimeout:
      return {Code::kUnavailable, url.server + " does not answer"};
    case httplib::Error::Connection: return {Code::kUnavailable, "cannot connect to " + url.server};
    case httplib::Error::SSLConnection:
      return {Code::kUnavailable, url.server + " refused the TLS handshake"};
    default:
      return {Code::kUnavailable,
              url.server + " hung up or was silent for " + options.read_timeout.ToString()};
  }
}

HttpClient::HttpClient(HttpClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
HttpClient::~HttpClient() = default;

void HttpClient::HangUp() {
  const std::lock_guard lock(impl_->mutex);
  impl_->hung_up = true;
  if (impl_->line >= 0) shutdown(impl_->line, SHUT_RDWR);
}

Result<HttpAnswer> HttpClient::Do(const HttpCall& call) {
  ASSIGN_OR_RETURN(Url url, ParseUrl(call.url));
  ASSIGN_OR_RETURN(httplib::Request request, RequestOf(call, url));
  SigpipeHeld held;
  RETURN_IF_ERROR(impl_->Connect(url));
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->hung_up) return Status(Code::kUnavailable, "the call was ended");
  }

  HttpAnswer answer;
  bool cancelled = false;
  bool too_large = false;
  const auto take_head = [&answer](const httplib::Response& head) {
    answer.status = head.status;
    answer.headers.clear();
    for (const auto& [name, value] : head.headers) answer.headers.emplace(Lower(name), value);
    return true;
  };
  request.response_handler = take_head;  // not called for one that can have no body
  request.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t) {
    std::string_view piece(data, size);
    if (call.on_data && answer.status / 100 == 2) {
      cancelled = !call.on_data(piece);
      return !cancelled;
    }
    const size_t room = impl_->options.max_response_bytes - answer.body.size();
    too_large = size > room;
    answer.body.append(piece.substr(0, room));
    return !too_large;
  };
  httplib::Response response;
  httplib::Error error = httplib::Error::Success;
  bool sent = impl_->client->send(request, response, error);
  if (cancelled) return Status(Code::kCancelled, "the response was not wanted to its end");
  if (too_large && impl_->options.cut) return answer;
  if (too_large) {
    return Status(Code::kTooLarge, url.server + " sent more than " +
                                       std::to_string(impl_->options.max_response_bytes) +
                                       " bytes");
  }
  if (!sent) return impl_->FailureOf(error, url);
  take_head(response);
  return answer;
}

}  // namespace base
