// RealRunner: a LoopRunner in real time.
#pragma once

#include <functional>
#include <utility>

#include "base/edge/real_loop.h"
#include "base/testing/loop_runner.h"

namespace base {

class RealRunner final : public LoopRunner {
 public:
  Loop& loop() override { return loop_; }
  bool Run(std::function<void()> act, std::function<bool()> done, Duration limit) override {
    bool reached = false;
    const std::function<void(MonotonicTime)> check = [&](MonotonicTime deadline) {
      reached = done();
      if (reached || loop_.now().monotonic > deadline) return loop_.Stop();
      loop_.After(Duration::Millis(1), [&, deadline] { check(deadline); });
    };
    loop_.Post(std::move(act));
    loop_.Post([&] { check(loop_.now().monotonic + limit); });
    loop_.Run();
    return reached;
  }

 private:
  RealLoop loop_;
};

}  // namespace base
