// Rule: /proc/PID/stat reads "PID (NAME) STATE PPID ..."; the name may hold anything, so fields are
// counted from the last ')'. The start time is field 22.
#include "nodeagent/edge/process_identity.h"

#include <signal.h>

#include <charconv>
#include <sstream>

#include "base/edge/files.h"

namespace nodeagent {
namespace {

constexpr size_t kMaxStat = 4096;
constexpr int kStartField = 22 - 3;  // counted from the state, which is field 3

struct Stat {
  std::string state;
  uint64_t start = 0;
};

std::optional<Stat> ReadStat(pid_t pid) {
  const auto text = base::ReadFile("/proc/" + std::to_string(pid) + "/stat", kMaxStat);
  if (!text.ok()) return std::nullopt;
  const size_t name_end = text->rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text->substr(name_end + 1));
  Stat stat;
  fields >> stat.state;
  std::string skipped;
  for (int i = 1; i < kStartField; ++i) fields >> skipped;
  fields >> stat.start;
  return fields ? std::optional(stat) : std::nullopt;
}

}  // namespace

bool ProcessIdentity::IsAlive() const {
  const std::optional<Stat> stat = ReadStat(pid);
  return stat && stat->start == start && stat->state != "Z" && stat->state != "X";
}

void ProcessIdentity::Signal(int signal) const {
  if (IsAlive()) kill(pid, signal);
}

std::string ProcessIdentity::ToString() const {
  return std::to_string(pid) + " " + std::to_string(start);
}

std::optional<ProcessIdentity> ProcessIdentity::Parse(const std::string& text) {
  ProcessIdentity identity;
  std::istringstream fields(text);
  fields >> identity.pid >> identity.start;
  return fields && identity.pid > 0 ? std::optional(identity) : std::nullopt;
}

std::optional<ProcessIdentity> ProcessIdentity::Of(pid_t pid) {
  const std::optional<Stat> stat = ReadStat(pid);
  if (!stat) return std::nullopt;
  return ProcessIdentity{pid, stat->start};
}

std::vector<pid_t> AllProcesses() {
  std::vector<pid_t> pids;
  const auto names = base::ListDirectory("/proc");
  if (!names.ok()) return pids;
  for (const std::string& name : *names) {
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) pids.push_back(pid);
  }
  return pids;
}

}  // namespace nodeagent
