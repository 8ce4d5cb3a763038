#include "tests/bench/watcher_fleet.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <cstdlib>

#include "tests/bench/bench.h"

namespace bench {
namespace {

constexpr int kPollMillis = 50;
constexpr size_t kPiece = 1 << 20;

}  // namespace

base::Result<std::unique_ptr<WatcherFleet>> WatcherFleet::Open(const testsupport::ApiTrust& trust,
                                                               int port, const std::string& target,
                                                               int count) {
  std::unique_ptr<WatcherFleet> fleet(new WatcherFleet);
  fleet->epoll_ = base::UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  for (int i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(auto connection, testsupport::ApiConnection::Open(trust, port));
    RETURN_IF_ERROR(connection.Send("GET", target, ""));
    ASSIGN_OR_RETURN(const int status, connection.ReadHead());
    if (status != 200)
      return base::Status(base::Code::kInternal, "watch: status " + std::to_string(status));
    auto watcher = std::make_unique<Watcher>(std::move(connection));
    watcher->received = watcher->connection.TakeBuffered();
    const int fd = watcher->connection.fd();
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = watcher.get()}};
    if (epoll_ctl(fleet->epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
      return base::ErrnoStatus("epoll", errno);
    fleet->watchers_.push_back(std::move(watcher));
  }
  fleet->thread_ = std::thread([each = fleet.get()] { each->Run(); });
  return fleet;
}

WatcherFleet::~WatcherFleet() { (void)Close(); }

base::Status WatcherFleet::Close() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  return failed_;
}

void WatcherFleet::Run() {
  while (!stop_) {
    epoll_event events[64];
    const int ready = epoll_wait(epoll_.get(), events, 64, kPollMillis);
    for (int i = 0; i < ready; ++i) {
      base::Status status = Read(*static_cast<Watcher*>(events[i].data.ptr));
      if (status.ok()) continue;
      if (failed_.ok()) failed_ = std::move(status);
      return;
    }
  }
}

base::Status WatcherFleet::Read(Watcher& watcher) {
  char bytes[32 << 10];
  SSL* ssl = watcher.connection.ssl();
  for (;;) {
    const int count = SSL_read(ssl, bytes, sizeof(bytes));
    if (count > 0) {
      watcher.received.append(bytes, static_cast<size_t>(count));
      continue;
    }
    if (SSL_get_error(ssl, count) != SSL_ERROR_WANT_READ)
      return base::Status(base::Code::kUnavailable, "a watch was closed");
    break;
  }
  size_t at = 0;
  while (at < watcher.received.size()) {
    const std::string_view rest = std::string_view(watcher.received).substr(at);
    ASSIGN_OR_RETURN(const size_t used, watcher.connection.body().Feed(rest, kPiece, watcher.line));
    at += used;
  }
  watcher.received.clear();
  TakeLines(watcher);
  return {};
}

void WatcherFleet::TakeLines(Watcher& watcher) {
  constexpr std::string_view kSent = "\"sent\":\"";
  size_t begin = 0;
  for (size_t end; (end = watcher.line.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const size_t at = watcher.line.find(kSent, begin);
    if (at >= end) continue;
    const double sent = std::strtod(watcher.line.c_str() + at + kSent.size(), nullptr) / 1e9;
    delays_.push_back(Seconds() - sent);
    ++delivered_;
  }
  watcher.line.erase(0, begin);
}

}  // namespace bench
