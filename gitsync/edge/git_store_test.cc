// LibgitStore against the contract, with the real git as the user who pushes, and what only real
// repositories have: settings, links, submodules, limits of foreign trees, other writers.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "gitsync/edge/git_host.h"
#include "gitsync/edge/git_sandbox.h"
#include "gitsync/testing/fake_git.h"
#include "gitsync/testing/git_contract.h"

namespace gitsync {
namespace {

using base::Code;
using base::Result;
using base::WallTime;

constexpr char kMainRef[] = "refs/heads/main";

GitHostOptions OptionsIn(const GitSandbox& sandbox) {
  GitHostOptions options;
  options.root = sandbox.root() + "/repos";
  options.hook_socket = sandbox.root() + "/hook.sock";
  options.hook_program = "/usr/bin/plumb";
  return options;
}

// Does with git's own plumbing what receive-pack does: objects into a quarantine, then migration.
class RealDriver : public GitDriver {
 public:
  RealDriver() : store_(OpenGitStore(OptionsIn(sandbox_))) {}
  GitStore& store() override { return *store_; }

  FakeGit::Staged Stage(const std::string& repository, const std::string& ref,
                        const FakeGit::Files& files, const std::string& message, WallTime time,
                        bool force) override {
    FakeGit::Staged staged{repository, ref, std::string(kZeroOid), "", {}};
    const base::RunOutput tip = sandbox_.Try(On(repository, {"rev-parse", "--verify", ref}));
    if (tip.exit.ok()) staged.old_oid = tip.output.substr(0, 40);
    const std::string objects = Path(repository) + "/objects";
    staged.quarantine.object_directory =
        objects + "/tmp_objdir-incoming-" + std::to_string(++quarantines_);
    std::filesystem::create_directory(staged.quarantine.object_directory);
    const std::string date = "@" + std::to_string(time.seconds()) + " +0000";
    const GitSandbox::Words environment = {
        "GIT_OBJECT_DIRECTORY=" + staged.quarantine.object_directory,
        "GIT_ALTERNATE_OBJECT_DIRECTORIES=" + objects,
        "GIT_INDEX_FILE=" + sandbox_.root() + "/index", "GIT_AUTHOR_DATE=" + date,
        "GIT_COMMITTER_DATE=" + date};
    std::filesystem::remove(sandbox_.root() + "/index");
    std::string index;
    for (const auto& [path, content] : files) {
      const std::string oid =
          sandbox_.Git(On(repository, {"hash-object", "-w", "--stdin"}), content, environment);
      index += "100644 " + oid + "\t" + path + "\n";
    }
    sandbox_.Git(On(repository, {"update-index", "--index-info"}), index, environment);
    const std::string tree = sandbox_.Git(On(repository, {"write-tree"}), "", environment);
    GitSandbox::Words commit = {"commit-tree", tree};
    if (!force && tip.exit.ok()) commit.insert(commit.end(), {"-p", staged.old_oid});
    staged.new_oid = sandbox_.Git(On(repository, commit), message, environment);
    return staged;
  }
  void Accept(const FakeGit::Staged& staged) override {
    namespace fs = std::filesystem;
    const fs::path objects = Path(staged.repository) + "/objects";
    const fs::path from = staged.quarantine.object_directory;
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
      if (!entry.is_regular_file()) continue;
      const fs::path to = objects / fs::relative(entry.path(), from);
      fs::create_directories(to.parent_path());
      fs::rename(entry.path(), to);
    }
    fs::remove_all(from);
    sandbox_.Git(On(staged.repository, {"update-ref", staged.ref, staged.new_oid, staged.old_oid}));
  }
  void Drop(const FakeGit::Staged& staged) override {
    std::filesystem::remove_all(staged.quarantine.object_directory);
  }

 private:
  std::string Path(const std::string& repository) const {
    return sandbox_.root() + "/repos/" + repository + ".git";
  }
  GitSandbox::Words On(const std::string& repository, GitSandbox::Words words) const {
    words.insert(words.begin(), "--git-dir=" + Path(repository));
    return words;
  }

  GitSandbox sandbox_;
  std::unique_ptr<GitStore> store_;
  int quarantines_ = 0;
};

std::unique_ptr<GitDriver> MakeReal() { return std::make_unique<RealDriver>(); }
INSTANTIATE_TEST_SUITE_P(Libgit, GitContract, testing::Values(GitUnderTest{"Libgit", &MakeReal}),
                         GitName);

class GitStoreTest : public testing::Test {
 protected:
  GitStoreTest() : options_(OptionsIn(sandbox_)), store_(OpenGitStore(options_)) {
    EXPECT_TRUE(store_->Create("shop", "main").ok());
  }
  std::string Git(GitSandbox::Words words, std::string_view input = {}) {
    words.insert(words.begin(), "--git-dir=" + options_.root + "/shop.git");
    return sandbox_.Git(std::move(words), input);
  }
  // A commit on main from the commands of git fast-import that follow its header.
  void Import(const std::string& changes) {
    Git({"fast-import", "--quiet", "--force"},
        "commit refs/heads/main\ncommitter User <user@example.com> 100 +0000\ndata 4\nsync\n" +
            changes);
  }
  GitStore::NewCommit Commit(const std::string& ref, const FakeGit::Files& files) {
    GitStore::NewCommit commit;
    commit.ref = ref;
    commit.files = files;
    commit.message = "status\n";
    commit.author_name = "plumb";
    commit.author_email = "plumb@localhost";
    commit.time = WallTime::FromSeconds(77);
    return commit;
  }

  GitSandbox sandbox_;
  GitHostOptions options_;
  std::unique_ptr<GitStore> store_;
};

TEST_F(GitStoreTest, ANewRepositoryHasTheSettingsOfAHost) {
  const std::string settings = Git({"config", "--local", "--list"});
  for (const std::string line :
       {"receive.fsckobjects=true", "transfer.fsckobjects=true",
        "receive.advertisepushoptions=true", "receive.maxinputsize=536870912",
        "receive.denynonfastforwards=false", "gc.auto=0", "core.protectntfs=true",
        "core.protecthfs=true", "http.receivepack=true"}) {
    EXPECT_NE(settings.find(line), std::string::npos) << line << " in\n" << settings;
  }
  EXPECT_EQ(Git({"config", "core.hooksPath"}), options_.root + "/hooks");
  EXPECT_EQ(Git({"rev-parse", "--is-bare-repository"}), "true");
  EXPECT_EQ(*base::ListDirectory(options_.root + "/shop.git"),
            (std::vector<std::string>{"HEAD", "config", "objects", "refs"}));
  EXPECT_EQ(Git({"symbolic-ref", "HEAD"}), kMainRef);
  EXPECT_EQ(*base::ReadFile(options_.root + "/hooks/pre-receive", 1000),
            "#!/bin/sh\nexec '/usr/bin/plumb' git-hook pre-receive --socket '" +
                options_.hook_socket + "'\n");
  EXPECT_EQ(*base::ListDirectory(options_.root), (std::vector<std::string>{"hooks", "shop.git"}));
}

TEST_F(GitStoreTest, LinksAndSubmodulesAreListedAndNeverFollowed) {
  Import(
      "M 120000 inline secrets\ndata 11\n/etc/shadow\n"
      "M 160000 1234567890123456789012345678901234567890 vendor\n"
      "M 100755 inline run.sh\ndata 1\nx\n");
  const Result<std::vector<TreeEntry>> tree =
      store_->ReadTree("shop", *store_->Resolve("shop", kMainRef));
  ASSERT_TRUE(tree.ok());
  std::string text;
  for (const TreeEntry& entry : *tree) {
    char mode[16];
    snprintf(mode, sizeof mode, "%06o ", entry.mode);
    text += mode + entry.path + " " + std::to_string(entry.size) + "\n";
  }
  EXPECT_EQ(text, "100755 run.sh 1\n120000 secrets 11\n160000 vendor 0\n");
  EXPECT_EQ(*store_->ReadBlob("shop", (*tree)[1].oid), "/etc/shadow");
}

TEST_F(GitStoreTest, ATreeThatIsTooDeepNamesTheDirectory) {
  std::string deep;
  for (size_t i = 0; i < kMaxTreeDepth; ++i) deep += "d/";
  Import("M 100644 inline " + deep + "f\ndata 1\nx\n");
  const base::Status status = store_->ReadTree("shop", *store_->Resolve("shop", kMainRef)).status();
  EXPECT_EQ(status.ToString(),
            "RequestEntityTooLarge: directory \"" + deep + "\" lies deeper than 64 levels");
}

TEST_F(GitStoreTest, ATreeWithTooManyEntriesIsRefusedWhateverTheyAre) {
  // Four levels of 32 times the same directory: a million paths in five objects.
  std::string tree =
      Git({"mktree"}, "100644 blob " + Git({"hash-object", "-w", "--stdin"}, "x") + "\tfile\n");
  for (int level = 0; level < 4; ++level) {
    std::string rows;
    for (int i = 0; i < 32; ++i) {
      rows += "040000 tree " + tree + "\td" + std::to_string(i) + "\n";
    }
    tree = Git({"mktree"}, rows);
  }
  const std::string commit = Git({"commit-tree", tree}, "bomb\n");
  const base::Status status = store_->ReadTree("shop", commit).status();
  EXPECT_EQ(status.code(), Code::kTooLarge);
  EXPECT_NE(status.message().find("more than 200000 files and directories"), std::string::npos)
      << status.ToString();
}

TEST_F(GitStoreTest, ALargeBlobIsListedButNotRead) {
  Import("M 100644 inline big.bin\ndata " + std::to_string(kMaxBlobBytes + 1) + "\n" +
         std::string(kMaxBlobBytes + 1, 'x') + "\n");
  const auto tree = store_->ReadTree("shop", *store_->Resolve("shop", kMainRef));
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(tree->at(0).size, kMaxBlobBytes + 1);
  EXPECT_EQ(store_->ReadBlob("shop", tree->at(0).oid).status().code(), Code::kTooLarge);
  EXPECT_EQ(store_->ReadBlob("shop", *store_->Resolve("shop", kMainRef)).status().code(),
            Code::kInvalid);
}

TEST_F(GitStoreTest, ATagResolvesToItsCommit) {
  Import("M 100644 inline a\ndata 1\nx\n");
  Git({"tag", "-a", "-m", "first", "v1", kMainRef});
  EXPECT_EQ(*store_->Resolve("shop", "refs/tags/v1"), *store_->Resolve("shop", kMainRef));
  Git({"update-ref", "refs/tags/blob", Git({"hash-object", "-w", "--stdin"}, "x")});
  EXPECT_EQ(store_->Resolve("shop", "refs/tags/blob").status().code(), Code::kInvalid);
}

TEST_F(GitStoreTest, PackedRefsAndObjectsReadAlike) {
  Import("M 100644 inline a\ndata 1\nx\n");
  const std::string before = *store_->Resolve("shop", kMainRef);
  Git({"gc", "--quiet", "--prune=now"});
  EXPECT_EQ(*store_->Resolve("shop", kMainRef), before);
  EXPECT_EQ(store_->ReadTree("shop", before)->size(), 1u);
}

TEST_F(GitStoreTest, GitReadsWhatIsWritten) {
  Import("M 100644 inline a\ndata 1\nx\n");
  const std::string deployed = *store_->Resolve("shop", kMainRef);
  ASSERT_TRUE(
      store_->WriteNote("shop", "refs/notes/plumb", deployed, "healthy\n", WallTime::FromSeconds(9))
          .ok());
  const Result<std::string> status = store_->Commit(
      "shop", Commit("refs/heads/plumb/status", {{"README.md", "fine\n"}, {"ns/web.yaml", "1"}}));
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(Git({"notes", "--ref=plumb", "show", deployed}), "healthy");
  EXPECT_EQ(Git({"notes", "--ref=plumb", "list"}).substr(41), deployed);
  EXPECT_EQ(Git({"ls-tree", "-r", "--name-only", "plumb/status"}), "README.md\nns/web.yaml");
  EXPECT_EQ(Git({"fsck", "--strict"}), "");
}

// Both stores name what they write by content alone: the fake's ids are git's.
TEST_F(GitStoreTest, TheFakeGivesTheSameIds) {
  FakeGit fake;
  ASSERT_TRUE(fake.Create("shop", "main").ok());
  const auto one = Commit("refs/heads/plumb/status", {{"a/b.yaml", "1"}, {"a-b", "2"}, {"c", ""}});
  const auto two = Commit("refs/heads/plumb/status", {{"c", "3"}});
  EXPECT_EQ(*store_->Commit("shop", one), *fake.Commit("shop", one));
  const std::string tip = *fake.Commit("shop", two);
  EXPECT_EQ(*store_->Commit("shop", two), tip);
  for (GitStore* store : {store_.get(), static_cast<GitStore*>(&fake)}) {
    ASSERT_TRUE(store->WriteNote("shop", "refs/notes/plumb", tip, "n\n", {}).ok());
  }
  EXPECT_EQ(*store_->Resolve("shop", "refs/notes/plumb"),
            *fake.Resolve("shop", "refs/notes/plumb"));
}

TEST_F(GitStoreTest, ManyNewFilesBecomeOnePack) {
  FakeGit::Files files;
  for (int i = 0; i < 500; ++i) files["o/" + std::to_string(i)] = "object " + std::to_string(i);
  const Result<std::string> oid = store_->Commit("shop", Commit("refs/heads/plumb/status", files));
  ASSERT_TRUE(oid.ok()) << oid.status().ToString();
  EXPECT_EQ(store_->ReadTree("shop", *oid)->size(), 500u);
  const std::string counts = Git({"count-objects", "-v"});
  EXPECT_NE(counts.find("packs: 1\n"), std::string::npos) << counts;
  EXPECT_NE(counts.find("in-pack: 502\n"), std::string::npos) << counts;
  EXPECT_EQ(Git({"fsck", "--strict"}), "");
}

TEST_F(GitStoreTest, TwoWritersOfOneRefLoseNothing) {
  constexpr int kCommits = 25;
  std::atomic<int> failed = 0;
  const auto write = [&](const std::string& name) {
    const std::unique_ptr<GitStore> store = OpenGitStore(options_);
    for (int i = 0; i < kCommits; ++i) {
      // A conflict that did not end is an answer too: the writer tries again.
      while (true) {
        const Result<std::string> oid =
            store->Commit("shop", Commit("refs/heads/plumb/status", {{name, std::to_string(i)}}));
        if (oid.ok()) break;
        if (oid.status().code() != Code::kConflict) {
          ++failed;
          break;
        }
      }
    }
  };
  std::thread other(write, "other");
  write("one");
  other.join();
  EXPECT_EQ(failed, 0);
  const std::string tip = *store_->Resolve("shop", "refs/heads/plumb/status");
  EXPECT_EQ(store_->History("shop", tip, 1000)->size(), 2u * kCommits);
}

TEST_F(GitStoreTest, ALockedRefIsReportedWithTheFileToRemove) {
  const std::string lock = options_.root + "/shop.git/refs/heads/held.lock";
  ASSERT_TRUE(base::WriteFileAtomic(lock, "", 0600).ok());
  const base::Status status = store_->Commit("shop", Commit("refs/heads/held", {})).status();
  EXPECT_EQ(status.ToString(),
            "ServiceUnavailable: ref refs/heads/held stays locked by another writer; if none runs, "
            "remove "
            "the file refs/heads/held.lock in the repository");
}

TEST_F(GitStoreTest, ACorruptObjectIsNotReadAsIfItWereGood) {
  Import("M 100644 inline a\ndata 1\nx\n");
  const std::string blob = Git({"hash-object", "-w", "--stdin"}, "good");
  const std::string path =
      options_.root + "/shop.git/objects/" + blob.substr(0, 2) + "/" + blob.substr(2);
  const std::string other = Git({"hash-object", "-w", "--stdin"}, "evil");
  const std::string bytes = *base::ReadFile(
      options_.root + "/shop.git/objects/" + other.substr(0, 2) + "/" + other.substr(2), 1000);
  ASSERT_TRUE(base::WriteFileAtomic(path, bytes, 0400).ok());
  EXPECT_EQ(store_->ReadBlob("shop", blob).status().code(), Code::kCorruption);
}

TEST_F(GitStoreTest, AQuarantineOutsideTheRepositoryIsRefused) {
  Import("M 100644 inline a\ndata 1\nx\n");
  const std::string oid = *store_->Resolve("shop", kMainRef);
  std::filesystem::create_directory(options_.root + "/elsewhere");
  EXPECT_EQ(store_->ReadCommit("shop", oid, {options_.root + "/elsewhere"}).status().code(),
            Code::kInvalid);
  EXPECT_EQ(store_->ReadCommit("shop", oid, {options_.root + "/nothing"}).status().code(),
            Code::kNotFound);
}

}  // namespace
}  // namespace gitsync
