// One thread serves all hooks with poll. A hook that has sent its request becomes a session, which
// the daemon may use from any thread: what it prints goes to the session's outbox, and the thread
// is woken to send it.
//
// A hook that reads slower than the daemon prints loses lines beyond kMaxOutboxBytes, is told how
// many, and still gets its exit code. A session that is dropped without an answer refuses. Only
// processes of the same user, or root, are talked to.
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <list>
#include <mutex>
#include <thread>

#include "base/edge/files.h"
#include "base/log.h"
#include "base/printable.h"
#include "gitsync/edge/hook_wire.h"

namespace gitsync {

using base::Code;
using base::Json;
using base::Result;
using base::Status;
using base::UniqueFd;

namespace {

inline constexpr size_t kMaxHooks = 256;  // at once; more wait in the backlog
inline constexpr int kBacklog = 64;
inline constexpr size_t kMaxOutboxBytes = 1u << 20;  // of one session
inline constexpr size_t kPieceBytes = 16 << 10;

// Ends the poll of the server's thread. Shared with the sessions, which may outlive the server.
class Waker {
 public:
  Waker() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(event_.valid()); }
  int fd() const { return event_.get(); }
  void Wake() const { eventfd_write(event_.get(), 1); }
  void Clear() const {
    eventfd_t count;
    eventfd_read(event_.get(), &count);
  }

 private:
  UniqueFd event_;
};

// What waits to be sent to one hook. Any thread.
class Outbox {
 public:
  explicit Outbox(std::shared_ptr<const Waker> waker) : waker_(std::move(waker)) {}

  bool Print(const std::string& line) {
    const std::lock_guard lock(mutex_);
    if (closed_ || finished_) return false;
    const std::string frame =
        Frame(Json::MakeObject({{"line", base::OneLine(line, kMaxHookLineBytes)}}));
    if (bytes_.size() + frame.size() > kMaxOutboxBytes) {
      ++dropped_;
    } else {
      bytes_ += frame;
      waker_->Wake();
    }
    return true;
  }

  void Finish(int exit_code) {
    const std::lock_guard lock(mutex_);
    if (closed_ || finished_) return;
    finished_ = true;
    if (dropped_ > 0) {
      const std::string text = "(" + std::to_string(dropped_) +
                               " lines are left out: they came faster than they were read)";
      bytes_ += Frame(Json::MakeObject({{"line", text}}));
    }
    bytes_ += Frame(Json::MakeObject({{"exit", exit_code}}));
    waker_->Wake();
  }

  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  bool HasBytes() {
    const std::lock_guard lock(mutex_);
    return !bytes_.empty();
  }
  // Sends what the socket takes; false when the conversation is over, well or not.
  bool Flush(int socket_fd) {
    const std::lock_guard lock(mutex_);
    while (!bytes_.empty()) {
      const ssize_t sent = send(socket_fd, bytes_.data(), bytes_.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return errno == EAGAIN;
      bytes_.erase(0, static_cast<size_t>(sent));
    }
    return !finished_;
  }

 private:
  const std::shared_ptr<const Waker> waker_;
  std::mutex mutex_;  // guards what follows
  std::string bytes_;
  size_t dropped_ = 0;
  bool finished_ = false;
  bool closed_ = false;  // the hook is gone
};

class SocketSession : public HookSession {
 public:
  explicit SocketSession(std::shared_ptr<Outbox> outbox) : outbox_(std::move(outbox)) {}
  ~SocketSession() override { outbox_->Finish(1); }
  bool Print(const std::string& line) override { return outbox_->Print(line); }
  void Finish(int exit_code) override { outbox_->Finish(exit_code); }

 private:
  const std::shared_ptr<Outbox> outbox_;
};

// One hook. The server's thread only.
struct Connection {
  UniqueFd socket;
  FrameReader reader;
  std::shared_ptr<Outbox> outbox;
  bool asked = false;  // the request is read
};

bool IsTrusted(int socket_fd) {
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == geteuid() || peer.uid == 0;
}

class SocketServer : public HookServer {
 public:
  SocketServer(std::string path, UniqueFd listener, HookHandlers handlers)
      : path_(std::move(path)), listener_(std::move(listener)), handlers_(std::move(handlers)) {
    thread_ = std::thread([this] { Run(); });
  }
  ~SocketServer() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    waker_->Wake();
    thread_.join();
    unlink(path_.c_str());
  }

 private:
  bool Stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  void Run() {
    while (!Stopping()) {
      std::vector<pollfd> polls = {
          {waker_->fd(), POLLIN, 0},
          {connections_.size() < kMaxHooks ? listener_.get() : -1, POLLIN, 0}};
      for (const Connection& connection : connections_) {
        const short events = connection.outbox->HasBytes() ? POLLIN | POLLOUT : POLLIN;
        polls.push_back({connection.socket.get(), events, 0});
      }
      if (poll(polls.data(), polls.size(), -1) < 0) continue;  // EINTR
      if (polls[0].revents != 0) waker_->Clear();
      auto at = connections_.begin();
      for (size_t i = 2; i < polls.size(); ++i) {
        const auto connection = at++;
        if (Serve(*connection, polls[i].revents)) continue;
        connection->outbox->Close();
        connections_.erase(connection);
      }
      if (polls[1].revents != 0) Accept();
    }
    for (const Connection& connection : connections_) connection.outbox->Close();
    connections_.clear();
  }

  void Accept() {
    UniqueFd socket_fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket_fd.valid()) return;
    if (!IsTrusted(socket_fd.get())) {
      base::LogWarning("hook connection of another user refused");
      return;
    }
    connections_.push_back(
        {std::move(socket_fd), FrameReader(), std::make_shared<Outbox>(waker_), false});
  }

  // False when the connection is over.
  bool Serve(Connection& connection, short events) {
    if ((events & POLLIN) != 0 && !Receive(connection)) return false;
    if ((events & (POLLERR | POLLNVAL)) != 0) return false;
    return connection.outbox->Flush(connection.socket.get());
  }

  bool Receive(Connection& connection) {
    char buffer[kPieceBytes];
    const ssize_t got = recv(connection.socket.get(), buffer, sizeof buffer, 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    // Nothing may follow the request; its end, or anything else, ends the conversation.
    if (got == 0 || connection.asked) return false;
    connection.reader.Append(std::string_view(buffer, static_cast<size_t>(got)));
    Result<std::optional<Json>> message = connection.reader.Next();
    if (message.ok() && !*message) return true;
    connection.asked = true;
    const auto session = std::make_shared<SocketSession>(connection.outbox);
    Result<HookCall> call = message.ok() ? DecodeCall(**message) : message.status();
    if (!call.ok()) {
      session->Print("plumb: " + std::string(call.status().message()));
      return true;
    }
    Hand(*std::move(call), session);
    return true;
  }

  void Hand(HookCall call, const std::shared_ptr<HookSession>& session) {
    const auto& handler =
        call.hook == "pre-receive" ? handlers_.pre_receive : handlers_.post_receive;
    if (handler) return handler(std::move(call.push), session);
    session->Finish(0);
  }

  const std::string path_;
  const UniqueFd listener_;
  const HookHandlers handlers_;
  const std::shared_ptr<const Waker> waker_ = std::make_shared<Waker>();
  std::list<Connection> connections_;
  std::mutex mutex_;  // guards stopping_
  bool stopping_ = false;
  std::thread thread_;
};

// A socket file that a killed server left behind is removed; one that answers is another server's.
Status RemoveStaleSocket(const sockaddr_un& address) {
  const UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return Status(Code::kUnavailable, std::string("another plumb server listens on ") +
                                          address.sun_path +
                                          "; stop it, or use another --data-dir");
  }
  struct stat info = {};
  if (lstat(address.sun_path, &info) == 0 && S_ISSOCK(info.st_mode)) unlink(address.sun_path);
  return {};
}

Result<UniqueFd> Listen(const std::string& path) {
  RETURN_IF_ERROR(CheckSocketPath(path));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  RETURN_IF_ERROR(RemoveStaleSocket(address));
  UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Nobody can connect before listen, so the mode is right in time.
  if (!listener.valid() ||
      bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      chmod(path.c_str(), 0600) != 0 || listen(listener.get(), kBacklog) != 0) {
    return base::ErrnoStatus("cannot listen on " + path, errno);
  }
  return listener;
}

}  // namespace

Result<std::unique_ptr<HookServer>> HookServer::Start(const std::string& socket_path,
                                                      HookHandlers handlers) {
  ASSIGN_OR_RETURN(UniqueFd listener, Listen(socket_path));
  return std::unique_ptr<HookServer>(
      std::make_unique<SocketServer>(socket_path, std::move(listener), std::move(handlers)));
}

}  // namespace gitsync
