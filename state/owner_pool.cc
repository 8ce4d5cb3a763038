// What only the pool holds is dropped whenever the pool has doubled since the last time, so that
// looking costs a share of what was added.
#include "state/owner_pool.h"

#include <algorithm>
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
    const manifests::FieldSetPtr& fields = *sets_.insert(entry.fields).first;
    shared = shared && manager == entry.manager && fields == entry.fields;
    entries.push_back({manager, entry.time, fields});
  }
  if (shared) return managers;
  return std::make_shared<const manifests::ManagedFields>(std::move(entries));
}

void OwnerPool::SweepIfDue() {
  if (sets_.size() + managers_.size() < sweep_at_) return;
  const auto unused = [](const auto& each) { return each.use_count() == 1; };
  std::erase_if(sets_, unused);
  std::erase_if(managers_, unused);
  sweep_at_ = std::max<size_t>(1024, 2 * (sets_.size() + managers_.size()));
}

}  // namespace state
