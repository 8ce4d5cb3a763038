#include "base/testing/loop_contract.h"

#include <algorithm>
#include <vector>

namespace base {

// The linker may also bring the suite into a program that has no use for it.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LoopContract);

std::string LoopName(const testing::TestParamInfo<LoopUnderTest>& info) { return info.param.name; }

void LoopContract::SetUp() { driver_ = GetParam().make(); }

void LoopContract::Say(const std::string& word) {
  if (!said_.empty()) said_ += ' ';
  said_ += word;
}

TEST_P(LoopContract, PostedTasksRunInOrder) {
  loop().Post([this] { Say("a"); });
  loop().Post([this] { Say("b"); });
  loop().Post([this] {
    Say("c");
    driver_->Finish();
  });
  driver_->Run();
  EXPECT_EQ(said_, "a b c");
}

TEST_P(LoopContract, TaskPostedByATaskRunsAfterThoseAlreadyPosted) {
  loop().Post([this] {
    loop().Post([this] {
      Say("child");
      driver_->Finish();
    });
    Say("parent");
  });
  loop().Post([this] { Say("sibling"); });
  driver_->Run();
  EXPECT_EQ(said_, "parent sibling child");
}

TEST_P(LoopContract, TimersRunByTimeAndThenByAge) {
  loop().Post([this] {
    loop().After(Duration::Millis(3), [this] {
      Say("third");
      driver_->Finish();
    });
    loop().After(Duration::Millis(2), [this] { Say("second"); });
    loop().After(Duration::Millis(2), [this] { Say("second-too"); });
    loop().After(Duration::Millis(1), [this] { Say("first"); });
  });
  driver_->Run();
  EXPECT_EQ(said_, "first second second-too third");
}

TEST_P(LoopContract, TimerNeverRunsEarly) {
  const Duration delay = Duration::Millis(2);
  Duration waited;
  loop().Post([&, this] {
    const MonotonicTime set = loop().now().monotonic;
    loop().After(delay, [&, set, this] {
      waited = loop().now().monotonic - set;
      driver_->Finish();
    });
  });
  driver_->Run();
  EXPECT_GE(waited, delay);
}

TEST_P(LoopContract, DelayBelowZeroIsNoDelay) {
  loop().Post([this] {
    loop().After(Duration::Millis(1), [this] {
      Say("later");
      driver_->Finish();
    });
    loop().After(Duration::Seconds(-5), [this] { Say("at-once"); });
  });
  driver_->Run();
  EXPECT_EQ(said_, "at-once later");
}

TEST_P(LoopContract, CancelledTimerDoesNotRun) {
  loop().Post([this] {
    const Loop::TimerId timer = loop().After(Duration::Millis(1), [this] { Say("cancelled"); });
    loop().After(Duration::Millis(2), [this] {
      Say("end");
      driver_->Finish();
    });
    loop().Cancel(timer);
  });
  driver_->Run();
  EXPECT_EQ(said_, "end");
}

TEST_P(LoopContract, TimerCancelsAnotherThatIsDueAtTheSameInstant) {
  Loop::TimerId second = 0;
  loop().Post([&, this] {
    loop().After(Duration::Millis(1), [&, this] {
      Say("first");
      loop().Cancel(second);
      loop().After(Duration::Millis(1), [this] { driver_->Finish(); });
    });
    second = loop().After(Duration::Millis(1), [this] { Say("second"); });
  });
  driver_->Run();
  EXPECT_EQ(said_, "first");
}

TEST_P(LoopContract, CancelIgnoresWhatIsNoTimerAnyMore) {
  Loop::TimerId fired = 0;
  loop().Post([&, this] {
    fired = loop().After(Duration::Millis(1), [&, this] {
      Say("fired");
      loop().Cancel(fired);
      loop().Cancel(0);
      loop().Cancel(fired + 1000);
      loop().After(Duration::Millis(1), [this] {
        Say("next");
        driver_->Finish();
      });
    });
  });
  driver_->Run();
  EXPECT_NE(fired, 0u);
  EXPECT_EQ(said_, "fired next");
}

TEST_P(LoopContract, PostsAreNotStarvedByTimersWithoutDelay) {
  int rounds = 0;
  std::function<void()> again = [&, this] {
    ++rounds;
    if (said_.empty()) loop().After(Duration(), again);
  };
  loop().Post([&, this] {
    loop().After(Duration(), again);
    loop().After(Duration(), [this] {
      loop().Post([this] {
        Say("posted");
        driver_->Finish();
      });
    });
  });
  driver_->Run();
  EXPECT_EQ(said_, "posted");
  EXPECT_GE(rounds, 1);
}

TEST_P(LoopContract, WhatContinuesLetsGoFirstWhatWasPostedByThen) {
  loop().Post([this] {
    loop().Post([this] { Say("posted"); });
    loop().Continue([this] {
      Say("first");
      loop().Post([this] { Say("later"); });
    });
    loop().Continue([this] {
      Say("second");
      driver_->Finish();
    });
  });
  driver_->Run();
  EXPECT_EQ(said_, "posted first later second");
}

TEST_P(LoopContract, WhatContinuesAndContinuesStarvesNoPosts) {
  std::function<void()> on = [&, this] {
    if (said_ != "parent child") loop().Continue(on);
  };
  loop().Continue(on);
  loop().Post([this] {
    Say("parent");
    loop().Post([this] {
      Say("child");
      driver_->Finish();
    });
  });
  driver_->Run();
  EXPECT_EQ(said_, "parent child");
}

TEST_P(LoopContract, PostsThatPostStarveNothingThatContinues) {
  std::function<void()> again = [&, this] {
    if (said_.empty()) loop().Post(again);
  };
  loop().Post([&, this] {
    loop().Post(again);
    loop().Continue([this] {
      Say("continued");
      driver_->Finish();
    });
  });
  driver_->Run();
  EXPECT_EQ(said_, "continued");
}

TEST_P(LoopContract, ATurnIsOverSomeTimeAndTheNextBeginsAnew) {
  int turns = 0;
  std::function<void()> turn = [&, this] {
    while (!loop().TurnIsOver()) {
    }
    if (++turns == 3) return driver_->Finish();
    loop().Continue(turn);
  };
  loop().Post(turn);
  driver_->Run();
  EXPECT_EQ(turns, 3);
}

TEST_P(LoopContract, TimeStandsStillWithinATask) {
  bool same = false;
  loop().Post([&, this] {
    const Now before = loop().now();
    std::vector<int> some_work(100'000, 1);
    std::reverse(some_work.begin(), some_work.end());
    const Now after = loop().now();
    same = before.monotonic == after.monotonic && before.wall == after.wall;
    driver_->Finish();
  });
  driver_->Run();
  EXPECT_TRUE(same);
}

TEST_P(LoopContract, CompletionOfAWorkRunsInATaskOfItsOwn) {
  loop().Post([this] {
    loop().Offload([this]() -> Loop::Task {
      const int sum = 20 + 22;
      return [this, sum] {
        Say("completed-" + std::to_string(sum));
        driver_->Finish();
      };
    });
    Say("asked");
  });
  driver_->Run();
  EXPECT_EQ(said_, "asked completed-42");
}

TEST_P(LoopContract, EveryWorkCompletesOnce) {
  constexpr int kWorks = 50;
  std::vector<int> completions(kWorks, 0);
  int left = kWorks;
  loop().Post([&, this] {
    for (int i = 0; i < kWorks; ++i) {
      loop().Offload([&, i, this]() -> Loop::Task {
        return [&, i, this] {
          ++completions[i];
          if (--left == 0) driver_->Finish();
        };
      });
    }
  });
  driver_->Run();
  EXPECT_EQ(completions, std::vector<int>(kWorks, 1));
}

TEST_P(LoopContract, WorksOfTheStorageAreDoneInTheirOrder) {
  constexpr int kWorks = 20;
  std::vector<int> order, expected;
  loop().Post([&, this] {
    for (int i = 0; i < kWorks; ++i) {
      expected.push_back(i);
      loop().OffloadTo(Loop::Lane::kStorage, [&, i, this]() -> Loop::Task {
        return [&, i, this] {
          order.push_back(i);
          if (i == kWorks - 1) driver_->Finish();
        };
      });
    }
  });
  driver_->Run();
  EXPECT_EQ(order, expected);
}

TEST_P(LoopContract, WorkWithoutACompletionIsFine) {
  loop().Post([this] {
    loop().Offload([]() -> Loop::Task { return nullptr; });
    loop().After(Duration::Millis(10), [this] {
      Say("end");
      driver_->Finish();
    });
  });
  driver_->Run();
  EXPECT_EQ(said_, "end");
}

}  // namespace base
