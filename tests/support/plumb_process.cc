// A port is free if it and the one after it (the agents') can be bound. Somebody may take it before
// the server does: then another one is tried.
#include "tests/support/plumb_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace testsupport {
namespace {

constexpr int kAttempts = 5;

// The port that was bound (0 asks for any), or 0.
int TryPort(int port, base::UniqueFd& socket_out) {
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  socklen_t length = sizeof(address);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) return 0;
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  socket_out = std::move(fd);
  return ntohs(address.sin_port);
}

int FreePort() {
  for (int i = 0; i < 100; ++i) {
    base::UniqueFd first, second;
    const int port = TryPort(0, first);
    if (port != 0 && port < 65534 && TryPort(port + 1, second) != 0) return port;
  }
  return 0;
}

// Reads the child's output up to the line that says that it serves; "" if it ended instead.
std::string ReadGreeting(int fd) {
  std::string text;
  char bytes[4096];
  for (;;) {
    const ssize_t count = read(fd, bytes, sizeof(bytes));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return "";
    text.append(bytes, static_cast<size_t>(count));
    if (text.find("plumb serves ") != std::string::npos && text.ends_with('\n')) return text;
  }
}

}  // namespace

PlumbProcess::PlumbProcess(base::Process process, base::UniqueFd output, int port,
                           std::string data_dir)
    : process_(std::move(process)),
      output_(std::move(output)),
      port_(port),
      data_dir_(std::move(data_dir)) {}

base::Result<std::unique_ptr<PlumbProcess>> PlumbProcess::Start(const std::string& plumb,
                                                                const std::string& data_dir,
                                                                int descriptors) {
  const std::string log_path = data_dir + ".log";
  base::UniqueFd log(open(log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!log.valid()) return base::ErrnoStatus(log_path, errno);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return base::ErrnoStatus("pipe", errno);
    base::UniqueFd reader(ends[0]), writer(ends[1]);
    const int port = FreePort();
    base::ProcessOptions options;
    options.argv = {plumb,    "server",   "--data-dir",
                    data_dir, "--listen", "127.0.0.1:" + std::to_string(port)};
    if (descriptors > 0) {
      const std::string limited = "ulimit -n " + std::to_string(descriptors) + " && exec \"$@\"";
      options.argv.insert(options.argv.begin(), {"sh", "-c", limited, "sh"});
    }
    options.output = writer.get();
    options.error = log.get();
    base::Result<base::Process> process = base::Process::Start(options);
    if (!process.ok()) return process.status();
    writer.Reset();
    if (!ReadGreeting(reader.get()).empty()) {
      return std::unique_ptr<PlumbProcess>(
          new PlumbProcess(*std::move(process), std::move(reader), port, data_dir));
    }
    process->Wait();
  }
  const base::Result<std::string> text = base::ReadFile(log_path, 1 << 20);
  return base::Status(base::Code::kUnavailable,
                      "plumb server did not start: " + (text.ok() ? *text : "no log"));
}

void PlumbProcess::Kill() {
  if (process_.pid() < 0) return;
  process_.Signal(SIGKILL);
  process_.Wait();
}

}  // namespace testsupport
