#include "scheduler/schedule.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace scheduler {
namespace {

// All plugins, prepared for one batch of identical pods.
class Panel {
 public:
  Panel(ClusterTable& table, const PodInfo& pod) : plain_(pod) {
    for (const auto& [plugin, weight] : AllPlugins()) {
      Seat seat{plugin, weight, nullptr, &plain_};
      if (plugin->prepare != nullptr) {
        seat.made = plugin->prepare(pod, table);
        if (seat.made == nullptr) continue;
        seat.prepared = seat.made.get();
      }
      seats_.push_back(std::move(seat));
    }
    for (Seat& seat : seats_) {
      const std::vector<const Topology*>& its = seat.prepared->topologies;
      for (const Topology* each : its) {
        if (std::find(topologies_.begin(), topologies_.end(), each) == topologies_.end())
          topologies_.push_back(each);
      }
      Askers& askers = its.empty() ? of_node_ : of_domain_;
      if (seat.plugin->fits != nullptr) askers.filters.push_back(&seat);
      if (seat.plugin->score != nullptr && seat.weight != 0) askers.scorers.push_back(&seat);
    }
  }
  Panel(const Panel&) = delete;

  // What depends on the node alone, and what depends on its domains.
  bool NodeFits(const NodeInfo& node) const { return of_node_.Fit(node); }
  int64_t NodeScore(const NodeInfo& node) const { return of_node_.Score(node); }
  bool DomainFits(const NodeInfo& node) const { return of_domain_.Fit(node); }
  int64_t DomainScore(const NodeInfo& node) const { return of_domain_.Score(node); }

  // The topologies whose domains make a difference, each once.
  const std::vector<const Topology*>& topologies() const { return topologies_; }

  void Placed(const NodeInfo& node) {
    for (Seat& seat : seats_) {
      if (seat.plugin->placed != nullptr) seat.plugin->placed(*seat.prepared, node);
    }
  }

  Verdict Of(const NodeInfo& node) const {
    for (const Seat& seat : seats_) {
      if (seat.plugin->fits == nullptr || seat.plugin->fits(*seat.prepared, node)) continue;
      return {node.name, seat.plugin, seat.plugin->explain(*seat.prepared, node), 0};
    }
    return {node.name, nullptr, {}, NodeScore(node) + DomainScore(node)};
  }

 private:
  struct Seat {
    const Plugin* plugin;
    int64_t weight;
    std::unique_ptr<Prepared> made;
    Prepared* prepared;  // made, or plain_
  };
  struct Askers {
    std::vector<const Seat*> filters, scorers;

    bool Fit(const NodeInfo& node) const {
      for (const Seat* seat : filters) {
        if (!seat->plugin->fits(*seat->prepared, node)) return false;
      }
      return true;
    }
    int64_t Score(const NodeInfo& node) const {
      int64_t total = 0;
      for (const Seat* seat : scorers)
        total += seat->weight * seat->plugin->score(*seat->prepared, node);
      return total;
    }
  };

  Prepared plain_;
  std::vector<Seat> seats_;
  Askers of_node_, of_domain_;
  std::vector<const Topology*> topologies_;
};

std::string Sentence(const std::vector<Verdict>& verdicts) {
  if (verdicts.empty()) return "0/0 nodes: no node has joined; see 'plumb agent --help'";
  struct Clause {
    int nodes = 0;
    const Rejection* most_left = nullptr;
  };
  std::map<std::string_view, Clause> clauses;
  for (const Verdict& verdict : verdicts) {
    Clause& clause = clauses[verdict.rejection.reason];
    if (clause.nodes++ == 0 || verdict.rejection.left > clause.most_left->left)
      clause.most_left = &verdict.rejection;
  }
  std::vector<std::pair<std::string_view, Clause>> ordered(clauses.begin(), clauses.end());
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto& a, const auto& b) { return a.second.nodes > b.second.nodes; });
  std::string sentence = "0/" + std::to_string(verdicts.size()) + " nodes:";
  for (size_t i = 0; i < ordered.size(); ++i) {
    const auto& [reason, clause] = ordered[i];
    sentence += (i == 0 ? " " : ", ") + std::to_string(clause.nodes) + " " + std::string(reason);
    if (!clause.most_left->need.empty()) {
      sentence +=
          " (need " + clause.most_left->need + ", most free " + clause.most_left->left_text + ")";
    }
  }
  return sentence;
}

std::shared_ptr<const Refusal> Refuse(const ClusterTable& table, const Panel& panel,
                                      const PodInfo& pod) {
  std::vector<Verdict> verdicts;
  std::vector<const Plugin*> by;
  for (const auto& [name, node] : table.nodes()) {
    verdicts.push_back(panel.Of(node));
    const Plugin* plugin = verdicts.back().refused_by;
    if (std::find(by.begin(), by.end(), plugin) == by.end()) by.push_back(plugin);
  }
  return std::make_shared<const Refusal>(Refusal{pod, Sentence(verdicts), std::move(by)});
}

struct Candidate {
  int64_t score;
  NodeInfo* node;

  // In a heap the greatest comes first: the best score, the fewest pods, the first name.
  bool operator<(const Candidate& other) const {
    return std::tuple(score, -node->pods_used, std::string_view(other.node->name)) <
           std::tuple(other.score, -other.node->pods_used, std::string_view(node->name));
  }
};

// Candidates that no plugin of domains can tell apart: a heap in [begin, end) by the scores of the
// node alone.
struct Group {
  size_t begin, end;
};

// Brings the candidates of a group together, and the groups into heaps. For one pod, whose choice
// takes one look at each node, every node may as well be a group of its own.
std::vector<Group> IntoGroups(const std::vector<const Topology*>& topologies, bool one_pod,
                              std::vector<Candidate>& candidates) {
  std::vector<Group> groups;
  if (topologies.empty()) {
    groups.push_back({0, candidates.size()});
  } else if (one_pod) {
    for (size_t i = 0; i < candidates.size(); ++i) groups.push_back({i, i + 1});
    return groups;
  } else {
    std::map<std::vector<int>, std::vector<Candidate>> by_domains;
    std::vector<int> domains(topologies.size());
    for (const Candidate& candidate : candidates) {
      for (size_t i = 0; i < topologies.size(); ++i)
        domains[i] = topologies[i]->DomainOf(*candidate.node);
      by_domains[domains].push_back(candidate);
    }
    candidates.clear();
    for (const auto& [key, together] : by_domains) {
      groups.push_back({candidates.size(), candidates.size() + together.size()});
      candidates.insert(candidates.end(), together.begin(), together.end());
    }
  }
  for (const Group& group : groups) {
    std::make_heap(candidates.begin() + static_cast<ptrdiff_t>(group.begin),
                   candidates.begin() + static_cast<ptrdiff_t>(group.end));
  }
  return groups;
}

// Places pods of one batch, one after the other.
class Placement {
 public:
  Placement(ClusterTable& table, const PodInfo& model, bool one_pod)
      : table_(table), panel_(table, model), model_(model) {
    for (auto& [name, node] : table.nodes()) {
      if (panel_.NodeFits(node)) candidates_.push_back({panel_.NodeScore(node), &node});
    }
    groups_ = IntoGroups(panel_.topologies(), one_pod, candidates_);
  }

  // Null: no node fits. None will fit the rest of the batch, either.
  NodeInfo* PlaceOne(const PodInfo& pod) {
    Group* group = Best();
    if (group == nullptr) return nullptr;
    const auto begin = candidates_.begin() + static_cast<ptrdiff_t>(group->begin);
    const auto end = candidates_.begin() + static_cast<ptrdiff_t>(group->end);
    std::pop_heap(begin, end);
    Candidate& taken = *(end - 1);
    table_.Place(pod, *taken.node);
    panel_.Placed(*taken.node);
    NodeInfo* node = taken.node;
    if (panel_.NodeFits(*node)) {
      taken.score = panel_.NodeScore(*node);
      std::push_heap(begin, end);
    } else {
      --group->end;
    }
    return node;
  }

  std::shared_ptr<const Refusal> Refused() const { return Refuse(table_, panel_, model_); }

 private:
  // The group with the best candidate; null if none fits.
  Group* Best() {
    Group* best = nullptr;
    Candidate first{0, nullptr};
    for (Group& group : groups_) {
      if (group.begin == group.end) continue;
      Candidate candidate = candidates_[group.begin];
      if (!panel_.DomainFits(*candidate.node)) continue;
      candidate.score += panel_.DomainScore(*candidate.node);
      if (best != nullptr && !(first < candidate)) continue;
      best = &group;
      first = candidate;
    }
    return best;
  }

  ClusterTable& table_;
  Panel panel_;
  const PodInfo& model_;
  std::vector<Candidate> candidates_;
  std::vector<Group> groups_;
};

}  // namespace

bool Refusal::WakesOn(const ClusterChange& change) const {
  if (change.node_now != nullptr && change.node_before == nullptr) return true;
  return std::any_of(by.begin(), by.end(), [&](const Plugin* plugin) {
    return plugin->wakes_on != nullptr && plugin->wakes_on(pod, change);
  });
}

std::vector<Decision> Schedule(ClusterTable& table, std::vector<PodInfo>& pods) {
  using Order = std::tuple<int64_t, std::string_view, const state::Key&>;
  const auto order = [](const PodInfo& pod) {
    return Order(-pod.priority, pod.object->Meta("creationTimestamp").AsString(), pod.key());
  };
  std::sort(pods.begin(), pods.end(),
            [&](const PodInfo& a, const PodInfo& b) { return order(a) < order(b); });
  table.TrimTopologies();
  std::vector<Decision> decisions;
  decisions.reserve(pods.size());
  for (size_t first = 0; first < pods.size();) {
    size_t last = first + 1;
    while (last < pods.size() && pods[last].IsTwinOf(pods[first])) ++last;
    Placement placement(table, pods[first], last - first == 1);
    std::shared_ptr<const Refusal> refusal;
    for (; first < last; ++first) {
      NodeInfo* node = refusal == nullptr ? placement.PlaceOne(pods[first]) : nullptr;
      if (node == nullptr && refusal == nullptr) refusal = placement.Refused();
      decisions.push_back({pods[first].key(), node != nullptr ? node->name : "", refusal});
    }
  }
  return decisions;
}

std::vector<Verdict> Judge(ClusterTable& table, const PodInfo& pod) {
  const Panel panel(table, pod);
  std::vector<Verdict> verdicts;
  for (const auto& [name, node] : table.nodes()) verdicts.push_back(panel.Of(node));
  return verdicts;
}

}  // namespace scheduler
