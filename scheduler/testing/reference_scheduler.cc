#include "scheduler/testing/reference_scheduler.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>

#include "manifests/kinds/pod_resources.h"
#include "manifests/selector.h"
#include "scheduler/pod_info.h"

namespace scheduler {
namespace {

using base::Value;
using manifests::Quantity;
using state::Object;
using state::ObjectPtr;
using state::View;

constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

bool TakesRoom(const Object& pod) {
  const std::string_view phase = pod["status"]["phase"].AsString();
  return phase != "Succeeded" && phase != "Failed";
}

// Calls `visit(pod, node)` for each pod that takes room on a node that is
// there.
void ForEachPlaced(const View& view,
                   const std::function<void(const Object& pod, const Object& node)>& visit) {
  for (const ObjectPtr& pod : view.List("pods")) {
    const ObjectPtr node = view.Get("nodes", "", (*pod)["spec"]["nodeName"].AsString());
    if (node != nullptr && TakesRoom(*pod)) visit(*pod, *node);
  }
}

std::vector<ObjectPtr> PodsOn(const View& view, const Object& node) {
  std::vector<ObjectPtr> pods;
  for (const ObjectPtr& pod : view.List("pods")) {
    if ((*pod)["spec"]["nodeName"].AsString() == node.key.name && TakesRoom(*pod))
      pods.push_back(pod);
  }
  return pods;
}

// Room.

Quantity Asked(const Object& pod, std::string_view resource) {
  const manifests::ResourceList all = manifests::PodResources(pod["spec"], "requests");
  const auto it = all.find(resource);
  return it == all.end() ? Quantity() : it->second;
}

Quantity Used(const View& view, const Object& node, std::string_view resource) {
  Quantity sum;
  for (const ObjectPtr& pod : PodsOn(view, node)) sum = sum + Asked(*pod, resource);
  return sum;
}

Quantity Total(const Object& node, std::string_view resource) {
  const Value amount = node["status"]["allocatable"][resource];
  return amount.Exists() ? Quantity::Of(amount) : Quantity();
}

bool HasRoom(const View& view, const Object& pod, const Object& node) {
  if (static_cast<int64_t>(PodsOn(view, node).size()) >= Total(node, "pods").Value()) return false;
  for (const auto& [resource, amount] : manifests::PodResources(pod["spec"], "requests")) {
    if (amount > Quantity() && amount + Used(view, node, resource) > Total(node, resource))
      return false;
  }
  return true;
}

bool PortsAreFree(const View& view, const Object& pod, const Object& node) {
  for (Value wanted : pod["spec"]["containers"].At(0)["ports"].Elements()) {
    for (const ObjectPtr& other : PodsOn(view, node)) {
      for (Value taken : (*other)["spec"]["containers"].At(0)["ports"].Elements()) {
        if (wanted["hostPort"] == taken["hostPort"]) return false;
      }
    }
  }
  return true;
}

bool ToleratesAll(const Object& pod, const Object& node) {
  for (Value taint : node["spec"]["taints"].Elements()) {
    if (taint["effect"].AsString() != "PreferNoSchedule" &&
        !Tolerates(pod["spec"]["tolerations"], taint)) {
      return false;
    }
  }
  return !node["spec"]["unschedulable"].AsBool() || ToleratesCordon(pod["spec"]["tolerations"]);
}

bool Selects(const Object& pod, const Object& node) {
  return SelectsNode(pod["spec"]["nodeSelector"], pod["spec"]["affinity"]["nodeAffinity"],
                     node.Labels(), node.key.name);
}

// Affinity between pods.

Value TermsOf(const Object& pod, std::string_view side, std::string_view strength) {
  return pod["spec"]["affinity"][side][strength];
}

bool SelectorMatches(Value selector, const Object& pod) {
  const auto parsed = manifests::LabelSelector::FromObject(selector);
  return parsed.ok() && parsed->Matches(pod.Labels());
}

// Whether `term` of `owner` is about `other`.
bool TermMatches(const View& view, Value term, const Object& owner, const Object& other) {
  bool in_namespace = false;
  for (Value each : term["namespaces"].Elements())
    in_namespace = in_namespace || each.AsString() == other.key.ns;
  if (!term["namespaceSelector"].IsNull()) {
    const ObjectPtr ns = view.Get("namespaces", "", other.key.ns);
    in_namespace =
        in_namespace || (ns != nullptr ? SelectorMatches(term["namespaceSelector"], *ns)
                                       : SelectorMatches(term["namespaceSelector"], Object()));
  } else if (term["namespaces"].empty()) {
    in_namespace = other.key.ns == owner.key.ns;
  }
  if (!in_namespace || !SelectorMatches(term["labelSelector"], other)) return false;
  for (Value key : term["matchLabelKeys"].Elements()) {
    const Value own = owner.Labels()[key.AsString()];
    if (own.Exists() && !(own == other.Labels()[key.AsString()])) return false;
  }
  for (Value key : term["mismatchLabelKeys"].Elements()) {
    const Value own = owner.Labels()[key.AsString()];
    if (own.Exists() && own == other.Labels()[key.AsString()]) return false;
  }
  return true;
}

bool SameDomain(Value topology_key, const Object& a, const Object& b) {
  const Value value = a.Labels()[topology_key.AsString()];
  return value.Exists() && value == b.Labels()[topology_key.AsString()];
}

bool AllNearTermsMatch(const View& view, const Object& pod, const Object& other) {
  for (Value term : TermsOf(pod, "podAffinity", kRequired).Elements()) {
    if (!TermMatches(view, term, pod, other)) return false;
  }
  return true;
}

bool IsNearEnough(const View& view, const Object& pod, const Object& node) {
  bool near = true, any = false;
  for (Value term : TermsOf(pod, "podAffinity", kRequired).Elements()) {
    if (!node.Labels()[term["topologyKey"].AsString()].Exists()) return false;
    bool found = false;
    ForEachPlaced(view, [&](const Object& other, const Object& its_node) {
      if (!AllNearTermsMatch(view, pod, other)) return;
      found |= SameDomain(term["topologyKey"], node, its_node);
      any |= its_node.Labels()[term["topologyKey"].AsString()].Exists();
    });
    near &= found;
  }
  return near || (!any && AllNearTermsMatch(view, pod, pod));
}

bool IsFarEnough(const View& view, const Object& pod, const Object& node) {
  bool far = true;
  ForEachPlaced(view, [&](const Object& other, const Object& its_node) {
    for (Value term : TermsOf(pod, "podAntiAffinity", kRequired).Elements()) {
      far &=
          !(TermMatches(view, term, pod, other) && SameDomain(term["topologyKey"], node, its_node));
    }
    for (Value term : TermsOf(other, "podAntiAffinity", kRequired).Elements()) {
      far &=
          !(TermMatches(view, term, other, pod) && SameDomain(term["topologyKey"], node, its_node));
    }
  });
  return far;
}

int64_t AffinityWeight(const View& view, const Object& pod, const Object& node) {
  int64_t weight = 0;
  ForEachPlaced(view, [&](const Object& other, const Object& its_node) {
    const auto add = [&](const Object& owner, const Object& subject, std::string_view side,
                         int64_t sign) {
      for (Value each : TermsOf(owner, side, kPreferred).Elements()) {
        const Value term = each["podAffinityTerm"];
        if (TermMatches(view, term, owner, subject) &&
            SameDomain(term["topologyKey"], node, its_node)) {
          weight += sign * each["weight"].AsInt();
        }
      }
    };
    add(pod, other, "podAffinity", 1);
    add(pod, other, "podAntiAffinity", -1);
    add(other, pod, "podAffinity", 1);
    add(other, pod, "podAntiAffinity", -1);
    for (Value term : TermsOf(other, "podAffinity", kRequired).Elements()) {
      if (TermMatches(view, term, other, pod) && SameDomain(term["topologyKey"], node, its_node))
        ++weight;
    }
  });
  return weight;
}

int64_t AffinityScore(const View& view, const Object& pod, const Object& node) {
  const int64_t own = AffinityWeight(view, pod, node);
  int64_t lowest = own, highest = own;
  for (const ObjectPtr& each : view.List("nodes")) {
    const int64_t weight = AffinityWeight(view, pod, *each);
    lowest = std::min(lowest, weight);
    highest = std::max(highest, weight);
  }
  return highest == lowest ? 0 : (own - lowest) * 100 / (highest - lowest);
}

// Spreading over domains.

std::vector<Value> ConstraintsOf(const Object& pod, std::string_view kind) {
  std::vector<Value> constraints;
  for (Value each : pod["spec"]["topologySpreadConstraints"].Elements()) {
    if (each["whenUnsatisfiable"].AsString() == kind) constraints.push_back(each);
  }
  return constraints;
}

bool HasKey(const Object& node, Value constraint) {
  return node.Labels()[constraint["topologyKey"].AsString()].Exists();
}

bool CountsNode(const Object& pod, const Object& node, Value constraint) {
  for (Value each : ConstraintsOf(pod, constraint["whenUnsatisfiable"].AsString())) {
    if (!HasKey(node, each)) return false;
  }
  if (constraint["nodeAffinityPolicy"].AsString("Honor") == "Honor" && !Selects(pod, node))
    return false;
  return constraint["nodeTaintsPolicy"].AsString("Ignore") != "Honor" || ToleratesAll(pod, node);
}

bool CountsPod(const Object& pod, const Object& other, Value constraint) {
  const Value selector = constraint["labelSelector"];
  const bool selects_something = !selector["matchLabels"].empty();
  if (!selects_something || other.key.ns != pod.key.ns || other.Deleting()) return false;
  for (Value key : constraint["matchLabelKeys"].Elements()) {
    const Value own = pod.Labels()[key.AsString()];
    if (own.Exists() && !(own == other.Labels()[key.AsString()])) return false;
  }
  return SelectorMatches(selector, other);
}

// Pods by domain, of the domains that count.
std::map<std::string, int64_t> Domains(const View& view, const Object& pod, Value constraint) {
  std::map<std::string, int64_t> domains;
  const std::string_view key = constraint["topologyKey"].AsString();
  for (const ObjectPtr& node : view.List("nodes")) {
    if (!CountsNode(pod, *node, constraint)) continue;
    int64_t& count = domains[std::string(node->Labels()[key].AsString())];
    for (const ObjectPtr& other : PodsOn(view, *node)) {
      if (CountsPod(pod, *other, constraint)) ++count;
    }
  }
  return domains;
}

bool KeepsSkew(const View& view, const Object& pod, const Object& node) {
  for (Value constraint : ConstraintsOf(pod, "DoNotSchedule")) {
    if (!HasKey(node, constraint)) return false;
    std::map<std::string, int64_t> domains = Domains(view, pod, constraint);
    if (domains.empty()) continue;
    int64_t fewest = domains.begin()->second;
    for (const auto& [domain, count] : domains) fewest = std::min(fewest, count);
    if (static_cast<int64_t>(domains.size()) < constraint["minDomains"].AsInt(1)) fewest = 0;
    const int64_t itself = CountsPod(pod, pod, constraint) ? 1 : 0;
    const std::string_view key = constraint["topologyKey"].AsString();
    const int64_t here = domains[std::string(node.Labels()[key].AsString())];
    if (here + itself - fewest > constraint["maxSkew"].AsInt()) return false;
  }
  return true;
}

int64_t SkewScore(const View& view, const Object& pod, const Object& node) {
  const std::vector<Value> constraints = ConstraintsOf(pod, "ScheduleAnyway");
  int64_t sum = 0;
  for (Value constraint : constraints) {
    if (!HasKey(node, constraint)) return 0;
    std::map<std::string, int64_t> domains = Domains(view, pod, constraint);
    int64_t lowest = domains.empty() ? 0 : domains.begin()->second, highest = 0;
    for (const auto& [domain, count] : domains) {
      lowest = std::min(lowest, count);
      highest = std::max(highest, count);
    }
    const std::string_view key = constraint["topologyKey"].AsString();
    const int64_t here = domains[std::string(node.Labels()[key].AsString())];
    sum += highest == 0 ? 100 : std::min<int64_t>(100, 100 * (highest + lowest - here) / highest);
  }
  return constraints.empty() ? 0 : sum / static_cast<int64_t>(constraints.size());
}

// All together.

bool Fits(const View& view, const Object& pod, const Object& node) {
  const std::string_view wanted = pod["spec"]["nodeName"].AsString();
  return (wanted.empty() || wanted == node.key.name) && ToleratesAll(pod, node) &&
         Selects(pod, node) && HasRoom(view, pod, node) && PortsAreFree(view, pod, node) &&
         IsNearEnough(view, pod, node) && IsFarEnough(view, pod, node) &&
         KeepsSkew(view, pod, node);
}

int64_t Score(const View& view, const Object& pod, const Object& node) {
  const auto share = [](int64_t used, int64_t total) {
    return total <= 0 ? 1000 : std::min<int64_t>(used * 1000 / total, 1000);
  };
  const int64_t cpu = share(Used(view, node, "cpu").MilliValue() + Asked(pod, "cpu").MilliValue(),
                            Total(node, "cpu").MilliValue());
  const int64_t memory =
      share(Used(view, node, "memory").Value() / 1024 + Asked(pod, "memory").Value() / 1024,
            Total(node, "memory").Value() / 1024);
  const int64_t least_allocated = (2000 - cpu - memory) * 100 / 2000;
  const int64_t balanced = 100 - std::abs(cpu - memory) * 100 / 1000;
  int64_t siblings = 0;
  const std::string_view owner = pod.ControllerRef()["uid"].AsString(pod.Uid());
  for (const ObjectPtr& other : PodsOn(view, node)) {
    if (other->ControllerRef()["uid"].AsString(other->Uid()) == owner) ++siblings;
  }
  int64_t taints = 100;
  for (Value taint : node["spec"]["taints"].Elements()) {
    if (taint["effect"].AsString() == "PreferNoSchedule" &&
        !Tolerates(pod["spec"]["tolerations"], taint)) {
      taints = std::max<int64_t>(0, taints - 25);
    }
  }
  int64_t all = 0, matched = 0;
  for (Value each : pod["spec"]["affinity"]["nodeAffinity"][kPreferred].Elements()) {
    all += each["weight"].AsInt();
    if (MatchesTerm(each["preference"], node.Labels(), node.key.name))
      matched += each["weight"].AsInt();
  }
  const int64_t node_affinity = all == 0 ? 0 : matched * 100 / all;
  return least_allocated + balanced + 3 * taints + 2 * node_affinity + 2 * (100 / (1 + siblings)) +
         2 * AffinityScore(view, pod, node) + 2 * SkewScore(view, pod, node);
}

}  // namespace

std::vector<ReferenceVerdict> JudgeByReference(const View& view, const Object& pod) {
  std::vector<ReferenceVerdict> verdicts;
  for (const ObjectPtr& node : view.List("nodes")) {
    const bool fits = Fits(view, pod, *node);
    verdicts.push_back({node->key.name, fits, fits ? Score(view, pod, *node) : 0});
  }
  return verdicts;
}

std::string ChooseByReference(const View& view, const Object& pod) {
  std::string best;
  int64_t best_score = 0;
  size_t best_pods = 0;
  for (const ReferenceVerdict& verdict : JudgeByReference(view, pod)) {
    if (!verdict.fits) continue;
    const size_t pods = PodsOn(view, *view.Get("nodes", "", verdict.node)).size();
    if (!best.empty() &&
        (verdict.score < best_score || (verdict.score == best_score && pods >= best_pods))) {
      continue;
    }
    best = verdict.node;
    best_score = verdict.score;
    best_pods = pods;
  }
  return best;
}

}  // namespace scheduler
