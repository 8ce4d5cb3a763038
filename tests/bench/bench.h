// What the benchmarks share: a directory that is removed in the end, clocks, what a process uses,
// and a loop with a thread. A benchmark is a function in one file and a line in bench_main.cc.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "base/edge/real_loop.h"
#include "base/status.h"
#include "tests/bench/figure.h"

namespace bench {

struct Context {
  std::string directory;  // empty, on the disk that is measured; removed by the caller
  std::string plumb;      // the binary
};

// A directory below `context.directory`; not made.
std::string Path(const Context& context, const std::string& name);

base::Status BenchStore(const Context& context);
base::Status BenchRest(const Context& context);
base::Status BenchWatch(const Context& context);
base::Status BenchMemory(const Context& context);
base::Status BenchRepository(const Context& context);
base::Status BenchApplications(const Context& context);
base::Status BenchScheduler(const Context& context);
base::Status BenchPods(const Context& context);

// Seconds on a clock that never steps.
double Seconds();

// Resident bytes and seconds of CPU of a process (0: this one).
double ResidentBytes(pid_t pid = 0);
double CpuSeconds(pid_t pid = 0);
inline constexpr double kMiB = 1 << 20;

// Runs `work(i)` on `count` threads; the first error.
base::Status InParallel(int count, const std::function<base::Status(int)>& work);

// A RealLoop on a thread of its own.
class RunningLoop {
 public:
  RunningLoop() : thread_([this] { loop_.Run(); }) {}
  ~RunningLoop() {
    loop_.Stop();
    thread_.join();
  }
  base::RealLoop& loop() { return loop_; }

  // Runs `act` on the loop and returns what it returns.
  template <typename Act>
  auto Call(Act act) -> decltype(act()) {
    auto task = std::make_shared<std::packaged_task<decltype(act())()>>(std::move(act));
    auto result = task->get_future();
    loop_.Post([task] { (*task)(); });
    return result.get();
  }

 private:
  base::RealLoop loop_;
  std::thread thread_;
};

}  // namespace bench
