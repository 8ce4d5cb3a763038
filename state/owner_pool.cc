// Sets stand in the order of their bytes, so that those that are alike stand side by side: a new
// one needs to be compared with its neighbours only.
//
// What only the pool holds is dropped whenever the pool has doubled since the last time, so that
// looking costs a share of what was added.
#include "state/owner_pool.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace state {

manifests::ManagedFieldsPtr OwnerPool::Share(const manifests::ManagedFieldsPtr& managers) {
  if (managers == nullptr || managers->empty()) return nullptr;
  SweepIfDue();
  bool shared = true;
  manifests::ManagedFields entries;
  entries.reserve(managers->size());
  for (const manifests::ManagedEntry& entry : *managers) {
    const ManagerPtr& manager = *managers_.insert(entry.manager).first;
    const manifests::FieldSetPtr fields = ShareSet(entry.fields);
    shared = shared && manager == entry.manager && fields == entry.fields;
    entries.push_back({manager, entry.time, fields});
  }
  if (shared) return managers;
  return std::make_shared<const manifests::ManagedFields>(std::move(entries));
}

manifests::FieldSetPtr OwnerPool::ShareSet(const manifests::FieldSetPtr& fields) {
  if (fields->IsDifference()) return fields;  // it was here before
  const auto next = sets_.lower_bound(fields);
  if (next != sets_.end()) {
    if (**next == *fields) return *next;
    if (auto difference = fields->AsDifferenceFrom(*next)) return difference;
  }
  if (next != sets_.begin()) {
    if (auto difference = fields->AsDifferenceFrom(*std::prev(next))) return difference;
  }
  return *sets_.insert(next, fields);
}

void OwnerPool::SweepIfDue() {
  if (sets_.size() + managers_.size() < sweep_at_) return;
  const auto unused = [](const auto& each) { return each.use_count() == 1; };
  std::erase_if(sets_, unused);
  std::erase_if(managers_, unused);
  sweep_at_ = std::max<size_t>(1024, 2 * (sets_.size() + managers_.size()));
}

}  // namespace state
