// spec.affinity.podAffinity and podAntiAffinity, as Kubernetes' documentation
// of PodAffinityTerm has them. A term is about pods of its namespaces (the
// pod's own, if it names none and has no namespaceSelector) that its
// labelSelector matches (none, without one), in the domains of its topologyKey.
// matchLabelKeys and mismatchLabelKeys add the values of the pod's own labels.
//
// Required affinity: the node has every term's key, and in each of these
// domains is a pod that all terms match; if there is no such pod anywhere, and
// the pod itself is one, it may be the first. Required anti-affinity: no pod
// that a term matches is in the node's domain; and, the other way round, no pod
// is there one of whose own required anti-affinity terms matches this one.
//
// Score: for each pod in the node's domain, the weights of this pod's preferred
// terms that match it (anti-affinity's count against), and those of its
// preferred terms that match this pod, and one for each of its required
// affinity terms that does; scaled so that the best node has 100 and the worst
// 0.
#include <algorithm>
#include <deque>

#include "manifests/selector.h"
#include "scheduler/plugin.h"

namespace scheduler {
namespace {

using manifests::LabelSelector;

constexpr int64_t kRequiredWeight = 1;  // what a required affinity of a placed pod is worth

struct Term {
  std::vector<std::string> namespaces;
  LabelSelector namespace_selector = LabelSelector::Nothing();
  LabelSelector selector = LabelSelector::Nothing();
  base::Value object, own_labels;
  std::string topology_key;
  int64_t weight = 0;

  // `namespace_labels` are those of `ns`.
  bool Matches(std::string_view ns, base::Value namespace_labels, base::Value labels) const {
    return (std::find(namespaces.begin(), namespaces.end(), ns) != namespaces.end() ||
            namespace_selector.Matches(namespace_labels)) &&
           MatchesLabels(labels);
  }
  // All but the namespace.
  bool MatchesLabels(base::Value labels) const {
    return selector.Matches(labels) && AgreesOn("matchLabelKeys", true, labels) &&
           AgreesOn("mismatchLabelKeys", false, labels);
  }

 private:
  // Keys that the term's pod lacks are left out.
  bool AgreesOn(std::string_view list, bool equal, base::Value labels) const {
    for (base::Value key : object[list].Elements()) {
      const base::Value own = own_labels[key.AsString()];
      if (own.Exists() && (labels[key.AsString()] == own) != equal) return false;
    }
    return true;
  }
};

// What a pod says of others.
struct Terms {
  std::vector<Term> near, apart;                // required
  std::vector<Term> rather_near, rather_apart;  // preferred
};

Term ReadTerm(base::Value object, int64_t weight, std::string_view ns, base::Value labels) {
  Term term;
  for (base::Value each : object["namespaces"].Elements())
    term.namespaces.emplace_back(each.AsString());
  if (term.namespaces.empty() && object["namespaceSelector"].IsNull())
    term.namespaces.emplace_back(ns);
  term.namespace_selector = SelectorFrom(object["namespaceSelector"]);
  term.selector = SelectorFrom(object["labelSelector"]);
  term.object = object;
  term.own_labels = labels;
  term.topology_key = object["topologyKey"].AsString();
  term.weight = weight;
  return term;
}

// `object` is a PodAffinity or a PodAntiAffinity.
void ReadSide(base::Value object, std::string_view ns, base::Value labels,
              std::vector<Term>& required, std::vector<Term>& preferred) {
  for (base::Value each : object["requiredDuringSchedulingIgnoredDuringExecution"].Elements())
    required.push_back(ReadTerm(each, kRequiredWeight, ns, labels));
  for (base::Value each : object["preferredDuringSchedulingIgnoredDuringExecution"].Elements())
    preferred.push_back(ReadTerm(each["podAffinityTerm"], each["weight"].AsInt(), ns, labels));
}

Terms ReadTerms(base::Value affinity, base::Value anti_affinity, std::string_view ns,
                base::Value labels) {
  Terms terms;
  ReadSide(affinity, ns, labels, terms.near, terms.rather_near);
  ReadSide(anti_affinity, ns, labels, terms.apart, terms.rather_apart);
  return terms;
}

Terms TermsOfPod(const PodInfo& pod) {
  return ReadTerms(pod.pod_affinity, pod.pod_anti_affinity, pod.key().ns, pod.object->Labels());
}

Terms TermsOfClass(const PodClass& its) {
  return ReadTerms(its.affinity, its.anti_affinity, its.ns, its.labels);
}

// A pod as terms see it.
struct Subject {
  std::string_view ns;
  base::Value namespace_labels, labels;
};

struct Affinity : Prepared {
  Affinity(const PodInfo& one, ClusterTable& its_table)
      : Prepared(one),
        table(its_table),
        terms(TermsOfPod(one)),
        self{one.key().ns, its_table.NamespaceLabels(one.key().ns), one.object->Labels()} {
    for (const Term& term : terms.near) near.emplace_back(TopologyOf(term));
    for (const Term& term : terms.apart) apart.emplace_back(TopologyOf(term));
  }

  const Topology& TopologyOf(const Term& term) { return table.TopologyOf(term.topology_key); }

  bool Matches(const Term& term, const Subject& subject) const {
    return term.Matches(subject.ns, subject.namespace_labels, subject.labels);
  }
  bool AllNearMatch(const Subject& subject) const {
    return !terms.near.empty() &&
           std::all_of(terms.near.begin(), terms.near.end(),
                       [&](const Term& term) { return Matches(term, subject); });
  }

  // What one pod on a node adds to the counts of its domains.
  struct Effect {
    DomainCounts* counts;
    int64_t amount;
    bool near = false;  // it is a pod that all near terms match
  };
  std::vector<Effect> EffectsOf(const Subject& other, const Terms& its_terms) {
    std::vector<Effect> effects;
    if (AllNearMatch(other)) {
      for (DomainCounts& counts : near) effects.push_back({&counts, 1, true});
    }
    for (size_t i = 0; i < terms.apart.size(); ++i) {
      if (Matches(terms.apart[i], other)) effects.push_back({&apart[i], 1});
    }
    for (const Term& term : its_terms.apart) {
      if (Matches(term, self)) effects.push_back({&CountsIn(unwelcome, term), 1});
    }
    const auto weigh = [&](const std::vector<Term>& from, const Subject& subject, int64_t sign) {
      for (const Term& term : from) {
        if (Matches(term, subject))
          effects.push_back({&CountsIn(weights, term), sign * term.weight});
      }
    };
    weigh(terms.rather_near, other, 1);
    weigh(terms.rather_apart, other, -1);
    weigh(its_terms.near, self, 1);
    weigh(its_terms.rather_near, self, 1);
    weigh(its_terms.rather_apart, self, -1);
    return effects;
  }

  DomainCounts& CountsIn(std::deque<DomainCounts>& list, const Term& term) {
    const Topology* topology = &TopologyOf(term);
    for (DomainCounts& counts : list) {
      if (counts.topology == topology) return counts;
    }
    return list.emplace_back(*topology);
  }

  void Count(const std::vector<Effect>& effects, size_t slot, int64_t pods) {
    for (const Effect& effect : effects) {
      effect.counts->Add(slot, effect.amount * pods);
      any_near |= effect.near && effect.counts->topology->DomainOf(slot) != Topology::kNone;
    }
  }

  int64_t WeightOf(const NodeInfo& node) const {
    int64_t weight = 0;
    for (const DomainCounts& counts : weights) weight += counts.Of(node);
    return weight;
  }

  void FindBounds() {
    if (weights.empty()) return;
    bool first = true;
    for (const auto& [name, node] : table.nodes()) {
      const int64_t weight = WeightOf(node);
      lowest = first ? weight : std::min(lowest, weight);
      highest = first ? weight : std::max(highest, weight);
      first = false;
    }
  }

  ClusterTable& table;
  const Terms terms;
  const Subject self;
  std::vector<DomainCounts> near,
      apart;                           // by term: pods that all near terms match; that it matches
  std::deque<DomainCounts> unwelcome;  // by topology: pods that want to be apart from this one
  std::deque<DomainCounts> weights;    // by topology
  int64_t lowest = 0, highest = 0;     // weights of nodes
  bool any_near = false;               // a pod that all near terms match is somewhere
  std::vector<Effect> own_effects;     // of a pod of the batch, once placed
};

std::unique_ptr<Prepared> Prepare(const PodInfo& pod, ClusterTable& table) {
  auto made = std::make_unique<Affinity>(pod, table);
  const auto count = [&](const PodClass& its) {
    const Subject other{its.ns, table.NamespaceLabels(its.ns), its.labels};
    const auto effects = made->EffectsOf(other, its.Memo(TermsOfClass));
    if (effects.empty()) return;
    for (const auto& [slot, pods] : its.pods) made->Count(effects, slot, pods);
  };
  const bool has_terms = pod.pod_affinity.Exists() || pod.pod_anti_affinity.Exists();
  has_terms ? table.ForEachClass(count) : table.ForEachChoosyClass(count);
  made->own_effects = made->EffectsOf(made->self, made->terms);
  for (const auto* list : {&made->near, &made->apart}) {
    for (const DomainCounts& counts : *list) made->topologies.push_back(counts.topology);
  }
  for (const auto* list : {&made->unwelcome, &made->weights}) {
    for (const DomainCounts& counts : *list) made->topologies.push_back(counts.topology);
  }
  if (made->topologies.empty()) return nullptr;
  made->FindBounds();
  return made;
}

const Affinity& Of(const Prepared& prepared) { return static_cast<const Affinity&>(prepared); }

enum class Trouble { kNone, kNoKey, kNotNear, kAvoided, kUnwelcome };

// What keeps the pod off the node, and by which term or topology.
std::pair<Trouble, size_t> TroubleOn(const Affinity& affinity, const NodeInfo& node) {
  size_t missing = affinity.near.size();
  for (size_t i = 0; i < affinity.near.size(); ++i) {
    const DomainCounts& counts = affinity.near[i];
    if (counts.topology->DomainOf(node) == Topology::kNone) return {Trouble::kNoKey, i};
    if (counts.Of(node) == 0 && missing == affinity.near.size()) missing = i;
  }
  const bool is_first = !affinity.any_near && affinity.AllNearMatch(affinity.self);
  if (missing < affinity.near.size() && !is_first) return {Trouble::kNotNear, missing};
  for (size_t i = 0; i < affinity.apart.size(); ++i) {
    if (affinity.apart[i].Of(node) > 0) return {Trouble::kAvoided, i};
  }
  for (size_t i = 0; i < affinity.unwelcome.size(); ++i) {
    if (affinity.unwelcome[i].Of(node) > 0) return {Trouble::kUnwelcome, i};
  }
  return {Trouble::kNone, 0};
}

bool Fits(const Prepared& prepared, const NodeInfo& node) {
  return TroubleOn(Of(prepared), node).first == Trouble::kNone;
}

Rejection Explain(const Prepared& prepared, const NodeInfo& node) {
  const Affinity& affinity = Of(prepared);
  const auto [trouble, index] = TroubleOn(affinity, node);
  const auto same = [](const Term& term) { return " in the same " + term.topology_key; };
  switch (trouble) {
    case Trouble::kNone: break;
    case Trouble::kNoKey:
      return {"without the label " + affinity.terms.near[index].topology_key +
              " that the pod's affinity goes by"};
    case Trouble::kNotNear: {
      const Term& term = affinity.terms.near[index];
      return {"with no pod " + term.selector.ToString() + same(term) +
              " (the pod's affinity asks for one)"};
    }
    case Trouble::kAvoided: {
      const Term& term = affinity.terms.apart[index];
      return {"with a pod " + term.selector.ToString() + same(term) +
              " (the pod's anti-affinity avoids it)"};
    }
    case Trouble::kUnwelcome: return {"with a pod near by whose anti-affinity avoids this one"};
  }
  return {};
}

int64_t ScoreNode(const Prepared& prepared, const NodeInfo& node) {
  const Affinity& affinity = Of(prepared);
  if (affinity.highest == affinity.lowest) return 0;
  return (affinity.WeightOf(node) - affinity.lowest) * kMaxScore /
         (affinity.highest - affinity.lowest);
}

void Placed(Prepared& prepared, const NodeInfo& node) {
  auto& affinity = static_cast<Affinity&>(prepared);
  if (affinity.own_effects.empty()) return;
  affinity.Count(affinity.own_effects, node.slot, 1);
  affinity.FindBounds();
}

// Pods that come, go or get other labels may be those that the terms ask for or
// avoid, or avoid this one. Namespaces are not looked at: it is enough that the
// labels would do.
bool WakesOn(const PodInfo& pod, const ClusterChange& change) {
  if (change.namespace_labels || NodeChanged(change, "metadata", "labels")) return true;
  if (change.node_before != nullptr && change.node_now == nullptr) return true;
  const Terms terms = TermsOfPod(pod);
  for (const state::ObjectPtr& other : {change.pod_before, change.pod_now}) {
    if (other == nullptr) continue;
    const auto matches = [&](const Term& term) { return term.MatchesLabels(other->Labels()); };
    if (std::any_of(terms.near.begin(), terms.near.end(), matches)) return true;
    if (std::any_of(terms.apart.begin(), terms.apart.end(), matches)) return true;
  }
  if (change.pod_before == nullptr) return false;
  const Terms its = TermsOfPod(PodInfo(change.pod_before));
  return std::any_of(its.apart.begin(), its.apart.end(),
                     [&](const Term& term) { return term.MatchesLabels(pod.object->Labels()); });
}

}  // namespace

extern const Plugin kInterPodAffinityPlugin = {.name = "InterPodAffinity",
                                               .prepare = Prepare,
                                               .fits = Fits,
                                               .explain = Explain,
                                               .score = ScoreNode,
                                               .placed = Placed,
                                               .wakes_on = WakesOn};

}  // namespace scheduler
