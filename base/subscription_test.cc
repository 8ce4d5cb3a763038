#include "base/subscription.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace base {
namespace {

TEST(SubscriptionTest, ListenersAreToldInTheOrderInWhichTheyCame) {
  Listeners<int> listeners;
  std::string heard;
  const Subscription a = listeners.Add([&](int n) { heard += "a" + std::to_string(n) + " "; });
  const Subscription b = listeners.Add([&](int n) { heard += "b" + std::to_string(n) + " "; });
  listeners.Tell(1);
  listeners.Tell(2);
  EXPECT_EQ(heard, "a1 b1 a2 b2 ");
}

TEST(SubscriptionTest, EndsWhenItIsDestroyedOrReplaced) {
  Listeners<> listeners;
  std::string heard;
  {
    const Subscription gone = listeners.Add([&] { heard += "gone "; });
  }
  Subscription held = listeners.Add([&] { heard += "first "; });
  held = listeners.Add([&] { heard += "second "; });
  const Subscription moved = std::move(held);
  listeners.Tell();
  EXPECT_EQ(heard, "second ");
}

TEST(SubscriptionTest, EitherSideMayEndFirst) {
  std::optional<Listeners<>> listeners(std::in_place);
  Subscription subscription = listeners->Add([] {});
  listeners.reset();
  subscription.End();
  subscription.End();
}

TEST(SubscriptionTest, ListenersComeAndGoWhileTheyAreTold) {
  Listeners<> listeners;
  std::string heard;
  Subscription self, next, late;
  self = listeners.Add([&] {
    heard += "self ";
    next.End();
    late = listeners.Add([&] { heard += "late "; });
    self.End();
    heard += "ended ";  // what it holds is still there
  });
  next = listeners.Add([&] { heard += "next "; });
  const Subscription other = listeners.Add([&] { heard += "other "; });
  listeners.Tell();
  EXPECT_EQ(heard, "self ended other ");
  listeners.Tell();
  EXPECT_EQ(heard, "self ended other other late ");
}

TEST(SubscriptionTest, AListenerThatEndsWhoTellsItIsTheLastThatIsTold) {
  std::optional<Listeners<>> listeners(std::in_place);
  std::string heard;
  const Subscription a = listeners->Add([&] {
    heard += "a ";
    listeners.reset();
  });
  const Subscription b = listeners->Add([&] { heard += "b "; });
  listeners->Tell();
  EXPECT_EQ(heard, "a ");
}

}  // namespace
}  // namespace base
