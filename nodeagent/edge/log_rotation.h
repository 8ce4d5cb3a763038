// LogRotation: keeps the logs of running containers within a size: PATH, PATH.1 (the newest) to
// PATH.4.
//
// Loop only; files are renamed on its workers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/lifeline.h"
#include "base/loop.h"
#include "nodeagent/pods/pod_workers.h"
#include "nodeagent/pods/runtime.h"

namespace nodeagent {

class LogRotation {
 public:
  // `logs` tells those of the containers that run.
  LogRotation(base::Loop& loop, Runtime& runtime,
              std::function<std::vector<PodWorkers::Log>()> logs);
  ~LogRotation();

 private:
  void Look();
  void LookLater();

  base::Loop& loop_;
  Runtime& runtime_;
  const std::function<std::vector<PodWorkers::Log>()> logs_;
  base::Loop::TimerId timer_ = 0;
  base::Lifeline lifeline_;
};

inline constexpr int64_t kMaxLogBytes = 10 << 20;  // of one file
inline constexpr base::Duration kLogRotationPeriod = base::Duration::Seconds(10);

// Renames what has grown beyond `max_bytes`, and tells whose logs the runtime has to open anew:
// those, and those whose file is missing since an earlier rotation.
std::vector<std::string> RotateLogs(const std::vector<PodWorkers::Log>& logs, int64_t max_bytes);

}  // namespace nodeagent
