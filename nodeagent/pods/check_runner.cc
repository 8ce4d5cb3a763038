#include "nodeagent/pods/check_runner.h"

#include <algorithm>
#include <utility>

namespace nodeagent {
namespace {

constexpr size_t kMaxOutputInMessage = 256;

base::Status StatusOf(const base::Result<ExecResult>& result) {
  if (!result.ok()) return result.status();
  if (result->exit_code == 0) return {};
  std::string output = result->output.substr(0, kMaxOutputInMessage);
  while (output.ends_with('\n')) output.pop_back();
  return base::Status(base::Code::kInternal, "exit code " + std::to_string(result->exit_code) +
                                                 (output.empty() ? "" : ": " + output));
}

}  // namespace

void RunCheck(base::Loop& loop, Runtime& runtime, ProbeClient& client,
              const std::string& container_id, const Check& check, base::Duration timeout,
              std::function<void(CheckAnswer)> done) {
  switch (check.kind) {
    case Check::Kind::kNone: return loop.Post([done] { done(base::Status()); });
    case Check::Kind::kSleep:
      loop.After(std::min(check.sleep, timeout), [done] { done(base::Status()); });
      return;
    case Check::Kind::kExec:
      return runtime.Exec(container_id, check.command, timeout,
                          [done](base::Result<ExecResult> result) { done(StatusOf(result)); });
    case Check::Kind::kHttp:
    case Check::Kind::kTcp:
    case Check::Kind::kGrpc: return client.Ask(check, timeout, std::move(done));
  }
}

}  // namespace nodeagent
