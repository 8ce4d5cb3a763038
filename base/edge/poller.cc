// A turn: wait; run what other threads sent; run the handlers that are ready; run those that asked
// for another go; run deadlines; destroy what was removed. The eventfd is written only when the
// mailbox turns non-empty, so a burst of wake-ups costs one system call.
#include "base/edge/poller.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace base {
namespace {

constexpr Poller::Id kMailboxId = 0;
constexpr int kEventsPerTurn = 256;

MonotonicTime ReadClock() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return MonotonicTime::FromNanos(time.tv_sec * 1'000'000'000 + time.tv_nsec);
}

bool Control(int epoll, int operation, int fd, Poller::Id id, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  return epoll_ctl(epoll, operation, fd, &event) == 0;
}

}  // namespace

struct Poller::Waker::Mailbox {
  std::mutex mutex;
  std::vector<Id> awake;
  std::vector<Task> tasks;
  bool closed = false;
  UniqueFd event{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};

  template <typename Put>
  void Deliver(Put put) {
    std::lock_guard lock(mutex);
    if (closed) return;
    bool was_empty = awake.empty() && tasks.empty();
    put();
    if (was_empty) Ring();
  }

  void Ring() {
    uint64_t one = 1;
    // Fails only when the counter is full, and then it rings already.
    [[maybe_unused]] ssize_t written = write(event.get(), &one, sizeof(one));
  }
};

void Poller::Waker::Wake() const {
  if (!mailbox_) return;
  mailbox_->Deliver([this] { mailbox_->awake.push_back(id_); });
}

Poller::Poller()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), mailbox_(std::make_shared<Waker::Mailbox>()) {}

Poller::~Poller() { Stop(); }

Status Poller::Start() {
  if (epoll_.get() < 0 || mailbox_->event.get() < 0 ||
      !Control(epoll_.get(), EPOLL_CTL_ADD, mailbox_->event.get(), kMailboxId, EPOLLIN)) {
    return {Code::kUnavailable, std::string("cannot watch descriptors: ") + std::strerror(errno) +
                                    "; raise the limit on open files"};
  }
  // Signals are the main thread's. SIGPIPE above all: TLS writes to sockets that peers closed.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return {};
}

void Poller::Stop() {
  if (!thread_.joinable()) return;
  Post([this] { stopping_ = true; });
  thread_.join();
}

void Poller::Post(Task task) {
  mailbox_->Deliver([&] { mailbox_->tasks.push_back(std::move(task)); });
}

Poller::Waker Poller::WakerOf(Id id) const {
  Waker waker;
  waker.mailbox_ = mailbox_;
  waker.id_ = id;
  return waker;
}

bool Poller::Add(Id id, std::unique_ptr<Handler> handler, int fd, uint32_t events) {
  if (!Control(epoll_.get(), EPOLL_CTL_ADD, fd, id, events)) return false;
  entries_[id].handler = std::move(handler);
  return true;
}

bool Poller::Modify(Id id, int fd, uint32_t events) {
  return Control(epoll_.get(), EPOLL_CTL_MOD, fd, id, events);
}

bool Poller::Watch(Id id, int fd, uint32_t events) {
  return Control(epoll_.get(), EPOLL_CTL_ADD, fd, id, events);
}

void Poller::Unwatch(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void Poller::Remove(Id id) {
  auto found = entries_.find(id);
  if (found == entries_.end()) return;
  SetDeadline(id, {});
  removed_.push_back(std::move(found->second.handler));
  entries_.erase(found);
}

void Poller::SetDeadline(Id id, MonotonicTime at) {
  auto found = entries_.find(id);
  if (found == entries_.end() || found->second.deadline == at) return;
  if (found->second.deadline.nanos() != 0) deadlines_.erase({found->second.deadline, id});
  found->second.deadline = at;
  if (at.nanos() != 0) deadlines_.emplace(at, id);
}

void Poller::Run() {
  now_ = ReadClock();
  while (!stopping_) RunTurn(TimeoutMillis());
  {
    std::lock_guard lock(mailbox_->mutex);
    mailbox_->closed = true;
  }
  entries_.clear();
  removed_.clear();
}

int Poller::TimeoutMillis() const {
  if (!again_.empty()) return 0;
  if (deadlines_.empty()) return -1;
  int64_t millis = (deadlines_.begin()->first - now_).millis() + 1;
  return static_cast<int>(std::max<int64_t>(0, std::min<int64_t>(millis, 60'000)));
}

void Poller::RunTurn(int timeout_millis) {
  std::array<epoll_event, kEventsPerTurn> events;
  int count = epoll_wait(epoll_.get(), events.data(), kEventsPerTurn, timeout_millis);
  now_ = ReadClock();
  std::vector<Id> again = std::exchange(again_, {});
  for (int i = 0; i < count; ++i) {
    if (events[static_cast<size_t>(i)].data.u64 == kMailboxId) RunMailbox();
  }
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    // An id that was removed earlier in this turn is not found any more.
    if (Handler* handler = Find(event.data.u64)) handler->OnEvents(event.events);
  }
  for (Id id : again) {
    if (Handler* handler = Find(id)) handler->OnWake();
  }
  RunDeadlines();
  removed_.clear();
}

void Poller::RunMailbox() {
  uint64_t rings = 0;
  [[maybe_unused]] ssize_t bytes = read(mailbox_->event.get(), &rings, sizeof(rings));
  std::vector<Id> awake;
  std::vector<Task> tasks;
  {
    std::lock_guard lock(mailbox_->mutex);
    awake.swap(mailbox_->awake);
    tasks.swap(mailbox_->tasks);
  }
  for (Task& task : tasks) task();
  for (Id id : awake) {
    if (Handler* handler = Find(id)) handler->OnWake();
  }
}

void Poller::RunDeadlines() {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_) {
    Id id = deadlines_.begin()->second;
    SetDeadline(id, {});
    if (Handler* handler = Find(id)) handler->OnDeadline();
  }
}

Poller::Handler* Poller::Find(Id id) {
  auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second.handler.get();
}

}  // namespace base
