// Poller: a thread that waits for many descriptors, deadlines and wake-ups at once (epoll), and
// runs their handlers.
//
// Handlers live on the poller's thread: they are made, called and destroyed there, one at a time,
// and need no locks. Any other thread reaches one only by Post, or by a Waker.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/edge/files.h"
#include "base/status.h"
#include "base/time.h"

namespace base {

class Poller {
 public:
  using Id = uint64_t;
  using Task = std::function<void()>;

  // What a handler moves when it is called; then the others have their turn.
  static constexpr size_t kMaxTurnBytes = 256u << 10;

  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnEvents(uint32_t epoll_events) = 0;
    virtual void OnWake() = 0;
    virtual void OnDeadline() = 0;
  };

  // Wakes one handler; outlives both it and the poller, then in vain. Any thread.
  class Waker {
   public:
    void Wake() const;

   private:
    friend class Poller;
    struct Mailbox;
    std::shared_ptr<Mailbox> mailbox_;
    Id id_ = 0;
  };

  Poller();
  ~Poller();

  Status Start();
  // Destroys the handlers, on the thread, and joins it.
  void Stop();
  // Any thread. Dropped once stopped.
  void Post(Task task);
  // Any thread. An id for Add.
  Id NextId() { return ++last_id_; }
  Waker WakerOf(Id id) const;

  // The rest: on the poller's thread. Events are EPOLLET or not, as the caller says.
  bool Add(Id id, std::unique_ptr<Handler> handler, int fd, uint32_t events);
  bool Modify(Id id, int fd, uint32_t events);
  // A further descriptor for a handler: events of it come as those of its first.
  bool Watch(Id id, int fd, uint32_t events);
  // Before a descriptor is closed whose file somebody else has open: the system watches files.
  void Unwatch(int fd);
  // The handler is destroyed after the present callback. It closes its descriptor itself.
  void Remove(Id id);
  // Calls OnWake of the handler after other handlers had their turn.
  void Again(Id id) { again_.push_back(id); }
  // Calls OnDeadline once at `at`; replaces an earlier one. Nanos 0 means none.
  void SetDeadline(Id id, MonotonicTime at);
  // The time at which the present turn began.
  MonotonicTime now() const { return now_; }

 private:
  struct Entry {
    std::unique_ptr<Handler> handler;
    MonotonicTime deadline;
  };

  void Run();
  void RunTurn(int timeout_millis);
  int TimeoutMillis() const;
  void RunMailbox();
  void RunDeadlines();
  Handler* Find(Id id);

  UniqueFd epoll_;
  std::shared_ptr<Waker::Mailbox> mailbox_;
  std::atomic<Id> last_id_{0};
  std::thread thread_;
  bool stopping_ = false;

  MonotonicTime now_;
  std::unordered_map<Id, Entry> entries_;
  std::set<std::pair<MonotonicTime, Id>> deadlines_;
  std::vector<Id> again_;
  std::vector<std::unique_ptr<Handler>> removed_;
};

}  // namespace base
