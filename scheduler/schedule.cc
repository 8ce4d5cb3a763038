#include "scheduler/schedule.h"

#include <algorithm>
#include <map>
#include <queue>
#include <tuple>

#include "scheduler/plugin.h"

namespace scheduler {
namespace {

bool Fits(const PodInfo& pod, const NodeInfo& node) {
  for (const Filter& filter : AllFilters()) {
    if (!filter.fits(pod, node)) return false;
  }
  return true;
}

int64_t TotalScore(const PodInfo& pod, const NodeInfo& node) {
  int64_t total = 0;
  for (const Score& score : AllScores()) total += score.weight * score.score(pod, node);
  return total;
}

struct Candidate {
  int64_t score;
  NodeInfo* node;
  // A priority_queue gives its greatest: the best score, the fewest pods, the first name.
  bool operator<(const Candidate& other) const {
    return std::tuple(score, -node->pods_used, std::string_view(other.node->name)) <
           std::tuple(other.score, -other.node->pods_used, std::string_view(node->name));
  }
};

// Places the pods [first, last), which have one signature.
void PlaceBatch(NodeTable& table, const std::vector<PodInfo>& pods, size_t first, size_t last,
                std::vector<Decision>& decisions) {
  std::vector<Candidate> fitting;
  const PodInfo& model = pods[first];
  for (auto& [name, node] : table.nodes()) {
    if (Fits(model, node)) fitting.push_back({TotalScore(model, node), &node});
  }
  std::priority_queue<Candidate> best(std::less<Candidate>(), std::move(fitting));
  std::string why;
  for (size_t i = first; i < last; ++i) {
    if (best.empty()) {
      if (why.empty()) why = Explain(table, model);
      decisions.push_back({pods[i].key(), "", why});
      continue;
    }
    NodeInfo* node = best.top().node;
    best.pop();
    node->Add(pods[i]);
    decisions.push_back({pods[i].key(), node->name, ""});
    if (Fits(model, *node)) best.push({TotalScore(model, *node), node});
  }
}

}  // namespace

std::vector<Decision> Schedule(NodeTable& table, std::vector<PodInfo>& pods) {
  using Order = std::tuple<int64_t, std::string_view, const state::Key&>;
  const auto order = [](const PodInfo& pod) {
    return Order(-pod.priority, pod.object->Meta("creationTimestamp").AsString(), pod.key());
  };
  std::sort(pods.begin(), pods.end(),
            [&](const PodInfo& a, const PodInfo& b) { return order(a) < order(b); });
  std::vector<Decision> decisions;
  decisions.reserve(pods.size());
  for (size_t first = 0; first < pods.size();) {
    size_t last = first + 1;
    while (last < pods.size() && pods[last].signature() == pods[first].signature()) ++last;
    PlaceBatch(table, pods, first, last, decisions);
    first = last;
  }
  return decisions;
}

std::string Explain(const NodeTable& table, const PodInfo& pod) {
  if (table.nodes().empty()) return "0/0 nodes: no node has joined; see 'plumb agent --help'";
  struct Clause {
    int nodes = 0;
    Rejection most_left;
  };
  std::map<std::string, Clause> clauses;
  for (const auto& [name, node] : table.nodes()) {
    for (const Filter& filter : AllFilters()) {
      if (filter.fits(pod, node)) continue;
      const Rejection rejection = filter.explain(pod, node);
      Clause& clause = clauses[rejection.reason];
      if (clause.nodes++ == 0 || rejection.left > clause.most_left.left)
        clause.most_left = rejection;
      break;
    }
  }
  std::vector<std::pair<std::string, Clause>> ordered(clauses.begin(), clauses.end());
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto& a, const auto& b) { return a.second.nodes > b.second.nodes; });
  std::string sentence = "0/" + std::to_string(table.nodes().size()) + " nodes:";
  for (size_t i = 0; i < ordered.size(); ++i) {
    const auto& [reason, clause] = ordered[i];
    sentence += (i == 0 ? " " : ", ") + std::to_string(clause.nodes) + " " + reason;
    if (!clause.most_left.need.empty()) {
      sentence +=
          " (need " + clause.most_left.need + ", most free " + clause.most_left.left_text + ")";
    }
  }
  return sentence;
}

}  // namespace scheduler
