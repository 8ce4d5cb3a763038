// What a node needs to know: all Nodes, its pods with the ConfigMaps and Secrets that they name,
// and all Services and EndpointSlices.
//
// Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "state/transaction.h"
#include "state/view.h"

namespace nodeagent {

// The ConfigMaps and Secrets that a pod's containers, volumes and image pulls name; sorted, each
// once. They need not exist.
std::vector<state::Key> References(const state::Object& pod);

// What every node needs.
bool IsForAll(std::string_view resource);

// Changes of a range of revisions, sorted by who may need them.
struct RoutedChanges {
  void Add(const state::Change& change);  // in the order of revisions
  // What only `node` may need: its pods and the health of its Node. May be null.
  const std::vector<state::Change>* For(const std::string& node) const;

  // Services, EndpointSlices, Nodes as far as routes go: as they last were; a null was removed.
  std::map<state::Key, state::ObjectPtr> shared;
  std::set<state::Key> sources;  // ConfigMaps, Secrets
  std::map<std::string, std::vector<state::Change>> of_node;
};

// What a node holds of pods and of what they reference. It follows the changes, and says what the
// node has to be told.
class Holding {
 public:
  struct Difference {
    std::vector<state::ObjectPtr> puts;
    std::vector<state::Key> removals;
    bool empty() const { return puts.empty() && removals.empty(); }
  };

  explicit Holding(std::string node) : node_(std::move(node)) {}

  // Of all there is in `view`: forgets what was held.
  Difference Fill(const state::View& view);
  // As it was before `changes`, which led to `view`.
  void Rewind(const RoutedChanges& changes, const state::View& view);
  // From what is held to `view`, where `changes` led.
  Difference Advance(const RoutedChanges& changes, const state::View& view);

 private:
  using Touched = std::map<state::Key, bool>;  // was it held before?
  bool IsOurs(const state::ObjectPtr& pod) const;
  void Hold(const state::Object& pod, Touched* touched);
  void Drop(const state::Key& pod, Touched* touched);

  const std::string node_;
  std::map<state::Key, std::vector<state::Key>> pods_;  // and their references
  std::map<state::Key, size_t> references_;             // how many pods name it
};

}  // namespace nodeagent
