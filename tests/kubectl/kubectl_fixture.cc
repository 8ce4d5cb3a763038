#include "tests/kubectl/kubectl_fixture.h"

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "base/edge/process.h"
#include "tests/support/plumb_process.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr base::Duration kCommandTimeout = base::Duration::Seconds(60);

struct Cluster {
  fs::path directory;
  std::string kubectl;
  std::unique_ptr<testsupport::PlumbProcess> server;
  int namespaces = 0;
};
Cluster* cluster = nullptr;

// ci/setup's program, or one in PATH; empty if there is none.
std::string FindTool(const std::string& name) {
  const char* tools = getenv("PLUMB_TOOLS");
  const fs::path directory =
      tools != nullptr ? fs::path(tools) : fs::current_path() / ".cache/tools";
  if (fs::exists(directory / name)) return (directory / name).string();
  base::ProcessOptions options;
  options.argv = {name, "version", name == "kubectl" ? "--client" : "--short"};
  const auto found = base::RunProcess(options, "", kCommandTimeout);
  return found.ok() && found->exit.ok() ? name : "";
}

// What it printed, then its errors; a nonzero exit first.
std::string RunCommand(std::vector<std::string> command, std::string_view input) {
  base::ProcessOptions options;
  options.argv = std::move(command);
  options.environment = {"PATH=/usr/bin:/bin", "HOME=" + cluster->directory.string()};
  const auto ran = base::RunProcess(options, input, kCommandTimeout);
  if (!ran.ok()) return ran.status().ToString();
  const std::string code = ran->exit.ok() ? "" : "exit " + std::to_string(ran->exit.code) + ": ";
  return code + ran->output + ran->error;
}

std::string Kubeconfig() { return (cluster->directory / "data/kubeconfig").string(); }

// Words separated by spaces.
void AppendWords(const std::string& text, std::vector<std::string>& words) {
  std::istringstream stream(text);
  for (std::string word; stream >> word;) words.push_back(word);
}

}  // namespace

void KubectlTest::SetUpTestSuite() {
  const std::string kubectl = FindTool("kubectl");
  if (kubectl.empty()) return;
  cluster = new Cluster;
  cluster->kubectl = kubectl;
  std::string directory = (fs::temp_directory_path() / "plumb-kubectl-XXXXXX").string();
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  cluster->directory = directory;
  auto server = testsupport::PlumbProcess::Start(PLUMB_BINARY, directory + "/data");
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  cluster->server = *std::move(server);
}

void KubectlTest::TearDownTestSuite() {
  if (cluster == nullptr) return;
  if (cluster->server) cluster->server->Stop();
  std::error_code ignored;
  fs::remove_all(cluster->directory, ignored);
  delete cluster;
  cluster = nullptr;
}

void KubectlTest::SetUp() {
  if (cluster == nullptr) GTEST_SKIP() << "no kubectl: run ci/setup";
  ns_ = "test-" + std::to_string(++cluster->namespaces);
  Apply("{apiVersion: v1, kind: Namespace, metadata: {name: " + ns_ + "}}");
}

// One test's pods are nobody else's.
void KubectlTest::TearDown() {
  if (cluster == nullptr || ns_.empty()) return;
  Kubectl("delete nodes --all --wait=false");
  Kubectl("delete pods --all --force --grace-period=0 --wait=false");
  Kubectl("delete namespace " + ns_ + " --wait=false");
}

std::string KubectlTest::Kubectl(const std::string& arguments, std::string_view input) {
  std::vector<std::string> command = {cluster->kubectl,
                                      "--kubeconfig",
                                      Kubeconfig(),
                                      "--cache-dir",
                                      (cluster->directory / "cache").string(),
                                      "--namespace",
                                      ns_};
  AppendWords(arguments, command);
  return RunCommand(std::move(command), input);
}

std::string KubectlTest::Helm(const std::string& arguments) {
  static const std::string helm = FindTool("helm");
  if (helm.empty()) return "there is no helm: run ci/setup";
  std::vector<std::string> command = {helm, "--kubeconfig", Kubeconfig(), "--namespace", ns_};
  AppendWords(arguments, command);
  return RunCommand(std::move(command), {});
}

std::string KubectlTest::directory() const {
  const fs::path directory = cluster->directory / ns_;
  fs::create_directories(directory);
  return directory.string();
}

void KubectlTest::Apply(std::string_view yaml) {
  const std::string said = Kubectl("apply -f -", yaml);
  ASSERT_FALSE(said.starts_with("exit")) << said;
}

void KubectlTest::MakeReady(const std::string& selector, size_t count) {
  std::set<std::string> pods;
  // kubectl wait cannot count: so it is asked until there are enough.
  for (int attempt = 0; attempt < 100 && pods.size() < count; ++attempt) {
    Kubectl("wait --for=create pod -l " + selector + " --timeout=30s");
    std::istringstream names(
        Kubectl("get pods -o name -l " + selector + " --field-selector status.phase=Pending"));
    pods.clear();
    for (std::string name; names >> name;) pods.insert(name);
  }
  ASSERT_EQ(pods.size(), count);
  for (const std::string& pod : pods) {
    const std::string said =
        Kubectl("patch " + pod +
                " --subresource=status --type=merge -p "
                "{\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":"
                "\"True\",\"lastTransitionTime\":\"2020-01-01T00:00:00Z\"}]}}");
    ASSERT_EQ(said, pod + " patched\n");
  }
}

std::string Header(const std::string& table) {
  return std::regex_replace(table.substr(0, table.find('\n')), std::regex("  +"), "|");
}

std::string SortedWords(const std::string& text) {
  std::istringstream stream(text);
  std::multiset<std::string> words;
  for (std::string word; stream >> word;) words.insert(word);
  std::string joined;
  for (const std::string& word : words) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

}  // namespace plumb
