// spec.topologySpreadConstraints, as Kubernetes' documentation of them says. A
// constraint counts, in each domain of its topologyKey, the pods of this one's
// namespace that its labelSelector matches (and that agree with this pod on
// matchLabelKeys), without those that are being deleted; a selector that is
// missing or empty counts none. Only nodes count that have the keys of all
// constraints with the same whenUnsatisfiable and that the pod could use: those
// that its nodeSelector and node affinity allow, unless nodeAffinityPolicy is
// Ignore, and, if nodeTaintsPolicy is Honor, whose taints it tolerates.
//
// DoNotSchedule: a node must have the key, and its domain may have at most
// maxSkew pods more, with this one, than the domain that has fewest; fewest is
// 0 while there are less than minDomains. ScheduleAnyway: a node scores the
// better the nearer its domain is to the one with fewest, as a mean over the
// constraints; one that lacks a key scores 0.
#include <algorithm>

#include "manifests/selector.h"
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

using manifests::LabelSelector;

constexpr std::string_view kHard = "DoNotSchedule";

// Whether `constraint` of a pod with labels `own` is about pods with `labels`.
bool IsAbout(base::Value constraint, const LabelSelector& selector, base::Value own,
             base::Value labels) {
  if (!selector.Matches(labels)) return false;
  for (base::Value key : constraint["matchLabelKeys"].Elements()) {
    const base::Value value = own[key.AsString()];
    if (value.Exists() && labels[key.AsString()] != value) return false;
  }
  return true;
}

struct Constraint {
  base::Value object;
  LabelSelector selector;
  int64_t max_skew = 1, min_domains = 1;
  bool counts_itself = false;
  DomainCounts pods;
  std::vector<bool> node_counts;    // by slot
  std::vector<bool> domain_counts;  // by domain
  int64_t domains = 0;              // that count
  int64_t lowest = 0, highest = 0;  // pods in one of them
  int64_t at_lowest = 0;            // domains

  bool HasKey(const NodeInfo& node) const {
    return pods.topology->DomainOf(node) != Topology::kNone;
  }

  void FindBounds() {
    domains = at_lowest = highest = lowest = 0;
    for (size_t domain = 0; domain < domain_counts.size(); ++domain) {
      if (!domain_counts[domain]) continue;
      const int64_t count = pods.counts[domain];
      if (domains++ == 0 || count < lowest) {
        lowest = count;
        at_lowest = 0;
      }
      if (count == lowest) ++at_lowest;
      highest = std::max(highest, count);
    }
  }

  // One more pod of the batch. All domains are looked at only when the last of
  // the lowest rises.
  void Add(const NodeInfo& node) {
    if (!counts_itself || !node_counts[node.slot]) return;
    const int64_t count = pods.Of(node);
    pods.Add(node.slot, 1);
    highest = std::max(highest, count + 1);
    if (count == lowest && --at_lowest == 0) FindBounds();
  }
};

struct Spread : Prepared {
  using Prepared::Prepared;
  std::vector<Constraint> hard, soft;
};

bool MayUse(const PodInfo& pod, base::Value constraint, const NodeInfo& node) {
  if (constraint["nodeAffinityPolicy"].AsString() != "Ignore" &&
      !SelectsNode(pod.node_selector, pod.node_affinity, node.labels, node.name)) {
    return false;
  }
  if (constraint["nodeTaintsPolicy"].AsString() != "Honor") return true;
  return !FirstRepelling(node.taints, pod.tolerations).Exists() &&
         (!node.unschedulable || ToleratesCordon(pod.tolerations));
}

Constraint Read(base::Value object, const PodInfo& pod, ClusterTable& table) {
  Constraint read{.object = object,
                  .selector = SelectorFrom(object["labelSelector"]),
                  .max_skew = object["maxSkew"].AsInt(1),
                  .min_domains = object["minDomains"].AsInt(1),
                  .pods = DomainCounts(table.TopologyOf(object["topologyKey"].AsString()))};
  const base::Value labels = pod.object->Labels();
  read.counts_itself =
      !read.selector.IsEverything() && IsAbout(object, read.selector, labels, labels);
  return read;
}

// Which nodes count for each of `list`, and how many pods there are.
void Count(std::vector<Constraint>& list, const PodInfo& pod, const ClusterTable& table) {
  for (Constraint& each : list) {
    each.node_counts.resize(table.slots());
    each.domain_counts.resize(each.pods.topology->size());
  }
  for (const auto& [name, node] : table.nodes()) {
    const bool has_keys = std::all_of(
        list.begin(), list.end(), [&node = node](const auto& each) { return each.HasKey(node); });
    if (!has_keys) continue;
    for (Constraint& each : list) {
      if (!MayUse(pod, each.object, node)) continue;
      each.node_counts[node.slot] = true;
      each.domain_counts[static_cast<size_t>(each.pods.topology->DomainOf(node))] = true;
    }
  }
  table.ForEachClassIn(pod.key().ns, [&](const PodClass& its) {
    if (its.leaving) return;
    for (Constraint& each : list) {
      if (each.selector.IsEverything()) continue;
      if (!IsAbout(each.object, each.selector, pod.object->Labels(), its.labels)) continue;
      for (const auto& [slot, pods] : its.pods) {
        if (each.node_counts[slot]) each.pods.Add(slot, pods);
      }
    }
  });
  for (Constraint& each : list) each.FindBounds();
}

std::unique_ptr<Prepared> Prepare(const PodInfo& pod, ClusterTable& table) {
  const base::Value constraints = pod.spec()["topologySpreadConstraints"];
  if (constraints.empty()) return nullptr;
  auto made = std::make_unique<Spread>(pod);
  for (base::Value each : constraints.Elements()) {
    auto& list = each["whenUnsatisfiable"].AsString() == kHard ? made->hard : made->soft;
    list.push_back(Read(each, pod, table));
    made->topologies.push_back(list.back().pods.topology);
  }
  Count(made->hard, pod, table);
  Count(made->soft, pod, table);
  return made;
}

const Spread& Of(const Prepared& prepared) { return static_cast<const Spread&>(prepared); }

// The constraint that keeps the pod off the node, or null.
const Constraint* FirstBroken(const Spread& spread, const NodeInfo& node) {
  for (const Constraint& each : spread.hard) {
    if (!each.HasKey(node)) return &each;
    if (each.domains == 0) continue;
    const int64_t fewest = each.domains < each.min_domains ? 0 : each.lowest;
    const int64_t with_it = each.pods.Of(node) + (each.counts_itself ? 1 : 0);
    if (with_it - fewest > each.max_skew) return &each;
  }
  return nullptr;
}

bool Fits(const Prepared& prepared, const NodeInfo& node) {
  return FirstBroken(Of(prepared), node) == nullptr;
}

Rejection Explain(const Prepared& prepared, const NodeInfo& node) {
  const Constraint& broken = *FirstBroken(Of(prepared), node);
  const std::string key(broken.object["topologyKey"].AsString());
  if (!broken.HasKey(node)) return {"without the label " + key + " that the pod spreads over"};
  if (broken.domains < broken.min_domains) {
    return {"in a " + key + " that has its share while there are " +
            std::to_string(broken.domains) + " of them (minDomains " +
            std::to_string(broken.min_domains) + ")"};
  }
  return {"in a " + key + " that has its share (maxSkew " + std::to_string(broken.max_skew) + ")"};
}

int64_t ScoreNode(const Prepared& prepared, const NodeInfo& node) {
  const std::vector<Constraint>& soft = Of(prepared).soft;
  int64_t sum = 0;
  for (const Constraint& each : soft) {
    if (!each.HasKey(node)) return 0;
    const int64_t part =
        each.highest == 0
            ? kMaxScore
            : kMaxScore * (each.highest + each.lowest - each.pods.Of(node)) / each.highest;
    sum += std::min(part, kMaxScore);
  }
  return soft.empty() ? 0 : sum / static_cast<int64_t>(soft.size());
}

void Placed(Prepared& prepared, const NodeInfo& node) {
  auto& spread = static_cast<Spread&>(prepared);
  for (Constraint& each : spread.hard) each.Add(node);
  for (Constraint& each : spread.soft) each.Add(node);
}

// Pods that a constraint counts, or counted, and nodes: which of them count,
// and in which domain.
bool WakesOn(const PodInfo& pod, const ClusterChange& change) {
  if (NodeChanged(change, "metadata", "labels") || NodeChanged(change, "spec", "taints") ||
      NodeChanged(change, "spec", "unschedulable")) {
    return true;
  }
  if (change.node_before != nullptr && change.node_now == nullptr) return true;
  for (const state::ObjectPtr& other : {change.pod_before, change.pod_now}) {
    if (other == nullptr || other->key.ns != pod.key().ns) continue;
    for (base::Value each : pod.spec()["topologySpreadConstraints"].Elements()) {
      if (each["whenUnsatisfiable"].AsString() == kHard &&
          IsAbout(each, SelectorFrom(each["labelSelector"]), pod.object->Labels(),
                  other->Labels())) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

extern const Plugin kTopologySpreadPlugin = {.name = "PodTopologySpread",
                                             .prepare = Prepare,
                                             .fits = Fits,
                                             .explain = Explain,
                                             .score = ScoreNode,
                                             .placed = Placed,
                                             .wakes_on = WakesOn};

}  // namespace scheduler
