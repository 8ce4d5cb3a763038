// Each direction of a connection has a buffer. It is read while the buffer has room and written
// while it holds bytes, so a slow reader slows its writer down; the end of one direction is passed
// on when its bytes are through, and the connection is over when both directions are. A target that
// cannot be reached closes the client's connection.

#include "plumb/dev/forwarder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <memory>

#include "base/edge/files.h"
#include "plumb/dev/namespaces.h"

namespace plumb {
namespace {

sockaddr_in Address(const char* address, uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  inet_pton(AF_INET, address, &result.sin_addr);
  return result;
}

base::Result<base::UniqueFd> Listen(uint16_t port) {
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address = Address("127.0.0.1", port);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(fd.get(), 512) != 0) {
    base::Status status = base::ErrnoStatus("127.0.0.1:" + std::to_string(port), errno);
    return base::Status(base::Code::kUnavailable, std::string(status.message()));
  }
  return fd;
}

// Bytes on their way from one socket to the other.
struct Direction {
  std::string buffer;
  bool ended = false;   // the source has sent all
  bool passed = false;  // and so has been told the target

  bool HasRoom() const { return !ended && buffer.size() < kForwardBufferBytes; }
};

struct Connection {
  base::UniqueFd client;
  base::UniqueFd target;
  Direction up;    // client to target
  Direction down;  // target to client
  bool connected = false;
};

class Forwarder {
 public:
  base::Status Start(const std::vector<Forward>& forwards);
  void Run();

 private:
  void Watch(int fd, uint32_t events, int operation);
  void Accept(int listener, const Forward& forward);
  base::UniqueFd Dial(const Forward& forward);
  // Moves what can be moved; false when the connection is over.
  bool Turn(Connection& connection, int fd, uint32_t events);
  static bool Read(int fd, Direction& direction);
  static bool Write(int fd, Direction& direction);
  void Rewatch(const Connection& connection);
  void Close(const std::shared_ptr<Connection>& connection);

  base::UniqueFd epoll_;
  base::UniqueFd signals_;
  base::UniqueFd own_namespace_;
  std::map<int, std::pair<base::UniqueFd, Forward>> listeners_;
  std::map<int, std::shared_ptr<Connection>> connections_;  // by both of its descriptors
};

base::Status Forwarder::Start(const std::vector<Forward>& forwards) {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  own_namespace_.Reset(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signals_.Reset(signalfd(-1, &set, SFD_CLOEXEC));
  Watch(signals_.get(), EPOLLIN, EPOLL_CTL_ADD);
  for (const Forward& forward : forwards) {
    ASSIGN_OR_RETURN(base::UniqueFd fd, Listen(forward.listen_port));
    Watch(fd.get(), EPOLLIN, EPOLL_CTL_ADD);
    int key = fd.get();
    listeners_.emplace(key, std::pair(std::move(fd), forward));
  }
  return {};
}

void Forwarder::Watch(int fd, uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  epoll_ctl(epoll_.get(), operation, fd, &event);
}

base::UniqueFd Forwarder::Dial(const Forward& forward) {
  base::UniqueFd space(
      open(NamespacePath(forward.network_namespace).c_str(), O_RDONLY | O_CLOEXEC));
  if (!space.valid() || setns(space.get(), CLONE_NEWNET) != 0) return {};
  // A socket stays in the namespace where it was made.
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (setns(own_namespace_.get(), CLONE_NEWNET) != 0) {
    fprintf(stderr, "dev-forward: cannot leave a namespace again\n");
    _exit(1);
  }
  sockaddr_in address = Address(forward.address.c_str(), forward.port);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 &&
      errno != EINPROGRESS) {
    return {};
  }
  return fd;
}

void Forwarder::Accept(int listener, const Forward& forward) {
  while (connections_.size() < 2 * kMaxForwardedConnections) {
    base::UniqueFd client(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!client.valid()) return;
    base::UniqueFd target = Dial(forward);
    if (!target.valid()) continue;
    int on = 1;
    setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(target.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    auto connection = std::make_shared<Connection>();
    connection->client = std::move(client);
    connection->target = std::move(target);
    connections_[connection->client.get()] = connection;
    connections_[connection->target.get()] = connection;
    Watch(connection->client.get(), 0, EPOLL_CTL_ADD);
    Watch(connection->target.get(), EPOLLOUT, EPOLL_CTL_ADD);
  }
}

bool Forwarder::Read(int fd, Direction& direction) {
  char buffer[16384];
  while (direction.HasRoom()) {
    ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    direction.ended = size == 0;
    direction.buffer.append(buffer, static_cast<size_t>(size));
  }
  return true;
}

bool Forwarder::Write(int fd, Direction& direction) {
  size_t sent = 0;
  while (sent < direction.buffer.size()) {
    ssize_t size =
        send(fd, direction.buffer.data() + sent, direction.buffer.size() - sent, MSG_NOSIGNAL);
    if (size < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (size < 0) break;
    sent += static_cast<size_t>(size);
  }
  direction.buffer.erase(0, sent);
  if (direction.ended && direction.buffer.empty() && !direction.passed) {
    shutdown(fd, SHUT_WR);
    direction.passed = true;
  }
  return true;
}

bool Forwarder::Turn(Connection& connection, int fd, uint32_t events) {
  if (!connection.connected) {
    if (fd != connection.target.get() || (events & (EPOLLERR | EPOLLHUP))) return false;
    connection.connected = true;
  }
  if (events & EPOLLERR) return false;
  int client = connection.client.get();
  int target = connection.target.get();
  bool alive = Read(client, connection.up) && Read(target, connection.down) &&
               Write(target, connection.up) && Write(client, connection.down);
  return alive && !(connection.up.passed && connection.down.passed);
}

void Forwarder::Rewatch(const Connection& connection) {
  auto events = [](const Direction& from, const Direction& to) {
    return (from.HasRoom() ? uint32_t{EPOLLIN} : 0u) | (to.buffer.empty() ? 0u : EPOLLOUT);
  };
  auto watch = [&](int fd, const Direction& from, const Direction& to) {
    // A socket that is through with both directions would report its end for ever.
    bool done = from.ended && to.passed;
    Watch(fd, events(from, to), done ? EPOLL_CTL_DEL : EPOLL_CTL_MOD);
  };
  watch(connection.client.get(), connection.up, connection.down);
  watch(connection.target.get(), connection.down, connection.up);
}

void Forwarder::Close(const std::shared_ptr<Connection>& connection) {
  connections_.erase(connection->client.get());
  connections_.erase(connection->target.get());
  for (const auto& [fd, listener] : listeners_) Watch(fd, EPOLLIN, EPOLL_CTL_MOD);
}

void Forwarder::Run() {
  while (true) {
    epoll_event events[64];
    int count = epoll_wait(epoll_.get(), events, 64, -1);
    for (int i = 0; i < count; ++i) {
      int fd = events[i].data.fd;
      if (fd == signals_.get()) return;
      if (auto listener = listeners_.find(fd); listener != listeners_.end()) {
        Accept(fd, listener->second.second);
        // At the limit, no event until a connection has closed.
        if (connections_.size() >= 2 * kMaxForwardedConnections) Watch(fd, 0, EPOLL_CTL_MOD);
        continue;
      }
      auto it = connections_.find(fd);
      if (it == connections_.end()) continue;
      std::shared_ptr<Connection> connection = it->second;
      if (Turn(*connection, fd, events[i].events)) {
        Rewatch(*connection);
      } else {
        Close(connection);
      }
    }
  }
}

}  // namespace

std::string FormatForward(const Forward& forward) {
  return std::to_string(forward.listen_port) + "=" + forward.network_namespace + "," +
         forward.address + ":" + std::to_string(forward.port);
}

base::Result<Forward> ParseForward(std::string_view text) {
  size_t equals = text.find('=');
  size_t comma = text.find(',');
  size_t colon = text.rfind(':');
  if (equals == std::string_view::npos || comma == std::string_view::npos ||
      colon == std::string_view::npos || !(equals < comma && comma < colon)) {
    return {base::Code::kInvalid,
            "\"" + std::string(text) + "\" is not LISTEN=NAMESPACE,ADDRESS:PORT"};
  }
  Forward forward;
  forward.listen_port = static_cast<uint16_t>(atoi(std::string(text.substr(0, equals)).c_str()));
  forward.network_namespace = text.substr(equals + 1, comma - equals - 1);
  forward.address = text.substr(comma + 1, colon - comma - 1);
  forward.port = static_cast<uint16_t>(atoi(std::string(text.substr(colon + 1)).c_str()));
  return forward;
}

base::Status RunForwarder(const std::vector<Forward>& forwards) {
  Forwarder forwarder;
  RETURN_IF_ERROR(forwarder.Start(forwards));
  forwarder.Run();
  return {};
}

int DevForwardCommand(const std::vector<std::string>& args) {
  std::vector<Forward> forwards;
  for (const std::string& arg : args) {
    base::Result<Forward> forward = ParseForward(arg);
    if (!forward.ok()) {
      fprintf(stderr, "dev-forward: %s\n", std::string(forward.status().message()).c_str());
      return 2;
    }
    forwards.push_back(*forward);
  }
  base::Status status = RunForwarder(forwards);
  if (status.ok()) return 0;
  fprintf(stderr, "dev-forward: %s\n", std::string(status.message()).c_str());
  return 1;
}

base::Result<uint16_t> FindFreePort() {
  ASSIGN_OR_RETURN(base::UniqueFd fd, Listen(0));
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return base::ErrnoStatus("127.0.0.1", errno);
  }
  return ntohs(address.sin_port);
}

bool PortIsFree(uint16_t port) { return Listen(port).ok(); }

}  // namespace plumb
