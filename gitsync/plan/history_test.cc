#include "gitsync/plan/history.h"

#include <gtest/gtest.h>

namespace gitsync {
namespace {

class HistoryTest : public testing::Test {
 protected:
  void Record(const Deploy& record, int64_t second) {
    history_ = WithDeploy(history_, record, base::WallTime::FromSeconds(second));
  }

  // "b healthy tree=T2 x1; a superseded (by b)"
  std::string Text() const {
    std::string text;
    const base::Document status(base::Json::MakeObject({{"history", history_}}));
    const std::vector<Deploy> records = HistoryOf(status.root());
    for (size_t i = 0; i < records.size(); ++i) {
      const Deploy& record = records[i];
      text += (i == 0 ? "" : "; ") + record.revision + " " + std::string(PhaseName(record.phase));
      if (!record.tree.empty()) {
        text += " tree=" + record.tree + " x" +
                std::to_string(history_.At(i)["totalReconciliations"].AsInt());
      }
      if (!record.message.empty()) text += " (" + record.message + ")";
    }
    return text;
  }

  base::Document Status() const {
    return base::Document(base::Json::MakeObject({{"history", history_}}));
  }

  base::Json history_;
};

TEST_F(HistoryTest, ADeployBeginsIsAppliedAndEnds) {
  Record({.revision = "a"}, 10);
  EXPECT_EQ(Text(), "a progressing");
  Record({.revision = "a", .tree = "T1"}, 11);
  EXPECT_EQ(Text(), "a progressing tree=T1 x1");
  Record({.revision = "a", .phase = DeployPhase::kFailed, .message = "web: crashed"}, 25);
  EXPECT_EQ(Text(), "a failed tree=T1 x1 (web: crashed)");
  EXPECT_EQ(std::as_const(history_).At(0)["lastReconciledDuration"].AsString(), "15s");
}

TEST_F(HistoryTest, ANewDeploySupersedesTheOneInProgressAndNoOther) {
  Record({.revision = "a", .tree = "T1"}, 1);
  Record({.revision = "a", .phase = DeployPhase::kHealthy}, 2);
  Record({.revision = "b"}, 3);
  Record({.revision = "c"}, 4);
  EXPECT_EQ(Text(), "c progressing; b superseded (by c); a healthy tree=T1 x1");
}

TEST_F(HistoryTest, ADeployThatComesAgainProgressesAgainInFront) {
  Record({.revision = "a", .tree = "T1"}, 1);
  Record({.revision = "a", .phase = DeployPhase::kHealthy}, 2);
  Record({.revision = "b", .tree = "T2"}, 3);
  Record({.revision = "a"}, 4);
  EXPECT_EQ(Text(), "a progressing tree=T1 x1; b superseded tree=T2 x1 (by a)");
}

TEST_F(HistoryTest, AnOutcomeThatIsNoNewsChangesNothing) {
  Record({.revision = "a", .tree = "T1"}, 1);
  Record({.revision = "a", .phase = DeployPhase::kHealthy}, 2);
  const base::Json before = history_;
  Record({.revision = "a", .phase = DeployPhase::kHealthy}, 99);
  EXPECT_EQ(history_.ToString(), before.ToString());
}

TEST_F(HistoryTest, OnlyTheNewestFailureIsToldAtLength) {
  Record({.revision = "a"}, 1);
  Record({.revision = "a", .phase = DeployPhase::kFailed, .message = std::string(9000, 'x')}, 2);
  EXPECT_EQ(HistoryOf(Status().root())[0].message.size(), kMaxDeployMessageBytes);
  Record({.revision = "b"}, 3);
  EXPECT_EQ(HistoryOf(Status().root())[1].message.size(), kMaxHistoryMessageBytes);
}

TEST_F(HistoryTest, WhatEndedBetweenTwoStatesIsSaidOnce) {
  const auto object = [&] {
    auto made = std::make_shared<state::Object>();
    made->document = base::Document(base::Json::MakeObject(
        {{"spec", base::Json::MakeObject({{"sourceRef", base::Json::MakeObject({{"name", "s"}})}})},
         {"status", Status().root().ToJson()}}));
    made->key = {"kustomizations", "plumb-system", "app"};
    return made;
  };
  const auto ended = [](const auto& before, const auto& now) {
    std::string text;
    for (const Deploy& deploy : EndedBetween(before.get(), *now)) {
      text += deploy.repository + "/" + deploy.application + " " + deploy.revision + " " +
              std::string(PhaseName(deploy.phase)) + "; ";
    }
    return text;
  };
  Record({.revision = "a"}, 1);
  const auto first = object();
  Record({.revision = "a", .phase = DeployPhase::kHealthy}, 2);
  Record({.revision = "b"}, 3);
  const auto second = object();
  EXPECT_EQ(ended(first, second), "s/app a healthy; ");
  Record({.revision = "c"}, 4);
  Record({.revision = "c", .phase = DeployPhase::kFailed}, 5);
  const auto third = object();
  EXPECT_EQ(ended(second, third), "s/app b superseded; s/app c failed; ");
  EXPECT_EQ(ended(third, third), "");
  EXPECT_EQ(ended(std::shared_ptr<state::Object>(), third),
            "s/app a healthy; s/app b superseded; s/app c failed; ");
  Record({.revision = "a"}, 6);
  Record({.revision = "a", .phase = DeployPhase::kHealthy}, 7);
  EXPECT_EQ(ended(third, object()), "s/app a healthy; ");  // again
}

TEST_F(HistoryTest, TheOldestDeploysAreForgotten) {
  for (size_t i = 0; i < kMaxHistory + 3; ++i) {
    Record({.revision = "r" + std::to_string(i)}, static_cast<int64_t>(i));
  }
  EXPECT_EQ(history_.size(), kMaxHistory);
  EXPECT_EQ(std::as_const(history_).At(kMaxHistory - 1)["metadata"]["revision"].AsString(), "r3");
}

}  // namespace
}  // namespace gitsync
