// What accept(2) says: EAGAIN, all are here; an error of the connection that was next, it is gone,
// go on; no descriptor or no memory, try again in kScarcityWait; anything else, the socket is no
// more: close it and listen again, each kReopenWait until that succeeds.
#include "base/net/edge/acceptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/log.h"

namespace base {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr Duration kScarcityWait = Duration::Millis(100);
constexpr Duration kReopenWait = Duration::Seconds(1);
constexpr int kKeepAliveIdleSeconds = 30;
constexpr int kKeepAliveIntervalSeconds = 10;
constexpr int kKeepAliveProbes = 3;
constexpr size_t kNetworkBytes = 8;  // of an IPv6 address: what one customer has at least

std::string TextOfAddress(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, address, text.data(), text.size());
  return text.data();
}

AcceptedPeer PeerOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    const std::string port = ":" + std::to_string(ntohs(v6.sin6_port));
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      const std::string text = TextOfAddress(AF_INET, &v6.sin6_addr.s6_addr[12]);
      return {text + port, text};
    }
    const std::string text = "[" + TextOfAddress(AF_INET6, &v6.sin6_addr) + "]" + port;
    in6_addr network = v6.sin6_addr;
    std::memset(&network.s6_addr[kNetworkBytes], 0, sizeof(network.s6_addr) - kNetworkBytes);
    return {text, TextOfAddress(AF_INET6, &network)};
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  const std::string text = TextOfAddress(AF_INET, &v4.sin_addr);
  return {text + ":" + std::to_string(ntohs(v4.sin_port)), text};
}

void SetSocketOptions(int fd) {
  auto set = [fd](int level, int option, int value) {
    setsockopt(fd, level, option, &value, sizeof(value));
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  // A peer that vanished without a word is found out while its stream is silent.
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
  set(IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
}

bool IsScarcity(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

bool IsOfTheConnection(int error) {
  switch (error) {
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
    case EPERM:  // a firewall's
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH: return true;
    default: return false;
  }
}

class Acceptor final : public Poller::Handler {
 public:
  Acceptor(Poller& poller, Poller::Id id, std::string address, ListeningSocket socket,
           OnAccepted accepted)
      : poller_(poller),
        id_(id),
        address_(std::move(address)),
        socket_(std::move(socket)),
        accepted_(std::move(accepted)) {}

  void OnEvents(uint32_t) override {
    for (int i = 0; i < kAcceptsPerTurn && socket_.fd.valid(); ++i) {
      if (!AcceptOne()) return;
    }
  }
  void OnWake() override {}
  void OnDeadline() override {
    if (socket_.fd.valid()) {
      poller_.Modify(id_, socket_.fd.get(), EPOLLIN);
    } else {
      Reopen();
    }
  }

 private:
  // False: nothing more for now.
  bool AcceptOne() {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    UniqueFd fd(accept4(socket_.fd.get(), reinterpret_cast<sockaddr*>(&address), &length,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      scarce_ = false;
      SetSocketOptions(fd.get());
      accepted_(std::move(fd), PeerOf(address));
      return true;
    }
    const int error = errno;
    if (error == EAGAIN) return false;
    if (IsOfTheConnection(error)) return true;
    if (IsScarcity(error)) {
      Pause(error);
    } else {
      LogError("a port has failed and is opened again", {{"address", address_},
                                                         {"port", std::to_string(socket_.port)},
                                                         {"reason", std::strerror(error)}});
      socket_.fd.Reset();
      Reopen();
    }
    return false;
  }

  void Pause(int error) {
    if (!std::exchange(scarce_, true)) {
      LogWarning("connections have to wait",
                 {{"port", std::to_string(socket_.port)}, {"reason", std::strerror(error)}});
    }
    poller_.Modify(id_, socket_.fd.get(), 0);
    poller_.SetDeadline(id_, poller_.now() + kScarcityWait);
  }

  void Reopen() {
    Result<ListeningSocket> opened = Listen(address_, socket_.port);
    if (opened.ok() && poller_.Watch(id_, opened->fd.get(), EPOLLIN)) {
      socket_ = *std::move(opened);
      return;
    }
    poller_.SetDeadline(id_, poller_.now() + kReopenWait);
  }

  Poller& poller_;
  const Poller::Id id_;
  const std::string address_;
  ListeningSocket socket_;
  const OnAccepted accepted_;
  bool scarce_ = false;
};

}  // namespace

void StartAccepting(Poller& poller, std::string address, ListeningSocket socket,
                    OnAccepted accepted) {
  auto shared = std::make_shared<ListeningSocket>(std::move(socket));
  poller.Post([&poller, address = std::move(address), shared, accepted = std::move(accepted)] {
    const int fd = shared->fd.get();
    const Poller::Id id = poller.NextId();
    poller.Add(id, std::make_unique<Acceptor>(poller, id, address, std::move(*shared), accepted),
               fd, EPOLLIN);
  });
}

}  // namespace base
