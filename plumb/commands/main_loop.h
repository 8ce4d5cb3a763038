// MainLoop: what a long-running command needs around its loop: the log, and an end by SIGTERM or
// SIGINT.
//
// One a process, made before any thread.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "base/edge/real_loop.h"
#include "base/status.h"

namespace plumb {

class MainLoop {
 public:
  MainLoop();  // blocks the signals, starts the log
  ~MainLoop();

  base::RealLoop& loop() { return loop_; }
  // Ends Run with a failure: what the store and the agent call when they cannot go on.
  void Fail(base::Status status);
  // Runs until a signal or a failure. The exit code.
  int Run();

 private:
  base::RealLoop loop_;
  std::atomic<bool> ending_{false};
  std::thread signals_;
  base::Status failure_;
};

}  // namespace plumb
