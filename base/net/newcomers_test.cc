#include "base/net/newcomers.h"

#include <gtest/gtest.h>

namespace base {
namespace {

// Who went: "1 - 2" for three that came, "-" where nobody had to.
std::string LeaversOf(Newcomers& newcomers, const std::vector<std::string>& addresses) {
  std::string leavers;
  for (size_t i = 0; i < addresses.size(); ++i) {
    const std::optional<Newcomers::Id> leaver = newcomers.Add(i + 1, addresses[i]);
    leavers += (i == 0 ? "" : " ") + (leaver ? std::to_string(*leaver) : "-");
  }
  return leavers;
}

TEST(NewcomersTest, AnAddressHasItsShareAndItsOldestMakesRoom) {
  Newcomers newcomers(100, 2);
  EXPECT_EQ(LeaversOf(newcomers, {"a", "b", "a", "a", "b", "a", "b"}), "- - - 1 - 3 2");
  EXPECT_EQ(newcomers.size(), 4u);
}

TEST(NewcomersTest, WhenAllPlacesAreTakenTheOldestOfAllMakesRoom) {
  Newcomers newcomers(3, 2);
  EXPECT_EQ(LeaversOf(newcomers, {"a", "b", "c", "d", "a", "a"}), "- - - 1 2 3");
}

TEST(NewcomersTest, WhoIsKnownOrGoneHoldsNoPlace) {
  Newcomers newcomers(2, 1);
  EXPECT_EQ(LeaversOf(newcomers, {"a", "b"}), "- -");
  newcomers.Remove(1);
  newcomers.Remove(1);
  EXPECT_EQ(newcomers.WhoGoes("a"), std::nullopt);
  EXPECT_EQ(newcomers.WhoGoes("b"), 2u);
  EXPECT_EQ(newcomers.Add(3, "a"), std::nullopt);
  EXPECT_EQ(newcomers.Oldest(), 2u);
  newcomers.Remove(2);
  newcomers.Remove(3);
  EXPECT_EQ(newcomers.Oldest(), std::nullopt);
}

}  // namespace
}  // namespace base
