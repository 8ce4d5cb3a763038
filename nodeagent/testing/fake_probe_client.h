// FakeProbeClient: a ProbeClient that answers what a test tells it, on a Loop's (virtual) time.
//
// Loop only.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/loop.h"
#include "nodeagent/pods/probe_client.h"

namespace nodeagent {

class FakeProbeClient final : public ProbeClient {
 public:
  explicit FakeProbeClient(base::Loop& loop) : loop_(loop) {}

  // What is found at a path ("/ready"; "" for a TCP check) from now on; OK if nothing is said.
  void Answer(const std::string& path, CheckAnswer answer) {
    answers_.insert_or_assign(path, std::move(answer));
  }
  // Nothing is found at a path from now on: who asks waits for his timeout.
  void Silence(const std::string& path) { silent_.insert(path); }
  uint64_t asked() const { return asked_; }

  void Ask(const Check& check, base::Duration timeout,
           std::function<void(CheckAnswer)> done) override {
    ++asked_;
    if (silent_.count(check.path) != 0) {
      loop_.After(timeout, [done = std::move(done)] {
        done(base::Status(base::Code::kTimeout, "no answer"));
      });
      return;
    }
    const auto answer = answers_.find(check.path);
    const CheckAnswer found =
        answer == answers_.end() ? CheckAnswer(base::Status()) : answer->second;
    loop_.After(base::Duration::Millis(2), [done = std::move(done), found] { done(found); });
  }

 private:
  base::Loop& loop_;
  std::map<std::string, CheckAnswer> answers_;
  std::set<std::string> silent_;
  uint64_t asked_ = 0;
};

}  // namespace nodeagent
