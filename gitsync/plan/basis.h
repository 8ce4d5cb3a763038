// PlanBasis: what a plan depends on. While all of it is as it was, the plan is what it would be if
// it were made now, and is committed as it is.
//
// Pure, but for SharedTables: loop only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "state/object.h"
#include "state/transaction.h"
#include "state/view.h"

namespace gitsync {

// When that changed last which plans of different objects share. One entry a namespace that is
// there and changed since the start.
class SharedTables {
 public:
  void Note(const state::Change& change);

  // Which applications and sources there are, what they ask for, and where they may write.
  state::Revision applications() const { return applications_; }
  // The quotas and limit ranges of a namespace; what is in it.
  state::Revision RulesOf(const std::string& ns) const { return In(rules_, ns); }
  state::Revision ContentsOf(const std::string& ns) const { return In(contents_, ns); }

 private:
  using Table = std::map<std::string, state::Revision>;
  static state::Revision In(const Table& table, const std::string& ns) {
    const auto found = table.find(ns);
    return found == table.end() ? 0 : found->second;
  }

  state::Revision applications_ = 0;
  Table rules_, contents_;
};

struct PlanBasis {
  state::Revision made_at = 0;  // of the View
  uint64_t schema = 0;          // its version
  // What was looked at, with its revision: 0 if there was none.
  std::vector<std::pair<state::Key, state::Revision>> objects;
  std::map<std::string, bool> namespaces;  // that it changes something in; true: they have a quota
  // Addresses and ports that it gives to a Service, and to which: nobody else has them.
  std::vector<std::pair<std::string, state::Key>> taken;

  void Add(const state::View& view, const state::Key& key);
  // An object that the plan is about to make or change.
  void AddChanged(const state::View& view, const state::Key& key);
  // What the plan writes.
  void AddWrites(const state::Transaction& transaction);
};

bool Holds(const PlanBasis& basis, const state::View& view, const SharedTables& tables);

}  // namespace gitsync
