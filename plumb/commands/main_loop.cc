#include "plumb/commands/main_loop.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "base/edge/log.h"
#include "base/log.h"

namespace plumb {
namespace {

sigset_t EndSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

MainLoop::MainLoop() : loop_(4) {
  base::InitLogging(base::LogLevel::kInfo, false);
  const sigset_t set = EndSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);  // every thread made from now on inherits it
  signals_ = std::thread([this] {
    const sigset_t waited = EndSignals();
    int signal = 0;
    sigwait(&waited, &signal);
    if (ending_) return;
    base::LogInfo("stopping", {{"signal", std::to_string(signal)}});
    loop_.Stop();
  });
}

MainLoop::~MainLoop() {
  // It may wait still, if the loop ended by itself, or never ran.
  ending_ = true;
  pthread_kill(signals_.native_handle(), SIGTERM);
  signals_.join();
}

void MainLoop::Fail(base::Status status) {
  failure_ = std::move(status);
  loop_.Stop();
}

int MainLoop::Run() {
  loop_.Run();
  if (failure_.ok()) return 0;
  std::fprintf(stderr, "plumb: %s\n", std::string(failure_.message()).c_str());
  return base::InfoOf(failure_.code()).exit_code;
}

}  // namespace plumb
