#include "gitsync/plan/history.h"

#include <gtest/gtest.h>

namespace gitsync {
namespace {

class HistoryTest : public testing::Test {
 protected:
  void Record(const DeployRecord& record, int64_t second) {
    history_ = WithDeploy(history_, record, base::WallTime::FromSeconds(second));
  }

  // "b healthy tree=T2 x1; a superseded (by b)"
  std::string Text() const {
    std::string text;
    const base::Document status(base::Json::MakeObject({{"history", history_}}));
    const std::vector<DeployRecord> records = HistoryOf(status.root());
    for (size_t i = 0; i < records.size(); ++i) {
      const DeployRecord& record = records[i];
      text += (i == 0 ? "" : "; ") + record.revision + " " + std::string(PhaseName(record.phase));
      if (!record.tree.empty()) {
        text += " tree=" + record.tree + " x" +
                std::to_string(history_.At(i)["totalReconciliations"].AsInt());
      }
      if (!record.message.empty()) text += " (" + record.message + ")";
    }
    return text;
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

TEST_F(HistoryTest, TheOldestDeploysAreForgotten) {
  for (size_t i = 0; i < kMaxHistory + 3; ++i) {
    Record({.revision = "r" + std::to_string(i)}, static_cast<int64_t>(i));
  }
  EXPECT_EQ(history_.size(), kMaxHistory);
  EXPECT_EQ(std::as_const(history_).At(kMaxHistory - 1)["metadata"]["revision"].AsString(), "r3");
}

}  // namespace
}  // namespace gitsync
