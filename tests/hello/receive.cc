// Rule: a request that was read whole is printed before it is answered: the method and path, its
// headers whose names begin with "webhook-", and after "body: " the body, each on a line. What is
// answered 503 is printed as well, so that two attempts can be compared.

#include "tests/hello/receive.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace hello {
namespace {

// Reads until `text` has `size` bytes, or until `mark` is in it if there is one.
bool ReadInto(int fd, size_t size, std::string_view mark, std::string& text) {
  while (mark.empty() ? text.size() < size : text.find(mark) == std::string::npos) {
    char buffer[8192];
    const ssize_t count = recv(fd, buffer, sizeof(buffer), 0);
    if (count <= 0) return false;
    text.append(buffer, static_cast<size_t>(count));
    if (text.size() > kMaxHeadBytes + kMaxBodyBytes) return false;
  }
  return true;
}

// Reads and prints one request; the status of the answer, or 0 for no answer.
int TakeRequest(int fd, int wanted) {
  std::string text;
  if (!ReadInto(fd, 0, "\r\n\r\n", text)) return 0;
  const size_t end = text.find("\r\n\r\n");
  if (end > kMaxHeadBytes) return 431;
  std::string_view head = std::string_view(text).substr(0, end);
  std::string shown(head.substr(0, head.find(" HTTP/")));
  shown += "\n";
  size_t length = 0;
  while (head.find("\r\n") != std::string_view::npos) {
    head.remove_prefix(head.find("\r\n") + 2);
    const std::string line(head.substr(0, head.find("\r\n")));
    if (strncasecmp(line.c_str(), "webhook-", 8) == 0) shown += line + "\n";
    if (strncasecmp(line.c_str(), "content-length:", 15) == 0) {
      length = strtoul(line.c_str() + 15, nullptr, 10);
    }
  }
  if (length > kMaxBodyBytes) return 413;
  if (!ReadInto(fd, end + 4 + length, "", text)) return 0;
  printf("%sbody: %s\nanswered %d\n", shown.c_str(), text.substr(end + 4, length).c_str(), wanted);
  fflush(stdout);
  return wanted;
}

void End(int) { _exit(0); }

}  // namespace

ReceiveOptions ReceiveOptionsFromEnvironment() {
  ReceiveOptions options;
  if (const char* port = getenv("PORT")) options.port = static_cast<uint16_t>(atoi(port));
  if (const char* fail = getenv("FAIL_FIRST")) options.fail_first = atoi(fail);
  return options;
}

int Receive(const ReceiveOptions& options) {
  signal(SIGTERM, End);
  signal(SIGINT, End);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.port);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener, 64) != 0) {
    fprintf(stderr, "hello: cannot listen on port %u: %s\n", options.port, strerror(errno));
    return 1;
  }
  printf("hello: receives on port %u\n", options.port);
  fflush(stdout);
  for (int failed = 0;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const timeval patience{kReceiveSeconds, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    const int status = TakeRequest(fd, failed < options.fail_first ? 503 : 204);
    if (status == 503) ++failed;
    if (status != 0) {
      const std::string answer =
          "HTTP/1.1 " + std::to_string(status) + (status == 204 ? " No Content" : " Not Now") +
          (status == 204 ? "" : "\r\nContent-Length: 0") + "\r\nConnection: close\r\n\r\n";
      send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
    shutdown(fd, SHUT_WR);
    close(fd);
  }
}

}  // namespace hello
