// SourceSets: what the applications of a source take of one commit, and who takes an object.
//
// A value: filled in once, then shared and read by anybody.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gitsync/render/manifest_set.h"
#include "state/persistent_set.h"

namespace gitsync {

// What an application takes of a commit.
struct Part {
  std::string application;
  std::optional<std::string> path;
  ApplicationScope scope;
};

// What all applications of a source take.
struct Parts {
  std::vector<Part> parts;
  std::set<std::string> unclear;  // applications whose settings say nothing that can be read
};

class SourceSets {
 public:
  std::string commit;
  std::map<std::string, std::shared_ptr<const ManifestSet>> sets;  // by application
  std::set<std::string> unclear;  // as in Parts: what they would take is not known

  // The first application but `name` that has a manifest of the object; empty if none has.
  std::string OtherWith(const std::string& name, const state::Key& key) const;
  // The first application but `name` that may have manifests which nobody could read.
  std::string OtherUnclear(const std::string& name) const;

  // Once `sets` are all there: finds out who takes what, from `before` on (may be null), at the
  // cost of the sets that differ.
  void Index(const SourceSets* before);

 private:
  struct Taker {
    state::Key key;
    std::string application;
  };
  struct TakerLess {
    bool operator()(const Taker& a, const Taker& b) const {
      return a.key != b.key ? a.key < b.key : a.application < b.application;
    }
  };
  void Replace(const std::string& application, const ManifestSet* old, const ManifestSet* now);

  state::PersistentSet<Taker, TakerLess> takers_;  // empty for one application, which has no other
};

}  // namespace gitsync
