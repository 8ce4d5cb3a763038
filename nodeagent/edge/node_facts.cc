// Rules: processors and memory are those that this process may use: the control groups' limits
// (version 2, else version 1) count where they are lower than the machine's. What cannot be read is
// left as it is. A name server on the loopback is of no use in a pod and is left out.
#include "nodeagent/edge/node_facts.h"

#include <sched.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string_view>

#include "base/edge/files.h"

namespace nodeagent {
namespace {

constexpr size_t kMaxFactBytes = 1 << 20;

std::string Read(const std::string& path) {
  auto text = base::ReadFile(path, kMaxFactBytes);
  if (!text.ok()) return "";
  while (text->ends_with('\n')) text->pop_back();
  return *std::move(text);
}

int64_t NumberOr(std::string_view text, int64_t fallback) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  int64_t number = fallback;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The value of "KEY: value" or "KEY=value".
std::string FieldOf(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) continue;
    std::string value = line.substr(key.size());
    std::erase(value, '"');
    return value;
  }
  return "";
}

int64_t CpuMillis() {
  cpu_set_t allowed;
  int64_t millis = 1000;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) millis = CPU_COUNT(&allowed) * 1000;
  std::istringstream v2(Read("/sys/fs/cgroup/cpu.max"));
  int64_t quota = 0, period = 0;
  if (!(v2 >> quota >> period)) {
    quota = NumberOr(Read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), 0);
    period = NumberOr(Read("/sys/fs/cgroup/cpu/cpu.cfs_period_us"), 0);
  }
  if (quota > 0 && period > 0) millis = std::min(millis, quota * 1000 / period);
  return millis;
}

int64_t MemoryLimit() {
  const int64_t v2 = NumberOr(Read("/sys/fs/cgroup/memory.max"), 0);
  return v2 > 0 ? v2 : NumberOr(Read("/sys/fs/cgroup/memory/memory.limit_in_bytes"), 0);
}

int64_t MemoryUsed() {
  const int64_t v2 = NumberOr(Read("/sys/fs/cgroup/memory.current"), 0);
  return v2 > 0 ? v2 : NumberOr(Read("/sys/fs/cgroup/memory/memory.usage_in_bytes"), 0);
}

void ReadMemory(Machine& machine) {
  const std::string info = Read("/proc/meminfo");
  machine.memory_bytes = NumberOr(FieldOf(info, "MemTotal:"), 0) * 1024;
  machine.free_memory_bytes = NumberOr(FieldOf(info, "MemAvailable:"), 0) * 1024;
  const int64_t limit = MemoryLimit();
  if (limit <= 0 || limit >= machine.memory_bytes) return;
  machine.memory_bytes = limit;
  machine.free_memory_bytes = std::min(machine.free_memory_bytes, limit - MemoryUsed());
}

void ReadDisk(const std::string& path, Machine& machine) {
  struct statvfs disk;
  if (statvfs(path.c_str(), &disk) != 0) return;
  machine.disk_bytes = static_cast<int64_t>(disk.f_blocks * disk.f_frsize);
  machine.free_disk_bytes = static_cast<int64_t>(disk.f_bavail * disk.f_frsize);
  if (disk.f_files > 0) {
    machine.free_disk_inodes_percent = static_cast<int64_t>(disk.f_favail * 100 / disk.f_files);
  }
}

int64_t FreePids() {
  const int64_t most = NumberOr(Read("/proc/sys/kernel/pid_max"), 32768);
  const std::string load = Read("/proc/loadavg");  // "0.1 0.2 0.3 2/345 6789": 345 exist
  const size_t slash = load.find('/');
  const int64_t used = slash == load.npos ? 0 : NumberOr(load.substr(slash + 1), 0);
  return most - used;
}

std::string GoArchitecture(std::string_view machine) {
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  return std::string(machine);
}

}  // namespace

Machine ReadMachine(const std::string& disk_path) {
  Machine machine;
  machine.cpu_millis = CpuMillis();
  ReadMemory(machine);
  ReadDisk(disk_path, machine);
  machine.free_pids = FreePids();
  utsname names;
  if (uname(&names) == 0) {
    machine.hostname = names.nodename;
    machine.kernel = names.release;
    machine.architecture = GoArchitecture(names.machine);
  }
  machine.os_image = FieldOf(Read("/etc/os-release"), "PRETTY_NAME=");
  machine.machine_id = Read("/etc/machine-id");
  machine.boot_id = Read("/proc/sys/kernel/random/boot_id");
  machine.system_uuid = Read("/sys/class/dmi/id/product_uuid");
  if (machine.system_uuid.empty()) machine.system_uuid = machine.machine_id;
  return machine;
}

void ReadResolvConf(const std::string& path, NodeFacts& facts) {
  facts.dns_servers.clear();
  facts.dns_searches.clear();
  facts.dns_options.clear();
  std::istringstream lines(Read(path));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string keyword, word;
    words >> keyword;
    if (keyword == "search" || keyword == "domain") facts.dns_searches.clear();
    while (words >> word && word[0] != '#') {
      if (keyword == "nameserver" && !word.starts_with("127.") && word != "::1") {
        facts.dns_servers.push_back(word);
      }
      if (keyword == "search" || keyword == "domain") facts.dns_searches.push_back(word);
      if (keyword == "options") facts.dns_options.push_back(word);
    }
  }
}

}  // namespace nodeagent
