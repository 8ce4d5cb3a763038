#include "plumb/reports/wait_verdict.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

using gitsync::DeployPhase;

class WaitVerdictTest : public testing::Test {
 protected:
  void Record(const std::string& commit, DeployPhase phase, const std::string& message = "",
              const std::string& tree = "T") {
    history_ = gitsync::WithDeploy(
        history_,
        {.revision = "main@sha1:" + commit, .tree = tree, .phase = phase, .message = message},
        base::WallTime::FromSeconds(++second_));
  }

  std::string Judge(const std::string& commit, const std::string& contained_in = "nothing") {
    object_["status"].Set("history", history_);
    const WaitVerdict verdict = JudgeDeploy(
        object_, commit, [&](const std::string& newer) { return newer == contained_in; });
    if (!verdict.known) return "unknown";
    std::string text = verdict.commit + " " + std::string(gitsync::PhaseName(verdict.phase));
    if (verdict.phase != DeployPhase::kProgressing) {
      text += " exit " + std::to_string(ExitCodeOf(verdict.phase));
    }
    return text + (verdict.message.empty() ? "" : ": " + verdict.message);
  }

  // What asks, what was answered, and how.
  std::string Sync(const std::string& value, const std::string& requested,
                   const std::string& handled) {
    object_["metadata"]["annotations"].Set("reconcile.fluxcd.io/requestedAt", requested);
    object_["status"].Set("lastHandledReconcileAt", handled);
    const SyncVerdict verdict = JudgeSync(object_, value);
    return verdict.ended ? (verdict.healthy ? "healthy " : "failed ") + verdict.message : "awaited";
  }

  base::Json history_;
  int64_t second_ = 0;
  base::Json object_ = *base::ParseJson(
      R"({"metadata": {"generation": 2}, "spec": {}, "status": {"conditions": [
            {"type": "Ready", "status": "Unknown", "message": "1/2"}]}})");
};

TEST_F(WaitVerdictTest, EachDeployIsAnsweredForByItsOwnEnd) {
  Record("aaaa", DeployPhase::kProgressing);
  Record("aaaa", DeployPhase::kHealthy);
  Record("bbbb", DeployPhase::kProgressing);
  Record("bbbb", DeployPhase::kFailed, "web crashed");
  Record("cccc", DeployPhase::kProgressing);
  Record("dddd", DeployPhase::kProgressing);
  EXPECT_EQ(Judge("aaaa"), "aaaa healthy exit 0");
  EXPECT_EQ(Judge("bb"), "bbbb failed exit 1: web crashed");
  EXPECT_EQ(Judge("cccc"), "cccc superseded exit 2: by main@sha1:dddd");
  EXPECT_EQ(Judge("dddd"), "dddd progressing: 1/2");
  EXPECT_EQ(Judge(""), "dddd progressing: 1/2");
}

TEST_F(WaitVerdictTest, ACommitThatWasNotPushedIsUnknown) {
  EXPECT_EQ(Judge("aaaa"), "unknown");
  EXPECT_EQ(Judge(""), "unknown");
}

TEST_F(WaitVerdictTest, ACommitBelowTheHeadOfAPushIsSupersededByIt) {
  Record("bbbb", DeployPhase::kProgressing);
  EXPECT_EQ(Judge("aaaa", "bbbb"), "aaaa superseded exit 2: deployed as part of bbbb");
}

TEST_F(WaitVerdictTest, WhatNothingMoreIsDoneForHasFailed) {
  Record("aaaa", DeployPhase::kProgressing);
  Record("aaaa", DeployPhase::kHealthy);
  object_["status"]["conditions"].Append(*base::ParseJson(
      R"({"type": "Stalled", "status": "True", "observedGeneration": 2, "message": "no path"})"));
  EXPECT_EQ(Judge(""), " failed exit 1: not applied: no path");
  Record("bbbb", DeployPhase::kProgressing);
  EXPECT_EQ(Judge("aaaa"), "aaaa healthy exit 0");
  EXPECT_EQ(Judge("bbbb"), "bbbb failed exit 1: not applied: no path");
  EXPECT_EQ(Judge("cccc"), "cccc failed exit 1: not applied: no path");
  EXPECT_EQ(Judge("cccc", "aaaa"), "cccc superseded exit 2: deployed as part of aaaa");
  // It was changed since.
  object_["metadata"].Set("generation", 3);
  EXPECT_EQ(Judge("bbbb"), "bbbb progressing: 1/2");
  EXPECT_EQ(Judge("cccc"), "unknown");
  object_["spec"].Set("suspend", true);
  EXPECT_EQ(Judge("cccc"),
            "cccc failed exit 1: not applied: it is suspended; set spec.suspend of its "
            "Kustomization to false to go on");
}

TEST_F(WaitVerdictTest, ARequestIsAnsweredByItselfOrByOneThatCameAfterIt) {
  EXPECT_EQ(Sync("b", "b", ""), "awaited");
  EXPECT_EQ(Sync("b", "b", "a"), "awaited");
  EXPECT_EQ(Sync("b", "b", "b"), "failed 1/2");
  EXPECT_EQ(Sync("b", "c", "a"), "awaited");
  EXPECT_EQ(Sync("b", "c", "b"), "failed 1/2");
  EXPECT_EQ(Sync("b", "c", "c"), "failed 1/2");
  object_["status"]["conditions"] = base::Json::MakeArray();
  EXPECT_EQ(Sync("b", "b", "b"), "healthy nothing was pushed yet");
  object_["spec"].Set("suspend", true);
  EXPECT_EQ(Sync("b", "b", "a"),
            "failed not applied: it is suspended; set spec.suspend of its Kustomization to false "
            "to go on");
}

TEST_F(WaitVerdictTest, ADeployThatComesAgainHasNotEnded) {
  Record("aaaa", DeployPhase::kProgressing);
  Record("aaaa", DeployPhase::kHealthy);
  Record("bbbb", DeployPhase::kProgressing);
  Record("bbbb", DeployPhase::kHealthy);
  Record("aaaa", DeployPhase::kProgressing, "", /*tree=*/"");
  EXPECT_EQ(Judge("aaaa"), "aaaa progressing: 1/2");
}

}  // namespace
}  // namespace plumb
