// Newcomers: the connections of a port that have not shown who they are, in the order in which they
// came. Places are few, and of one address fewer; where none is left, the oldest makes room.
//
// Values only: no sockets and no clock. One owner.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace base {

class Newcomers {
 public:
  using Id = uint64_t;  // grows from one to the next

  Newcomers(size_t places, size_t places_of_address)
      : places_(places), places_of_address_(places_of_address) {}

  // Who would have to go for one of `address`; nullopt if nobody would.
  std::optional<Id> WhoGoes(const std::string& address) const;
  // Takes `id` in; who has to go for that, if somebody has to: of the same address, if that has all
  // its places.
  std::optional<Id> Add(Id id, const std::string& address);
  // It is known by now, or gone. Unknown ids are none.
  void Remove(Id id);
  // Who has waited longest; nullopt if there is nobody.
  std::optional<Id> Oldest() const;
  size_t size() const { return address_of_.size(); }

 private:
  const size_t places_, places_of_address_;
  std::map<Id, std::string> address_of_;
  std::map<std::string, std::set<Id>> of_address_;
};

}  // namespace base
