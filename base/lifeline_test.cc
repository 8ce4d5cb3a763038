#include "base/lifeline.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/testing/sim_loop.h"

namespace base {
namespace {

class Owner {
 public:
  Owner(Loop& loop, std::string& said) : loop_(loop), said_(said) {}

  void Post(const std::string& word) {
    loop_.Post(lifeline_.Wrap([this, word] { Say(word); }));
  }
  void Compute(const std::string& word) {
    loop_.Offload([this, word, tie = lifeline_.tie()]() -> Loop::Task {
      return tie.Wrap([this, word] { Say(word); });
    });
  }
  std::function<void(std::string)> Callback() {
    return lifeline_.Wrap([this](const std::string& word) { Say(word); });
  }
  Lifeline& lifeline() { return lifeline_; }

 private:
  void Say(const std::string& word) { said_ += word + " "; }

  Loop& loop_;
  std::string& said_;
  Lifeline lifeline_;
};

TEST(LifelineTest, WhatIsWrappedRunsWhileItsOwnerLives) {
  SimLoop loop(1);
  std::string said;
  Owner owner(loop, said);
  owner.Post("posted");
  loop.RunFor(Duration::Millis(1));
  owner.Compute("computed");
  loop.RunFor(Duration::Minutes(1));
  owner.Callback()("called");
  EXPECT_EQ(said, "posted computed called ");
}

TEST(LifelineTest, NothingRunsOnceTheOwnerIsGone) {
  SimLoop loop(1);
  std::string said;
  std::optional<Owner> owner(std::in_place, loop, said);
  const std::function<void(std::string)> callback = owner->Callback();
  owner->Post("posted");
  owner->Compute("computed");
  owner.reset();
  loop.RunFor(Duration::Minutes(1));
  callback("called");
  EXPECT_EQ(said, "");
}

TEST(LifelineTest, ACutEndsWhatIsWrappedBeforeAndAfterIt) {
  SimLoop loop(1);
  std::string said;
  Owner owner(loop, said);
  owner.Post("before");
  owner.lifeline().Cut();
  owner.Post("after");
  loop.RunFor(Duration::Millis(1));
  EXPECT_EQ(said, "");
}

TEST(LifelineTest, ACallbackMayEndItsOwnerAndKnows) {
  auto owner = std::make_unique<Lifeline>();
  std::string seen;
  const auto callback = owner->Wrap([&owner, &seen, tie = owner->tie()] {
    seen += tie.holds() ? "alive " : "gone ";
    owner.reset();
    seen += tie.holds() ? "alive " : "gone ";
  });
  callback();
  callback();
  EXPECT_EQ(seen, "alive gone ");
}

TEST(LifelineTest, WhatIsWrappedMayOwnWhatCannotBeCopied) {
  const Lifeline lifeline;
  int sum = 0;
  auto add = lifeline.Wrap(
      [&sum, one = std::make_unique<int>(1)](std::unique_ptr<int> other) { sum += *one + *other; });
  auto moved = std::move(add);
  moved(std::make_unique<int>(2));
  EXPECT_EQ(sum, 3);
}

}  // namespace
}  // namespace base
