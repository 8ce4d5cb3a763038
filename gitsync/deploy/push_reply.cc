// A push that was accepted has happened, whatever becomes of it: the hook succeeds.
#include "gitsync/deploy/push_reply.h"

namespace gitsync {
namespace {

std::string Listed(const std::set<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

}  // namespace

void PushReply::Print(const std::string& application, const std::string& line) {
  session_->Print(Prefix(application) + line);
}

void PushReply::End(const std::string& application, DeployPhase phase, const std::string& line) {
  if (pending_.erase(application) == 0) return;
  Print(application, line);
  switch (phase) {
    case DeployPhase::kHealthy: ++healthy_; break;
    case DeployPhase::kFailed: failed_.insert(application); break;
    case DeployPhase::kSuperseded: superseded_.insert(application); break;
    case DeployPhase::kProgressing: break;  // no end
  }
  if (pending_.empty()) Conclude();
}

void PushReply::Conclude() {
  if (several_ && !failed_.empty()) {
    session_->Print("failed: " + Listed(failed_));
  } else if (several_ && !superseded_.empty()) {
    session_->Print("superseded: " + Listed(superseded_));
  } else if (several_) {
    session_->Print("healthy: all " + std::to_string(healthy_) + " applications");
  }
  session_->Finish(0);
}

}  // namespace gitsync
