// The index is a set of (object, application) that copies share: the next commit's begins as the
// last one's, and of each set that differs both versions are walked side by side.
#include "gitsync/render/source_sets.h"

#include <utility>

namespace gitsync {
namespace {

const ManifestSet* SetIn(const SourceSets* sets, const std::string& application) {
  if (sets == nullptr) return nullptr;
  const auto found = sets->sets.find(application);
  return found == sets->sets.end() ? nullptr : found->second.get();
}

}  // namespace

std::string SourceSets::OtherWith(const std::string& name, const state::Key& key) const {
  for (auto it = takers_.From(Taker{key, ""}); !it.AtEnd() && it->key == key; ++it) {
    if (it->application != name) return it->application;
  }
  return "";
}

std::string SourceSets::OtherUnclear(const std::string& name) const {
  for (const std::string& each : unclear) {
    if (each != name) return each;
  }
  for (const auto& [each, set] : sets) {
    if (each != name && !set->errors.empty() && !set->missing) return each;
  }
  return "";
}

void SourceSets::Index(const SourceSets* before) {
  if (sets.size() < 2) return;
  if (before != nullptr && before->sets.size() < 2) before = nullptr;
  if (before != nullptr) {
    takers_ = before->takers_;
    for (const auto& [application, set] : before->sets) {
      if (!sets.contains(application)) Replace(application, set.get(), nullptr);
    }
  }
  for (const auto& [application, set] : sets) {
    Replace(application, SetIn(before, application), set.get());
  }
}

void SourceSets::Replace(const std::string& application, const ManifestSet* old,
                         const ManifestSet* now) {
  if (old == now) return;
  static const std::vector<Manifest> kNone;
  const std::vector<Manifest>& gone = old == nullptr ? kNone : old->manifests;
  const std::vector<Manifest>& come = now == nullptr ? kNone : now->manifests;
  auto a = gone.begin();
  auto b = come.begin();
  while (a != gone.end() || b != come.end()) {
    if (b == come.end() || (a != gone.end() && a->key < b->key)) {
      takers_.Erase(Taker{(a++)->key, application});
    } else if (a == gone.end() || b->key < a->key) {
      takers_.Insert(Taker{(b++)->key, application});
    } else {
      ++a;
      ++b;
    }
  }
}

}  // namespace gitsync
