// Before it is done, and before Git has taken the push, a plan is what would be: nothing says
// created that may not come to be.
#include "gitsync/plan/plan.h"

namespace gitsync {
namespace {

constexpr size_t kActionWidth = 17;
constexpr size_t kMaxPlanLines = 200;  // the rest is counted

struct Words {
  Action action;
  std::string_view before;  // it is done: "would ..."
  std::string_view after;
};
constexpr Words kWords[] = {
    {Action::kCreated, "create", "created"}, {Action::kConfigured, "configure", "configured"},
    {Action::kUnchanged, "", "unchanged"},   {Action::kPruned, "prune", "pruned"},
    {Action::kSkipped, "skip", "skipped"},   {Action::kHandedOver, "hand over", "handed over"},
};

const Words& WordsOf(Action action) { return kWords[static_cast<size_t>(action)]; }

std::string NameOf(const state::Key& key) {
  return key.resource + " " + (key.ns.empty() ? "" : key.ns + "/") + key.name;
}

}  // namespace

std::vector<std::string> PlanLines(const SyncPlan& plan) {
  std::vector<std::string> lines;
  size_t left_out = 0;
  for (const ObjectResult& result : plan.results) {
    if (result.action == Action::kUnchanged) continue;
    if (lines.size() == kMaxPlanLines) {
      ++left_out;
      continue;
    }
    std::string line = "would " + std::string(WordsOf(result.action).before);
    line.resize(kActionWidth, ' ');
    line += NameOf(result.key);
    if (!result.note.empty()) line += " (" + result.note + ")";
    lines.push_back(std::move(line));
  }
  if (left_out > 0) lines.push_back("... and " + std::to_string(left_out) + " more");
  ActionCounts counts = CountsOf(plan);
  const auto unchanged = counts.extract(Action::kUnchanged);
  std::string sum;
  for (const auto& [action, count] : counts) {
    sum += (sum.empty() ? "would " : ", ") + std::string(WordsOf(action).before) + " " +
           std::to_string(count);
  }
  if (!unchanged.empty()) {
    sum += (sum.empty() ? "" : "; ") + std::to_string(unchanged.mapped()) + " unchanged";
  }
  lines.push_back(sum.empty() ? "nothing to deploy" : sum);
  return lines;
}

ActionCounts CountsOf(const SyncPlan& plan) {
  ActionCounts counts;
  if (plan.untouched > 0) counts[Action::kUnchanged] = plan.untouched;
  for (const ObjectResult& result : plan.results) ++counts[result.action];
  return counts;
}

std::string DoneText(const ActionCounts& counts) {
  std::string text;
  for (const auto& [action, count] : counts) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " +
            std::string(WordsOf(action).after);
  }
  return text;
}

}  // namespace gitsync
