// WorkerPool: threads that run jobs which may block. They start as jobs come, up to a limit; more
// jobs wait, up to kMaxWaitingJobs.
//
// Any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace base {

inline constexpr size_t kMaxWaitingJobs = 256;

class WorkerPool {
 public:
  using Job = std::function<void()>;

  explicit WorkerPool(int limit) : limit_(static_cast<size_t>(limit)) {}
  ~WorkerPool() { Stop(); }

  // False, and the job is dropped, if too many wait or the pool has stopped.
  bool Submit(Job job);
  // Drops the jobs that wait and joins the threads: the jobs under way must come to an end.
  void Stop();

 private:
  void Run();

  const size_t limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool stopped_ = false;
};

}  // namespace base
