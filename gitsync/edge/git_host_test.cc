// The real git pushes, fetches and clones over HTTP. What happens when is observed through the
// hooks, which wait for the test.
#include "gitsync/edge/git_host.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>

#include "gitsync/edge/git_bundle.h"
#include "gitsync/edge/git_child.h"
#include "gitsync/edge/git_host_fixture.h"
#include "gitsync/edge/git_settings.h"

namespace gitsync {
namespace {

constexpr char kMain[] = "refs/heads/main";

// The lines of what the server said, without git's padding.
std::string RemoteLines(const std::string& error) {
  std::string lines;
  std::string_view rest = error;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (!line.starts_with("remote: ")) continue;
    line.remove_prefix(8);
    while (line.ends_with(' ')) line.remove_suffix(1);
    lines += std::string(line) + "\n";
  }
  return lines;
}

std::string Describe(const PushRequest& push) {
  std::string text = push.user + " to " + push.repository;
  for (const RefUpdate& update : push.updates) {
    text +=
        "; " + update.old_oid.substr(0, 7) + ".." + update.new_oid.substr(0, 7) + " " + update.ref;
  }
  for (const std::string& option : push.options) text += "; -o " + option;
  return text;
}

TEST_F(GitHostTest, APushIsClonedBackInEveryProtocolVersion) {
  const std::string oid = CommitFile("a.yaml", "a: 1\n");
  const base::RunOutput pushed = Push({"main"});
  ASSERT_TRUE(pushed.exit.ok()) << pushed.error;
  EXPECT_EQ(Ref(kMain), oid);
  for (const std::string version : {"0", "1", "2"}) {
    sandbox_.Git({"-c", "protocol.version=" + version, "clone", "--quiet",
                  "http://127.0.0.1:" + std::to_string(port_) + "/git/shop.git", "v" + version});
    EXPECT_EQ(*base::ReadFile(sandbox_.root() + "/v" + version + "/a.yaml", 100), "a: 1\n");
  }
  const std::string second = CommitFile("a.yaml", "a: 2\n");
  ASSERT_TRUE(Push({"main"}).exit.ok());
  sandbox_.Git({"-C", "v2", "pull", "--quiet"});
  EXPECT_EQ(sandbox_.Git({"-C", "v2", "rev-parse", "HEAD"}), second);
}

TEST_F(GitHostTest, ARefusedPushShowsWhyAndLeavesNothing) {
  HoldPreReceive();
  const std::string oid = CommitFile("a.yaml", "a: 1\n");
  RunningGit push(sandbox_, PushWords({"main"}));
  const HookInbox::Call call = pre_.Take();
  EXPECT_TRUE(store_->ReadTree("shop", oid, call.push.quarantine).ok());
  call.session->Print("a.yaml:1:1: unknown field \"a\"; did you mean apiVersion?");
  call.session->Print("nothing was accepted");
  call.session->Finish(1);
  EXPECT_FALSE(push.Wait().ok());
  EXPECT_EQ(RemoteLines(push.error()),
            "a.yaml:1:1: unknown field \"a\"; did you mean apiVersion?\nnothing was accepted\n");
  EXPECT_NE(push.error().find("main -> main (pre-receive hook declined)"), std::string::npos)
      << push.error();
  WaitUntilIdle();
  EXPECT_EQ(Ref(kMain), "NotFound");
  EXPECT_EQ(store_->ReadCommit("shop", oid).status().code(), base::Code::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(call.push.quarantine.object_directory));
}

TEST_F(GitHostTest, LinesArriveWhileThePushGoesOn) {
  HoldPostReceive();
  const std::string oid = CommitFile("a.yaml", "a: 1\n");
  RunningGit push(sandbox_, PushWords({"main"}));
  const HookInbox::Call call = post_.Take();
  EXPECT_EQ(Ref(kMain), oid);
  EXPECT_EQ(call.push.quarantine.object_directory, "");
  for (const std::string line : {"web 1/3", "web 2/3", "web 3/3"}) {
    ASSERT_TRUE(call.session->Print(line));
    EXPECT_NE(push.ReadUntil(line).find(line), std::string::npos);
    EXPECT_TRUE(push.Runs());
  }
  call.session->Finish(0);
  EXPECT_TRUE(push.Wait().ok()) << push.error();
  EXPECT_EQ(RemoteLines(push.error()), "web 1/3\nweb 2/3\nweb 3/3\n");
}

TEST_F(GitHostTest, AHookSeesUserRefsAndOptions) {
  HoldPreReceive();
  HoldPostReceive();
  const std::string one = CommitFile("a.yaml", "a: 1\n");
  Work({"tag", "v1"});
  RunningGit push(sandbox_, PushWords({"--push-option=nowait",
                                       "--push-option=", "--push-option=x=y z", "main", "v1"}));
  const std::string want = "alice to shop; 0000000.." + one.substr(0, 7) +
                           " refs/heads/main; 0000000.." + one.substr(0, 7) +
                           " refs/tags/v1; -o nowait; -o ; -o x=y z";
  HookInbox::Call call = pre_.Take();
  EXPECT_EQ(Describe(call.push), want);
  call.session->Finish(0);
  call = post_.Take();
  EXPECT_EQ(Describe(call.push), want);
  call.session->Finish(0);
  EXPECT_TRUE(push.Wait().ok()) << push.error();
}

TEST_F(GitHostTest, ForcePushAndDeletionAreTheUsersChoice) {
  const std::string one = CommitFile("a.yaml", "a: 1\n");
  ASSERT_TRUE(Push({"main", "main:preview"}).exit.ok());
  HoldPreReceive();
  Work({"commit", "--quiet", "--amend", "-m", "Again"});
  const std::string two = Work({"rev-parse", "HEAD"});
  EXPECT_FALSE(Push({"main"}).exit.ok());  // not a fast-forward: the client itself refuses
  RunningGit force(sandbox_, PushWords({"--force", "main"}));
  HookInbox::Call call = pre_.Take();
  EXPECT_EQ(Describe(call.push),
            "alice to shop; " + one.substr(0, 7) + ".." + two.substr(0, 7) + " refs/heads/main");
  call.session->Finish(0);
  EXPECT_TRUE(force.Wait().ok()) << force.error();
  EXPECT_EQ(Ref(kMain), two);
  RunningGit remove(sandbox_, PushWords({"--delete", "preview"}));
  call = pre_.Take();
  EXPECT_EQ(Describe(call.push),
            "alice to shop; " + one.substr(0, 7) + "..0000000 refs/heads/preview");
  call.session->Finish(0);
  EXPECT_TRUE(remove.Wait().ok()) << remove.error();
  EXPECT_EQ(Ref("refs/heads/preview"), "NotFound");
}

TEST_F(GitHostTest, TheDefaultBranchCannotBeDeleted) {
  const std::string oid = CommitFile("a.yaml", "a: 1\n");
  ASSERT_TRUE(Push({"main"}).exit.ok());
  EXPECT_FALSE(Push({"--delete", "main"}).exit.ok());
  EXPECT_EQ(Ref(kMain), oid);
}

// 12 MB that do not compress: git sends them in chunks, after a probe without a body.
std::string Noise(size_t bytes) {
  std::string noise;
  uint64_t state = 1;
  while (noise.size() < bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    noise += static_cast<char>(state >> 56);
  }
  return noise;
}

TEST_F(GitHostTest, ALargeFileGoesThroughBothWays) {
  const std::string noise = Noise(12 << 20);
  CommitFile("big.bin", noise);
  const base::RunOutput pushed = Push({"main"});
  ASSERT_TRUE(pushed.exit.ok()) << pushed.error;
  sandbox_.Git(
      {"clone", "--quiet", "http://127.0.0.1:" + std::to_string(port_) + "/git/shop.git", "back"});
  EXPECT_TRUE(*base::ReadFile(sandbox_.root() + "/back/big.bin", 32 << 20) == noise);
}

TEST_F(GitHostTest, APackBeyondTheLimitIsRefusedInWords) {
  Set([&] { service_options_.max_pack_bytes = 100'000; });
  CommitFile("big.bin", Noise(150'000));
  const base::RunOutput pushed = Push({"main"});
  EXPECT_FALSE(pushed.exit.ok());
  EXPECT_NE(pushed.error.find("pack exceeds maximum allowed size"), std::string::npos)
      << pushed.error;
  EXPECT_EQ(Ref(kMain), "NotFound");
}

TEST_F(GitHostTest, ARequestFarBeyondTheLimitIsCutOff) {
  Set([&] { service_options_.max_pack_bytes = 100'000; });
  CommitFile("big.bin", Noise(4 << 20));
  EXPECT_FALSE(Push({"main"}).exit.ok());
  WaitUntilIdle();
  EXPECT_EQ(Ref(kMain), "NotFound");
}

TEST_F(GitHostTest, ACompressedRequestIsUnderstood) {
  CommitFile("a.yaml", "a: 1\n");
  ASSERT_TRUE(Push({"main"}).exit.ok());
  const std::string url = "http://127.0.0.1:" + std::to_string(port_) + "/git/shop.git";
  sandbox_.Git({"clone", "--quiet", url, "other"});
  // Git compresses a request beyond 1024 bytes: 200 commits that the server does not know.
  std::string commits;
  for (int i = 0; i < 200; ++i) {
    commits +=
        "commit refs/heads/main\ncommitter User <user@example.com> 2000000000 +0000\n"
        "data 2\nx\n" +
        std::string(i == 0 ? "from refs/heads/main^0\n" : "") + "\n";
  }
  sandbox_.Git({"-C", "other", "fast-import", "--quiet"}, commits);
  const std::string oid = CommitFile("a.yaml", "a: 2\n");
  ASSERT_TRUE(Push({"main"}).exit.ok());
  sandbox_.Git({"-C", "other", "-c", "protocol.version=0", "fetch", "--quiet"});
  EXPECT_EQ(sandbox_.Git({"-C", "other", "rev-parse", "origin/main"}), oid);
  Set([&] { EXPECT_GT(gzip_bodies_, 0); });
}

TEST_F(GitHostTest, ABadObjectIsRefusedOnArrival) {
  const std::string blob = Work({"hash-object", "-w", "--stdin"}, "[core]\n");
  const std::string tree = Work({"mktree"}, "100644 blob " + blob + "\tconfig\n");
  const std::string evil = Work({"mktree"}, "040000 tree " + tree + "\t.git\n");
  const std::string commit = Work({"commit-tree", "-m", "evil", evil});
  HoldPreReceive();  // must not be asked
  const base::RunOutput pushed = Push({commit + ":refs/heads/main"});
  EXPECT_FALSE(pushed.exit.ok());
  EXPECT_NE(pushed.error.find("hasDotgit"), std::string::npos) << pushed.error;
  EXPECT_EQ(Ref(kMain), "NotFound");
}

TEST_F(GitHostTest, AKilledClientEndsAPushThatWaitsForItsAnswer) {
  HoldPreReceive();
  CommitFile("a.yaml", "a: 1\n");
  RunningGit push(sandbox_, PushWords({"main"}));
  const HookInbox::Call call = pre_.Take();
  push.Kill();
  while (call.session->Print("still here")) std::this_thread::yield();
  WaitUntilIdle();
  call.session->Finish(0);  // too late, and harmless
  EXPECT_EQ(Ref(kMain), "NotFound");
  EXPECT_FALSE(std::filesystem::exists(call.push.quarantine.object_directory));
}

TEST_F(GitHostTest, AKilledClientEndsTheStreamOfAnAcceptedPush) {
  HoldPostReceive();
  const std::string oid = CommitFile("a.yaml", "a: 1\n");
  RunningGit push(sandbox_, PushWords({"main"}));
  const HookInbox::Call call = post_.Take();
  push.Kill();
  while (call.session->Print("web 1/3")) std::this_thread::yield();
  WaitUntilIdle();
  EXPECT_EQ(Ref(kMain), oid);
}

TEST_F(GitHostTest, AChildThatTakesTooLongIsEnded) {
  HoldPreReceive();
  Set([&] { service_options_.timeout = base::Duration::Seconds(1); });
  CommitFile("a.yaml", "a: 1\n");
  EXPECT_FALSE(Push({"main"}).exit.ok());
  WaitUntilIdle();
  EXPECT_EQ(Ref(kMain), "NotFound");
}

TEST_F(GitHostTest, OfTwoPushesToOneBranchOneWins) {
  HoldPreReceive();
  const std::string one = CommitFile("a.yaml", "a: 1\n");
  Work({"checkout", "--quiet", "--orphan", "other"});
  const std::string two = CommitFile("a.yaml", "a: 2\n");
  RunningGit first(sandbox_, PushWords({"main:main"}));
  RunningGit second(sandbox_, PushWords({"other:main"}));
  const HookInbox::Call calls[] = {pre_.Take(), pre_.Take()};
  for (const HookInbox::Call& call : calls) call.session->Finish(0);
  const bool first_won = first.Wait().ok();
  EXPECT_EQ(second.Wait().ok(), !first_won) << first.error() << second.error();
  EXPECT_EQ(Ref(kMain), first_won ? one : two);
}

TEST_F(GitHostTest, WithoutTheDaemonNothingIsAccepted) {
  hooks_.reset();
  CommitFile("a.yaml", "a: 1\n");
  const base::RunOutput pushed = Push({"main"});
  EXPECT_FALSE(pushed.exit.ok());
  EXPECT_EQ(RemoteLines(pushed.error),
            "plumb: the plumb server does not answer: No such file or directory; nothing was "
            "accepted\n");
  EXPECT_EQ(Ref(kMain), "NotFound");
}

TEST_F(GitHostTest, ADaemonThatStopsWhileItIsAskedAcceptsNothing) {
  HoldPreReceive();
  CommitFile("a.yaml", "a: 1\n");
  RunningGit push(sandbox_, PushWords({"main"}));
  const HookInbox::Call call = pre_.Take();
  hooks_.reset();
  EXPECT_FALSE(push.Wait().ok());
  EXPECT_EQ(RemoteLines(push.error()), "plumb: the plumb server went away; nothing was accepted\n");
  EXPECT_FALSE(call.session->Print("too late"));
  EXPECT_EQ(Ref(kMain), "NotFound");
}

TEST_F(GitHostTest, ASessionThatIsDroppedRefuses) {
  Set([&] { on_pre_ = [](PushRequest, std::shared_ptr<HookSession>) {}; });
  CommitFile("a.yaml", "a: 1\n");
  EXPECT_FALSE(Push({"main"}).exit.ok());
  EXPECT_EQ(Ref(kMain), "NotFound");
}

TEST_F(GitHostTest, ARemovedHookComesBackBeforeItIsMissed) {
  HoldPreReceive();
  std::filesystem::remove(options_.root + "/hooks/pre-receive");
  CommitFile("a.yaml", "a: 1\n");
  RunningGit push(sandbox_, PushWords({"main"}));
  pre_.Take().session->Finish(1);
  EXPECT_FALSE(push.Wait().ok());
  EXPECT_EQ(Ref(kMain), "NotFound");
}

// What the environment of a hook, and so of git, holds besides what git adds to it.
TEST_F(GitHostTest, GitSeesNothingOfTheServersEnvironment) {
  setenv("PLUMB_TEST_SECRET", "s3cret", 1);
  Set([&] { service_options_.hook_program = sandbox_.root() + "/show"; });
  ASSERT_TRUE(
      base::WriteFileAtomic(sandbox_.root() + "/show", "#!/bin/sh\nenv | sort >&2\nexit 1\n", 0700)
          .ok());
  CommitFile("a.yaml", "a: 1\n");
  const std::string lines = RemoteLines(Push({"main"}).error);
  unsetenv("PLUMB_TEST_SECRET");
  EXPECT_EQ(lines.find("s3cret"), std::string::npos) << lines;
  for (const std::string variable :
       {"HOME=/nonexistent\n", "GIT_CONFIG_NOSYSTEM=1\n", "GIT_CONFIG_GLOBAL=/dev/null\n",
        "GIT_PROTOCOL_FROM_USER=0\n", "LC_ALL=C\n", "PLUMB_USER=alice\n",
        "PLUMB_REPOSITORY=shop\n"}) {
    EXPECT_NE(lines.find(variable), std::string::npos) << variable << " in\n" << lines;
  }
}

TEST_F(GitHostTest, WhoMayNotIsToldSo) {
  Set([&] { may_use_ = false; });
  CommitFile("a.yaml", "a: 1\n");
  const base::RunOutput pushed = Push({"main"});
  EXPECT_FALSE(pushed.exit.ok());
  EXPECT_EQ(RemoteLines(pushed.error), "no, alice\n");
  const base::RunOutput fetched =
      sandbox_.Try({"ls-remote", "http://127.0.0.1:" + std::to_string(port_) + "/git/shop.git"});
  EXPECT_EQ(RemoteLines(fetched.error), "no, alice\n");
  httplib::Client client("127.0.0.1", port_);
  const auto post = client.Post("/git/shop.git/git-receive-pack", "0000",
                                "application/x-git-receive-pack-request");
  ASSERT_TRUE(post);
  EXPECT_EQ(post->status, 403);
}

TEST_F(GitHostTest, RequestsThatNoGitSendsAreAnswered) {
  httplib::Client client("127.0.0.1", port_);
  const auto get = [&](const std::string& path, const std::string& protocol = "") {
    const auto result = client.Get("/git" + path, {{"Git-Protocol", protocol}});
    return result ? result->status : -1;
  };
  const auto post = [&](const std::string& path, const std::string& type, const std::string& body) {
    const auto result = client.Post("/git" + path, body, type.c_str());
    return result ? result->status : -1;
  };
  EXPECT_EQ(get("/shop.git/info/refs?service=git-upload-pack"), 200);
  EXPECT_EQ(get("/shop.git/info/refs?service=git-upload-pack", "version=2"), 200);
  EXPECT_EQ(get("/shop.git/info/refs?service=git-upload-pack", "version=2;$(id)"), 400);
  EXPECT_EQ(get("/shop.git/info/refs?service=git-upload-archive"), 403);
  EXPECT_EQ(get("/shop.git/info/refs"), 403);
  EXPECT_EQ(get("/none.git/info/refs?service=git-upload-pack"), 404);
  EXPECT_EQ(get("/..%2fshop.git/info/refs?service=git-upload-pack"), 404);
  EXPECT_EQ(get("/shop/info/refs?service=git-upload-pack"), 404);
  EXPECT_EQ(get("/shop.git/config"), 404);
  EXPECT_EQ(get("/shop.git/git-upload-pack"), 405);
  EXPECT_EQ(post("/shop.git/info/refs?service=git-upload-pack", "text/plain", ""), 405);
  EXPECT_EQ(post("/shop.git/git-upload-pack", "text/plain", "0000"), 415);
  EXPECT_EQ(post("/shop.git/git-upload-pack", "application/x-git-upload-pack-request", "zzzz"),
            500);
  EXPECT_EQ(post("/shop.git/git-upload-pack", "application/x-git-upload-pack-request",
                 std::string(5 << 20, '0')),
            413);
  EXPECT_EQ(post("/shop.git/git-receive-pack", "application/x-git-receive-pack-request", "0000"),
            200);
}

// Two files of 64 MiB of which the second is sent as what differs from the first: a small pack.
TEST_F(GitHostTest, WhatUnpacksToMoreThanTheLimitIsRefusedInWords) {
  if (options_.limits.memory_bytes == 0) GTEST_SKIP() << "a sanitizer's memory has no limit";
  Set([&] { service_options_.limits.memory_bytes = 96u << 20; });
  CommitFile("a.yaml", "a: 1\n");
  ASSERT_TRUE(Push({"main"}).exit.ok());
  std::string large(64u << 20, 'x');
  ASSERT_TRUE(base::WriteFileAtomic(sandbox_.root() + "/work/large", large, 0644).ok());
  large += "y";
  ASSERT_TRUE(base::WriteFileAtomic(sandbox_.root() + "/work/larger", large, 0644).ok());
  Work({"-c", "core.bigFileThreshold=1g", "add", "large", "larger"});
  Work({"commit", "--quiet", "-m", "Large"});
  HoldPreReceive();  // must not be asked
  GitSandbox::Words words = PushWords({"main"});
  words.insert(words.begin(), {"-c", "core.bigFileThreshold=1g"});
  const base::RunOutput pushed = sandbox_.Try(words);
  EXPECT_FALSE(pushed.exit.ok());
  EXPECT_NE(RemoteLines(pushed.error)
                .find("git may use 96 MiB, and what was sent unpacks to more than that; keep files "
                      "of that size out of the repository\n"),
            std::string::npos)
      << pushed.error;
}

TEST(GitChildTest, WhoTakesTooMuchOfTheProcessorIsEnded) {
  const GitLimits limits{.memory_bytes = 0, .cpu_seconds = 1};
  auto child = GitChild::Start({"sh", "-c", "while :; do :; done"}, GitEnvironment(),
                               base::Duration::Seconds(60), limits);
  ASSERT_TRUE(child.ok());
  (*child)->EndInput();
  EXPECT_EQ(*(*child)->Read(), "");
  EXPECT_EQ((*child)->Wait().signal, SIGXCPU) << "which git names, and LimitSentence explains";
}

TEST(GitChildTest, GitsWordsForALimitBecomeASentence) {
  const GitLimits limits{.memory_bytes = 1u << 30, .cpu_seconds = 120};
  const auto says = [&](std::string_view words) {
    const std::string sentence = LimitSentence(limits, words);
    return sentence.substr(0, sentence.find(','));
  };
  EXPECT_EQ(says("fatal: Out of memory, malloc failed (tried to allocate 3221225472 bytes)\n"),
            "git may use 1024 MiB");
  EXPECT_EQ(says("error: x\nfatal: mmap failed: Cannot allocate memory\n"), "git may use 1024 MiB");
  EXPECT_EQ(says("error: unpack-objects died of signal 24\n"), "git may take 120 s of a processor");
  EXPECT_EQ(says("fatal: bad object\n"), "");
  // What a container says is a hook's line.
  EXPECT_EQ(says("  | fatal: Out of memory, malloc failed\n"), "");
}

// As an earlier plumb let it in: a commit that stands for itself.
TEST_F(GitHostTest, AReplacedObjectIsWhatItsIdSays) {
  const std::string one = CommitFile("a.yaml", "a: 1\n");
  ASSERT_TRUE(Push({"main"}).exit.ok());
  const std::string bare = "--git-dir=" + options_.root + "/shop.git";
  sandbox_.Git({bare, "update-ref", "refs/replace/" + one, one});
  const std::string two = CommitFile("a.yaml", "a: 2\n");
  const base::RunOutput pushed = Push({"main"});
  EXPECT_TRUE(pushed.exit.ok()) << pushed.error;
  EXPECT_EQ(Ref(kMain), two);
  // One that stands for another is not what clients and the engine get.
  sandbox_.Git({bare, "update-ref", "refs/replace/" + two, one});
  sandbox_.Git(
      {"clone", "--quiet", "http://127.0.0.1:" + std::to_string(port_) + "/git/shop.git", "back"});
  EXPECT_EQ(*base::ReadFile(sandbox_.root() + "/back/a.yaml", 100), "a: 2\n");
  EXPECT_EQ(store_->ReadCommit("shop", two)->subject, "Change a.yaml");
  EXPECT_EQ(store_->ReadCommit("shop", two)->parents, std::vector<std::string>{one});
}

TEST_F(GitHostTest, ABundleHasBranchesTagsAndNotesAndNothingElse) {
  const std::string one = CommitFile("a.yaml", "a: 1\n");
  Work({"tag", "v1"});
  ASSERT_TRUE(Push({"main", "v1"}).exit.ok());
  const std::string bare = "--git-dir=" + options_.root + "/shop.git";
  sandbox_.Git({bare, "update-ref", "refs/replace/" + one, one});
  sandbox_.Git({bare, "update-ref", "refs/for/main", one});
  ASSERT_TRUE(store_->WriteNote("shop", "refs/notes/plumb", one, "x", {}).ok());
  std::string bundle;
  const base::Status written = WriteBundle(options_, "shop", [&](std::string_view bytes) {
    bundle += bytes;
    return true;
  });
  ASSERT_TRUE(written.ok()) << written.ToString();
  const std::string file = sandbox_.root() + "/shop.bundle";
  ASSERT_TRUE(base::WriteFileAtomic(file, bundle, 0600).ok());
  ASSERT_TRUE(store_->Create("back", "main").ok());
  const base::Status read = ReadBundle(options_, "back", file);
  ASSERT_TRUE(read.ok()) << read.ToString();
  EXPECT_EQ(sandbox_.Git({"--git-dir=" + options_.root + "/back.git", "for-each-ref",
                          "--format=%(refname)"}),
            "refs/heads/main\nrefs/notes/plumb\nrefs/tags/v1");
}

TEST_F(GitHostTest, AGraftIsIgnored) {
  CommitFile("a.yaml", "a: 1\n");
  const std::string two = CommitFile("a.yaml", "a: 2\n");
  ASSERT_TRUE(Push({"main"}).exit.ok());
  ASSERT_TRUE(base::MakeDirectories(options_.root + "/shop.git/info", 0700).ok());
  ASSERT_TRUE(
      base::WriteFileAtomic(options_.root + "/shop.git/info/grafts", two + "\n", 0600).ok());
  sandbox_.Git(
      {"clone", "--quiet", "http://127.0.0.1:" + std::to_string(port_) + "/git/shop.git", "back"});
  EXPECT_EQ(sandbox_.Git({"-C", "back", "rev-list", "--count", "HEAD"}), "2");
}

TEST_F(GitHostTest, APushFromAShallowCloneHasAGapAndAWholeOneHasNot) {
  HoldPreReceive();
  CommitFile("a.yaml", "a: 1\n");
  const std::string two = CommitFile("a.yaml", "a: 2\n");
  const std::string three = CommitFile("a.yaml", "a: 3\n");
  sandbox_.Git({"clone", "--quiet", "--depth", "1", "file://" + sandbox_.root() + "/work", "cut"});
  const std::string url = "http://127.0.0.1:" + std::to_string(port_) + "/git/shop.git";
  const auto gap = [&](const std::string& from) {
    RunningGit push(sandbox_, {"-C", from, "push", url, "main"});
    const HookInbox::Call call = pre_.Take();
    const auto found = store_->MissingAncestor("shop", {three}, call.push.quarantine);
    call.session->Finish(1);
    push.Wait();
    return found.ok() ? *found : found.status().ToString();
  };
  EXPECT_EQ(gap("cut"), two);
  EXPECT_EQ(gap("work"), "");
}

}  // namespace
}  // namespace gitsync
