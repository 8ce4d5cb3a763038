// A plan rests on the objects that it looked at, on the namespaces that those are in, and on what
// is shared: a Service's address is one that no other Service has; what a namespace's quota leaves
// depends on all that is in it; limit ranges fill in what a manifest leaves out. Without a quota it
// does not matter what else comes into a namespace.
#include "gitsync/plan/basis.h"

#include <algorithm>

#include "gitsync/plan/application.h"
#include "manifests/kinds/kind_facts.h"

namespace gitsync {

void SharedTables::Note(const state::Change& change) {
  const state::Key& key = change.key();
  const bool asked = change.removed || change.created() ||
                     change.object->Generation() != change.previous->Generation();
  const manifests::KindFacts& facts = manifests::FactsOf(key.resource);
  if (facts.rules_namespace) rules_[key.ns] = change.revision;
  if (key.resource == "namespaces" && change.removed) {
    rules_.erase(key.name);
    contents_.erase(key.name);
  }
  // A Service has no generation.
  if (facts.shares_pool) addresses_ = change.revision;
  if (!asked) return;
  if (key.resource == kKustomizations) applications_ = change.revision;
  if (!key.ns.empty()) contents_[key.ns] = change.revision;
}

void PlanBasis::Add(const state::View& view, const state::Key& key) {
  const state::ObjectPtr object = view.Get(key);
  objects.emplace_back(key, object == nullptr ? 0 : object->revision);
}

void PlanBasis::AddChanged(const state::View& view, const state::Key& key) {
  Add(view, key);
  addresses |= manifests::FactsOf(key.resource).shares_pool;
  if (key.ns.empty() || namespaces.contains(key.ns)) return;
  const auto quotas = view.List("resourcequotas", key.ns);
  namespaces[key.ns] = quotas.begin() != quotas.end();
  Add(view, state::Key{"namespaces", "", key.ns});
}

bool Holds(const PlanBasis& basis, const state::View& view, const SharedTables& tables) {
  if (basis.schema != view.schema()->version()) return false;
  if (basis.addresses && tables.addresses() > basis.made_at) return false;
  for (const auto& [ns, quota] : basis.namespaces) {
    if (tables.RulesOf(ns) > basis.made_at) return false;
    if (quota && tables.ContentsOf(ns) > basis.made_at) return false;
  }
  return std::all_of(basis.objects.begin(), basis.objects.end(), [&](const auto& each) {
    const state::ObjectPtr object = view.Get(each.first);
    return (object == nullptr ? 0 : object->revision) == each.second;
  });
}

}  // namespace gitsync
