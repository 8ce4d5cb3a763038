// From one set of rules to the next.
//
// Both sets are sorted, so one walk over each finds what changed. An element whose value changed is
// deleted and added in the same transaction. Chains come before the elements and chains that lead
// to them and go after these, so the kernel never sees a jump into nothing.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "servicemesh/rules/rules.h"

namespace servicemesh {
namespace {

bool KeyLess(const Element& a, const Element& b) {
  return std::tie(a.map, a.at, a.slot) < std::tie(b.map, b.at, b.slot);
}
bool KeyLess(const Chain& a, const Chain& b) { return a.ref < b.ref; }

// Calls only_old, only_new or changed for each key at which the sorted lists differ.
template <typename T, typename OnlyOld, typename OnlyNew, typename Changed>
void Walk(const std::vector<T>& was, const std::vector<T>& is, OnlyOld only_old, OnlyNew only_new,
          Changed changed) {
  auto a = was.begin();
  auto b = is.begin();
  while (a != was.end() || b != is.end()) {
    if (b == is.end() || (a != was.end() && KeyLess(*a, *b))) {
      only_old(*a++);
    } else if (a == was.end() || KeyLess(*b, *a)) {
      only_new(*b++);
    } else {
      if (!(*a == *b)) changed(*a, *b);
      ++a, ++b;
    }
  }
}

using UdpTargets = std::map<Frontend, std::set<Target>>;

UdpTargets UdpTargetsOf(const RuleSet& rules) {
  UdpTargets targets;
  for (const Element& element : rules.elements) {
    if (element.at.protocol != Protocol::kUdp) continue;
    if (element.map == MapId::kEndpoints || element.map == MapId::kNodePortEndpoints)
      targets[element.at].insert(element.target);
    if (element.chain.kind != ChainRef::Kind::kSticky) continue;
    const auto find = [&](ChainRef ref) {
      return std::lower_bound(rules.chains.begin(), rules.chains.end(), Chain{ref},
                              [](const Chain& a, const Chain& b) { return a.ref < b.ref; });
    };
    for (const uint64_t point : find(element.chain)->points)
      targets[element.at].insert(
          find({ChainRef::Kind::kStickyPoint, point, Protocol::kUdp})->target);
  }
  return targets;
}

}  // namespace

bool RuleDelta::empty() const {
  return !fixed && add_chains.empty() && replace_chains.empty() && delete_elements.empty() &&
         add_elements.empty() && delete_chains.empty();
}

RuleDelta Diff(const RuleSet& programmed, const RuleSet& wanted) {
  RuleDelta delta;
  delta.from_revision = programmed.revision;
  delta.to_revision = wanted.revision;
  if (!(programmed.fixed == wanted.fixed)) delta.fixed = wanted.fixed;
  Walk(
      programmed.chains, wanted.chains, [&](const Chain& c) { delta.delete_chains.push_back(c); },
      [&](const Chain& c) { delta.add_chains.push_back(c); },
      [&](const Chain&, const Chain& c) { delta.replace_chains.push_back(c); });
  std::reverse(delta.delete_chains.begin(), delta.delete_chains.end());
  Walk(
      programmed.elements, wanted.elements,
      [&](const Element& e) { delta.delete_elements.push_back(e); },
      [&](const Element& e) { delta.add_elements.push_back(e); },
      [&](const Element& was, const Element& is) {
        delta.delete_elements.push_back(was);
        delta.add_elements.push_back(is);
      });
  return delta;
}

std::vector<ConntrackFlush> StaleUdp(const RuleSet& programmed, const RuleSet& wanted) {
  const UdpTargets was = UdpTargetsOf(programmed);
  const UdpTargets is = UdpTargetsOf(wanted);
  std::vector<ConntrackFlush> stale;
  for (const auto& [at, targets] : was) {
    const auto now = is.find(at);
    if (now == is.end())
      stale.push_back({at, {}});
    else if (!std::includes(now->second.begin(), now->second.end(), targets.begin(), targets.end()))
      stale.push_back({at, {now->second.begin(), now->second.end()}});
  }
  for (const auto& [at, targets] : is) {
    if (!was.contains(at)) stale.push_back({at, {targets.begin(), targets.end()}});
  }
  std::sort(stale.begin(), stale.end(),
            [](const ConntrackFlush& a, const ConntrackFlush& b) { return a.at < b.at; });
  return stale;
}

}  // namespace servicemesh
