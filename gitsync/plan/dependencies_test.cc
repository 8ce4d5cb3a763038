#include "gitsync/plan/dependencies.h"

#include <gtest/gtest.h>

#include "gitsync/plan/repository.h"
#include "state/testing/test_cluster.h"

namespace gitsync {
namespace {

class DependenciesTest : public testing::Test {
 protected:
  DependenciesTest() {
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    EXPECT_TRUE(CreateRepository(draft, "site", {}, "https://s/git/site.git").ok());
    EXPECT_TRUE(CreateRepository(draft, "base", {}, "https://s/git/base.git").ok());
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  }

  void Add(const std::string& name, const std::string& depends_on, const std::string& more = "") {
    cluster_.Apply(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: " +
        name +
        ", namespace: plumb-system}\nspec: {interval: 10m, prune: true, sourceRef: {kind: "
        "GitRepository, name: site}, dependsOn: [" +
        depends_on + "]" + more + "}\n");
  }

  void Ended(const std::string& name, const std::string& commit, DeployPhase phase) {
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    EXPECT_TRUE(RecordDeploy(draft, name, {.revision = "main@sha1:" + commit}).ok());
    if (phase != DeployPhase::kProgressing) {
      EXPECT_TRUE(
          RecordDeploy(draft, name, {.revision = "main@sha1:" + commit, .phase = phase}).ok());
      const bool healthy = phase == DeployPhase::kHealthy;
      EXPECT_TRUE(RecordReady(draft, name, healthy ? "True" : "False", "Because", "").ok());
    }
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  }

  // Of "web" at a commit.
  std::string At(const std::string& commit) {
    const auto application = ReadApplication(cluster_.store().view(), "web");
    const Dependencies found = DependenciesOf(cluster_.store().view(), *application, commit);
    switch (found.state) {
      case Dependencies::State::kMet: return "met";
      case Dependencies::State::kAwaited: return "awaited: " + found.why;
      case Dependencies::State::kFailed: break;
    }
    return "failed: " + found.why;
  }

  state::TestCluster cluster_;
};

TEST_F(DependenciesTest, WithoutThereIsNothingToWaitFor) {
  Add("web", "");
  EXPECT_EQ(At("aaaa"), "met");
}

TEST_F(DependenciesTest, OneOfTheSameSourceCountsAtTheSameCommit) {
  Add("database", "");
  Add("web", "{name: database}");
  EXPECT_EQ(At("aaaa"),
            "awaited: it depends on application database, which is not ready at this commit");
  Ended("database", "aaaa", DeployPhase::kHealthy);
  EXPECT_EQ(At("aaaa"), "met");
  EXPECT_EQ(At("bbbb"),
            "awaited: it depends on application database, which is not ready at this commit");
  Ended("database", "bbbb", DeployPhase::kProgressing);
  EXPECT_NE(At("bbbb"), "met");
  Ended("database", "bbbb", DeployPhase::kFailed);
  EXPECT_EQ(At("bbbb"), "failed: it depends on application database, which failed at this commit");
}

TEST_F(DependenciesTest, OneOfAnotherSourceCountsAtWhatItIs) {
  Add("web", "{name: base}");
  EXPECT_EQ(At("aaaa"), "awaited: it depends on application base, which is not ready");
  Ended("base", "0123", DeployPhase::kHealthy);
  EXPECT_EQ(At("aaaa"), "met");
  Ended("base", "4567", DeployPhase::kProgressing);  // what was ready before is not ready now
  EXPECT_EQ(At("aaaa"), "awaited: it depends on application base, which is not ready");
}

TEST_F(DependenciesTest, TheFirstThatFailedCountsMoreThanThoseOnTheirWay) {
  Add("database", "");
  Add("queue", "");
  Add("web", "{name: queue}, {name: database}");
  Ended("database", "aaaa", DeployPhase::kFailed);
  EXPECT_EQ(At("aaaa"), "failed: it depends on application database, which failed at this commit");
}

TEST_F(DependenciesTest, ASuspendedOneWillNotComeToBeReady) {
  Add("database", "", ", suspend: true");
  Add("web", "{name: database}");
  EXPECT_EQ(At("aaaa"), "failed: it depends on application database, which is suspended");
  Ended("database", "aaaa", DeployPhase::kHealthy);
  EXPECT_EQ(At("aaaa"), "met");
}

TEST_F(DependenciesTest, OneThatCannotBeAppliedWillNotEither) {
  Add("database", "", ", path: ../db");
  Add("web", "{name: database}");
  EXPECT_EQ(
      At("aaaa").find("failed: it depends on application database, which cannot be applied: "), 0u)
      << At("aaaa");
}

TEST_F(DependenciesTest, ACycleIsNamedHoweverLong) {
  Add("web", "{name: a}");
  Add("a", "{name: b}, {name: c}");
  Add("b", "");
  Add("c", "{name: web}");
  EXPECT_EQ(At("aaaa"),
            "failed: it depends on itself (web, a, c, web); take one of them out of the "
            "spec.dependsOn before it");
}

TEST_F(DependenciesTest, ItMayDependOnSoManyInARowAndOnNoMore) {
  for (size_t i = 0; i < kMaxDependencies; ++i) {
    Add("a" + std::to_string(i), "{name: a" + std::to_string(i + 1) + "}");
  }
  Add("a" + std::to_string(kMaxDependencies), "");
  Add("web", "{name: a1}");
  EXPECT_EQ(At("aaaa"), "awaited: it depends on application a1, which is not ready at this commit");
  Add("web", "{name: a0}");
  EXPECT_EQ(At("aaaa"),
            "failed: it depends on more than 1000 applications, directly or not; take some out of "
            "spec.dependsOn");
}

TEST_F(DependenciesTest, ANameThatIsNoneIsSaid) {
  Add("web", "{name: databse}");
  EXPECT_EQ(At("aaaa"),
            "failed: it depends on application databse, which does not exist; make that "
            "Kustomization, or correct spec.dependsOn");
}

}  // namespace
}  // namespace gitsync
