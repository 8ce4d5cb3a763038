// A connection is a handler of the poller that moves bytes between the socket and a Channel, as one
// of the server's does once it is upgraded.
#include "base/net/edge/tcp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/net/edge/channel.h"
#include "base/net/edge/channel_streams.h"

namespace base {
namespace {

constexpr size_t kReadBytes = 64u << 10;

class TcpConnection final : public Poller::Handler {
 public:
  TcpConnection(Poller& poller, Poller::Id id, UniqueFd fd, std::shared_ptr<Channel> channel)
      : poller_(poller), id_(id), fd_(std::move(fd)), channel_(std::move(channel)) {}
  ~TcpConnection() override { channel_->PeerGone(); }

  void OnEvents(uint32_t events) override {
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) readable_ = true;
    if (events & EPOLLOUT) writable_ = true;
    Advance();
  }
  void OnWake() override { Advance(); }
  void OnDeadline() override {}

 private:
  void Advance() {
    size_t moved = 0;
    for (size_t step = 1; step > 0 && !ended_; moved += step) {
      step = Read() + Write();
      if (moved < Poller::kMaxTurnBytes) continue;
      poller_.Again(id_);
      return;
    }
    if (ended_) poller_.Remove(id_);
  }
  size_t Read() {
    const size_t room = std::min(channel_->BodyRoom(), kReadBytes);
    if (!readable_ || room == 0 || eof_) return 0;
    std::array<char, kReadBytes> piece;
    const ssize_t count = recv(fd_.get(), piece.data(), room, 0);
    if (count > 0) {
      channel_->PutBody(std::string_view(piece.data(), static_cast<size_t>(count)));
      return static_cast<size_t>(count);
    }
    readable_ = false;
    if (count == 0) {
      eof_ = true;
      channel_->EndBody(Status());
    } else if (errno != EAGAIN && errno != EINTR) {
      ended_ = true;
    }
    return 0;
  }
  size_t Write() {
    if (!writable_ || ended_) return 0;
    if (sent_ == out_.size()) {
      out_.clear();
      sent_ = 0;
      const Channel::Progress progress = channel_->Take(kReadBytes, out_);
      finished_ |= progress == Channel::Progress::kFinished;
      if (progress == Channel::Progress::kDropped || (finished_ && out_.empty())) ended_ = true;
      if (out_.empty()) return 0;
    }
    const ssize_t count = send(fd_.get(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (count > 0) {
      sent_ += static_cast<size_t>(count);
      return static_cast<size_t>(count);
    }
    writable_ = false;
    if (errno != EAGAIN && errno != EINTR) ended_ = true;
    return 0;
  }

  Poller& poller_;
  const Poller::Id id_;
  const UniqueFd fd_;
  const std::shared_ptr<Channel> channel_;
  bool readable_ = false, writable_ = false;
  bool finished_ = false, eof_ = false, ended_ = false;
  std::string out_;
  size_t sent_ = 0;
};

UniqueFd Begin(const std::string& address, int port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  if (!fd.valid() || inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) return {};
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0 &&
      errno != EINPROGRESS) {
    return {};
  }
  return fd;
}

}  // namespace

std::unique_ptr<Duplex> ConnectTcp(Loop& loop, Poller& poller, const std::string& address,
                                   int port) {
  const Poller::Id id = poller.NextId();
  // Each stands for a connection of a client's, whose bytes are counted there.
  auto channel = std::make_shared<Channel>(poller.WakerOf(id), ResponseRules(), /*has_body=*/true,
                                           std::make_shared<ByteBudget>(SIZE_MAX));
  auto duplex = NewChannelDuplex(loop, channel);
  auto fd = std::make_shared<UniqueFd>(Begin(address, port));
  poller.Post([&poller, id, channel, fd] {
    if (!fd->valid()) return channel->PeerGone();
    const int raw = fd->get();
    poller.Add(id, std::make_unique<TcpConnection>(poller, id, std::move(*fd), channel), raw,
               EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  });
  return duplex;
}

}  // namespace base
