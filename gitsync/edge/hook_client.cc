// A hook holds no decision: it hands the push to the daemon and shows what comes back, each line at
// once, on standard error, where git makes "remote: ..." of it.
//
// Without an answer nothing is accepted: a pre-receive that loses the daemon fails. A post-receive
// that does cannot undo the push, and says so.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/edge/files.h"
#include "base/printable.h"
#include "base/words.h"
#include "gitsync/edge/hook_wire.h"

namespace gitsync {

using base::Code;
using base::Json;
using base::Result;
using base::Status;
using base::UniqueFd;

namespace {

std::string Variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? value : "";
}

// A failure here means that nobody listens any more: then the exit code is all that is left to say.
void Show(std::string text) {
  text += '\n';
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = write(STDERR_FILENO, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) rest.remove_prefix(static_cast<size_t>(written));
  }
}

Result<std::string> ReadInput() {
  std::string input;
  char buffer[16 << 10];
  while (true) {
    const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
    if (got == 0) return input;
    if (got < 0 && errno != EINTR) return base::ErrnoStatus("cannot read the refs", errno);
    if (got > 0) input.append(buffer, static_cast<size_t>(got));
    if (input.size() > kMaxHookMessageBytes) {
      return Status(Code::kTooLarge, "the push moves too many refs; push fewer at once");
    }
  }
}

// "OLD NEW REF", a line for each ref.
Result<std::vector<RefUpdate>> ParseUpdates(std::string_view input) {
  std::vector<RefUpdate> updates;
  while (!input.empty()) {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    const size_t first = line.find(' ');
    const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos) {
      return Status(Code::kInvalid, "git handed over a malformed line: " + std::string(line));
    }
    updates.push_back({std::string(line.substr(0, first)),
                       std::string(line.substr(first + 1, second - first - 1)),
                       std::string(line.substr(second + 1))});
  }
  return updates;
}

Result<std::vector<std::string>> ReadOptions() {
  const std::string text = Variable("GIT_PUSH_OPTION_COUNT");
  size_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  if (count > kMaxPushOptions) {
    return Status(Code::kTooLarge,
                  "a push has at most " + std::to_string(kMaxPushOptions) + " push options");
  }
  std::vector<std::string> options;
  for (size_t i = 0; i < count; ++i) {
    options.push_back(Variable("GIT_PUSH_OPTION_" + std::to_string(i)));
  }
  return options;
}

Result<HookCall> ReadCall(const std::string& name) {
  HookCall call;
  call.hook = name;
  call.push.repository = Variable("PLUMB_REPOSITORY");
  call.push.user = Variable("PLUMB_USER");
  call.push.groups = base::WordsOfLines(Variable("PLUMB_GROUPS"));
  call.push.branches = base::WordsOfLines(Variable("PLUMB_BRANCHES"));
  call.push.quarantine.object_directory = Variable("GIT_QUARANTINE_PATH");
  ASSIGN_OR_RETURN(const std::string input, ReadInput());
  ASSIGN_OR_RETURN(call.push.updates, ParseUpdates(input));
  ASSIGN_OR_RETURN(call.push.options, ReadOptions());
  RETURN_IF_ERROR(CheckCall(call));
  return call;
}

Result<UniqueFd> Connect(const std::string& path) {
  RETURN_IF_ERROR(CheckSocketPath(path));
  UniqueFd socket_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (!socket_fd.valid() ||
      connect(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return base::ErrnoStatus("the plumb server does not answer", errno);
  }
  return socket_fd;
}

Status Send(int socket_fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) return base::ErrnoStatus("the plumb server went away", errno);
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return {};
}

// Shows lines until the exit code comes.
Result<int> Follow(int socket_fd) {
  FrameReader reader;
  char buffer[16 << 10];
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<Json> message, reader.Next());
    if (message && message->Has("exit")) return static_cast<int>((*message)["exit"].AsInt(1));
    if (message) {
      Show(std::string((*message)["line"].AsString()));
      continue;
    }
    const ssize_t got = recv(socket_fd, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Status(Code::kUnavailable, "the plumb server went away");
    reader.Append(std::string_view(buffer, static_cast<size_t>(got)));
  }
}

Result<int> Talk(const std::string& name, const std::string& socket_path) {
  ASSIGN_OR_RETURN(const HookCall call, ReadCall(name));
  ASSIGN_OR_RETURN(const UniqueFd socket_fd, Connect(socket_path));
  RETURN_IF_ERROR(Send(socket_fd.get(), Frame(EncodeCall(call))));
  return Follow(socket_fd.get());
}

}  // namespace

int RunHook(const std::string& name, const std::string& socket_path) {
  const Result<int> code = Talk(name, socket_path);
  if (code.ok()) return *code;
  const std::string why = base::OneLine(code.status().message(), kMaxHookLineBytes);
  Show(name == "post-receive"
           ? "plumb: " + why + "; the push is accepted, `plumb wait` says how it ends"
           : "plumb: " + why + "; nothing was accepted");
  return 1;
}

}  // namespace gitsync
