#include "plumb/reports/diff_report.h"

#include <gtest/gtest.h>

#include "gitsync/plan/repository.h"
#include "gitsync/render/read_set.h"
#include "gitsync/testing/fake_git.h"
#include "state/testing/test_cluster.h"

namespace plumb {
namespace {

using Files = gitsync::FakeGit::Files;

constexpr char kConfig[] =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: one, b: two}\n";
constexpr char kSecret[] =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\n"
    "stringData: {first: hunter2, second: hunter2, third: xyzzy}\n";

class DiffReportTest : public testing::Test {
 protected:
  DiffReportTest() {
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    EXPECT_TRUE(
        gitsync::CreateRepository(draft, "site", {}, "https://localhost/git/site.git").ok());
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
    EXPECT_TRUE(git_.Create("site", "main").ok());
  }

  gitsync::SyncPlan Plan(const Files& files, std::shared_ptr<const gitsync::ManifestSet>& set) {
    const std::string commit =
        git_.Push("site", "refs/heads/main", files, "change\n", cluster_.loop.now().wall);
    auto repository = gitsync::ReadApplication(cluster_.store().view(), "site");
    repository->inventory =
        gitsync::ReadInventory(cluster_.store().view(), *cluster_.schema, "site");
    const gitsync::SetSource source{git_,  "site", {}, repository->settings.scope, cluster_.schema,
                                    cache_};
    set = *gitsync::ReadSet(source, commit, nullptr);
    return gitsync::PlanSync(cluster_.store().view(), *repository, *set, {}, cluster_.Context());
  }

  void Apply(const Files& files) {
    std::shared_ptr<const gitsync::ManifestSet> set;
    EXPECT_TRUE(cluster_.store().Commit(Plan(files, set).transaction).ok());
  }

  base::Json Report(const Files& files) {
    std::shared_ptr<const gitsync::ManifestSet> set;
    const gitsync::SyncPlan plan = Plan(files, set);
    return *DiffReport(cluster_.store().view(), {{"site", &plan, set.get()}});
  }
  std::string Text(const Files& files) { return DiffText(Report(files), Style()); }

  state::TestCluster cluster_;
  gitsync::FakeGit git_;
  gitsync::ParseCache cache_;
};

TEST_F(DiffReportTest, ANewObjectIsShownAsItsManifestSays) {
  EXPECT_EQ(Text({{"conf.yaml", kConfig}}),
            "+ created    configmaps default/conf\n"
            "    + apiVersion: v1\n"
            "    + data:\n"
            "    +   a: one\n"
            "    +   b: two\n"
            "    + kind: ConfigMap\n"
            "    + metadata:\n"
            "    +   name: conf\n"
            "\n"
            "1 created\n");
}

TEST_F(DiffReportTest, OnlyWhatAPushWouldChangeIsShown) {
  Apply({{"conf.yaml", kConfig}, {"key.yaml", kSecret}});
  EXPECT_EQ(Text({{"conf.yaml",
                   "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: uno}\n"}}),
            "~ configured configmaps default/conf\n"
            "      apiVersion: v1\n"
            "      data:\n"
            "    -   a: one\n"
            "    -   b: two\n"
            "    +   a: uno\n"
            "      kind: ConfigMap\n"
            "      metadata:\n"
            "- pruned     secrets default/key\n"
            "\n"
            "1 configured, 1 pruned\n");
}

TEST_F(DiffReportTest, WhatIsAppliedIsNoDifference) {
  Apply({{"conf.yaml", kConfig}});
  const base::Json report = Report({{"conf.yaml", kConfig}});
  EXPECT_FALSE(HasDifferences(report));
  EXPECT_EQ(DiffText(report, Style()), "no difference: 1 objects are as the commit asks\n");
}

TEST_F(DiffReportTest, SecretsAreMaskedEqualValuesEqually) {
  Apply({{"key.yaml", kSecret}});
  const Files changed = {
      {"key.yaml",
       "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\n"
       "stringData: {first: hunter2, second: plugh, third: hunter2}\n"},
      {"copy.yaml",
       "apiVersion: v1\nkind: Secret\nmetadata: {name: copy}\nstringData: {it: plugh}\n"}};
  const std::string text = Text(changed);
  EXPECT_EQ(text,
            "+ created    secrets default/copy\n"
            "    + apiVersion: v1\n"
            "    + kind: Secret\n"
            "    + metadata:\n"
            "    +   name: copy\n"
            "    + stringData:\n"
            "    +   it: (secret 1)\n"
            "~ configured secrets default/key\n"
            "    @\n"
            "      data:\n"
            "        first: (secret 2)\n"
            "    -   second: (secret 2)\n"
            "    -   third: (secret 3)\n"
            "    +   second: (secret 1)\n"
            "    +   third: (secret 2)\n"
            "      kind: Secret\n"
            "      metadata:\n"
            "\n"
            "1 created, 1 configured\n");
  // Neither plain nor encoded, in no field of the report.
  const std::string all = Report(changed).ToString();
  for (const char* value : {"hunter2", "aHVudGVyMg", "xyzzy", "plugh", "cGx1Z2g"}) {
    EXPECT_EQ(all.find(value), std::string::npos) << value << " in " << all;
  }
}

TEST_F(DiffReportTest, APushThatWouldBeRefusedSaysWhere) {
  const base::Json report =
      Report({{"conf.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndat: {}\n"}});
  EXPECT_TRUE(WouldBeRefused(report));
  EXPECT_EQ(report["errors"].At(0).AsString(),
            "conf.yaml:4:1: dat: unknown field; did you mean data?");
}

}  // namespace
}  // namespace plumb
