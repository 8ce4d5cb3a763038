// A plan rests on the objects that it looked at, on the namespaces that those are in, and on what
// is shared: the address that it gives to a Service is one that no Service has but those that it
// looked at itself, and may take it from; what a namespace's quota leaves depends on all that is in
// it; limit ranges fill in what a manifest leaves out. Without a quota it does not matter what else
// comes into a namespace.
#include "gitsync/plan/basis.h"

#include <algorithm>
#include <set>

#include "gitsync/plan/application.h"
#include "gitsync/plan/repository.h"
#include "manifests/kinds/kind_facts.h"

namespace gitsync {

namespace {

// Whether what is asked for was changed, of a kind that a quota weighs and that has no generation.
bool IsWeighedAnew(const manifests::KindFacts& facts, const state::Change& change) {
  return static_cast<bool>(facts.quota_amounts) && change.object->Generation() == 0 &&
         !((*change.object)["spec"] == (*change.previous)["spec"]);
}

}  // namespace

void SharedTables::Note(const state::Change& change) {
  const state::Key& key = change.key();
  const manifests::KindFacts& facts = manifests::FactsOf(key.resource);
  const bool asked = change.removed || change.created() ||
                     change.object->Generation() != change.previous->Generation() ||
                     IsWeighedAnew(facts, change);
  if (facts.rules_namespace) rules_[key.ns] = change.revision;
  if (key.resource == "namespaces" && change.removed) {
    rules_.erase(key.name);
    contents_.erase(key.name);
  }
  // Where an application may write, annotations say.
  const bool rescoped = key.resource == kKustomizations && !asked &&
                        ScopeOf(*change.object) != ScopeOf(*change.previous);
  const bool concerns = key.resource == kKustomizations || key.resource == kGitRepositories;
  if (rescoped || (concerns && asked)) applications_ = change.revision;
  if (!asked) return;
  if (!key.ns.empty()) contents_[key.ns] = change.revision;
}

void PlanBasis::Add(const state::View& view, const state::Key& key) {
  const state::ObjectPtr object = view.Get(key);
  objects.emplace_back(key, object == nullptr ? 0 : object->revision);
}

void PlanBasis::AddChanged(const state::View& view, const state::Key& key) {
  Add(view, key);
  if (key.ns.empty() || namespaces.contains(key.ns)) return;
  namespaces[key.ns] = !view.List("resourcequotas", key.ns).empty();
  Add(view, state::Key{"namespaces", "", key.ns});
}

void PlanBasis::AddWrites(const state::Transaction& transaction) {
  for (const state::Write& write : transaction.writes) {
    if (!write.document) continue;
    state::ForEachTaken(write.key.resource, write.document->root(), [&](std::string_view what) {
      if (!what.empty()) taken.emplace_back(what, write.key);
    });
  }
}

bool Holds(const PlanBasis& basis, const state::View& view, const SharedTables& tables) {
  if (basis.schema != view.schema()->version()) return false;
  std::set<state::Key> holders;
  for (const auto& [what, key] : basis.taken) {
    for (const state::ObjectPtr& holder : view.Lookup(state::Index::kTaken, what))
      if (holder->key != key) holders.insert(holder->key);
  }
  if (!holders.empty()) {
    for (const auto& [key, revision] : basis.objects) holders.erase(key);
  }
  if (!holders.empty()) return false;
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
