#include "nodeagent/edge/log_rotation.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/log.h"

namespace nodeagent {
namespace {

std::string Rotated(const std::string& path, int number) {
  return path + "." + std::to_string(number);
}

void Shift(const std::string& path) {
  unlink(Rotated(path, kMaxLogFiles - 1).c_str());
  for (int i = kMaxLogFiles - 2; i >= 1; --i) {
    rename(Rotated(path, i).c_str(), Rotated(path, i + 1).c_str());
  }
  rename(path.c_str(), Rotated(path, 1).c_str());
}

}  // namespace

std::vector<std::string> RotateLogs(const std::vector<PodWorkers::Log>& logs, int64_t max_bytes) {
  std::vector<std::string> reopen;
  for (const PodWorkers::Log& log : logs) {
    struct stat info;
    if (lstat(log.path.c_str(), &info) == 0) {
      if (!S_ISREG(info.st_mode) || info.st_size <= max_bytes) continue;
      Shift(log.path);
      reopen.push_back(log.container_id);
    } else if (lstat(Rotated(log.path, 1).c_str(), &info) == 0) {
      reopen.push_back(log.container_id);
    }
  }
  return reopen;
}

LogRotation::LogRotation(base::Loop& loop, Runtime& runtime,
                         std::function<std::vector<PodWorkers::Log>()> logs)
    : loop_(loop), runtime_(runtime), logs_(std::move(logs)) {
  LookLater();
}

LogRotation::~LogRotation() { loop_.Cancel(timer_); }

void LogRotation::LookLater() {
  timer_ = loop_.After(kLogRotationPeriod, [this] { Look(); });
}

void LogRotation::Look() {
  loop_.Offload([this, logs = logs_(), tie = lifeline_.tie()]() -> base::Loop::Task {
    return tie.Wrap([this, reopen = RotateLogs(logs, kMaxLogBytes)] {
      for (const std::string& id : reopen) {
        runtime_.ReopenLog(id, [id](const base::Status& status) {
          if (status.ok()) return;
          base::LogWarning("a rotated log was not opened anew; trying again",
                           {{"container", id}, {"why", status.ToString()}});
        });
      }
      LookLater();
    });
  });
}

}  // namespace nodeagent
