#include "base/edge/real_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/testing/loop_contract.h"

namespace base {
namespace {

class RealDriver final : public LoopDriver {
 public:
  Loop& loop() override { return loop_; }
  void Run() override { loop_.Run(); }
  void Finish() override { loop_.Stop(); }

 private:
  RealLoop loop_;
};

std::unique_ptr<LoopDriver> MakeRealDriver() { return std::make_unique<RealDriver>(); }

INSTANTIATE_TEST_SUITE_P(Loops, LoopContract,
                         testing::Values(LoopUnderTest{"Real", &MakeRealDriver}), LoopName);

TEST(RealLoopTest, PostsOfManyThreadsAllRunAndEachThreadsInOrder) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 500;
  RealLoop loop;
  std::vector<std::vector<int>> seen(kThreads);
  int left = kThreads * kPosts;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        loop.Post([&, t, i] {
          seen[t].push_back(i);
          if (--left == 0) loop.Stop();
        });
      }
    });
  }
  loop.Run();
  for (std::thread& thread : threads) thread.join();
  std::vector<int> in_order;
  for (int i = 0; i < kPosts; ++i) in_order.push_back(i);
  EXPECT_EQ(seen, std::vector(kThreads, in_order));
}

TEST(RealLoopTest, AnswersDoNotWaitForOtherWorks) {
  RealLoop loop(1);
  std::promise<void> answered;
  const std::shared_future<void> answer = answered.get_future().share();
  bool in_time = false;
  loop.Offload([&, answer]() -> Loop::Task {
    in_time = answer.wait_for(std::chrono::minutes(1)) == std::future_status::ready;
    return [&] { loop.Stop(); };
  });
  loop.OffloadTo(Loop::Lane::kAnswers,
                 [&]() -> Loop::Task { return [&] { answered.set_value(); }; });
  loop.Run();
  EXPECT_TRUE(in_time);
}

TEST(RealLoopTest, WorksRunOffTheLoopAndCompletionsOnIt) {
  RealLoop loop;
  const std::thread::id loop_thread = std::this_thread::get_id();
  std::thread::id work_thread, completion_thread;
  loop.Offload([&]() -> Loop::Task {
    work_thread = std::this_thread::get_id();
    return [&] {
      completion_thread = std::this_thread::get_id();
      loop.Stop();
    };
  });
  loop.Run();
  EXPECT_NE(work_thread, loop_thread);
  EXPECT_EQ(completion_thread, loop_thread);
}

TEST(RealLoopTest, TwoWorkersRunTwoWorksAtOnce) {
  RealLoop loop(2);
  std::atomic<int> met = 0;
  int left = 2;
  for (int i = 0; i < 2; ++i) {
    loop.Offload([&]() -> Loop::Task {
      met.fetch_add(1);
      while (met.load() < 2) std::this_thread::yield();  // returns only if both are under way
      return [&] {
        if (--left == 0) loop.Stop();
      };
    });
  }
  loop.Run();
  EXPECT_EQ(met.load(), 2);
}

TEST(RealLoopTest, TheStorageWaitsForNoWorker) {
  RealLoop loop(1);
  std::atomic<bool> written = false;
  loop.Offload([&]() -> Loop::Task {
    while (!written) std::this_thread::yield();
    return [&] { loop.Stop(); };
  });
  loop.OffloadTo(Loop::Lane::kStorage, [&]() -> Loop::Task {
    written = true;
    return nullptr;
  });
  loop.Run();
  EXPECT_TRUE(written);
}

TEST(RealLoopTest, StopRunsWhatWasPostedBeforeItAndKeepsTheRestForTheNextRun) {
  RealLoop loop;
  std::string said;
  loop.Post([&] { said += "before "; });
  loop.Stop();
  loop.Post([&] { said += "after "; });
  loop.Run();
  EXPECT_EQ(said, "before ");
  loop.Stop();
  loop.Run();
  EXPECT_EQ(said, "before after ");
}

TEST(RealLoopTest, EndWaitsForAWorkUnderWayAndDropsItsCompletion) {
  std::atomic<bool> started = false;
  std::atomic<bool> ended = false;
  bool completed = false;
  {
    RealLoop loop;
    loop.Offload([&]() -> Loop::Task {
      started = true;
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();
      ended = true;
      return [&] { completed = true; };
    });
    while (!started) std::this_thread::yield();
  }
  EXPECT_TRUE(ended);
  EXPECT_FALSE(completed);
}

// What works use may then end before the loop does.
TEST(RealLoopTest, NoWorkRunsAfterEndWorks) {
  auto used = std::make_unique<std::atomic<int>>(0);
  RealLoop loop(1);
  const auto use = [&]() -> Loop::Task {
    ++*used;
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    ++*used;
    return nullptr;
  };
  for (int i = 0; i < 100; ++i) loop.Offload(use);
  while (*used == 0) std::this_thread::yield();
  loop.EndWorks();
  EXPECT_EQ(*used % 2, 0);
  used.reset();
  loop.Offload(use);
  loop.Post([&] { loop.Stop(); });
  loop.Run();
}

TEST(RealLoopTest, TimerSetBeforeRunFires) {
  RealLoop loop;
  bool fired = false;
  loop.After(Duration::Millis(1), [&] {
    fired = true;
    loop.Stop();
  });
  loop.Run();
  EXPECT_TRUE(fired);
}

}  // namespace
}  // namespace base
