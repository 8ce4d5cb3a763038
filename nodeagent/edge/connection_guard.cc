// A place is free when its connection has ended: a newcomer's, when its second descriptor says so;
// of who is known, when gRPC's descriptor is another socket by now, or none. That is looked up
// (fstat, which changes nothing) when all places seem to be taken.
#include "nodeagent/edge/connection_guard.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <optional>
#include <utility>

#include "base/log.h"
#include "base/net/edge/tls_listener.h"
#include "base/net/http.h"

namespace nodeagent {
namespace {

ino_t SocketOf(int fd) {
  struct stat about = {};
  return fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode) ? about.st_ino : 0;
}

// "ipv6:%5Bfe80::1%25eth0%5D:4711" is "[fe80::1]:4711" to the acceptor.
std::string TextOfPeer(const std::string& peer) {
  base::Result<std::string> text = base::PercentDecode(peer.substr(peer.find(':') + 1));
  if (!text.ok()) return "";
  const size_t scope = text->find('%');
  if (scope != std::string::npos) text->erase(scope, text->find(']', scope) - scope);
  return *std::move(text);
}

}  // namespace

// Waits for the end of a newcomer, or of its time.
class ConnectionGuard::Newcomer final : public base::Poller::Handler {
 public:
  Newcomer(ConnectionGuard& guard, uint64_t number, base::UniqueFd twin)
      : guard_(guard), number_(number), twin_(std::move(twin)) {}
  void OnEvents(uint32_t) override { guard_.End(number_); }
  void OnWake() override {}
  void OnDeadline() override { guard_.End(number_); }

 private:
  ConnectionGuard& guard_;
  const uint64_t number_;
  const base::UniqueFd twin_;
};

ConnectionGuard::ConnectionGuard(const ConnectionLimits& limits,
                                 std::function<void(int fd)> hand_over)
    : limits_(limits),
      hand_over_(std::move(hand_over)),
      newcomers_(limits.newcomers, limits.newcomers_of_address) {}

ConnectionGuard::~ConnectionGuard() { Stop(); }

base::Status ConnectionGuard::Start(const std::string& address, int port) {
  ASSIGN_OR_RETURN(base::ListeningSocket socket, base::Listen(address, port));
  port_ = socket.port;
  RETURN_IF_ERROR(poller_.Start());
  base::StartAccepting(poller_, address, std::move(socket),
                       [this](base::UniqueFd fd, base::AcceptedPeer peer) {
                         Adopt(std::move(fd), std::move(peer));
                       });
  return {};
}

void ConnectionGuard::Adopt(base::UniqueFd fd, base::AcceptedPeer peer) {
  known_.erase(fd.get());  // what had this number has ended
  base::UniqueFd twin(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!twin.valid() || !MakeRoom()) {
    base::LogWarning("node refused: too many connections", {{"peer", peer.text}});
    return;
  }
  const std::optional<uint64_t> oldest = newcomers_.WhoGoes(peer.share);
  if (oldest && poller_.now() - waiting_.at(*oldest).since < limits_.least_stay) return;
  const uint64_t number = ++last_number_;
  if (const auto leaver = newcomers_.Add(number, peer.share)) End(*leaver);
  const base::Poller::Id id = poller_.NextId();
  const int raw = twin.get();
  if (!poller_.Add(id, std::make_unique<Newcomer>(*this, number, std::move(twin)), raw,
                   EPOLLRDHUP | EPOLLET)) {
    return newcomers_.Remove(number);
  }
  poller_.SetDeadline(id, poller_.now() + limits_.newcomer_time);
  by_peer_[peer.text] = number;
  waiting_[number] = {id, std::move(peer.text), poller_.now(), fd.get(), raw};
  hand_over_(fd.Release());
}

// False if only nodes are there.
bool ConnectionGuard::MakeRoom() {
  if (waiting_.size() + known_.size() < limits_.connections) return true;
  CountKnown();
  if (waiting_.size() + known_.size() < limits_.connections) return true;
  const std::optional<uint64_t> oldest = newcomers_.Oldest();
  if (oldest) End(*oldest);
  return oldest.has_value();
}

void ConnectionGuard::CountKnown() {
  std::erase_if(known_, [](const auto& entry) { return SocketOf(entry.first) != entry.second; });
}

void ConnectionGuard::End(uint64_t number) {
  const auto found = waiting_.find(number);
  if (found != waiting_.end()) shutdown(found->second.twin, SHUT_RDWR);  // gRPC hears of it
  Forget(number);
}

void ConnectionGuard::Forget(uint64_t number) {
  newcomers_.Remove(number);
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return;
  poller_.Unwatch(found->second.twin);
  poller_.Remove(found->second.handler);
  by_peer_.erase(found->second.peer);
  waiting_.erase(found);
}

void ConnectionGuard::Known(const std::string& peer) {
  poller_.Post([this, text = TextOfPeer(peer)] {
    const auto found = by_peer_.find(text);
    if (found == by_peer_.end()) return;
    const uint64_t number = found->second;
    const int fd = waiting_.at(number).fd;
    known_[fd] = SocketOf(waiting_.at(number).twin);
    Forget(number);
  });
}

}  // namespace nodeagent
