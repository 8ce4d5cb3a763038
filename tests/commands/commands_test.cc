// plumb's commands as a user types them: the real program against a real server on loopback,
// without nodes, with a checkout that pushes to it.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <regex>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "base/json.h"
#include "state/edge/leveldb_storage.h"
#include "state/record.h"
#include "tests/commands/commands_fixture.h"

namespace {

namespace fs = std::filesystem;
using testsupport::CommandsTest;
using testsupport::kConfig;
using testsupport::kOther;
using testsupport::Words;

// Never healthy: there is no node. Its deadline says so after a second.
constexpr char kStuck[] = R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  progressDeadlineSeconds: 1
  minReadySeconds: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "hello:1"}]}
)";

std::string Replaced(const std::string& text, const std::string& pattern, const std::string& with) {
  return std::regex_replace(text, std::regex(pattern), with);
}

constexpr char kKustomizations[] =
    "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/plumb-system/kustomizations";

TEST_F(CommandsTest, DiffShowsWhatAPushWouldDoBeforeItIsPushed) {
  StartWithRepository();
  Commit("conf.yaml", kConfig);
  EXPECT_EQ(Plumb({"diff"}),
            "exit 1\n"
            "+ created    configmaps default/conf\n"
            "    + apiVersion: v1\n    + data:\n    +   a: one\n    + kind: ConfigMap\n"
            "    + metadata:\n    +   name: conf\n\n1 created\n");
  EXPECT_EQ(Push(), "exit 0");
  EXPECT_EQ(Plumb({"diff"}), "exit 0\nno difference: 1 objects are as the commit asks\n");
  Commit("conf.yaml", kOther);
  const std::string changed =
      "~ configured configmaps default/conf\n      apiVersion: v1\n      data:\n";
  EXPECT_EQ(Plumb({"diff"}).substr(0, 100),
            ("exit 1\n" + changed + "    -   a: one\n    +   a: two\n").substr(0, 100));
  EXPECT_EQ(Push(), "exit 0");
  // A rollback, as the checkout has it and as the server does.
  EXPECT_EQ(Exit(Plumb({"diff", "HEAD~1"})), "exit 1");
  work_ = root_;
  EXPECT_EQ(Plumb({"diff", "--repo", "site"}),
            "exit 0\nno difference: 1 objects are as the commit asks\n");
}

// Both kinds: a field that the manifest names, and one that only a person's tool holds.
TEST_F(CommandsTest, DiffShowsTheDriftOfASuspendedRepository) {
  StartWithRepository();
  Commit("conf.yaml", kConfig);
  EXPECT_EQ(Push(), "exit 0");
  const std::string flux = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/plumb-system/";
  EXPECT_EQ(PatchByHand(flux + "kustomizations/site", R"({"spec":{"suspend":true}})"),
            "exit 0\n200");
  EXPECT_EQ(PatchByHand("/api/v1/namespaces/default/configmaps/conf",
                        R"({"data":{"a":"two","b":"by hand"}})"),
            "exit 0\n200");
  EXPECT_EQ(Plumb({"diff"}),
            "exit 2\n"
            "~ configured configmaps default/conf\n"
            "      apiVersion: v1\n      data:\n    -   a: two\n    -   b: by hand\n"
            "    +   a: one\n      kind: ConfigMap\n      metadata:\n\n1 configured\n"
            ".: the repository is suspended; set spec.suspend of its Kustomization to false to go "
            "on\nplumb: a push of this commit would be refused\n");
}

TEST_F(CommandsTest, DiffOfABadCommitIsTroubleAndSaysWhere) {
  StartWithRepository();
  Commit("conf.yaml", std::string(kConfig) + "dat: {}\n");
  EXPECT_EQ(Plumb({"diff"}),
            "exit 2\nconf.yaml:5:1: dat: unknown field; did you mean data?\n"
            "plumb: a push of this commit would be refused\n");
  EXPECT_EQ(Exit(Plumb({"diff", "--bogus"})), "exit 2");
  EXPECT_EQ(Exit(Plumb({"diff", "nonsense"})), "exit 2");
  EXPECT_EQ(Exit(Plumb({"diff", "--repo", "nix"})), "exit 2");
}

TEST_F(CommandsTest, WaitTellsHowEachDeployEnded) {
  StartWithRepository();
  const std::string good = Commit("conf.yaml", kConfig);
  EXPECT_EQ(Push({"-o", "nowait"}), "exit 0");
  EXPECT_TRUE(Plumb({"wait"}).starts_with("exit 0\nsite " + good + " healthy\n"));
  const std::string first = Commit("web.yaml", kStuck);
  EXPECT_EQ(Push({"-o", "nowait"}), "exit 0");
  const std::string second = Commit("conf.yaml", kOther);
  EXPECT_EQ(Push({"-o", "nowait"}), "exit 0");
  EXPECT_TRUE(Plumb({"wait", first}).starts_with("exit 2\nsite " + first + " superseded: by main"));
  EXPECT_TRUE(Plumb({"wait"}).starts_with("exit 1\nsite " + second + " failed: deployments.apps"))
      << Plumb({"wait"});
  EXPECT_EQ(Plumb({"wait", good}), "exit 0\nsite " + good + " healthy\n");
  EXPECT_EQ(base::ParseJson(Plumb({"wait", good, "-o", "json"}).substr(7)).ok(), true);
  // On its own, from anywhere, by the beginning of its id.
  work_ = root_;
  EXPECT_EQ(Plumb({"wait", good.substr(0, 8)}), "exit 0\nsite " + good + " healthy\n");
}

TEST_F(CommandsTest, WaitForWhatDoesNotComeTimesOutAndForNoRepositoryFailsAtOnce) {
  StartWithRepository();
  EXPECT_EQ(Plumb({"wait", "0123456", "--timeout", "1s"}),
            "exit 3\nsite 0123456 not pushed yet\nplumb: the deploy has not ended after 1s\n");
  EXPECT_EQ(Plumb({"wait", "--repo", "nix", "0123456"}),
            "exit 4\nplumb: there is no repository \"nix\" on the server; plumb repo list names "
            "those there are\n");
  EXPECT_EQ(Exit(Plumb({"wait", "--bogus"})), "exit 64");
  EXPECT_EQ(Exit(Plumb({"wait", "--timeout", "soon"})), "exit 64");
}

// A second application of the repository, of one directory of it.
TEST_F(CommandsTest, ARepositoryStandsForAllOfItsApplications) {
  StartWithRepository();
  ASSERT_EQ(SendByHand("POST", kKustomizations,
                       R"({"metadata":{"name":"extra"},"spec":{"interval":"10m","prune":true,)"
                       R"("path":"extra","targetNamespace":"kube-system",)"
                       R"("sourceRef":{"kind":"GitRepository","name":"site"}}})"),
            "exit 0\n201");
  fs::create_directories(work_ + "/manifests");
  fs::create_directories(work_ + "/extra");
  Commit("manifests/conf.yaml", kConfig);
  const std::string commit = Commit("extra/more.yaml", kOther);
  EXPECT_EQ(Push(), "exit 0");
  EXPECT_EQ(Plumb({"wait"}), "exit 0\nextra " + commit + " healthy\nsite " + commit + " healthy\n");
  EXPECT_EQ(Plumb({"wait", "--repo", "extra"}), "exit 0\nextra " + commit + " healthy\n");
  EXPECT_NE(Plumb({"status"}).find("✓ extra (site)"), std::string::npos) << Plumb({"status"});
  EXPECT_EQ(Plumb({"status", "repo/site"}),
            "exit 0\n"
            "✓ repository site                   2/2 applications are healthy\n"
            "├─✓ application extra               healthy  main@sha1:" +
                Head() +
                "\n"
                "│ └─✓ configmaps kube-system/conf\n"
                "└─✓ application site                healthy  main@sha1:" +
                Head() +
                "\n"
                "  └─✓ configmaps default/conf\n");
  EXPECT_EQ(Plumb({"diff"}), "exit 0\nno difference: 2 objects are as the commit asks\n");
  Commit("extra/more.yaml", kConfig);
  EXPECT_NE(Plumb({"diff"}).find("kube-system/conf"), std::string::npos) << Plumb({"diff"});
  EXPECT_TRUE(Plumb({"diff", "HEAD^"}).starts_with("exit 0\n")) << Plumb({"diff", "HEAD^"});
  // One application fails of its path alone.
  Run({"git", "rm", "-q", "-r", "extra"});
  const std::string lacking = Commit("manifests/conf.yaml", kOther);
  EXPECT_EQ(Push(), "exit 0");
  EXPECT_EQ(Plumb({"wait"}),
            "exit 1\nextra " + lacking +
                " failed: not applied: extra: the commit has no such directory; add it, or correct "
                "spec.path of the Kustomization\nsite " +
                lacking + " healthy\n");
}

TEST_F(CommandsTest, SyncAppliesAgainAndSaysHowItEnded) {
  StartWithRepository();
  EXPECT_EQ(Plumb({"sync", "site"}), "exit 0\nsite nothing was pushed yet\n");
  Commit("conf.yaml", kConfig);
  EXPECT_EQ(Push(), "exit 0");
  EXPECT_EQ(Plumb({"sync"}), "exit 0\nsite applied " + Head() + "\n");
  Commit("web.yaml", kStuck);
  EXPECT_EQ(Push(), "exit 0");
  const std::string failed = Plumb({"sync", "site"});
  EXPECT_TRUE(failed.starts_with("exit 1\nsite deployments.apps default/web: ")) << failed;
  EXPECT_EQ(Plumb({"sync", "nix"}),
            "exit 4\nplumb: there is no repository \"nix\" on the server; plumb repo list names "
            "those there are\n");
  EXPECT_EQ(
      SendByHand("PATCH", std::string(kKustomizations) + "/site", R"({"spec":{"suspend":true}})"),
      "exit 0\n200");
  const std::string suspended = Plumb({"sync", "site"});
  EXPECT_NE(suspended.find("site is suspended; set spec.suspend"), std::string::npos) << suspended;
}

// Whoever waits for what will not come is told, at once.
TEST_F(CommandsTest, AnApplicationWhoseSettingsCannotBeActedOnHasFailed) {
  StartWithRepository();
  ASSERT_EQ(SendByHand("POST", kKustomizations,
                       R"({"metadata":{"name":"extra"},"spec":{"interval":"10m","prune":true,)"
                       R"("path":"../extra","sourceRef":{"kind":"GitRepository","name":"site"}}})"),
            "exit 0\n201");
  const std::string commit = Commit("conf.yaml", kConfig);
  EXPECT_EQ(Push(), "exit 0");
  const std::string why =
      "spec.path of the Kustomization: \"../extra\" may lead out of the repository; write it "
      "without \"..\", from the root of the repository\n";
  EXPECT_EQ(Plumb({"wait"}), "exit 1\nextra " + commit + " failed: not applied: " + why + "site " +
                                 commit + " healthy\n");
  EXPECT_EQ(Plumb({"wait", "--repo", "extra", "abcdef0"}),
            "exit 1\nextra abcdef0 failed: not applied: " + why);
  EXPECT_EQ(Plumb({"sync", "extra"}), "exit 1\nextra " + why);
  const std::string status = Plumb({"status"});
  EXPECT_TRUE(std::regex_search(status, std::regex("extra \\(site\\) +- +failed"))) << status;
  EXPECT_NE(status.find("extra: " + why), std::string::npos) << status;
}

TEST_F(CommandsTest, ASyncThatAnotherOneOvertakesEndsWithIt) {
  StartWithRepository();
  const std::string path = std::string(kKustomizations) + "/site";
  const std::string slow = Replaced(kStuck, "Seconds: 1", "Seconds: 600");
  Commit("web.yaml", slow);
  EXPECT_EQ(Push({"-o", "nowait"}), "exit 0");
  std::future<std::string> first = std::async(std::launch::async, [&] {
    return Plumb({"sync", "site"});
  });
  const auto asked = [&] {
    const std::string admin = data_dir_ + "/pki/admin";
    const std::string record =
        Run({"curl", "-s", "--cacert", data_dir_ + "/pki/ca.crt", "--cert", admin + ".crt", "--key",
             admin + ".key", "https://127.0.0.1:" + std::to_string(server_->port()) + path});
    return record.find("reconcile.fluxcd.io/requestedAt\":") != std::string::npos;
  };
  while (!asked() && first.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
  }
  EXPECT_EQ(PatchByHand(path, R"({"metadata":{"annotations":{)"
                              R"("reconcile.fluxcd.io/requestedAt":"of another"}}})"),
            "exit 0\n200");
  Commit("web.yaml", Replaced(slow, "spec:\n  prog", "spec:\n  replicas: 0\n  prog"));
  EXPECT_EQ(Push(), "exit 0");
  EXPECT_EQ(first.get(), "exit 0\nsite applied " + Head() + "\n");
}

TEST_F(CommandsTest, StatusIsAPageAndForScriptsJson) {
  StartWithRepository();
  const std::string commit = Commit("conf.yaml", kConfig);
  EXPECT_EQ(Push(), "exit 0");
  EXPECT_EQ(Replaced(Plumb({"status"}), "(:[0-9]{4,5}|[0-9]+s ago|plumb [0-9.]+ )", "*"),
            "exit 0\n*at https://127.0.0.1*, no nodes yet; plumb agent --help says how one joins\n"
            "\n  REPOSITORY   REVISION       STATE     SINCE    OBJECTS\n"
            "✓ site         main@" +
                commit.substr(0, 7) + "   healthy   *   1\n\n✓ all objects are healthy\n");
  EXPECT_EQ(Plumb({"status", "cm/conf"}), "exit 0\n✓ configmaps default/conf\n");
  for (const Words& words : {Words{"status"}, {"repo", "list"}, {"token", "list"}, {"version"}}) {
    Words with_json = words;
    with_json.insert(with_json.end(), {"-o", "json"});
    const std::string run = Plumb(with_json);
    EXPECT_TRUE(run.starts_with("exit 0\n") && base::ParseJson(run.substr(7)).ok()) << run;
  }
  EXPECT_EQ(Exit(Plumb({"status", "-o", "yaml"})), "exit 2");
  EXPECT_EQ(Exit(Plumb({"status", "cm/nix"})), "exit 4");
}

TEST_F(CommandsTest, ARestoredServerIsTheOneThatWasBackedUp) {
  StartWithRepository();
  ASSERT_EQ(Exit(Plumb({"repo", "create", "empty"})), "exit 0");
  const std::string kept = Commit("conf.yaml", kConfig);
  ASSERT_EQ(Push(), "exit 0");
  const auto object = [&](const std::string& path) {
    return Run({"curl", "-s", "--fail", "--cacert", data_dir_ + "/pki/ca.crt", "--cert",
                data_dir_ + "/pki/admin.crt", "--key", data_dir_ + "/pki/admin.key",
                "https://127.0.0.1:" + std::to_string(server_->port()) + path});
  };
  const std::string conf = object("/api/v1/namespaces/default/configmaps/conf");
  ASSERT_TRUE(conf.starts_with("exit 0\n")) << conf;

  const std::string file = root_ + "/b.plumb";
  EXPECT_TRUE(std::regex_search(
      Plumb({"backup", file}),
      std::regex("^exit 0\nwrote .*: [0-9]+ objects and 2 repositories as of 20")));
  struct stat info {};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(Exit(Plumb({"restore", file, "--check"})), "exit 0");

  // What comes after the backup is lost, and its revisions are not given again.
  Commit("conf.yaml", kOther);
  ASSERT_EQ(Push(), "exit 0");
  const std::string list = object("/api/v1/namespaces/default/configmaps?limit=1");
  std::smatch match;
  ASSERT_TRUE(std::regex_search(list, match, std::regex("\"resourceVersion\":\"([0-9]+)\"")));
  const std::string newest = match[1];
  const std::string admin = data_dir_ + "/pki/admin", authority = Content("/pki/ca.crt");
  const std::string join = Content("/join-token");
  server_.reset();

  const std::string restored = root_ + "/restored";
  ASSERT_EQ(Exit(Plumb({"restore", file, "--data-dir", restored})), "exit 0");
  EXPECT_TRUE(Plumb({"restore", file, "--data-dir", restored})
                  .starts_with("exit 1\nplumb: " + restored + " is not empty"));
  StartServer(restored);
  EXPECT_EQ(object("/api/v1/namespaces/default/configmaps/conf"), conf);
  EXPECT_EQ(Content("/pki/ca.crt"), authority);
  EXPECT_EQ(Content("/join-token"), join);
  EXPECT_EQ(Exit(Run({"curl", "-s", "--fail", "--cacert", data_dir_ + "/pki/ca.crt", "--cert",
                      admin + ".crt", "--key", admin + ".key",
                      "https://127.0.0.1:" + std::to_string(server_->port()) + "/api/v1/secrets"})),
            "exit 0")
      << "the certificate of a kubeconfig from before";
  const std::string watch =
      object("/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=5&resourceVersion=" +
             newest);
  EXPECT_TRUE(watch.find("\"code\":410") != std::string::npos || watch.starts_with("exit 22"))
      << watch;  // Expired: list again
  const std::string repositories = Plumb({"repo", "list"});
  EXPECT_NE(repositories.find("empty"), std::string::npos) << repositories;
  EXPECT_NE(repositories.find("site"), std::string::npos);

  // The token in the remote's URL still opens the repository, which has its history.
  const std::string url = Run({"git", "remote", "get-url", "plumb"}).substr(7);
  const std::string moved =
      Replaced(url, ":[0-9]+/git", ":" + std::to_string(server_->port()) + "/git");
  Run({"git", "remote", "set-url", "plumb", moved.substr(0, moved.find('\n'))});
  EXPECT_EQ(Run({"git", "ls-remote", "plumb", "refs/heads/main"}).substr(7, 12), kept);
  EXPECT_EQ(Push(), "exit 0");
  EXPECT_EQ(Exit(Plumb({"diff"})), "exit 0");
}

TEST_F(CommandsTest, TokensAreDurableAndOnlyAdministratorsSeeThem) {
  StartServer(data_dir_);
  const auto create = [&](const std::string& role) {
    const std::string made = Plumb({"token", "create", "a " + role, "--role", role});
    return made.substr(7, made.find('\n', 7) - 7);
  };
  const std::string admin = create("admin"), deployer = create("deployer");
  const std::string viewer = create("viewer");
  EXPECT_EQ(Exit(Plumb({"token", "create", "a viewer"})), "exit 1");
  EXPECT_EQ(Exit(Plumb({"token", "revoke", "nobody"})), "exit 4");
  server_->Kill();  // with SIGKILL: what was told is durable
  StartServer(data_dir_);

  const auto may = [&](const std::string& token) {
    const std::string secrets = "/api/v1/namespaces/plumb-system/secrets";
    return Status(token, "GET", "/api/v1/nodes") + Status(token, "GET", secrets) +
           Status(token, "GET", secrets + "/plumb.ca") +
           Status(token, "DELETE", secrets + "/plumb.ca");
  };
  EXPECT_EQ(may(admin), "200 200 200 403 ");
  EXPECT_EQ(may(deployer), "200 403 403 403 ");
  EXPECT_EQ(may(viewer), "200 403 403 403 ");
  EXPECT_EQ(Plumb({"token", "revoke", "a admin"}), "exit 0\ntoken a admin is revoked\n");
  EXPECT_EQ(may(admin), "401 401 401 401 ");
  const std::string list = Plumb({"token", "list"});
  EXPECT_EQ(list.find("a admin"), std::string::npos) << list;
  EXPECT_NE(list.find("a viewer"), std::string::npos) << list;
}

TEST_F(CommandsTest, ADamagedBackupIsRefusedAndLeavesNothing) {
  StartServer(data_dir_);
  const std::string file = root_ + "/b.plumb", target = root_ + "/restored";
  ASSERT_EQ(Exit(Plumb({"backup", file})), "exit 0");
  auto bytes = base::ReadFile(file, 1 << 26);
  ASSERT_TRUE(bytes.ok());
  (*bytes)[bytes->size() / 2] ^= 1;
  ASSERT_TRUE(base::WriteFileAtomic(file, *bytes, 0600).ok());
  const std::string damaged = Plumb({"restore", file, "--data-dir", target});
  EXPECT_TRUE(std::regex_search(damaged, std::regex("^exit 1\n.*the backup is damaged at byte")))
      << damaged;
  EXPECT_FALSE(fs::exists(target));
  ASSERT_TRUE(base::WriteFileAtomic(file, bytes->substr(0, bytes->size() / 3), 0600).ok());
  EXPECT_NE(Plumb({"restore", file, "--check"}).find("before it is complete"), std::string::npos);
}

TEST_F(CommandsTest, OnlyAnAdministratorMayMakeABackupAndOnlyADeployerADiff) {
  StartWithRepository();
  Commit("conf.yaml", kConfig);
  const std::string made = Plumb({"token", "create", "eve", "--role", "viewer"});
  const std::string secret = made.substr(7, made.size() - 8);
  const auto admin = base::ReadFile(data_dir_ + "/kubeconfig", 1 << 20);
  const std::string viewer =
      Replaced(*admin, "    client-certificate-data: .*\n    client-key-data: .*\n",
               "    token: " + secret + "\n");
  ASSERT_TRUE(base::WriteFileAtomic(root_ + "/viewer", viewer, 0600).ok());
  const std::string as = "--kubeconfig=" + root_ + "/viewer";
  EXPECT_EQ(Exit(Plumb({"status", as})), "exit 0");
  EXPECT_EQ(Exit(Plumb({"wait", as, "--timeout=1s"})), "exit 3");
  EXPECT_EQ(Exit(Plumb({"backup", root_ + "/b", as})), "exit 5");
  EXPECT_FALSE(fs::exists(root_ + "/b"));
  EXPECT_EQ(Exit(Plumb({"diff", as})), "exit 2");
}

TEST_F(CommandsTest, AServerThatCannotStartSaysWhyInASentence) {
  StartServer(data_dir_);
  const std::string port = std::to_string(server_->port());
  EXPECT_EQ(Plumb({"server", "--data-dir", root_ + "/other", "--listen", "127.0.0.1:" + port}),
            "exit 6\nplumb: port " + port +
                " is taken by another program; stop it, or choose another address with "
                "--listen\n");
  EXPECT_EQ(Plumb({"server", "--data-dir", data_dir_, "--listen", "127.0.0.1:1"}),
            "exit 6\nplumb: another plumb server uses " + data_dir_ +
                "/store; stop it or choose another --data-dir\n");
  EXPECT_EQ(Plumb({"server", "--data-dir", "/dev/null/x"}),
            "exit 1\nplumb: cannot create directory /dev/null/x: /dev/null is a file\n");
  std::ofstream(root_ + "/plumb.yaml") << "lisen: 127.0.0.1:1\n";
  EXPECT_EQ(
      Plumb({"server", "--config", root_ + "/plumb.yaml"}),
      "exit 2\nplumb: " + root_ + "/plumb.yaml:1:1: unknown key lisen; did you mean listen?\n");
}

TEST_F(CommandsTest, DataOfANewerVersionAndAnUnfinishedRestoreAreNotTouched) {
  fs::create_directories(data_dir_);
  {
    auto storage = state::OpenLevelDb(data_dir_ + "/store");
    ASSERT_TRUE(storage.ok());
    state::StorageBatch batch;
    batch.puts.emplace_back(state::kFormatKey, "99");
    ASSERT_TRUE((*storage)->Write(batch, {}).ok());
  }
  EXPECT_EQ(Plumb({"server", "--data-dir", data_dir_}),
            "exit 6\nplumb: the data has format 99, this plumb reads up to " +
                std::to_string(state::kFormatVersion) +
                "; start a newer plumb, or restore a backup\n");
  fs::create_directories(root_ + "/half");
  std::ofstream(root_ + "/half/restore-unfinished") << "";
  EXPECT_EQ(Plumb({"server", "--data-dir", root_ + "/half"}),
            "exit 1\nplumb: a restore into " + root_ +
                "/half was not finished; empty the directory and restore again\n");
}

TEST_F(CommandsTest, EveryCommandHelpsAndNamesItsExitCodes) {
  for (const char* command : {"up", "server", "agent", "repo", "status", "diff", "wait", "sync",
                              "suspend", "resume", "backup", "restore", "token"}) {
    const std::string help = Plumb({command, "--help"});
    EXPECT_TRUE(help.starts_with("exit 0\nusage: plumb " + std::string(command))) << help;
    EXPECT_NE(help.find("Exit codes:"), std::string::npos) << command;
  }
  EXPECT_EQ(Exit(Plumb({"nonsense"})), "exit 2");
}

}  // namespace
