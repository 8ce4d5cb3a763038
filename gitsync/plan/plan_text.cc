#include <map>

#include "gitsync/plan/plan.h"

namespace gitsync {
namespace {

constexpr size_t kActionWidth = 12;
constexpr size_t kMaxPlanLines = 200;  // the rest is counted

std::string Word(Action action) {
  switch (action) {
    case Action::kCreated: return "created";
    case Action::kConfigured: return "configured";
    case Action::kUnchanged: return "unchanged";
    case Action::kPruned: return "pruned";
    case Action::kSkipped: return "skipped";
    case Action::kHandedOver: return "handed over";
  }
  return "";
}

std::string NameOf(const state::Key& key) {
  return key.resource + " " + (key.ns.empty() ? "" : key.ns + "/") + key.name;
}

}  // namespace

std::vector<std::string> PlanLines(const SyncPlan& plan) {
  std::vector<std::string> lines;
  std::map<Action, size_t> counts;
  size_t left_out = 0;
  if (plan.untouched > 0) counts[Action::kUnchanged] = plan.untouched;
  for (const ObjectResult& result : plan.results) {
    ++counts[result.action];
    if (result.action == Action::kUnchanged) continue;
    if (lines.size() == kMaxPlanLines) {
      ++left_out;
      continue;
    }
    std::string line = Word(result.action);
    line.resize(kActionWidth, ' ');
    line += NameOf(result.key);
    if (!result.note.empty()) line += " (" + result.note + ")";
    lines.push_back(std::move(line));
  }
  if (left_out > 0) lines.push_back("... and " + std::to_string(left_out) + " more");
  std::string sum;
  for (const auto& [action, count] : counts) {
    sum += (sum.empty() ? "" : ", ") + std::to_string(count) + " " + Word(action);
  }
  lines.push_back(sum.empty() ? "nothing to deploy" : sum);
  return lines;
}

}  // namespace gitsync
