// One call at a time: rules, then the UDP flows that they made stale, then the revision counts as
// programmed. After any failure what the kernel has is unknown, so the next attempt writes all of
// it, after a delay that doubles up to kMaxDelay.
#include "servicemesh/rules/rule_programmer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"

namespace servicemesh {
namespace {

constexpr base::Duration kMinDelay = base::Duration::Millis(500);
constexpr base::Duration kMaxDelay = base::Duration::Seconds(30);

}  // namespace

RuleProgrammer::~RuleProgrammer() {
  if (retry_ != 0) loop_.Cancel(retry_);
  if (remembered_timer_ != 0) loop_.Cancel(remembered_timer_);
}

void RuleProgrammer::Want(std::shared_ptr<const RuleSet> rules) {
  wanted_ = std::move(rules);
  if (remembered_timer_ != 0) loop_.Cancel(std::exchange(remembered_timer_, 0));
  if (!busy_ && retry_ == 0) Step();
}

void RuleProgrammer::Remember(std::shared_ptr<const RuleSet> rules) {
  if (wanted_ != nullptr) return Want(std::move(rules));  // the kernel follows this process by now
  remembered_ = std::move(rules);
  if (remembered_timer_ != 0) return;
  remembered_timer_ = loop_.After(kRememberedWait, [this] {
    remembered_timer_ = 0;
    Want(std::move(remembered_));
  });
}

void RuleProgrammer::Step() {
  if (wanted_ == nullptr || wanted_ == programmed_) return;
  busy_ = true;
  Program(wanted_);
}

void RuleProgrammer::Program(std::shared_ptr<const RuleSet> rules) {
  const auto done = [this, rules](base::Status status) {
    return status.ok() ? Flush(rules) : Fail(status);
  };
  if (programmed_ == nullptr) return dataplane_.Replace(rules, done);
  auto delta = std::make_shared<RuleDelta>(Diff(*programmed_, *rules));
  if (delta->empty()) return Finish(rules);
  dataplane_.Apply(std::move(delta), done);
}

void RuleProgrammer::Flush(std::shared_ptr<const RuleSet> rules) {
  std::vector<ConntrackFlush> stale = StaleUdp(programmed_ ? *programmed_ : RuleSet(), *rules);
  if (stale.empty()) return Finish(rules);
  dataplane_.FlushUdp(std::move(stale), [this, rules](base::Status status) {
    return status.ok() ? Finish(rules) : Fail(status);
  });
}

void RuleProgrammer::Finish(std::shared_ptr<const RuleSet> rules) {
  busy_ = false;
  delay_ = {};
  trouble_ = {};
  programmed_ = std::move(rules);
  const bool advanced = programmed_->revision > programmed_revision_;
  programmed_revision_ = std::max(programmed_revision_, programmed_->revision);
  if (advanced && on_programmed_) on_programmed_(programmed_revision_);
  if (!busy_ && retry_ == 0) Step();
}

void RuleProgrammer::Fail(const base::Status& status) {
  busy_ = false;
  programmed_ = nullptr;
  trouble_ = status;
  delay_ = std::clamp(delay_ * 2, kMinDelay, kMaxDelay);
  base::LogWarning("service rules not programmed",
                   {{"reason", status.ToString()}, {"retry_in", delay_.ToString()}});
  retry_ = loop_.After(delay_, [this] {
    retry_ = 0;
    Step();
  });
}

}  // namespace servicemesh
