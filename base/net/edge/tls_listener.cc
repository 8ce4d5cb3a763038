#include "base/net/edge/tls_listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

namespace base {
namespace {

constexpr int kListenBacklog = 1024;
constexpr unsigned char kSessionContext[] = "plumb";
constexpr std::string_view kProtocol = "http/1.1";

struct AddressListDeleter {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

Status UseCertificate(SSL_CTX* context, const std::string& certificate_pem,
                      const std::string& key_pem) {
  std::vector<Owned<X509>> chain = ParseCertificates(certificate_pem);
  if (chain.empty()) return {Code::kInvalid, "the server's certificate is not PEM"};
  Owned<EVP_PKEY> key = ParseKey(key_pem);
  if (!key) return {Code::kInvalid, "the server's key is not PEM"};
  bool used = SSL_CTX_use_certificate(context, chain.front().get()) == 1;
  for (size_t i = 1; used && i < chain.size(); ++i) {
    used = SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1;
  }
  if (!used || SSL_CTX_use_PrivateKey(context, key.get()) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return {Code::kInvalid,
            "the server's certificate and key do not belong together: " + TakeOpenSslErrors()};
  }
  return {};
}

Status TrustClients(SSL_CTX* context, const std::string& client_ca_pem) {
  std::vector<Owned<X509>> authorities = ParseCertificates(client_ca_pem);
  if (authorities.empty()) return {Code::kInvalid, "the clients' CA is not PEM"};
  for (const Owned<X509>& authority : authorities) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
    SSL_CTX_add_client_CA(context, authority.get());
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return {};
}

int SelectProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_length,
                   const unsigned char* offered, unsigned int offered_length, void*) {
  for (unsigned int i = 0; i < offered_length; i += 1u + offered[i]) {
    if (i + 1 + offered[i] > offered_length) break;
    std::string_view name(reinterpret_cast<const char*>(offered + i + 1), offered[i]);
    if (name != kProtocol) continue;
    *chosen = offered + i + 1;
    *chosen_length = offered[i];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

Status ListenFailure(const std::string& address, int port, int error) {
  std::string port_text = std::to_string(port);
  if (error == EADDRINUSE) {
    return {Code::kUnavailable, "port " + port_text +
                                    " is taken by another program; stop it, or choose another "
                                    "address with --listen"};
  }
  if (error == EACCES) {
    return {Code::kForbidden, "no permission to listen on port " + port_text +
                                  "; run as root, or choose a port above 1023 with --listen"};
  }
  return {Code::kUnavailable, "cannot listen on " + address + ", port " + port_text + ": " +
                                  std::strerror(error) +
                                  "; choose an address of this machine with --listen"};
}

Result<int> PortOf(int fd) {
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) {
    return Status(Code::kInternal, std::string("getsockname: ") + std::strerror(errno));
  }
  return static_cast<int>(ntohs(bound.ss_family == AF_INET6
                                    ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                    : reinterpret_cast<sockaddr_in*>(&bound)->sin_port));
}

}  // namespace

Result<TlsContext> MakeServerContext(const std::string& certificate_pem, const std::string& key_pem,
                                     const std::string& client_ca_pem) {
  TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return Status(Code::kInternal, "OpenSSL has no TLS: " + TakeOpenSslErrors());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Idle connections keep no record buffers; a retried write may come from other memory.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_alpn_select_cb(context.get(), SelectProtocol, nullptr);
  // Without it, a resumed session of a client with a certificate is refused.
  SSL_CTX_set_session_id_context(context.get(), kSessionContext, sizeof(kSessionContext) - 1);
  RETURN_IF_ERROR(UseCertificate(context.get(), certificate_pem, key_pem));
  if (!client_ca_pem.empty()) RETURN_IF_ERROR(TrustClients(context.get(), client_ca_pem));
  return context;
}

std::unique_ptr<PeerCertificate> PeerCertificateOf(SSL* ssl) {
  Owned<X509> certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK) return nullptr;
  if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) <= 0) return nullptr;
  auto peer = std::make_unique<PeerCertificate>();
  std::vector<std::string> common_names = SubjectNames(certificate.get(), NID_commonName);
  if (!common_names.empty()) peer->common_name = common_names.back();
  peer->organizations = SubjectNames(certificate.get(), NID_organizationName);
  peer->serial = SerialOf(certificate.get());
  peer->not_before = ToWallTime(X509_get0_notBefore(certificate.get()));
  return peer;
}

Result<ListeningSocket> Listen(const std::string& address, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int error = getaddrinfo(address.empty() ? nullptr : address.c_str(), std::to_string(port).c_str(),
                          &hints, &found);
  if (error != 0) {
    return Status(Code::kInvalid,
                  "\"" + address + "\" is no address to listen on: " + gai_strerror(error));
  }
  std::unique_ptr<addrinfo, AddressListDeleter> list(found);
  ListeningSocket socket;
  socket.fd =
      UniqueFd(::socket(list->ai_family, list->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  int on = 1;
  setsockopt(socket.fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (socket.fd.get() < 0 || bind(socket.fd.get(), list->ai_addr, list->ai_addrlen) != 0 ||
      listen(socket.fd.get(), kListenBacklog) != 0) {
    return ListenFailure(address, port, errno);
  }
  ASSIGN_OR_RETURN(socket.port, PortOf(socket.fd.get()));
  return socket;
}

}  // namespace base
