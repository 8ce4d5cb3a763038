// TLS for servers: the certificate that is shown, the clients that are believed, and the socket
// that they connect to.
//
// A TlsContext is immutable and shared by connections: any thread. Only edge files include this.
#pragma once

#include <memory>
#include <string>

#include "base/edge/poller.h"
#include "base/net/edge/openssl.h"
#include "base/net/exchange.h"
#include "base/status.h"

namespace base {

using TlsContext = std::shared_ptr<SSL_CTX>;

// TLS 1.2 and later, ALPN http/1.1. With `client_ca_pem` a client may show a certificate, which
// then must chain to it; without one it is let in as nobody. kInvalid if a PEM does not parse or
// the key is another certificate's.
Result<TlsContext> MakeServerContext(const std::string& certificate_pem, const std::string& key_pem,
                                     const std::string& client_ca_pem);

// What a finished handshake says of the peer; null if it showed nothing, or a certificate that has
// ended since (a resumed session remembers one).
std::unique_ptr<PeerCertificate> PeerCertificateOf(SSL* ssl);

struct ListeningSocket {
  UniqueFd fd;
  int port = 0;
};
// kUnavailable with what to do if the port is taken or the address is not this machine's.
Result<ListeningSocket> Listen(const std::string& address, int port);

}  // namespace base
