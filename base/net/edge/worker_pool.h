// WorkerPool: threads that run jobs which may block. They start as jobs come, up to a limit; more
// jobs wait, up to kMaxWaitingJobs. Jobs may have owners: each has half of the threads and of the
// places to wait at most, and jobs of others that came later go first where his share is taken.
//
// Any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace base {

inline constexpr size_t kMaxWaitingJobs = 256;

class WorkerPool {
 public:
  using Job = std::function<void()>;

  explicit WorkerPool(size_t limit) : limit_(limit), share_((limit + 1) / 2) {}
  ~WorkerPool() { Stop(); }

  // False, and the job is dropped, if too many wait, of all or of `owner`, or the pool has stopped.
  // What nobody owns ("") has no share.
  bool Submit(std::string owner, Job job);
  bool Submit(Job job) { return Submit("", std::move(job)); }
  // Drops the jobs that wait and joins the threads: the jobs under way must come to an end.
  void Stop();

 private:
  struct Waiting {
    std::string owner;
    Job job;
  };
  struct Share {
    size_t running = 0, waiting = 0;
  };
  void Run();
  static bool IsWithin(const std::string& owner, size_t count, size_t share) {
    return owner.empty() || count < share;
  }
  // The first that its owner's share has a thread for.
  std::deque<Waiting>::iterator NextLocked();

  const size_t limit_, share_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  std::map<std::string, Share> shares_;  // of owners that have jobs
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool stopped_ = false;
};

}  // namespace base
