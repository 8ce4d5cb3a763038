// Roles and tokens, as people and machines have them: the same at REST, Git and plumb's own doors.
#include <unistd.h>

#include <ctime>
#include <regex>

#include "nodeagent/edge/join.h"
#include "tests/commands/commands_fixture.h"

namespace {

namespace fs = std::filesystem;
using testsupport::kConfig;
using testsupport::Words;

class RolesTest : public testsupport::CommandsTest {
 protected:
  std::string node_certificate_;  // the directory of the node that joined last
};

TEST_F(RolesTest, ARoleMeansTheSameAtEveryDoor) {
  StartWithRepository();
  const std::string deployer = Token({"dan"}), viewer = Token({"eve", "--role", "viewer"});
  const auto fetch = [&](const std::string& token) {
    return Status(token, "GET", "/git/site.git/info/refs?service=git-upload-pack");
  };
  EXPECT_EQ(fetch(deployer) + fetch(viewer), "200 403 ");
  EXPECT_EQ(Status(deployer, "GET", "/git/none.git/info/refs?service=git-upload-pack") +
                Status(viewer, "GET", "/git/none.git/info/refs?service=git-upload-pack"),
            "404 403 ");
  const std::string list = "/plumb/v1/repositories";
  EXPECT_EQ(Body(viewer, list), "[]\n");
  EXPECT_NE(Body(deployer, list).find("\"site\""), std::string::npos);
  EXPECT_EQ(PatchByHand("/apis/source.toolkit.fluxcd.io/v1/namespaces/plumb-system/"
                        "gitrepositories/site",
                        R"({"metadata":{"annotations":{"plumb.dev/viewers-may-fetch":"true"}}})"),
            "exit 0\n200");
  EXPECT_EQ(fetch(viewer), "200 ");
  EXPECT_NE(Body(viewer, list).find("\"site\""), std::string::npos);
  EXPECT_EQ(Status(viewer, "GET", "/git/site.git/info/refs?service=git-receive-pack"), "403 ");

  // A deployer pushes what REST lets it write, and no more.
  Connect("deployer");
  Commit("conf.yaml", kConfig);
  EXPECT_EQ(Push(), "exit 0");
  Commit("secret.yaml",
         "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: kube-system}\n");
  const std::string refused = Run({"git", "push", "-q", "plumb", "main"});
  EXPECT_NE(refused.find("secret.yaml:1:1: secrets kube-system/s: user \"t3\" may not create it"),
            std::string::npos)
      << refused;
  EXPECT_EQ(
      Status(Token({"root", "--role", "admin"}), "GET", "/api/v1/namespaces/kube-system/secrets/s"),
      "404 ");

  // In plumb-system it reads, suspends and syncs, and writes nothing.
  const std::string application =
      "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/plumb-system/kustomizations/site";
  EXPECT_EQ(Status(deployer, "GET", application) + Status(deployer, "DELETE", application) +
                Status(deployer, "DELETE", application + "?dryRun=All"),
            "200 403 403 ");
  const std::string as = As(deployer);
  EXPECT_EQ(Plumb({"suspend", "site", as}),
            "exit 0\napplication site is suspended: nothing is applied until plumb resume\n");
  EXPECT_EQ(Exit(Plumb({"sync", "site", as})), "exit 1");
  EXPECT_EQ(Plumb({"resume", "site", as}), "exit 0\napplication site goes on\n");
  EXPECT_EQ(Exit(Plumb({"sync", "site", as})), "exit 0");
  EXPECT_EQ(Exit(Plumb({"suspend", "none", as})), "exit 4");
  EXPECT_EQ(Exit(Plumb({"suspend", "site", As(viewer)})), "exit 5");
}

TEST_F(RolesTest, ATokenIsBoundToRepositoriesBranchesAndVerbs) {
  StartWithRepository();
  ASSERT_EQ(Exit(Plumb({"repo", "create", "other"})), "exit 0");
  const std::string token = Token({"ci", "--repo", "site", "--branch", "main,try", "--ttl", "1h"});
  const std::string service = "/info/refs?service=git-receive-pack";
  EXPECT_EQ(Status(token, "GET", "/git/site.git" + service) +
                Status(token, "GET", "/git/other.git" + service) +
                Status(token, "GET", "/api/v1/pods") + Status(token, "GET", "/plumb/v1/status"),
            "200 403 403 403 ");
  Run({"git", "remote", "set-url", "plumb",
       "https://me:" + token + "@127.0.0.1:" + std::to_string(server_->port()) + "/git/site.git"});
  Commit("conf.yaml", kConfig);
  EXPECT_EQ(Push(), "exit 0");
  EXPECT_EQ(Exit(Run({"git", "push", "-q", "plumb", "main:try"})), "exit 0");
  const std::string refused = Run({"git", "push", "-q", "plumb", "main:dev"});
  EXPECT_NE(refused.find("refs/heads/dev is not for this token, which is bound to the branches "
                         "main, try"),
            std::string::npos)
      << refused;
  const std::string list = Plumb({"token", "list"});
  EXPECT_TRUE(std::regex_search(
      list, std::regex("\nci +deployer +20[-0-9]+T[:0-9]+Z +repo=site branch=main,try")))
      << list;
  const std::string reads = Token({"reader", "--repo", "site", "--verbs", "fetch"});
  EXPECT_EQ(Status(reads, "GET", "/git/site.git/info/refs?service=git-upload-pack") +
                Status(reads, "GET", "/git/site.git" + service),
            "200 403 ");
  EXPECT_EQ(Exit(Plumb({"token", "create", "x", "--ttl", "0s"})), "exit 2");
  EXPECT_EQ(Exit(Plumb({"token", "create", "x", "--uses", "2"})), "exit 2");
}

// A variable that was not set must not make a token for everything.
TEST_F(RolesTest, ABoundThatIsEmptyIsRefused) {
  StartServer(data_dir_);
  for (const char* flag : {"--repo", "--branch", "--verbs"}) {
    for (const char* nothing : {"", ","}) {
      const std::string said = Plumb({"token", "create", "ci", flag, nothing});
      EXPECT_NE(said.find("a list of at least one name is needed"), std::string::npos) << said;
    }
  }
  EXPECT_EQ(Plumb({"token", "list"}).find("\nci "), std::string::npos);
}

TEST_F(RolesTest, AWatchEndsWithTheTokenThatOpenedIt) {
  StartServer(data_dir_);
  const std::string token = Token({"ann", "--role", "viewer"});
  const std::string seen = root_ + "/seen";
  base::ProcessOptions curl;
  curl.argv = {
      "curl",
      "-sN",
      "-o",
      seen,
      "--max-time",
      "60",
      "--cacert",
      data_dir_ + "/pki/ca.crt",
      "-H",
      "Authorization: Bearer " + token,
      "https://127.0.0.1:" + std::to_string(server_->port()) + "/api/v1/namespaces?watch=true"};
  auto watch = base::Process::Start(curl);
  ASSERT_TRUE(watch.ok());
  while (!fs::exists(seen) || fs::file_size(seen) == 0) {
    ASSERT_FALSE(watch->Poll()) << "it ended before the token did";
    Run({"true"});
  }
  ASSERT_EQ(Exit(Plumb({"token", "revoke", "ann"})), "exit 0");
  EXPECT_EQ(watch->Wait().code, 0) << "an end in good order, and not curl's own time limit";
}

TEST_F(RolesTest, MachinesJoinByTokensThatAreCountedNamedAndRevoked) {
  StartServer(data_dir_);
  const auto join = [&](const std::string& node, const std::string& token) {
    const std::string directory = root_ + "/node-" + std::to_string(++tokens_);
    const auto identity =
        nodeagent::EnsureIdentity({.server = "https://127.0.0.1:" + std::to_string(server_->port()),
                                   .token = token,
                                   .node = node,
                                   .directory = directory},
                                  base::WallTime::FromSeconds(time(nullptr)));
    if (identity.ok()) node_certificate_ = directory;
    return identity.ok() ? std::string("joined")
                         : std::string(base::InfoOf(identity.status().code()).reason);
  };
  const std::string once = Token({"once", "--join", "--uses", "1"});
  EXPECT_EQ(join("n1", once), "joined");
  EXPECT_EQ(join("n2", once), "Unauthorized");
  const std::string named = Token({"--join", "--node", "n3"});
  EXPECT_EQ(join("n2", named), "Unauthorized");
  EXPECT_EQ(join("n3", named), "joined");
  const std::string any = Token({"any", "--join"});
  EXPECT_EQ(join("n4", any), "joined");
  EXPECT_EQ(Exit(Plumb({"token", "revoke", "any"})), "exit 0");
  EXPECT_EQ(join("n4", any), "Unauthorized");

  // The server's own stands in a file for its owner alone, and nowhere else.
  const std::string line = Content("/join-token"), own = line.substr(0, line.size() - 1);
  EXPECT_EQ(join("n5", own), "joined");
  EXPECT_EQ(Exit(Run({"grep", "-qF", "-e", own, data_dir_ + ".log"})), "exit 1");
  const std::string list = Plumb({"token", "list"});
  EXPECT_TRUE(std::regex_search(list, std::regex("\njoin +join +20"))) << list;

  // The node's certificate reads no Git, and counts no more once it is revoked.
  const auto as_node = [&](const std::string& path) {
    return Run({"curl", "-s", "-o", "/dev/null", "-w", "%{http_code} ", "--cacert",
                data_dir_ + "/pki/ca.crt", "--cert", node_certificate_ + "/node.pem",
                "https://127.0.0.1:" + std::to_string(server_->port()) + path})
        .substr(7);
  };
  ASSERT_EQ(Exit(Plumb({"repo", "create", "site"})), "exit 0");
  EXPECT_EQ(as_node("/api/v1/nodes") + as_node("/git/site.git/info/refs?service=git-upload-pack") +
                as_node("/plumb/v1/repositories") + as_node("/plumb/v1/status"),
            "200 403 403 403 ");
  EXPECT_EQ(Exit(Plumb({"token", "revoke", "--node", "n5"})), "exit 0");
  EXPECT_EQ(as_node("/api/v1/nodes"), "401 ");
  EXPECT_EQ(Exit(Plumb({"token", "revoke", "join"})), "exit 0");
  EXPECT_EQ(join("n6", own.substr(0, own.size() - 1)), "Unauthorized");
}

TEST_F(RolesTest, ATokenIsGoneFromTheCommandLineAtOnce) {
  // Nothing serves there: the agent ends by itself, or is ended.
  base::ProcessOptions options;
  options.argv = {PLUMB_BINARY,   "agent",      "--server",       "https://127.0.0.1:1", "--token",
                  "plumb-secret", "--data-dir", root_ + "/agent", "--token-file",        "-"};
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);  // its standard input: it waits there for the token
  const base::UniqueFd input(ends[0]), held(ends[1]);
  options.input = input.get();
  auto agent = base::Process::Start(options);
  ASSERT_TRUE(agent.ok());
  const std::string path = "/proc/" + std::to_string(agent->pid()) + "/cmdline";
  std::string line;
  for (int i = 0; i < 2000 && line.find("xxxxxxxxxxxx") == std::string::npos; ++i) {
    line = *base::ReadFile(path, 1 << 16);
    Run({"true"});
  }
  EXPECT_NE(line.find("xxxxxxxxxxxx"), std::string::npos) << line;
  EXPECT_EQ(line.find("plumb-secret"), std::string::npos) << line;
  agent->Stop(base::Duration::Seconds(5));
}

}  // namespace
