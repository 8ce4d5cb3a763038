// MemberChanges: what is added to an object and removed from it, done in one pass at the end. One
// by one, each change would move all members behind it, and a patch of many keys would cost their
// product. A value on one thread; the object outlives it and is edited by nobody else meanwhile.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace manifests {

class MemberChanges {
 public:
  explicit MemberChanges(base::Json& object) : object_(object) {}

  // Of a key that the object lacks, in any order, each once.
  void Add(std::string key, base::Json value) {
    added_.push_back({std::move(key), std::move(value)});
  }
  void Remove(std::string key) { removed_.push_back(std::move(key)); }

  void Finish() {
    const auto by_key = [](const base::Json::Member& a, const base::Json::Member& b) {
      return a.key < b.key;
    };
    if (!removed_.empty()) {
      std::sort(removed_.begin(), removed_.end());
      std::erase_if(object_.MutableMembers(), [&](const base::Json::Member& member) {
        return std::binary_search(removed_.begin(), removed_.end(), member.key);
      });
    }
    if (added_.empty()) return;
    base::Json::Object& members = object_.MutableMembers();
    std::sort(added_.begin(), added_.end(), by_key);
    base::Json::Object merged;
    merged.reserve(members.size() + added_.size());
    std::merge(std::make_move_iterator(members.begin()), std::make_move_iterator(members.end()),
               std::make_move_iterator(added_.begin()), std::make_move_iterator(added_.end()),
               std::back_inserter(merged), by_key);
    members = std::move(merged);
    added_.clear();
    removed_.clear();
  }

 private:
  base::Json& object_;
  base::Json::Object added_;
  std::vector<std::string> removed_;
};

}  // namespace manifests
