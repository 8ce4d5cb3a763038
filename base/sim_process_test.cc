#include "base/testing/sim_process.h"

#include <gtest/gtest.h>

#include <string>

#include "base/testing/loop_contract.h"

namespace base {
namespace {

class ProcessDriver final : public LoopDriver {
 public:
  Loop& loop() override { return process_; }
  void Run() override {
    ASSERT_TRUE(world_.RunUntil([this] { return finished_; }, Duration::Hours(1)));
  }
  void Finish() override { finished_ = true; }

 private:
  SimLoop world_{7};
  SimProcess process_{world_, 8};
  bool finished_ = false;
};

std::unique_ptr<LoopDriver> MakeProcessDriver() { return std::make_unique<ProcessDriver>(); }

INSTANTIATE_TEST_SUITE_P(Processes, LoopContract,
                         testing::Values(LoopUnderTest{"SimProcess", &MakeProcessDriver}),
                         LoopName);

TEST(SimProcessTest, NothingOfADeadProcessHappensAnyMoreAndTheWorldGoesOn) {
  SimLoop world(1);
  std::string said;
  auto process = std::make_unique<SimProcess>(world, 2);
  process->Post([&] { said += "post "; });
  process->After(Duration::Millis(1), [&] { said += "timer "; });
  process->Offload([&]() -> Loop::Task {
    said += "work ";
    return [&] { said += "completion "; };
  });
  world.After(Duration::Seconds(1), [&] { said += "world"; });
  process.reset();
  world.RunFor(Duration::Seconds(2));
  EXPECT_EQ(said, "world");
}

TEST(SimProcessTest, AProcessMayDieBetweenAWorkAndItsCompletion) {
  SimLoop world(1);
  std::string said;
  auto process = std::make_unique<SimProcess>(world, 2);
  process->Offload([&]() -> Loop::Task {
    said += "work";
    return [&] { said += " completion"; };
  });
  world.RunUntil([&] { return !said.empty(); }, Duration::Seconds(1));
  process.reset();
  world.RunFor(Duration::Seconds(1));
  EXPECT_EQ(said, "work");
}

TEST(SimProcessTest, AProcessMayHaveAWrongClock) {
  SimLoop world(1);
  SimProcess process(world, 2);
  process.set_clock_error(Duration::Minutes(-3));
  EXPECT_EQ(process.now().wall, world.now().wall + Duration::Minutes(-3));
  EXPECT_EQ(process.now().monotonic, world.now().monotonic);
}

}  // namespace
}  // namespace base
