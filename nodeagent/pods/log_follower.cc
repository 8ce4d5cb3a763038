#include "nodeagent/pods/log_follower.h"

#include <utility>

namespace nodeagent {

LogFollower::LogFollower(base::Loop& loop, ContainerLogs& logs, std::string directory,
                         state::LogRequest request, std::function<bool(const std::string&)> running,
                         std::unique_ptr<base::Duplex> stream, std::function<void()> done)
    : loop_(loop),
      logs_(logs),
      directory_(std::move(directory)),
      request_(std::move(request)),
      running_(std::move(running)),
      stream_(std::move(stream)),
      done_(std::move(done)) {
  stream_->Listen({.closed = [this](const base::Status&) { done_(); },
                   .drained =
                       [this] {
                         if (std::exchange(waiting_, false)) Read();
                       }});
  Read();
}

LogFollower::~LogFollower() { loop_.Cancel(timer_); }

void LogFollower::Read() {
  // Asked before the read: what a container wrote before its end is read after it.
  const bool was_running = request_.follow && (text_ == nullptr || running_(text_->path()));
  loop_.Offload([this, was_running, text = text_, logs = &logs_, directory = directory_,
                 request = request_, tie = lifeline_.tie()]() mutable -> base::Loop::Task {
    base::Status opened;
    if (text == nullptr) {
      base::Result<std::unique_ptr<LogText>> open = logs->Open(directory, request);
      opened = open.status();
      if (open.ok()) text = *std::move(open);
    }
    const Step step{text, opened.ok() ? text->Next() : base::Result<std::string>(opened)};
    return tie.Wrap([this, step, was_running] { Got(step, was_running); });
  });
}

void LogFollower::Got(const Step& step, bool was_running) {
  if (!step.bytes.ok()) return stream_->Finish(step.bytes.status());
  text_ = step.text;
  const bool at_end = step.bytes->empty();
  stream_->Write(*step.bytes);
  if (text_->limit_reached() || (at_end && !was_running)) return stream_->Finish({});
  if (stream_->Backlog() >= base::kRefillDuplexBacklog) {
    waiting_ = true;
    return;
  }
  timer_ = loop_.After(at_end ? kLogPoll : base::Duration(), [this] { Read(); });
}

}  // namespace nodeagent
