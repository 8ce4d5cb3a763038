// Rules:
// - A node holds a pod while spec.nodeName names the node, whatever the pod's phase: the agent
//   needs ended pods too, to keep their containers' logs and to confirm their deletion.
// - A ConfigMap or Secret is held while a held pod names it, and told when it exists. So a pod that
//   comes brings what it names, even if that did not change; the last pod that leaves takes it
//   along. plumb's own Secrets go to no node.
// - Every node holds all Nodes, for the routes to their pods; of others it is told only what moves
//   routes (addresses, pod ranges), not their every sign of life.
// - What is told is the state at the end of a range, however often an object changed within it.
// - A node that comes back is told the difference to what it holds: that is rebuilt from the states
//   before the changes, since nobody remembers it.
#include "nodeagent/hub/relevance.h"

#include <utility>

#include "manifests/kinds/kind_facts.h"
#include "state/own_secrets.h"

namespace nodeagent {
namespace {

constexpr std::string_view kNode = "nodes";
constexpr std::string_view kPods = "pods";

using manifests::HeldBy;

// What pods name and a node reads.
bool IsSource(std::string_view resource) {
  return manifests::FactsOf(resource).held_by == HeldBy::kItsReaders;
}

// Whether other nodes' routes depend on this change of a Node.
bool MovesRoutes(const state::Change& change) {
  if (change.removed || !change.previous) return true;
  return (*change.previous)["spec"]["podCIDR"] != (*change.object)["spec"]["podCIDR"] ||
         (*change.previous)["status"]["addresses"] != (*change.object)["status"]["addresses"];
}

std::string NodeNameOf(const state::ObjectPtr& pod) {
  return pod ? std::string((*pod)["spec"]["nodeName"].AsString()) : "";
}

}  // namespace

std::vector<state::Key> References(const state::Object& pod) {
  std::set<state::Key> keys;
  manifests::ForEachReference(
      kPods, pod.document.root(), [&](const manifests::Reference& reference) {
        if (!IsSource(reference.resource)) return;
        state::Key key{std::string(reference.resource), pod.key.ns, std::string(reference.name)};
        if (!state::IsOwnSecret(key)) keys.insert(std::move(key));
      });
  return {keys.begin(), keys.end()};
}

bool IsForAll(std::string_view resource) {
  return manifests::FactsOf(resource).held_by == HeldBy::kEveryNode;
}

void RoutedChanges::Add(const state::Change& change) {
  const state::Key& key = change.key();
  if (IsSource(key.resource)) {
    sources.insert(key);
  } else if (key.resource == kPods) {
    const std::set<std::string> nodes = {NodeNameOf(change.object), NodeNameOf(change.previous)};
    for (const std::string& node : nodes) {
      if (!node.empty()) of_node[node].push_back(change);
    }
  } else if (key.resource == kNode && !MovesRoutes(change) && shared.count(key) == 0) {
    of_node[key.name].push_back(change);
  } else if (key.resource == kNode || IsForAll(key.resource)) {
    shared[key] = change.removed ? nullptr : change.object;
  }
}

const std::vector<state::Change>* RoutedChanges::For(const std::string& node) const {
  const auto found = of_node.find(node);
  return found == of_node.end() ? nullptr : &found->second;
}

bool Holding::IsOurs(const state::ObjectPtr& pod) const {
  return pod && pod->key.resource == kPods && (*pod)["spec"]["nodeName"].AsString() == node_;
}

void Holding::Hold(const state::Object& pod, Touched* touched) {
  std::vector<state::Key> references = References(pod);
  for (const state::Key& key : references) {
    const size_t before = references_[key]++;
    if (touched) touched->try_emplace(key, before > 0);
  }
  pods_[pod.key] = std::move(references);
}

void Holding::Drop(const state::Key& pod, Touched* touched) {
  const auto held = pods_.find(pod);
  if (held == pods_.end()) return;
  for (const state::Key& key : held->second) {
    if (touched) touched->try_emplace(key, true);
    if (--references_[key] == 0) references_.erase(key);
  }
  pods_.erase(held);
}

Holding::Difference Holding::Fill(const state::View& view) {
  pods_.clear();
  references_.clear();
  Difference all;
  for (const state::ObjectPtr& node : view.List(kNode)) all.puts.push_back(node);
  for (const state::ObjectPtr& pod : view.Lookup(state::Index::kNode, node_)) {
    Hold(*pod, nullptr);
    all.puts.push_back(pod);
  }
  for (const auto& [key, count] : references_) {
    if (state::ObjectPtr object = view.Get(key)) all.puts.push_back(std::move(object));
  }
  for (const manifests::KindFacts* facts : manifests::AllKinds()) {
    if (facts->held_by != HeldBy::kEveryNode) continue;
    for (const state::ObjectPtr& object : view.List(facts->resource)) all.puts.push_back(object);
  }
  return all;
}

void Holding::Rewind(const RoutedChanges& changes, const state::View& view) {
  pods_.clear();
  references_.clear();
  std::set<state::Key> changed;
  if (const std::vector<state::Change>* ours = changes.For(node_)) {
    for (const state::Change& change : *ours) {
      const bool first = changed.insert(change.key()).second;
      if (first && IsOurs(change.previous)) Hold(*change.previous, nullptr);
    }
  }
  for (const state::ObjectPtr& pod : view.Lookup(state::Index::kNode, node_)) {
    if (changed.count(pod->key) == 0) Hold(*pod, nullptr);
  }
}

// In the order of keys.
Holding::Difference Holding::Advance(const RoutedChanges& changes, const state::View& view) {
  std::set<state::Key> own;
  Touched touched;
  if (const std::vector<state::Change>* ours = changes.For(node_)) {
    for (const state::Change& change : *ours) {
      if (!own.insert(change.key()).second || change.key().resource != kPods) continue;
      const state::ObjectPtr pod = view.Get(change.key());
      Drop(change.key(), &touched);
      if (IsOurs(pod)) Hold(*pod, &touched);
    }
  }
  if (changes.sources.size() < references_.size()) {
    for (const state::Key& key : changes.sources) {
      if (references_.count(key) != 0) own.insert(key);
    }
  } else if (!changes.sources.empty()) {
    for (const auto& [key, pods] : references_) {
      if (changes.sources.count(key) != 0) own.insert(key);
    }
  }
  for (const auto& [key, was_held] : touched) {
    if (was_held != (references_.count(key) != 0)) own.insert(key);
  }

  Difference difference;
  const auto tell = [&](const state::Key& key, state::ObjectPtr object) {
    if (object) {
      difference.puts.push_back(std::move(object));
    } else {
      difference.removals.push_back(key);
    }
  };
  auto shared = changes.shared.begin();
  const auto tell_shared_until = [&](const state::Key* end) {
    for (; shared != changes.shared.end() && (end == nullptr || shared->first < *end); ++shared)
      tell(shared->first, shared->second);
  };
  for (const state::Key& key : own) {
    tell_shared_until(&key);
    if (shared != changes.shared.end() && shared->first == key) continue;  // our Node
    state::ObjectPtr object = view.Get(key);
    const bool held = key.resource == kPods    ? IsOurs(object)
                      : IsSource(key.resource) ? references_.count(key) != 0
                                               : true;
    tell(key, held ? std::move(object) : nullptr);
  }
  tell_shared_until(nullptr);
  return difference;
}

}  // namespace nodeagent
