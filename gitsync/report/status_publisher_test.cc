#include "gitsync/report/status_publisher.h"

#include "gitsync/testing/engine_fixture.h"

namespace gitsync {
namespace {

using base::Duration;

class StatusPublisherTest : public EngineFixture {};

std::string Short(const std::string& commit) { return commit.substr(0, 12); }

TEST_F(StatusPublisherTest, AHealthyDeployIsACommitAndANote) {
  const std::string commit = Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  EXPECT_EQ(Branch(), "healthy " + Short(commit) + ": 1 object: 1 healthy\n");
  EXPECT_EQ(Note(commit), "healthy");
  EXPECT_TRUE(publisher_->Idle());
}

TEST_F(StatusPublisherTest, AFailureSaysWhy) {
  const std::string commit = Push({{"web.yaml", kWeb}});
  cluster_.Settle();
  EXPECT_EQ(Branch(), "");
  SetDeployment(kFailedWeb);
  cluster_.Settle();
  EXPECT_EQ(Branch(), "failed " + Short(commit) + ": 1 object: 1 failed\n");
  EXPECT_EQ(Note(commit),
            "failed: deployments.apps default/web: ProgressDeadlineExceeded: timed out");
}

TEST_F(StatusPublisherTest, AFailureNamesWhatRefusesThePods) {
  const std::string commit = Push({{"web.yaml", kWeb}});
  cluster_.Settle();
  SetDeployment(
      "{observedGeneration: 1, conditions: [{type: Progressing, status: \"False\", reason: "
      "ProgressDeadlineExceeded, message: timed out}, {type: ReplicaFailure, status: \"True\", "
      "reason: FailedCreate, message: beyond the quota}]}");
  cluster_.Settle();
  EXPECT_EQ(Note(commit),
            "failed: deployments.apps default/web: ProgressDeadlineExceeded: timed out; "
            "FailedCreate: beyond the quota");
}

TEST_F(StatusPublisherTest, ASupersededDeployIsANoteAlone) {
  const std::string first = Push({{"web.yaml", kWeb}});
  cluster_.Settle();
  const std::string second = Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  EXPECT_EQ(Branch(), "healthy " + Short(second) + ": 1 object: 1 healthy\n");
  EXPECT_EQ(Note(first), "superseded");
  EXPECT_EQ(Note(second), "healthy");
}

TEST_F(StatusPublisherTest, ARestartAddsNothing) {
  const std::string commit = Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  const auto refs = git_.Refs("site");
  const state::Revision revision = cluster_.store().revision();
  Stop();
  Start();
  cluster_.Settle();
  EXPECT_EQ(git_.Refs("site"), refs);
  EXPECT_EQ(cluster_.store().revision(), revision);
}

TEST_F(StatusPublisherTest, APushRightAfterARestartDoesNotRewriteHowTheHeadEnded) {
  const std::string first = Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  Stop();
  Start();
  cluster_.loop.RunFor(Duration::Millis(20));  // the head is being deployed once more
  Push({{"conf.yaml", kConfig}, {"web.yaml", kWeb}});
  cluster_.Settle();
  EXPECT_EQ(Note(first), "healthy");
}

TEST_F(StatusPublisherTest, WhatACrashKeptFromGitIsWrittenByTheRestart) {
  cluster_.faults.Set("git.commit.fail", 1);
  const std::string commit = Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  EXPECT_EQ(Branch(), "");
  Stop();
  cluster_.faults.Clear();
  cluster_.loop.RunFor(Duration::Hours(1));
  Start();
  cluster_.Settle();
  EXPECT_EQ(Branch(), "healthy " + Short(commit) + ": 1 object: 1 healthy\n");
  EXPECT_EQ(Note(commit), "healthy");
  // The time is that of the end, not of the writing.
  const auto tip = git_.ReadCommit("site", *git_.Resolve("site", std::string(kStatusRef)));
  EXPECT_LT(tip->author_time + Duration::Minutes(59), cluster_.loop.now().wall);
}

TEST_F(StatusPublisherTest, EndsThatFollowedCloselyAreNotedByTheRestartToo) {
  cluster_.faults.Set("git.commit.fail", 1);
  const std::string first = Push({{"web.yaml", kWeb}});
  cluster_.Settle();
  SetDeployment(kFailedWeb);
  cluster_.Settle();
  const std::string second = Push({{"web.yaml", std::string(kWeb) + "  # again\n"}});
  cluster_.Settle();
  const std::string third = Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  Stop();
  cluster_.faults.Clear();
  Start();
  cluster_.Settle();
  EXPECT_EQ(Note(first),
            "failed: deployments.apps default/web: ProgressDeadlineExceeded: timed out");
  EXPECT_EQ(Note(third), "healthy");
  EXPECT_EQ(Branch(), "healthy " + Short(third) + ": 1 object: 1 healthy\n");
  EXPECT_NE(Note(second), "");
}

// The process ends after every step of the loop in turn: what Git says afterwards is always the
// same, and each end of a deploy is there once.
TEST_F(StatusPublisherTest, WhereverItCrashesGitSaysTheSame) {
  int crashes = 0;
  for (bool ended = false; !ended; ++crashes) {
    const std::string name = "step " + std::to_string(crashes);
    const std::string commit =
        Push({{"conf.yaml", std::string(kConfig) + "# " + std::to_string(crashes) + "\n"}});
    const uint64_t stop_at = cluster_.loop.turns() + static_cast<uint64_t>(crashes);
    ended = !cluster_.loop.RunUntil([&] { return cluster_.loop.turns() >= stop_at; },
                                    Duration::Seconds(3));
    Stop();
    Start();
    cluster_.Settle(Duration::Seconds(3));
    EXPECT_EQ(Note(commit), "healthy") << name;
    const std::string branch = Branch();
    EXPECT_EQ(branch.substr(0, branch.find('\n')),
              "healthy " + Short(commit) + ": 1 object: 1 healthy")
        << name;
    EXPECT_EQ(std::count(branch.begin(), branch.end(), '\n'), crashes + 1) << name;
    ASSERT_LT(crashes, 90);
  }
  EXPECT_GT(crashes, 5);
}

TEST_F(StatusPublisherTest, ACommitThatIsDeployedAgainIsRecordedAgain) {
  const std::string first = Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  const std::string second = Push({});
  engine_->PostReceive({"site", "ann", {{"", second, "refs/heads/main"}}, {"allow-empty"}, {}},
                       std::make_shared<Terminal>());
  cluster_.Settle();
  git_.SetRef("site", "refs/heads/main", first);
  engine_->PostReceive({"site", "ann", {{"", first, "refs/heads/main"}}, {}, {}},
                       std::make_shared<Terminal>());
  cluster_.Settle();
  EXPECT_EQ(Branch(), "healthy " + Short(first) + ": 1 object: 1 healthy\nhealthy " +
                          Short(second) + ": 0 objects\nhealthy " + Short(first) +
                          ": 1 object: 1 healthy\n");
}

TEST_F(StatusPublisherTest, AnotherWritersCommitIsWrittenOver) {
  Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  git_.Push("site", std::string(kStatusRef), {{"stray", "1"}}, "stray\n", {});
  Push({{"conf.yaml", std::string(kConfig) + "#\n"}});
  cluster_.Settle();
  std::string paths;
  const std::string tip = *git_.Resolve("site", std::string(kStatusRef));
  const auto tree = git_.ReadTree("site", tip);
  for (const TreeEntry& entry : *tree) paths += entry.path + "\n";
  EXPECT_EQ(paths, "README.md\ndefault/ConfigMap/conf.yaml\n");
}

TEST_F(StatusPublisherTest, FailingGitIsTriedAgain) {
  cluster_.faults.Set("git.commit.fail", 1);
  const std::string commit = Push({{"conf.yaml", kConfig}});
  cluster_.Settle(Duration::Minutes(2));
  EXPECT_EQ(Note(commit), "");
  EXPECT_FALSE(publisher_->Idle());
  cluster_.faults.Clear();
  cluster_.Settle(Duration::Minutes(5));
  EXPECT_EQ(Note(commit), "healthy");
}

TEST_F(StatusPublisherTest, WhatWasDeployedIsNotTriggeredByTheStatusBranch) {
  Push({{"conf.yaml", kConfig}});
  cluster_.Settle();
  const state::Revision revision = cluster_.store().revision();
  const auto refs = git_.Refs("site");
  cluster_.Settle(Duration::Hours(1));
  EXPECT_EQ(cluster_.store().revision(), revision);
  EXPECT_EQ(git_.Refs("site"), refs);
}

TEST_F(StatusPublisherTest, ACrashedContainersLastWordsAreInTheReplyAndTheNote) {
  state::LogRequest asked;
  options_.container_log = [&](const state::PodStream& stream,
                               std::function<void(std::string)> done) {
    asked = std::get<state::LogRequest>(stream.request);
    done("one\n\ntwo\x1b[31m\nthree\nfour\n");
  };
  Stop();
  Start();
  cluster_.Settle();
  const auto terminal = std::make_shared<Terminal>();
  const std::string commit =
      Push({{"pod.yaml",
             "apiVersion: v1\nkind: Pod\nmetadata: {name: job}\nspec:\n  restartPolicy: Never\n"
             "  containers: [{name: main, image: \"hello:1\"}]\n"}},
           terminal);
  cluster_.Settle();
  terminal->text.clear();
  cluster_.SetStatus("pods", "default", "job",
                     "{phase: Failed, containerStatuses: [{name: main, ready: false, state: "
                     "{terminated: {exitCode: 3, reason: Error}}}]}");
  cluster_.Settle();
  EXPECT_EQ(asked.pod.name + " " + asked.container + (asked.previous ? " previous" : ""),
            "job main");
  const std::string why = "pods default/job: failed; pod job: container main: exit 3 (Error)";
  EXPECT_EQ(terminal->text,
            "pods default/job  failed; pod job: container main: exit 3 (Error)\n"
            "the last lines of pod job, container main:\n  | one\n  | two [31m\n  | three\n"
            "  | four\nfailed " +
                Short(commit) + ": " + why + "\nexit 0\n");
  EXPECT_EQ(Note(commit), "failed: " + why + "; log: two [31m | three | four");
}

TEST_F(StatusPublisherTest, LastWordsAreToldWithoutTheSecretsOfThePod) {
  options_.container_log = [&](const state::PodStream&, std::function<void(std::string)> done) {
    done(
        "ter2 was cut\npassword=hunter2, port 80\nkey: second line\naHVudGVyMg== is base64\n"
        "{\"x\":\"a\\\"quoted\\\" one\"}\nanother\n");
  };
  Stop();
  Start();
  cluster_.Settle();
  cluster_.Apply(
      "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n"
      "  password: hunter2\n  key: \"first line\\nsecond line\\n\"\n  port: \"80\"\n"
      "  json: \"a\\\"quoted\\\" one\"\n"
      "---\napiVersion: v1\nkind: Secret\nmetadata: {name: other}\nstringData: {word: another}\n");
  const auto terminal = std::make_shared<Terminal>();
  const std::string commit =
      Push({{"pod.yaml",
             "apiVersion: v1\nkind: Pod\nmetadata: {name: job}\nspec:\n  restartPolicy: Never\n"
             "  containers:\n  - name: main\n    image: \"hello:1\"\n"
             "    env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: password}}}]\n"}},
           terminal);
  cluster_.Settle();
  cluster_.SetStatus("pods", "default", "job",
                     "{phase: Failed, containerStatuses: [{name: main, ready: false, state: "
                     "{terminated: {exitCode: 3, reason: Error}}}]}");
  cluster_.Settle();
  const size_t words = terminal->text.find("the last lines");
  ASSERT_NE(words, std::string::npos) << terminal->text;
  EXPECT_EQ(
      terminal->text.substr(words, terminal->text.find("failed ", words) - words),
      "the last lines of pod job, container main:\n  | *** was cut\n  | password=***, port 80\n"
      "  | key: ***\n  | *** is base64\n  | {\"x\":\"***\"}\n  | another\n");
  EXPECT_TRUE(Note(commit).ends_with("; log: *** is base64 | {\"x\":\"***\"} | another"))
      << Note(commit);
}

TEST_F(StatusPublisherTest, LastWordsThatDoNotComeAreNotWaitedForLong) {
  std::function<void(std::string)> late;
  options_.container_log = [&](const state::PodStream&, std::function<void(std::string)> done) {
    late = std::move(done);
  };
  Stop();
  Start();
  cluster_.Settle();
  const std::string commit = Push({{"web.yaml", kWeb}});
  cluster_.Settle();
  const std::string uid = cluster_.Field("deployments.apps", "default", "web", "metadata.uid");
  cluster_.Apply(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: web-1, ownerReferences: [{apiVersion: apps/v1, "
      "kind: Deployment, name: web, uid: " +
      uid + "}]}\nspec: {containers: [{name: web, image: \"hello:1\"}]}\n");
  cluster_.SetStatus("pods", "default", "web-1",
                     "{containerStatuses: [{name: web, ready: false, state: {waiting: {reason: "
                     "CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1}}}]}");
  SetDeployment(kFailedWeb);
  cluster_.Settle(Duration::Seconds(2));
  EXPECT_EQ(Note(commit), "");
  cluster_.Settle(Duration::Seconds(10));
  EXPECT_EQ(Note(commit),
            "failed: deployments.apps default/web: ProgressDeadlineExceeded: timed out; pod web-1: "
            "container web: CrashLoopBackOff, last exit 1");
  ASSERT_TRUE(late);
  late("too late");
  cluster_.Settle();
  EXPECT_EQ(Note(commit).find("too late"), std::string::npos);
}

}  // namespace
}  // namespace gitsync
