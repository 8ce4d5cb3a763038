// Rule: every request counts exactly once, as an answer of a version and host or as a failure with
// its reason; a request under way when the end comes is waited for and counts. Only whole answers
// with code 200 are no failures.

#include "tests/hello/get.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/hello/dns.h"

namespace hello {
namespace {

constexpr int kMaxConcurrency = 256;
constexpr size_t kMaxReplyBytes = 1 << 20;
constexpr int kMaxPrintedFailures = 10;

std::atomic<bool> g_stop = false;  // set by the signal handler

double NowSeconds() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Waits until `fd` is ready or the deadline has passed.
bool Wait(int fd, short events, double deadline) {
  int millis = std::max(0, static_cast<int>((deadline - NowSeconds()) * 1000));
  pollfd poll_fd{fd, events, 0};
  return poll(&poll_fd, 1, millis) == 1;
}

std::string HeaderValue(const std::string& head, const std::string& name) {
  size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  at += name.size() + 4;
  return head.substr(at, head.find("\r\n", at) - at);
}

// Sends the request and reads the answer to its end; "" or what went wrong.
std::string Exchange(int fd, const Url& url, double deadline, std::string* reply) {
  std::string request = "GET " + url.path + " HTTP/1.1\r\nHost: " + url.host + ":" +
                        std::to_string(url.port) + "\r\nConnection: close\r\n\r\n";
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return std::string("send: ") + strerror(errno);
  }
  char buffer[16384];
  while (reply->size() < kMaxReplyBytes) {
    if (!Wait(fd, POLLIN, deadline)) return "timed out waiting for the answer";
    ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (size < 0) return std::string("read: ") + strerror(errno);
    if (size == 0) return "";
    reply->append(buffer, static_cast<size_t>(size));
  }
  return "the answer is too large";
}

void Judge(const std::string& text, Reply* reply) {
  size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos) {
    reply->error = "closed without a whole answer";
    return;
  }
  std::string head = text.substr(0, end + 2);
  reply->version = HeaderValue(head, "X-Version");
  reply->host = HeaderValue(head, "X-Host");
  reply->body = text.substr(end + 4);
  std::string length = HeaderValue(head, "Content-Length");
  if (!length.empty() && reply->body.size() != strtoull(length.c_str(), nullptr, 10)) {
    reply->error = "the answer was cut short";
  } else if (text.compare(0, 9, "HTTP/1.1 ") != 0 || text.compare(9, 3, "200") != 0) {
    reply->error = "answered " + text.substr(0, text.find("\r\n"));
  }
}

struct Options {
  Url url;
  int64_t count = 0;
  double duration = 0;
  std::string follow_until;
  int concurrency = 1;
  int timeout_millis = 5000;
};

class Totals {
 public:
  explicit Totals(double started) : started_(started) {}

  void Add(const Reply& reply) {
    std::lock_guard lock(mutex_);
    ++requests_;
    if (reply.error.empty()) {
      ++versions_[reply.version];
      ++hosts_[reply.host];
      last_body_ = reply.body;
      return;
    }
    if (++failures_ <= kMaxPrintedFailures) {
      fprintf(stderr, "hello get: failed after %.3f s: %s\n", NowSeconds() - started_,
              reply.error.c_str());
    }
  }

  int Print() {
    if (requests_ == 1) fputs(last_body_.c_str(), stdout);
    printf("%lld requests, %lld failed\n", static_cast<long long>(requests_),
           static_cast<long long>(failures_));
    for (const auto& [version, count] : versions_) {
      printf("version %s: %lld\n", version.c_str(), static_cast<long long>(count));
    }
    for (const auto& [host, count] : hosts_) {
      printf("host %s: %lld\n", host.c_str(), static_cast<long long>(count));
    }
    return failures_ > 0 || requests_ == 0 ? 1 : 0;
  }

 private:
  const double started_;
  std::mutex mutex_;
  int64_t requests_ = 0;
  int64_t failures_ = 0;
  std::map<std::string, int64_t> versions_;
  std::map<std::string, int64_t> hosts_;
  std::string last_body_;
};

int Hammer(const Options& options) {
  double started = NowSeconds();
  Totals totals(started);
  std::atomic<int64_t> next = 0;
  auto work = [&] {
    while (!g_stop) {
      if (options.duration > 0 && NowSeconds() - started >= options.duration) return;
      if (!options.follow_until.empty() && access(options.follow_until.c_str(), F_OK) == 0) return;
      int64_t number = next++;
      if (options.count > 0 && number >= options.count) return;
      totals.Add(Fetch(options.url, static_cast<uint32_t>(number), options.timeout_millis));
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < options.concurrency; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  return totals.Print();
}

int Usage(const std::string& what) {
  fprintf(stderr, "hello get: %s; see hello --help\n", what.c_str());
  return 2;
}

}  // namespace

bool ParseUrl(std::string_view text, Url* url) {
  constexpr std::string_view kScheme = "http://";
  if (text.substr(0, kScheme.size()) != kScheme) return false;
  text.remove_prefix(kScheme.size());
  size_t slash = std::min(text.find('/'), text.size());
  std::string_view authority = text.substr(0, slash);
  if (slash < text.size()) url->path = text.substr(slash);
  size_t colon = std::min(authority.find(':'), authority.size());
  url->host = authority.substr(0, colon);
  if (colon < authority.size()) {
    int port = atoi(std::string(authority.substr(colon + 1)).c_str());
    if (port <= 0 || port > 65535) return false;
    url->port = static_cast<uint16_t>(port);
  }
  return !url->host.empty();
}

Reply Fetch(const Url& url, uint32_t pick, int timeout_millis) {
  Reply reply;
  std::string why;
  std::vector<std::string> addresses =
      Resolve(SystemResolverConfig(), url.host, RecordType::kA, &why);
  if (addresses.empty()) {
    reply.error = "name " + url.host + ": " + why;
    return reply;
  }
  double deadline = NowSeconds() + timeout_millis / 1000.0;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(url.port);
  const std::string& chosen = addresses[pick % addresses.size()];
  inet_pton(AF_INET, chosen.c_str(), &address.sin_addr);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int error = 0;
  socklen_t length = sizeof(error);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0) error = errno;
  if (error == EINPROGRESS) {
    error = ETIMEDOUT;
    if (Wait(fd, POLLOUT, deadline)) getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  }
  std::string text;
  if (error != 0) {
    reply.error = "connect to " + chosen + ": " + strerror(error);
  } else {
    reply.error = Exchange(fd, url, deadline, &text);
    if (reply.error.empty()) Judge(text, &reply);
    if (!reply.error.empty()) reply.error += " (from " + chosen + ")";
  }
  close(fd);
  return reply;
}

int GetCommand(int argc, char** argv) {
  Options options;
  bool have_url = false;
  for (int i = 0; i < argc; ++i) {
    std::string word = argv[i];
    if (word.rfind("--", 0) != 0) {
      if (!ParseUrl(word, &options.url)) return Usage("\"" + word + "\" is not http://HOST/PATH");
      have_url = true;
      continue;
    }
    if (i + 1 == argc) return Usage(word + " needs a value");
    const char* value = argv[++i];
    if (word == "--count") {
      options.count = atoll(value);
    } else if (word == "--duration") {
      options.duration = atof(value);
    } else if (word == "--follow-until") {
      options.follow_until = value;
    } else if (word == "--concurrency") {
      options.concurrency = std::clamp(atoi(value), 1, kMaxConcurrency);
    } else if (word == "--timeout") {
      options.timeout_millis = static_cast<int>(atof(value) * 1000);
    } else {
      return Usage("there is no option " + word);
    }
  }
  if (!have_url) return Usage("which URL?");
  if (options.count <= 0 && options.duration <= 0 && options.follow_until.empty()) {
    options.count = 1;
  }
  struct sigaction action {};
  action.sa_handler = [](int) { g_stop = true; };
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  return Hammer(options);
}

}  // namespace hello
