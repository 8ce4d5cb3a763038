#include "base/testing/sim_loop.h"

#include <gtest/gtest.h>

#include <string>

#include "base/testing/loop_contract.h"

namespace base {
namespace {

class SimDriver final : public LoopDriver {
 public:
  Loop& loop() override { return loop_; }
  void Run() override {
    ASSERT_TRUE(loop_.RunUntil([this] { return finished_; }, Duration::Hours(1)));
  }
  void Finish() override { finished_ = true; }

 private:
  SimLoop loop_{7};
  bool finished_ = false;
};

std::unique_ptr<LoopDriver> MakeSimDriver() { return std::make_unique<SimDriver>(); }

INSTANTIATE_TEST_SUITE_P(Loops, LoopContract, testing::Values(LoopUnderTest{"Sim", &MakeSimDriver}),
                         LoopName);

// Ten works with completions that say when they ran.
std::string OffloadTrace(uint64_t seed) {
  SimLoop loop(seed);
  std::string trace;
  for (int i = 0; i < 10; ++i) {
    loop.Offload([&, i]() -> Loop::Task {
      return [&, i] {
        trace += std::to_string(i) + "@" + std::to_string(loop.now().monotonic.nanos()) + " ";
      };
    });
  }
  loop.RunFor(Duration::Seconds(1));
  return trace;
}

TEST(SimLoopTest, OneSeedGivesOneTraceAndAnotherSeedAnother) {
  EXPECT_EQ(OffloadTrace(1), OffloadTrace(1));
  EXPECT_NE(OffloadTrace(1), OffloadTrace(2));
}

TEST(SimLoopTest, CompletionsKeepWithinTheOffloadDelay) {
  SimLoop loop(3);
  loop.set_offload_delay(Duration());
  bool completed = false;
  loop.Offload([&]() -> Loop::Task { return [&] { completed = true; }; });
  EXPECT_FALSE(completed);
  loop.RunReady();
  EXPECT_TRUE(completed);
  EXPECT_EQ(loop.now().monotonic, MonotonicTime());
}

TEST(SimLoopTest, RunReadyDoesNotMoveTime) {
  SimLoop loop(1);
  std::string said;
  loop.After(Duration::Nanos(1), [&] { said += "timer "; });
  loop.Post([&] { said += "posted "; });
  loop.RunReady();
  EXPECT_EQ(said, "posted ");
  EXPECT_EQ(loop.now().monotonic, MonotonicTime());
}

TEST(SimLoopTest, WhatIsDueGoesBetweenTurnsThatTakeTime) {
  SimLoop loop(1);
  loop.set_turn_length(Duration::Millis(10));
  std::string said;
  for (const char* piece : {"one ", "two ", "three "}) {
    loop.Continue([&said, piece] { said += piece; });
  }
  loop.After(Duration::Millis(5), [&] {
    said += "timer ";
    loop.Post([&] { said += "posted "; });
  });
  loop.RunFor(Duration::Millis(19));
  EXPECT_EQ(said, "one timer posted two ");
  loop.RunFor(Duration::Millis(1));
  EXPECT_EQ(said, "one timer posted two three ");
}

TEST(SimLoopTest, RunForStopsAtItsEndAndMovesBothClocks) {
  SimLoop loop(1, WallTime::FromSeconds(1000));
  std::string said;
  loop.After(Duration::Seconds(10), [&] { said += "ten "; });
  loop.After(Duration::Seconds(11), [&] { said += "eleven "; });
  loop.RunFor(Duration::Seconds(10));
  EXPECT_EQ(said, "ten ");
  EXPECT_EQ(loop.now().monotonic, MonotonicTime() + Duration::Seconds(10));
  EXPECT_EQ(loop.now().wall, WallTime::FromSeconds(1010));
}

TEST(SimLoopTest, RunUntilStopsAtOnceWhenDoneAndSaysSoWhenNot) {
  SimLoop loop(1);
  bool flag = false;
  loop.After(Duration::Seconds(1), [&] { flag = true; });
  EXPECT_FALSE(loop.RunUntil([&] { return flag; }, Duration::Millis(999)));
  EXPECT_TRUE(loop.RunUntil([&] { return flag; }, Duration::Minutes(5)));
  EXPECT_EQ(loop.now().monotonic, MonotonicTime() + Duration::Seconds(1));
}

TEST(SimLoopTest, WallClockJumpLeavesTimersAlone) {
  SimLoop loop(1, WallTime::FromSeconds(1000));
  bool fired = false;
  loop.After(Duration::Seconds(2), [&] { fired = true; });
  loop.JumpWallClock(Duration::Seconds(-500));
  loop.RunFor(Duration::Seconds(1));
  EXPECT_FALSE(fired);
  EXPECT_EQ(loop.now().wall, WallTime::FromSeconds(501));
}

TEST(SimLoopTest, DropAllForgetsTasksTimersAndWorks) {
  SimLoop loop(1);
  std::string said;
  loop.Post([&] { said += "posted "; });
  loop.After(Duration::Seconds(1), [&] { said += "timer "; });
  loop.Offload([&]() -> Loop::Task { return [&] { said += "work "; }; });
  loop.DropAll();
  loop.RunFor(Duration::Hours(1));
  EXPECT_EQ(said, "");
}

TEST(SimLoopTest, TurnCheckRunsAfterEveryTask) {
  SimLoop loop(1);
  std::string said;
  loop.OnTurn([&] { said += "check "; });
  loop.Post([&] { said += "task "; });
  loop.After(Duration::Millis(1), [&] { said += "timer "; });
  loop.RunFor(Duration::Millis(1));
  EXPECT_EQ(said, "task check timer check ");
  EXPECT_EQ(loop.turns(), 2u);
}

}  // namespace
}  // namespace base
