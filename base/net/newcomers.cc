#include "base/net/newcomers.h"

namespace base {

std::optional<Newcomers::Id> Newcomers::WhoGoes(const std::string& address) const {
  const auto found = of_address_.find(address);
  if (found != of_address_.end() && found->second.size() >= places_of_address_)
    return *found->second.begin();
  return address_of_.size() >= places_ ? Oldest() : std::nullopt;
}

std::optional<Newcomers::Id> Newcomers::Add(Id id, const std::string& address) {
  const std::optional<Id> leaver = WhoGoes(address);
  if (leaver) Remove(*leaver);
  address_of_.emplace(id, address);
  of_address_[address].insert(id);
  return leaver;
}

void Newcomers::Remove(Id id) {
  const auto found = address_of_.find(id);
  if (found == address_of_.end()) return;
  const auto share = of_address_.find(found->second);
  share->second.erase(id);
  if (share->second.empty()) of_address_.erase(share);
  address_of_.erase(found);
}

std::optional<Newcomers::Id> Newcomers::Oldest() const {
  if (address_of_.empty()) return std::nullopt;
  return address_of_.begin()->first;
}

}  // namespace base
