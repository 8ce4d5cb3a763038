// What an earlier release left behind, with today's program: a real server over its data directory.
//
// Rules:
// - What the old release listed is there, under the same uid and generation, with the same content;
//   nothing else is. Status is not compared here: it follows the world, and its node is away.
// - What was written is seen by resourceVersion. Out of all this are only the objects whose end is
//   a matter of time (ByTime), and what the test itself does.
// - A server has settled when what came last has been through every controller (SettleControllers)
//   and every repository (SettleRepositories: pushes that only ask, which write nothing).
// - A release that writes something at an upgrade, or serves what the old one did not, says so in
//   the test that then fails: there is no pattern that lets it pass.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <sstream>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "nodeagent/edge/join.h"
#include "state/edge/leveldb_storage.h"
#include "state/record.h"
#include "tests/support/api_connection.h"
#include "tests/support/plumb_process.h"
#include "tests/upgrade/fixture.h"

namespace upgrade {
namespace {

using Words = std::vector<std::string>;
using testsupport::ApiConnection;

constexpr base::Duration kTestWait = base::Duration::Seconds(60);
constexpr const char* kRepositories[] = {"billing", "reports", "shop"};

// A Lease is renewed; an Event and a Delivery that has arrived go after an hour.
bool ByTime(const std::string& key) {
  return key.starts_with("leases ") || key.starts_with("events ") || key.starts_with("deliveries ");
}

// Where ebd31d0 kept what a repository had applied; now that is in managedFields.
constexpr std::string_view kLastApplied = "plumb.dev/last-applied";

// What no upgrade changes.
base::Json Lasting(base::Json object) {
  object.Remove("status");
  base::Json& metadata = object["metadata"];
  metadata.Remove("resourceVersion");
  metadata.Remove("managedFields");
  if (std::as_const(metadata)["annotations"].IsObject()) {
    metadata["annotations"].Remove(kLastApplied);
    if (std::as_const(metadata)["annotations"].empty()) metadata.Remove("annotations");
  }
  if (object["kind"].AsString() == "Node")
    object["spec"].Remove("taints");  // after 40 s without it
  return object;
}

// "KEY: gone", "KEY: new", "KEY: OLD became NEW": a line each.
std::string Differences(const Listing& before, const Listing& after) {
  std::string text;
  for (const auto& [key, object] : before) {
    if (ByTime(key)) continue;
    const auto now = after.find(key);
    if (now == after.end()) {
      text += key + ": gone\n";
    } else if (!(Lasting(object) == Lasting(now->second))) {
      text += key + ": " + Lasting(object).ToString() + " became " +
              Lasting(now->second).ToString() + "\n";
    }
  }
  for (const auto& [key, object] : after) {
    if (!ByTime(key) && before.count(key) == 0) text += key + ": new\n";
  }
  return text;
}

// The keys of what was written in between, a line each.
std::string Written(const Listing& before, const Listing& after) {
  std::string text;
  for (const auto& [key, object] : after) {
    const auto old = before.find(key);
    if (ByTime(key)) continue;
    if (old == before.end() ||
        old->second["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"]) {
      text += key + "\n";
    }
  }
  return text;
}

// The keys of what repositories had applied, a line each. ReplicaSets bear a copy of the annotation.
std::string Deployed(const Listing& old) {
  std::string text;
  for (const auto& [key, object] : old) {
    if (!key.starts_with("replicasets ") && object["metadata"]["annotations"].Has(kLastApplied))
      text += key + "\n";
  }
  return text;
}

std::string Sorted(const std::string& lines) {
  std::istringstream text(lines);
  std::set<std::string> sorted;
  for (std::string line; std::getline(text, line);) sorted.insert(line);
  std::string all;
  for (const std::string& line : sorted) all += line + "\n";
  return all;
}

class UpgradeTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    base::Result<std::unique_ptr<OldRelease>> old = OldRelease::Unpack(GetParam());
    ASSERT_TRUE(old.ok()) << old.status().ToString();
    old_ = *std::move(old);
  }

  void StartServer(const std::string& data_dir) {
    base::Result<std::unique_ptr<testsupport::PlumbProcess>> server =
        testsupport::PlumbProcess::Start(PLUMB_BINARY, data_dir);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
  }
  void StopServer() {
    ASSERT_EQ(server_->Stop().code, 0);
    server_.reset();
  }

  ApiConnection Connect() {
    const auto trust = testsupport::ApiTrust::OfDataDir(server_->data_dir());
    EXPECT_TRUE(trust.ok()) << trust.status().ToString();
    base::Result<ApiConnection> connection = ApiConnection::Open(*trust, server_->port());
    EXPECT_TRUE(connection.ok()) << connection.status().ToString();
    return *std::move(connection);
  }
  base::Json Ask(const std::string& method, const std::string& path, const std::string& body = "") {
    const base::Result<std::string> answer = Connect().Ask(method, path, body);
    EXPECT_TRUE(answer.ok()) << method << " " << path << ": " << answer.status().ToString();
    return answer.ok() ? *base::ParseJson(*answer) : base::Json();
  }
  // All that the old release listed, without the namespaces that the test made.
  Listing List() {
    Listing listing;
    for (const std::string& path : old_->paths()) AddTo(listing, path, Ask("GET", path));
    std::erase_if(
        listing, [](const auto& each) { return each.first.find(" settle-") != std::string::npos; });
    return listing;
  }
  // Watches a list until one of its objects is as wanted; that object.
  base::Json Await(const std::string& path, const std::function<bool(const base::Json&)>& wanted);

  void SettleControllers();
  void SettleRepositories();
  // The object as it is stored; the server is stopped.
  void EditStored(const state::Key& wanted, const std::function<void(base::Json&)>& edit);
  void AskForADirectoryOnly(const std::string& repository, const std::string& manifest);

  // Output and errors of a command; a nonzero exit first, as "exit 1: ".
  std::string Run(Words words, const std::string& directory = "/") {
    base::ProcessOptions options;
    options.argv = std::move(words);
    options.directory = directory;
    options.environment = Words{"PATH=" + std::string(getenv("PATH")),
                                "HOME=" + old_->root(),
                                "KUBECONFIG=" + server_->data_dir() + "/kubeconfig",
                                "GIT_SSL_CAINFO=" + server_->data_dir() + "/pki/ca.crt",
                                "GIT_AUTHOR_NAME=ann",
                                "GIT_AUTHOR_EMAIL=ann@localhost",
                                "GIT_COMMITTER_NAME=ann",
                                "GIT_COMMITTER_EMAIL=ann@localhost"};
    const auto run = base::RunProcess(options, "", kTestWait);
    if (!run.ok()) return run.status().ToString();
    const std::string code = run->exit.ok() ? "" : "exit " + std::to_string(run->exit.code) + ": ";
    return code + run->output + run->error;
  }
  std::string Url() const { return "https://127.0.0.1:" + std::to_string(server_->port()); }
  // A new checkout, as whoever has the role's token has it; its directory.
  std::string Clone(const std::string& repository, const std::string& role = "deployer") {
    const std::string directory =
        old_->root() + "/checkout-" + std::to_string(++checkouts_) + "-" + repository;
    EXPECT_EQ(Run({"git", "clone", "-q",
                   "https://me:" + old_->Token(role) + "@127.0.0.1:" +
                       std::to_string(server_->port()) + "/git/" + repository + ".git",
                   directory}),
              "");
    return directory;
  }
  // The HTTP status that a bearer of the token gets.
  std::string StatusFor(const std::string& token, const std::string& method,
                        const std::string& path, const std::string& body = "") {
    Words words = {"curl",     "-s",
                   "-o",       "/dev/null",
                   "-w",       "%{http_code}",
                   "-X",       method,
                   "--cacert", server_->data_dir() + "/pki/ca.crt",
                   "-H",       "Authorization: Bearer " + token};
    if (!body.empty())
      words.insert(words.end(), {"-H", "Content-Type: application/json", "-d", body});
    words.push_back(Url() + path);
    return Run(words);
  }

  std::unique_ptr<OldRelease> old_;
  std::unique_ptr<testsupport::PlumbProcess> server_;
  int settled_ = 0;
  int checkouts_ = 0;
};

base::Json UpgradeTest::Await(const std::string& path,
                              const std::function<bool(const base::Json&)>& wanted) {
  const base::Json list = Ask("GET", path);
  for (const base::Json& object : list["items"].Elements()) {
    if (wanted(object)) return object;
  }
  ApiConnection watch = Connect();
  const std::string target = path + "?watch=true&timeoutSeconds=60&resourceVersion=" +
                             std::string(list["metadata"]["resourceVersion"].AsString());
  const bool asked = watch.Send("GET", target, "").ok() && watch.ReadHead().ok();
  std::string text;
  while (asked) {
    const base::Result<std::string_view> bytes = watch.ReadContent();
    if (!bytes.ok() || bytes->empty()) break;
    text += *bytes;
    for (size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
      const base::Result<base::Json> event = base::ParseJson(text.substr(0, end));
      if (event.ok() && wanted((*event)["object"])) return (*event)["object"];
    }
  }
  ADD_FAILURE() << "no object of " << path << " became as wanted";
  return {};
}

// A namespace with a workload, a Service and a quota: when all of them are acted on, everything
// that was queued at the start has been.
void UpgradeTest::SettleControllers() {
  const std::string ns = "settle-" + std::to_string(++settled_);
  const auto named = [](const std::string& name) {
    return
        [name](const base::Json& object) { return object["metadata"]["name"].AsString() == name; };
  };
  Ask("POST", "/api/v1/namespaces", R"({"metadata":{"name":")" + ns + R"("}})");
  const std::string core = "/api/v1/namespaces/" + ns, apps = "/apis/apps/v1/namespaces/" + ns;
  Await(core + "/serviceaccounts", named("default"));
  Await(core + "/configmaps", named("kube-root-ca.crt"));
  Ask("POST", core + "/resourcequotas",
      R"({"metadata":{"name":"q"},"spec":{"hard":{"pods":"9"}}})");
  Ask("POST", core + "/services",
      R"({"metadata":{"name":"s"},"spec":{"selector":{"app":"w"},"ports":[{"port":80}]}})");
  Ask("POST", apps + "/deployments",
      R"({"metadata":{"name":"w"},"spec":{"replicas":1,"selector":{"matchLabels":{"app":"w"}},)"
      R"("template":{"metadata":{"labels":{"app":"w"}},"spec":{"nodeSelector":{"disk":"none"},)"
      R"("containers":[{"name":"c","image":"hello:1"}]}}}})");
  Await(core + "/pods", [](const base::Json& pod) {
    return pod["status"]["conditions"].At(0)["reason"].AsString() == "Unschedulable";
  });
  Await(apps + "/deployments", [](const base::Json& deployment) {
    return deployment["status"]["unavailableReplicas"].AsInt() == 1;
  });
  Await(core + "/resourcequotas",
        [](const base::Json& quota) { return quota["status"]["used"]["pods"].AsString() == "1"; });
  Await("/apis/discovery.k8s.io/v1/namespaces/" + ns + "/endpointslices",
        [](const base::Json&) { return true; });
}

// A push that only asks: the answer follows all that the repository had to do before.
void UpgradeTest::SettleRepositories() {
  for (const std::string repository : kRepositories) {
    const std::string checkout = Clone(repository);
    Run({"git", "commit", "-q", "--allow-empty", "-m", "nothing"}, checkout);
    const std::string answer = Run({"git", "push", "-o", "dry-run", "origin", "main"}, checkout);
    EXPECT_NE(answer.find(" unchanged"), std::string::npos) << answer;
    EXPECT_EQ(answer.find("configured"), std::string::npos) << answer;
    EXPECT_EQ(answer.find("pruned"), std::string::npos) << answer;
  }
}

// New in every cluster since ebd31d0: the API's own Service, and the credentials that were files.
constexpr const char* kNew[] = {
    "secrets plumb-system/plumb.ca",        "secrets plumb-system/plumb.join",
    "secrets plumb-system/plumb.token.ann", "secrets plumb-system/plumb.token.dora",
    "secrets plumb-system/plumb.token.vic", "services default/kubernetes"};

std::string New(const std::string& end) {
  std::string text;
  for (const char* key : kNew) text += key + end;
  return text;
}

// What the repositories deploy is taken over from the annotation, in one write each that changes
// nothing else of it.
TEST_P(UpgradeTest, TheOldDataDirectoryOpensAndNothingOfItChanges) {
  ASSERT_NO_FATAL_FAILURE(StartServer(old_->data_dir()));
  SettleControllers();
  SettleRepositories();
  const Listing now = List();
  EXPECT_EQ(Differences(old_->listing(), now), New(": new\n"));
  EXPECT_EQ(Sorted(Written(old_->listing(), now)), Sorted(Deployed(old_->listing()) + New("\n")));
}

TEST_P(UpgradeTest, ASecondStartWritesNothing) {
  ASSERT_NO_FATAL_FAILURE(StartServer(old_->data_dir()));
  SettleControllers();
  SettleRepositories();
  const Listing first = List();
  ASSERT_NO_FATAL_FAILURE(StopServer());
  ASSERT_NO_FATAL_FAILURE(StartServer(old_->data_dir()));
  SettleControllers();
  SettleRepositories();
  const Listing second = List();
  EXPECT_EQ(Differences(first, second), "");
  EXPECT_EQ(Written(first, second), "");
}

// But for this: nothing of such data is confined before an administrator says so.
constexpr std::string_view kUnconfined = "level=warning msg=\"pods may ask anything of their nodes";

TEST_P(UpgradeTest, TheServerWarnsOfNothingElse) {
  ASSERT_NO_FATAL_FAILURE(StartServer(old_->data_dir()));
  SettleControllers();
  SettleRepositories();
  ASSERT_NO_FATAL_FAILURE(StopServer());
  base::Result<std::string> log = base::ReadFile(old_->data_dir() + ".log", 1 << 20);
  ASSERT_TRUE(log.ok());
  const size_t unconfined = log->find(kUnconfined);
  ASSERT_NE(unconfined, std::string::npos) << *log;
  log->erase(unconfined, kUnconfined.size());
  EXPECT_EQ(log->find("level=warning"), std::string::npos) << *log;
  EXPECT_EQ(log->find("level=error"), std::string::npos) << *log;
}

TEST_P(UpgradeTest, ItStillKnowsHowDeploysEnded) {
  ASSERT_NO_FATAL_FAILURE(StartServer(old_->data_dir()));
  for (const Deploy& deploy : old_->deploys()) {
    const std::string told =
        Run({PLUMB_BINARY, "wait", deploy.commit, "--repo", deploy.repository, "--timeout", "10s"});
    EXPECT_NE(told.find(deploy.commit.substr(0, 12) + " " + deploy.outcome), std::string::npos)
        << told;
  }
}

TEST_P(UpgradeTest, PushesGoOnFromWhereTheyWere) {
  ASSERT_NO_FATAL_FAILURE(StartServer(old_->data_dir()));
  for (const std::string repository : kRepositories) {
    const std::string checkout = Clone(repository);
    SettleControllers();
    SettleRepositories();
    const Listing before = List();
    Run({"git", "commit", "-q", "--allow-empty", "-m", "nothing"}, checkout);
    const std::string same = Run({"git", "push", "origin", "main"}, checkout);
    EXPECT_NE(same.find("healthy"), std::string::npos) << same;
    const Listing between = List();
    EXPECT_EQ(Differences(before, between), "");
    EXPECT_EQ(Written(before, between), "kustomizations plumb-system/" + repository + "\n");

    const std::map<std::string, std::string> deployments = {
        {"billing", "ledger-7"}, {"reports", "report-7"}, {"shop", "spare-1"}};
    const std::string name = deployments.at(repository);
    Run({"sed", "-i", "s/revisionHistoryLimit: 3/revisionHistoryLimit: 4/",
         "manifests/" + name + ".yaml"},
        checkout);
    Run({"git", "commit", "-q", "-am", "one line"}, checkout);
    const std::string changed = Run({"git", "push", "origin", "main"}, checkout);
    EXPECT_NE(changed.find("healthy"), std::string::npos) << changed;
    const Listing after = List();
    // The Deployment, and the record of the deploy.
    const std::string key = "deployments " + repository + "/" + name;
    EXPECT_EQ(Written(between, after), key + "\nkustomizations plumb-system/" + repository + "\n");
    EXPECT_EQ(after.at(key)["metadata"]["generation"].AsInt(),
              between.at(key)["metadata"]["generation"].AsInt() + 1);
    EXPECT_EQ(after.at(key)["spec"]["revisionHistoryLimit"].AsInt(), 4);
  }
}

void UpgradeTest::EditStored(const state::Key& wanted,
                             const std::function<void(base::Json&)>& edit) {
  auto storage = state::OpenLevelDb(old_->data_dir() + "/store");
  ASSERT_TRUE(storage.ok()) << storage.status().ToString();
  std::optional<state::Record> newest;
  const auto find = [&](std::string_view key, std::string_view value) {
    auto record = state::DecodeRecord(*state::ParseRecordKey(key), value);
    EXPECT_TRUE(record.ok());
    if (record->object->key == wanted) newest = *std::move(record);
    return true;
  };
  ASSERT_TRUE((*storage)->Scan(state::kLogFirst, state::kLogLast, find).ok());
  ASSERT_TRUE(newest && !newest->removed);
  base::Json object = newest->object->document.ToJson();
  edit(object);
  auto edited = std::make_shared<state::Object>(*newest->object);
  edited->document = base::Document(object);
  newest->object = edited;
  state::StorageBatch batch;
  batch.puts.emplace_back(state::RecordKey(edited->revision), state::EncodeRecord(*newest));
  ASSERT_TRUE((*storage)->Write(batch, {}).ok());
}

// As an earlier release left an application whose path it had accepted and did not heed: it applied
// manifests/, while spec.path said another directory.
void UpgradeTest::AskForADirectoryOnly(const std::string& repository, const std::string& manifest) {
  const std::string bare = old_->data_dir() + "/git/" + repository + ".git";
  const std::string checkout = old_->root() + "/before-" + repository;
  const auto git = [&](Words words, const std::string& directory) {
    base::ProcessOptions options;
    options.argv = {"git",
                    "-c",
                    "user.name=ann",
                    "-c",
                    "user.email=ann@localhost",
                    "-c",
                    "core.hooksPath=/dev/null",
                    "-c",
                    "safe.directory=*"};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    options.directory = directory;
    const auto run = base::RunProcess(options, "", kTestWait);
    EXPECT_TRUE(run.ok() && run->exit.ok()) << (run.ok() ? run->error : run.status().ToString());
    return run.ok() ? run->output.substr(0, run->output.find('\n')) : "";
  };
  git({"clone", "-q", bare, checkout}, "/");
  ASSERT_TRUE(base::MakeDirectories(checkout + "/only", 0755).ok());
  git({"mv", "manifests/" + manifest, "manifests/namespace.yaml", "only/"}, checkout);
  git({"checkout", "HEAD", "--", "manifests"}, checkout);
  git({"commit", "-q", "-m", "a directory"}, checkout);
  git({"fetch", "-q", checkout, "main:main"}, bare);
  const std::string revision = "main@sha1:" + git({"rev-parse", "main"}, bare);
  const std::string tree = git({"rev-parse", "main^{tree}"}, bare);

  EditStored({"kustomizations.kustomize.toolkit.fluxcd.io", "plumb-system", repository},
             [&](base::Json& object) {
               const int64_t generation = object["metadata"]["generation"].AsInt() + 1;
               object["metadata"].Set("generation", generation);
               object["spec"].Set("path", "./only");
               object["status"].Set("observedGeneration", generation);
               object["status"].Set("lastAppliedRevision", revision);
               base::Json& entry = object["status"]["history"].MutableElements().front();
               entry.Set("digest", tree);
               entry["metadata"].Set("revision", revision);
             });
}

TEST_P(UpgradeTest, WhatBeginsToActIsHeldUntilSomebodyAsks) {
  ASSERT_NO_FATAL_FAILURE(AskForADirectoryOnly("billing", "ledger-7.yaml"));
  ASSERT_NO_FATAL_FAILURE(AskForADirectoryOnly("shop", "spare-1.yaml"));
  ASSERT_NO_FATAL_FAILURE(StartServer(old_->data_dir()));
  SettleControllers();
  const std::string kustomizations =
      "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/plumb-system/kustomizations";
  for (const std::string repository : {"billing", "shop"}) {
    Await(kustomizations, [&](const base::Json& object) {
      if (object["metadata"]["name"].AsString() != repository) return false;
      for (const base::Json& condition : object["status"]["conditions"].Elements()) {
        if (condition["message"].AsString().starts_with("held: ")) return true;
      }
      return false;
    });
  }
  const auto deployments = [&](const std::string& ns) {
    std::string names;
    for (const auto& [key, object] : List()) {
      if (key.starts_with("deployments " + ns + "/")) names += key.substr(12) + " ";
    }
    return names;
  };
  const auto of_old = [&](const std::string& ns) {
    std::string names;
    for (const auto& [key, object] : old_->listing()) {
      if (key.starts_with("deployments " + ns + "/")) names += key.substr(12) + " ";
    }
    return names;
  };
  EXPECT_EQ(deployments("billing"), of_old("billing"));  // nothing is pruned
  EXPECT_EQ(deployments("shop"), of_old("shop"));
  const std::string synced = Run({PLUMB_BINARY, "sync", "billing"});
  EXPECT_TRUE(synced.starts_with("billing applied ")) << synced;
  EXPECT_EQ(deployments("billing"), "billing/ledger-7 ");
  EXPECT_EQ(deployments("shop"), of_old("shop"));
  // It would prune a quota and a Secret: more than a deployer may.
  std::string checkout = Clone("shop");
  Run({"git", "commit", "-q", "--allow-empty", "-m", "nothing"}, checkout);
  std::string pushed = Run({"git", "push", "origin", "main"}, checkout);
  EXPECT_NE(pushed.find(".: secrets shop/api-key: user \"dora\" may not delete it"),
            std::string::npos)
      << pushed;
  checkout = Clone("shop", "admin");
  Run({"git", "commit", "-q", "--allow-empty", "-m", "nothing"}, checkout);
  pushed = Run({"git", "push", "origin", "main"}, checkout);
  EXPECT_NE(pushed.find("healthy"), std::string::npos) << pushed;
  EXPECT_EQ(deployments("shop"), "shop/spare-1 ");
}

// ebd31d0 accepted a Provider of type generic, and sent nothing by it: the Provider of the fixture
// is made one before today's program sees it.
TEST_P(UpgradeTest, AProviderThatDidNothingIsHeldUntilItIsChanged) {
  ASSERT_NO_FATAL_FAILURE(
      EditStored({"providers.notification.toolkit.fluxcd.io", "plumb-system", "hooks"},
                 [](base::Json& object) { object["spec"].Set("type", "generic"); }));
  const std::string hooks =
      "/apis/notification.toolkit.fluxcd.io/v1beta3/namespaces/plumb-system/providers/hooks";
  const auto sent = [&] {
    std::string subjects;
    const base::Json list = Ask("GET", "/apis/plumb.dev/v1/namespaces/plumb-system/deliveries");
    for (const base::Json& delivery : list["items"].Elements()) {
      if (delivery["spec"]["type"].AsString() != "generic") continue;
      subjects += std::string(delivery["spec"]["subject"].AsString()) + "\n";
    }
    return subjects;
  };
  const auto deploy = [&] {
    const std::string checkout = Clone("shop");
    Run({"git", "commit", "-q", "--allow-empty", "-m", "nothing"}, checkout);
    const std::string pushed = Run({"git", "push", "origin", "main"}, checkout);
    EXPECT_NE(pushed.find("healthy"), std::string::npos) << pushed;
    const std::string head = Run({"git", "rev-parse", "HEAD"}, checkout);
    return "main@sha1:" + head;
  };
  for (int start = 1; start <= 2; ++start) {
    ASSERT_NO_FATAL_FAILURE(StartServer(old_->data_dir()));
    deploy();
    base::Json hook = Ask("GET", hooks);
    EXPECT_EQ(
        std::as_const(hook)["metadata"]["annotations"]["plumb.dev/held-generation"].AsString(),
        "1");
    // A write that is answered: what was written before it is listed.
    hook["metadata"]["labels"].Set("start", std::to_string(start));
    Ask("PUT", hooks, hook.ToString());
    EXPECT_EQ(sent(), "");
    if (start == 1) {
      ASSERT_NO_FATAL_FAILURE(StopServer());
    }
  }
  base::Json hook = Ask("GET", hooks);
  hook["spec"].Set("address", "http://10.77.0.11:30901/deploys");
  Ask("PUT", hooks, hook.ToString());
  const std::string told = deploy();
  Await("/apis/plumb.dev/v1/namespaces/plumb-system/deliveries", [&](const base::Json& delivery) {
    return delivery["spec"]["type"].AsString() == "generic" &&
           std::string(delivery["spec"]["subject"].AsString()) + "\n" == told;
  });
  EXPECT_EQ(sent(), told);
}

TEST_P(UpgradeTest, TokensHaveTheRoleThatTheyHad) {
  ASSERT_NO_FATAL_FAILURE(StartServer(old_->data_dir()));
  const std::string maps = "/api/v1/namespaces/people/configmaps";
  const std::string body = R"({"metadata":{"name":"by-token"}})";
  std::string told;
  for (const std::string role : {"admin", "deployer", "viewer"}) {
    const std::string token = old_->Token(role);
    told += role + ": " + StatusFor(token, "GET", maps) + " " +
            StatusFor(token, "POST", maps + "?dryRun=All", body) + " " +
            StatusFor(token, "GET", "/plumb/v1/tokens") + "\n";
  }
  EXPECT_EQ(told, "admin: 200 201 200\ndeployer: 200 201 403\nviewer: 200 403 403\n");
  EXPECT_EQ(StatusFor("not-a-token", "GET", maps), "401");
}

// An earlier release could be told to delete it, and waited for what was in it: which goes on.
TEST_P(UpgradeTest, ItsNamespaceThatWasEndingStays) {
  EditStored({"namespaces", "", "plumb-system"}, [](base::Json& object) {
    object["metadata"].Set("deletionTimestamp", "2026-01-01T00:00:00Z");
    object["metadata"].Set("deletionGracePeriodSeconds", 0);
    object["status"].Set("phase", "Terminating");
  });
  ASSERT_NO_FATAL_FAILURE(StartServer(old_->data_dir()));
  SettleControllers();
  SettleRepositories();
  const Listing now = List();
  EXPECT_EQ(Differences(old_->listing(), now), New(": new\n"));
  EXPECT_EQ(now.at("namespaces plumb-system")["status"].ToString(), R"({"phase":"Active"})");
  EXPECT_EQ(StatusFor(old_->Token("admin"), "DELETE", "/api/v1/namespaces/plumb-system"), "403");
}

TEST_P(UpgradeTest, ItsCredentialsMoveIntoTheStore) {
  const auto content = [&](const std::string& file) {
    const base::Result<std::string> text = base::ReadFile(old_->data_dir() + file, 1 << 20);
    return text.ok() ? *text : text.status().ToString();
  };
  const auto kept = [&] {
    return content("/pki/ca.crt") + content("/pki/admin.crt") + content("/pki/admin.key") +
           content("/join-token");
  };
  const std::string before = kept();
  for (int start = 1; start <= 2; ++start) {
    ASSERT_NO_FATAL_FAILURE(StartServer(old_->data_dir()));
    EXPECT_EQ(*base::ListDirectory(old_->data_dir() + "/pki"),
              (Words{"admin.crt", "admin.key", "ca.crt"}));
    EXPECT_EQ(kept(), before);
    EXPECT_EQ(StatusFor(old_->Token("viewer"), "GET", "/api/v1/pods"), "200");
    server_->Kill();
  }
}

TEST_P(UpgradeTest, TheJoinTokenStillJoins) {
  ASSERT_NO_FATAL_FAILURE(StartServer(old_->data_dir()));
  const base::WallTime now =
      base::WallTime::FromNanos(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                    std::chrono::system_clock::now().time_since_epoch())
                                    .count());
  nodeagent::JoinOptions join{.server = Url(),
                              .token = old_->JoinToken(),
                              .node = "node2",
                              .directory = old_->root() + "/node2"};
  const base::Result<nodeagent::TlsIdentity> joined = nodeagent::EnsureIdentity(join, now);
  EXPECT_TRUE(joined.ok()) << joined.status().ToString();
  join.token.back() = join.token.back() == 'A' ? 'B' : 'A';
  join.directory += "-stranger";
  EXPECT_EQ(nodeagent::EnsureIdentity(join, now).status().code(), base::Code::kUnauthorized);
}

TEST_P(UpgradeTest, ItsBackupRestoresAndTheRestoredServerIsTheSame) {
  ASSERT_NO_FATAL_FAILURE(StartServer(old_->data_dir()));  // for the environment of Run
  const std::string restored = old_->root() + "/restored";
  const std::string told = Run({PLUMB_BINARY, "restore", old_->backup(), "--data-dir", restored});
  ASSERT_NE(told.substr(0, 5), "exit ") << told;
  ASSERT_NO_FATAL_FAILURE(StopServer());
  ASSERT_NO_FATAL_FAILURE(StartServer(restored));
  SettleControllers();
  SettleRepositories();
  const Listing now = List();
  EXPECT_EQ(Differences(old_->listing(), now), New(": new\n"));
  EXPECT_EQ(Sorted(Written(old_->listing(), now)), Sorted(Deployed(old_->listing()) + New("\n")));
  EXPECT_EQ(StatusFor(old_->Token("viewer"), "GET", "/api/v1/pods"), "200");
}

INSTANTIATE_TEST_SUITE_P(Of, UpgradeTest, testing::Values("ebd31d0"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace upgrade
