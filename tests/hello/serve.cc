// Rule: a request that reached us is answered. On SIGTERM the connections that the kernel has
// already accepted for us are taken, then the listener closes; each connection is closed after the
// answer it is owed, one that has yet to ask, or to finish asking, gets kUnspokenLingerMillis to do
// so, and an idle keep-alive connection is closed at once. When none is left the program exits 0.

#include "tests/hello/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hello {
namespace {

int64_t NowMillis() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

std::string Environment(const char* name, const char* fallback) {
  const char* value = getenv(name);
  return value != nullptr ? value : fallback;
}

std::string FirstKilobytes(const std::string& path) {
  std::string text(4096, '\0');
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ssize_t size = fd < 0 ? -1 : read(fd, text.data(), text.size());
  if (fd >= 0) close(fd);
  if (size < 0) return "cannot read " + path + ": " + strerror(errno);
  text.resize(static_cast<size_t>(size));
  return text;
}

struct Connection {
  std::string input;      // bytes of requests not answered yet
  std::string output;     // bytes of answers not sent yet
  int64_t answer_at = 0;  // nonzero: a request waits until then for its answer
  std::string answer;     // the answer that waits
  int64_t close_at = 0;   // nonzero: closed then, unless it asks before
  bool spoken = false;    // it has sent something
  bool ended = false;     // it will send nothing more
  bool closing = false;   // closed when the output is sent
};

class Server {
 public:
  explicit Server(const ServeOptions& options) : options_(options), started_(NowMillis()) {
    char name[256] = "";
    gethostname(name, sizeof(name) - 1);
    host_ = name;
  }

  int Run();

 private:
  bool Listen();
  void Watch(int fd, uint32_t events, int operation);
  void Accept();
  void Drain();
  void Read(int fd, Connection& connection);
  void Write(int fd, Connection& connection);
  // Answers the requests in the input, in order, as far as they are complete.
  void Answer(int fd, Connection& connection);
  void Respond(Connection& connection, std::string_view head);
  std::string Page(std::string_view path) const;
  void Close(int fd);
  void Schedule(int fd, int64_t when) { due_.emplace(when, fd); }
  void RunDue();
  int Timeout() const;

  const ServeOptions options_;
  const int64_t started_;
  std::string host_;
  int listener_ = -1;
  int epoll_ = -1;
  int signals_ = -1;
  bool draining_ = false;
  std::map<int, Connection> connections_;
  std::set<std::pair<int64_t, int>> due_;  // (time, descriptor); a stale entry finds nothing to do
};

bool Server::Listen() {
  listener_ = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_storage address{};
  socklen_t length;
  if (listener_ >= 0) {
    auto* six = reinterpret_cast<sockaddr_in6*>(&address);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(options_.port);
    length = sizeof(*six);
    int off = 0;
    setsockopt(listener_, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  } else {  // a kernel without IPv6
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    auto* four = reinterpret_cast<sockaddr_in*>(&address);
    four->sin_family = AF_INET;
    four->sin_port = htons(options_.port);
    length = sizeof(*four);
  }
  int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  return bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
         listen(listener_, 1024) == 0;
}

void Server::Watch(int fd, uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  epoll_ctl(epoll_, operation, fd, &event);
}

void Server::Accept() {
  while (connections_.size() < kMaxConnections) {
    int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connections_[fd];
    Watch(fd, EPOLLIN, EPOLL_CTL_ADD);
  }
}

void Server::Drain() {
  if (draining_) return;
  Accept();
  draining_ = true;
  close(listener_);
  listener_ = -1;
  std::vector<int> idle;
  for (auto& [fd, connection] : connections_) {
    bool owed = connection.answer_at != 0 || !connection.output.empty();
    if (connection.spoken && !owed && connection.input.empty()) idle.push_back(fd);
    connection.close_at = NowMillis() + kUnspokenLingerMillis;
    Schedule(fd, connection.close_at);
  }
  for (int fd : idle) Close(fd);
}

void Server::Read(int fd, Connection& connection) {
  char buffer[8192];
  ssize_t size;
  while ((size = read(fd, buffer, sizeof(buffer))) > 0) {
    connection.spoken = true;
    connection.input.append(buffer, static_cast<size_t>(size));
    if (connection.input.size() > kMaxRequestBytes) return Close(fd);
  }
  if (size < 0 && errno != EAGAIN && errno != EINTR) return Close(fd);
  connection.ended = size == 0;
  Answer(fd, connection);
}

void Server::Answer(int fd, Connection& connection) {
  while (connection.answer_at == 0 && !connection.closing) {
    size_t end = connection.input.find("\r\n\r\n");
    if (end == std::string::npos) break;
    std::string head = connection.input.substr(0, end + 2);
    connection.input.erase(0, end + 4);
    Respond(connection, head);
    if (connection.answer_at != 0) Schedule(fd, connection.answer_at);
  }
  Write(fd, connection);
}

// The value of a header, without case; "" if it is not there.
std::string Header(std::string_view head, std::string_view name) {
  size_t at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    std::string_view line = head.substr(at + 2);
    line = line.substr(0, line.find("\r\n"));
    if (line.size() > name.size() && line[name.size()] == ':' &&
        strncasecmp(line.data(), name.data(), name.size()) == 0) {
      std::string_view value = line.substr(name.size() + 1);
      while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
      return std::string(value);
    }
    at = head.find("\r\n", at + 2);
  }
  return "";
}

void Server::Respond(Connection& connection, std::string_view head) {
  size_t space = head.find(' ');
  size_t second = space == std::string_view::npos ? space : head.find(' ', space + 1);
  std::string_view method = head.substr(0, space);
  std::string path;
  if (second != std::string_view::npos) path = head.substr(space + 1, second - space - 1);
  int code = 200;
  std::string body;
  int64_t delay = 0;
  if (path.empty() || path[0] != '/') {
    code = 400;
    body = "this is not an HTTP request\n";
  } else if ((method != "GET" && method != "HEAD") || !Header(head, "Content-Length").empty()) {
    code = 405;
    body = "only GET and HEAD, without a body\n";
  } else if (path == "/crash") {
    fprintf(stderr, "hello: asked to crash\n");
    _exit(1);
  } else if (path == "/healthz") {
    bool ready = NowMillis() - started_ >= options_.ready_delay_millis;
    code = ready ? 200 : 503;
    body = ready ? "ok\n" : "not ready yet\n";
  } else {
    if (path.compare(0, 9, "/slow?ms=") == 0) {
      delay = std::min<int64_t>(std::max(atoi(path.c_str() + 9), 0), kMaxSlowMillis);
    }
    body = Page(path);
  }
  const char* reason = code == 200   ? "OK"
                       : code == 400 ? "Bad Request"
                       : code == 405 ? "Method Not Allowed"
                                     : "Service Unavailable";
  bool keep = !draining_ && code != 400 && code != 405 &&
              strcasecmp(Header(head, "Connection").c_str(), "close") != 0 &&
              head.find(" HTTP/1.1\r\n") != std::string_view::npos;
  connection.answer =
      "HTTP/1.1 " + std::to_string(code) + " " + reason +
      "\r\nContent-Type: text/plain\r\nX-Version: " + options_.version + "\r\nX-Host: " + host_ +
      "\r\nContent-Length: " + std::to_string(body.size()) +
      (keep ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n") + (method == "HEAD" ? "" : body);
  if (delay > 0) {
    connection.answer_at = NowMillis() + delay;
  } else {
    connection.output += std::exchange(connection.answer, "");
  }
  if (!keep) connection.closing = true;
}

std::string Server::Page(std::string_view path) const {
  std::string page = "hello from " + host_ + ", version " + options_.version + "\n";
  page += "path " + std::string(path) + "\n";
  std::string message =
      options_.message_file.empty() ? options_.message : FirstKilobytes(options_.message_file);
  if (!message.empty()) page += message + (message.back() == '\n' ? "" : "\n");
  return page;
}

void Server::Write(int fd, Connection& connection) {
  while (!connection.output.empty()) {
    ssize_t size = send(fd, connection.output.data(), connection.output.size(), MSG_NOSIGNAL);
    if (size < 0 && errno == EAGAIN) {
      Watch(fd, EPOLLOUT, EPOLL_CTL_MOD);
      return;
    }
    if (size < 0) return Close(fd);
    connection.output.erase(0, static_cast<size_t>(size));
  }
  bool waiting = connection.answer_at != 0;
  bool last = connection.closing || connection.ended ||
              (draining_ && connection.spoken && connection.input.empty());
  if (last && !waiting) return Close(fd);
  // The end of the input would wake us for ever.
  Watch(fd, connection.ended ? 0u : EPOLLIN, EPOLL_CTL_MOD);
}

void Server::Close(int fd) {
  // Unread input would turn the close into a reset that can overtake the answer.
  shutdown(fd, SHUT_WR);
  char rest[kMaxRequestBytes];
  if (read(fd, rest, sizeof(rest)) < 0) {  // nothing to take is fine
  }
  close(fd);
  connections_.erase(fd);
  if (!draining_) Watch(listener_, EPOLLIN, EPOLL_CTL_MOD);
}

void Server::RunDue() {
  int64_t now = NowMillis();
  if (options_.crash_after_millis >= 0 && now - started_ >= options_.crash_after_millis) {
    fprintf(stderr, "hello: CRASH_AFTER_MS has passed: exit 1\n");
    _exit(1);
  }
  while (!due_.empty() && due_.begin()->first <= now) {
    int fd = due_.begin()->second;
    due_.erase(due_.begin());
    auto it = connections_.find(fd);
    if (it == connections_.end()) continue;
    Connection& connection = it->second;
    if (connection.answer_at != 0 && connection.answer_at <= now) {
      connection.answer_at = 0;
      connection.output += std::exchange(connection.answer, "");
      Answer(fd, connection);
    } else if (connection.close_at != 0 && connection.close_at <= now &&
               connection.answer_at == 0 && connection.output.empty()) {
      Close(fd);
    }
  }
}

int Server::Timeout() const {
  int64_t next = due_.empty() ? -1 : due_.begin()->first;
  if (options_.crash_after_millis >= 0) {
    int64_t crash = started_ + options_.crash_after_millis;
    next = next < 0 ? crash : std::min(next, crash);
  }
  if (next < 0) return -1;
  return static_cast<int>(std::max<int64_t>(next - NowMillis(), 0));
}

// SIGTERM and SIGINT as a descriptor; as process 1 they would otherwise be ignored.
int SignalDescriptor() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_CLOEXEC);
}

int Server::Run() {
  signals_ = SignalDescriptor();
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (!Listen()) {
    fprintf(stderr, "hello: cannot listen on port %u: %s\n", options_.port, strerror(errno));
    return 1;
  }
  Watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
  Watch(signals_, EPOLLIN, EPOLL_CTL_ADD);
  printf("hello: version %s listens on port %u\n", options_.version.c_str(), options_.port);
  fflush(stdout);
  while (!draining_ || !connections_.empty()) {
    epoll_event events[64];
    int count = epoll_wait(epoll_, events, 64, Timeout());
    RunDue();
    for (int i = 0; i < count; ++i) {
      int fd = events[i].data.fd;
      if (fd == signals_) {
        printf("hello: asked to end; %zu connections to finish\n", connections_.size());
        fflush(stdout);
        Watch(signals_, 0, EPOLL_CTL_DEL);
        Drain();
        continue;
      }
      if (fd == listener_) {
        Accept();
        // At the limit, no event until a connection has closed.
        if (connections_.size() >= kMaxConnections) Watch(listener_, 0, EPOLL_CTL_MOD);
        continue;
      }
      auto it = connections_.find(fd);
      if (it == connections_.end()) continue;
      if (events[i].events & EPOLLOUT) {
        Write(fd, it->second);
      } else if (events[i].events & EPOLLIN) {
        Read(fd, it->second);
      } else {
        Close(fd);  // an error, or the peer is gone
      }
    }
  }
  printf("hello: done\n");
  return 0;
}

}  // namespace

ServeOptions ServeOptionsFromEnvironment() {
  ServeOptions options;
  options.port = static_cast<uint16_t>(atoi(Environment("PORT", "8080").c_str()));
  options.version = Environment("VERSION", "unknown");
  options.message = Environment("MESSAGE", "");
  options.message_file = Environment("MESSAGE_FILE", "");
  options.ready_delay_millis = atoll(Environment("READY_DELAY_MS", "0").c_str());
  options.crash_after_millis = atoll(Environment("CRASH_AFTER_MS", "-1").c_str());
  return options;
}

int Serve(const ServeOptions& options) { return Server(options).Run(); }

int Idle() {
  int signals = SignalDescriptor();
  signalfd_siginfo info;
  while (read(signals, &info, sizeof(info)) < 0 && errno == EINTR) {
  }
  return 0;
}

}  // namespace hello
