// OwnerPool: one copy of each set of fields and of each manager, however many objects have it. The
// pods of one Deployment, say, share the set that their controller owns. The sets that nodes own of
// their statuses name their addresses: those are kept as what is different from one of them.
//
// One thread; what it hands out is immutable and goes anywhere.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>

#include "manifests/apply/managed_fields.h"

namespace state {

class OwnerPool {
 public:
  // Equal to `managers`, made of what the pool has. Null stays null.
  manifests::ManagedFieldsPtr Share(const manifests::ManagedFieldsPtr& managers);

  size_t sets() const { return sets_.size(); }

 private:
  using ManagerPtr = std::shared_ptr<const manifests::FieldManager>;
  struct SetLess {
    bool operator()(const manifests::FieldSetPtr& a, const manifests::FieldSetPtr& b) const {
      std::string first, second;
      return a->Bytes(first) < b->Bytes(second);
    }
  };
  struct ManagerLess {
    bool operator()(const ManagerPtr& a, const ManagerPtr& b) const { return *a < *b; }
  };

  manifests::FieldSetPtr ShareSet(const manifests::FieldSetPtr& fields);
  void SweepIfDue();

  std::set<manifests::FieldSetPtr, SetLess> sets_;  // whole ones
  std::set<ManagerPtr, ManagerLess> managers_;
  size_t sweep_at_ = 1024;  // entries
};

}  // namespace state
