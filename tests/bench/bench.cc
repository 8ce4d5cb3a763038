#include "tests/bench/bench.h"

#include <time.h>
#include <unistd.h>

#include <fstream>
#include <mutex>
#include <sstream>
#include <vector>

namespace bench {
namespace {

std::string ProcPath(pid_t pid, const char* file) {
  return "/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid)) + "/" + file;
}

}  // namespace

std::string Path(const Context& context, const std::string& name) {
  return context.directory + "/" + name;
}

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double ResidentBytes(pid_t pid) {
  std::ifstream file(ProcPath(pid, "statm"));
  double total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double CpuSeconds(pid_t pid) {
  std::ifstream file(ProcPath(pid, "stat"));
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  // The name, in parentheses, may hold spaces; utime and stime are fields 14 and 15.
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

base::Status InParallel(int count, const std::function<base::Status(int)>& work) {
  std::mutex mutex;
  base::Status first;
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      base::Status status = work(i);
      const std::lock_guard<std::mutex> lock(mutex);
      if (first.ok()) first = std::move(status);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return first;
}

}  // namespace bench
