// The API as the real kubectl uses it: a server on loopback with TLS and client certificates, no
// controllers behind it. What a command prints is compared; objects' ages and uids are not.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "base/base64.h"
#include "base/edge/process.h"
#include "base/net/edge/http_test_support.h"
#include "base/net/remote_channels.h"
#include "base/net/testing/memory_duplex.h"
#include "state/api/api_server.h"
#include "state/testing/memory_storage.h"

namespace state {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWeb = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example/web:1"}]}
)";

// ci/setup's kubectl, or one in PATH; empty if there is none.
std::string FindKubectl() {
  const fs::path ours = fs::current_path() / ".cache/tools/kubectl";
  if (fs::exists(ours)) return ours.string();
  base::ProcessOptions options;
  options.argv = {"kubectl", "version", "--client"};
  const auto found = base::RunProcess(options, "", base::Duration::Seconds(20));
  return found.ok() && found->exit.ok() ? "kubectl" : "";
}

std::string ReplaceAll(std::string text, const std::string& pattern, const std::string& with) {
  return std::regex_replace(text, std::regex(pattern), with);
}

// A node that says what it was asked for. Its commands: "echo WORDS", "warn WORDS" to standard error,
// "cat", "exit CODE", "size" of the terminal, "zeros BYTES"; others it refuses.
class FakeNode {
 public:
  std::unique_ptr<base::Duplex> Open(base::Loop& loop, const PodStream& stream) {
    auto [asked, own] = base::MemoryDuplexPair(loop);
    const auto end = std::make_shared<Program>();
    programs_.push_back(end);
    end->stream = std::move(own);
    if (const auto* log = std::get_if<LogRequest>(&stream.request)) {
      end->stream->Write(Say(*log));
      end->stream->Finish();
    } else {
      Run(*end, std::get<ExecRequest>(stream.request));
    }
    return std::move(asked);
  }
  void Clear() { programs_.clear(); }

 private:
  struct Program {
    std::unique_ptr<base::Duplex> stream;
    base::RemoteMessageReader reader;
    size_t zeros = 0;

    void Print(base::RemoteChannel channel, std::string_view text) {
      stream->Write(base::RemoteMessage(channel, text));
    }
    void Exit(int code) {
      Print(base::RemoteChannel::kStatus, base::RemoteExitStatus(code));
      stream->Finish();
    }
    void PrintZeros() {
      constexpr size_t kPiece = 30'000;
      while (zeros > 0 && stream->Backlog() < base::kRefillDuplexBacklog) {
        const size_t size = std::min(zeros, kPiece);
        Print(base::RemoteChannel::kStdout, std::string(size, '0'));
        zeros -= size;
        if (zeros == 0) Exit(0);
      }
    }
  };

  static std::string Say(const LogRequest& log) {
    std::string text = "log of " + log.container + "\n";
    if (log.follow) text += "followed\n";
    if (log.previous) text += "of the one before\n";
    if (log.timestamps) text += "with times\n";
    if (log.tail_lines) text += "the last " + std::to_string(*log.tail_lines) + " lines\n";
    if (!log.since.IsZero()) text += "since then\n";
    return text;
  }
  static void Run(Program& program, const ExecRequest& request) {
    const std::string name = request.command.front();
    const std::string argument = request.command.size() > 1 ? request.command[1] : "";
    program.stream->Listen(
        {.bytes =
             [&program, name](std::string_view bytes) {
               const base::Status read = program.reader.Feed(
                   bytes, [&](base::RemoteChannel channel, std::string_view payload) {
                     if (channel == base::RemoteChannel::kStdin && name == "cat") {
                       program.Print(base::RemoteChannel::kStdout, payload);
                     } else if (channel == base::RemoteChannel::kClose && name == "cat") {
                       program.Exit(0);
                     } else if (channel == base::RemoteChannel::kResize && name == "size") {
                       program.Print(base::RemoteChannel::kStdout, payload);
                       program.Exit(0);
                     }
                   });
               CHECK(read.ok());
             },
         .drained = [&program] { program.PrintZeros(); }});
    if (name == "echo" || name == "warn") {
      program.Print(name == "echo" ? base::RemoteChannel::kStdout : base::RemoteChannel::kStderr,
                    argument + "\n");
      program.Exit(0);
    } else if (name == "exit") {
      program.Exit(std::stoi(argument));
    } else if (name == "zeros") {
      program.zeros = std::stoul(argument);
      program.PrintZeros();
    } else if (name != "cat" && name != "size") {
      program.stream->Finish(
          base::Status(base::Code::kInternal, "no program \"" + name + "\" in the image"));
    }
  }

  std::vector<std::shared_ptr<Program>> programs_;
};

class KubectlTest : public base::HttpFixture {
 protected:
  void SetUp() override {
    kubectl_ = FindKubectl();
    if (kubectl_.empty()) GTEST_SKIP() << "no kubectl: run ci/setup";
    OnLoop([this] {
      store_ = base::Must(Store::Open(loop_, storage_, StoreOptions(), [](base::Status) {}));
      api_ = std::make_unique<Api>(VersionInfo());
      server_side_ = std::make_unique<ApiServer>(
          loop_, *store_, *api_, config_,
          [](const base::IncomingRequest& incoming) -> base::Result<base::Identity> {
            if (!incoming.certificate) return base::Identity();
            return base::Identity{incoming.certificate->common_name,
                                  incoming.certificate->organizations};
          },
          [this](const PodStream& stream) { return node_.Open(loop_, stream); },
          ApiServerOptions());
      return true;
    });
    base::HttpServer& server = Make();
    for (const std::string& prefix : ApiServer::Prefixes()) {
      server.AddLoopHandler(
          prefix, [this](base::IncomingRequest incoming, std::unique_ptr<base::Reply> reply) {
            server_side_->Handle(std::move(incoming), std::move(reply));
          });
    }
    Start();
    directory_ = fs::temp_directory_path() / ("kubectl-test-" + std::to_string(getpid()));
    fs::create_directories(directory_);
    WriteKubeconfig("admin", {"plumb:admin"});
    Apply("{apiVersion: v1, kind: Namespace, metadata: {name: default}}");
  }
  void TearDown() override {
    if (server_) server_->Stop();
    if (store_) {
      OnLoop([this] {
        server_side_.reset();
        node_.Clear();
        store_.reset();
        return true;
      });
    }
    std::error_code ignored;
    if (!directory_.empty()) fs::remove_all(directory_, ignored);
  }

  void WriteKubeconfig(const std::string& user, const std::vector<std::string>& groups) {
    const base::KeyPair keys =
        base::Must(base::IssueClientCertificate(ca_, {user, groups}, validity_));
    std::ofstream(directory_ / "kubeconfig")
        << "apiVersion: v1\nkind: Config\ncurrent-context: t\n"
           "clusters: [{name: t, cluster: {server: \"https://127.0.0.1:"
        << port() << "\", certificate-authority-data: " << base::Base64Encode(ca_.cert_pem)
        << "}}]\ncontexts: [{name: t, context: {cluster: t, user: t}}]\n"
           "users: [{name: t, user: {client-certificate-data: "
        << base::Base64Encode(keys.cert_pem)
        << ", client-key-data: " << base::Base64Encode(keys.key_pem) << "}}]\n";
  }

  // "kubectl ARGS": its output, then its errors; a nonzero exit first, as "exit 1: ".
  std::string Kubectl(const std::string& arguments, std::string_view input = {}) {
    base::ProcessOptions options;
    options.argv = {kubectl_, "--kubeconfig", (directory_ / "kubeconfig").string(), "--cache-dir",
                    (directory_ / "cache").string()};
    std::istringstream words(arguments);
    for (std::string word; words >> word;) options.argv.push_back(word);
    const auto ran = base::RunProcess(options, input, base::Duration::Seconds(60));
    if (!ran.ok()) return ran.status().ToString();
    std::string text = ran->exit.ok() ? "" : "exit " + std::to_string(ran->exit.code) + ": ";
    text += ran->output + ran->error;
    return text;
  }
  void Apply(std::string_view yaml) {
    const std::string said = Kubectl("apply -f -", yaml);
    ASSERT_FALSE(said.starts_with("exit")) << said;
  }

  std::string kubectl_;
  fs::path directory_;
  ClusterConfig config_;
  MemoryStorage storage_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Api> api_;
  FakeNode node_;  // loop only
  std::unique_ptr<ApiServer> server_side_;
};

TEST_F(KubectlTest, ApplyCreatesThenConfiguresThenLeavesAlone) {
  const std::string changed = ReplaceAll(std::string(kWeb), "replicas: 2", "replicas: 3");
  EXPECT_EQ(Kubectl("apply -f -", kWeb), "deployment.apps/web created\n");
  EXPECT_EQ(Kubectl("apply -f -", kWeb), "deployment.apps/web unchanged\n");
  EXPECT_EQ(Kubectl("apply -f -", changed), "deployment.apps/web configured\n");
  EXPECT_EQ(Kubectl("get deployment web -o jsonpath={.spec.replicas}"), "3");
}

TEST_F(KubectlTest, GetShowsObjectsInEveryForm) {
  Apply(kWeb);
  EXPECT_EQ(Kubectl("get deploy,ns -A -o name"), "deployment.apps/web\nnamespace/default\n");
  EXPECT_EQ(Kubectl("get deploy web -o jsonpath={.kind}:{.metadata.namespace}"),
            "Deployment:default");
  EXPECT_TRUE(Kubectl("get deploy web -o yaml").starts_with("apiVersion: apps/v1\nkind: Deploy"));
  EXPECT_EQ(Kubectl("get pods"), "No resources found in default namespace.\n");
  EXPECT_EQ(Kubectl("get deploy nope"),
            "exit 1: Error from server (NotFound): deployments.apps \"nope\" not found\n");
  EXPECT_TRUE(Kubectl("get deploy -A").starts_with("NAMESPACE   NAME"));
}

TEST_F(KubectlTest, EditsReachTheObject) {
  Apply(kWeb);
  EXPECT_EQ(Kubectl("scale deployment web --replicas=5"), "deployment.apps/web scaled\n");
  EXPECT_EQ(Kubectl("label deployment web tier=front"), "deployment.apps/web labeled\n");
  EXPECT_EQ(Kubectl("annotate deployment web note=hello"), "deployment.apps/web annotated\n");
  EXPECT_EQ(Kubectl("patch deployment web -p {\"spec\":{\"paused\":true}}"),
            "deployment.apps/web patched\n");
  EXPECT_EQ(Kubectl("patch deployment web --type=merge -p {\"spec\":{\"paused\":false}}"),
            "deployment.apps/web patched\n");
  EXPECT_EQ(Kubectl("patch deployment web --type=json -p "
                    "[{\"op\":\"remove\",\"path\":\"/metadata/annotations/note\"}]"),
            "deployment.apps/web patched\n");
  EXPECT_EQ(Kubectl("set image deployment/web web=example/web:2"),
            "deployment.apps/web image updated\n");
  EXPECT_EQ(Kubectl("rollout restart deployment web"), "deployment.apps/web restarted\n");
  EXPECT_EQ(Kubectl("get deployment web -o jsonpath={.spec.replicas}:{.metadata.labels.tier}:{"
                    ".spec.template.spec.containers[0].image}"),
            "5:front:example/web:2");
}

TEST_F(KubectlTest, CreateReplaceAndDelete) {
  EXPECT_EQ(Kubectl("create -f -", kWeb), "deployment.apps/web created\n");
  EXPECT_EQ(Kubectl("create -f -", kWeb),
            "exit 1: Error from server (AlreadyExists): error when creating \"STDIN\": "
            "deployments.apps \"web\" already exists\n");
  EXPECT_EQ(Kubectl("replace -f -", kWeb), "deployment.apps/web replaced\n");
  EXPECT_EQ(Kubectl("delete deployment web"),
            "deployment.apps \"web\" deleted from default namespace\n");
  EXPECT_EQ(Kubectl("get deployments -o name"), "");
}

// They send protobuf, and do not fall back on JSON.
TEST_F(KubectlTest, TheCreateCommandsWork) {
  EXPECT_EQ(Kubectl("create namespace shop"), "namespace/shop created\n");
  EXPECT_EQ(Kubectl("create configmap conf -n shop --from-literal=a=one"),
            "configmap/conf created\n");
  EXPECT_EQ(Kubectl("create deployment web -n shop --image=example/web:1 --replicas=0"),
            "deployment.apps/web created\n");
  EXPECT_EQ(Kubectl("create secret generic hidden -n shop --from-literal=k=größe"),
            "secret/hidden created\n");
  EXPECT_EQ(Kubectl("create quota q -n shop --hard=pods=3,limits.cpu=1500m"),
            "resourcequota/q created\n");
  EXPECT_EQ(Kubectl("create serviceaccount robot -n shop"), "serviceaccount/robot created\n");
  EXPECT_EQ(Kubectl("create service clusterip front -n shop --tcp=80:http"),
            "service/front created\n");
  EXPECT_EQ(Kubectl("create configmap conf -n shop"),
            "exit 1: error: failed to create configmap: configmaps \"conf\" already exists\n");
  EXPECT_EQ(
      Kubectl("get deployment web -n shop -o jsonpath={.spec.replicas}:{.spec.strategy.type}"),
      "0:RollingUpdate");
  EXPECT_EQ(Kubectl("get secret hidden -n shop -o jsonpath={.data.k}:{.type}"),
            "Z3LDtsOfZQ==:Opaque");
  EXPECT_EQ(Kubectl("get service front -n shop -o jsonpath={.spec.ports[0].targetPort}"), "http");
  EXPECT_EQ(Kubectl("get quota q -n shop -o jsonpath={.spec.hard}"),
            "{\"limits.cpu\":\"1500m\",\"pods\":\"3\"}");
}

// describe, events and rollout history read protobuf: objects, lists and watches.
TEST_F(KubectlTest, TypedClientsReadProtobuf) {
  Apply(kWeb);
  const std::string said = Kubectl("describe deployment web");
  EXPECT_NE(said.find("\nReplicas:               2 desired"), std::string::npos) << said;
  EXPECT_NE(said.find("\n    Image:         example/web:1\n"), std::string::npos) << said;
  constexpr std::string_view kEvent =
      "{apiVersion: v1, kind: Event, metadata: {name: e}, reason: Hello, message: from afar, type: "
      "Normal, involvedObject: {kind: Deployment, name: web}}";
  Apply(kEvent);
  const std::string listed = Kubectl("events");
  EXPECT_NE(listed.find("Hello"), std::string::npos) << listed;
  EXPECT_NE(listed.find("Deployment/web"), std::string::npos) << listed;
  auto watching = std::async(std::launch::async, [this] { return Kubectl("events --watch"); });
  while (OnLoop([this] { return server_side_->open_watches(); }) == 0) usleep(10'000);
  Apply(ReplaceAll(std::string(kEvent), "name: e}", "name: later}"));
  while (!OnLoop([this] { return server_side_->watches_have_all(); })) usleep(1000);
  OnLoop([this] { return server_side_.reset(), true; });
  const std::string watched = watching.get();
  EXPECT_EQ(std::count(watched.begin(), watched.end(), '\n'), 3) << watched;
}

TEST_F(KubectlTest, MistakesAreExplained) {
  const std::string unknown = ReplaceAll(std::string(kWeb), "replicas: 2", "replicaz: 2");
  EXPECT_EQ(Kubectl("create -f -", unknown),
            "exit 1: Error from server (BadRequest): error when creating \"STDIN\": Deployment in "
            "version \"v1\" cannot be handled as a Deployment: strict decoding error: unknown "
            "field \"spec.replicaz\"\n");
  WriteKubeconfig("eve", {"plumb:viewer"});
  EXPECT_EQ(Kubectl("get secrets"),
            "exit 1: Error from server (Forbidden): secrets is forbidden: User \"eve\" cannot list "
            "resource \"secrets\" in API group \"\" in the namespace \"default\"\n");
}

TEST_F(KubectlTest, WaitSeesAConditionThatComes) {
  Apply(kWeb);
  EXPECT_EQ(Kubectl("patch deployment web --subresource=status --type=merge -p "
                    "{\"status\":{\"conditions\":[{\"type\":\"Available\",\"status\":\"True\"}]}}"),
            "deployment.apps/web patched\n");
  EXPECT_EQ(Kubectl("wait deployment/web --for=condition=Available --timeout=20s"),
            "deployment.apps/web condition met\n");
  EXPECT_EQ(Kubectl("wait deployment/nope --for=delete --timeout=20s"), "");
}

TEST_F(KubectlTest, WatchPrintsChangesAsTheyCome) {
  Apply(kWeb);
  auto watching =
      std::async(std::launch::async, [this] { return Kubectl("get deployments -w -o name"); });
  while (OnLoop([this] { return server_side_->open_watches(); }) == 0) usleep(10'000);
  Kubectl("scale deployment web --replicas=4");
  while (!OnLoop([this] { return server_side_->watches_have_all(); })) usleep(1000);
  OnLoop([this] { return server_side_.reset(), true; });  // ends the watch in good order
  EXPECT_EQ(watching.get(), "deployment.apps/web\ndeployment.apps/web\n");
}

TEST_F(KubectlTest, DescribeExplainCordonAndRolloutsFindWhatTheyAsk) {
  Apply(kWeb);
  Apply("{apiVersion: v1, kind: Node, metadata: {name: n1}}");
  EXPECT_TRUE(Kubectl("describe deployment web").starts_with("Name:                   web\n"));
  EXPECT_TRUE(Kubectl("explain deployment.spec.replicas")
                  .starts_with("GROUP:      apps\nKIND:       Deployment\nVERSION:    v1\n"));
  EXPECT_EQ(Kubectl("cordon n1"), "node/n1 cordoned\n");
  EXPECT_EQ(Kubectl("get node n1 -o jsonpath={.spec.unschedulable}"), "true");
  EXPECT_EQ(Kubectl("rollout status deployment web --watch=false"),
            "Waiting for deployment spec update to be observed...\n");
}

constexpr char kPod[] =
    "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: n1, containers: [{name: c, "
    "image: i}, {name: d, image: i}]}}";

TEST_F(KubectlTest, LogsComeFromThePodsNode) {
  Apply(kPod);
  EXPECT_EQ(Kubectl("logs p -c c"), "log of c\n");
  EXPECT_EQ(Kubectl("logs -f p -c c --tail=5 --since=1m --timestamps --previous"),
            "log of c\nfollowed\nof the one before\nwith times\nthe last 5 lines\nsince then\n");
  EXPECT_EQ(Kubectl("logs p -c nobody"),
            "exit 1: error: container nobody is not valid for pod p\n");
}

// kubectl asks for v5.channel.k8s.io over a WebSocket; falling back to SPDY would fail.
TEST_F(KubectlTest, ExecRunsCommandsOverAWebSocket) {
  Apply(kPod);
  EXPECT_EQ(Kubectl("exec p -c c -- echo hello"), "hello\n");
  EXPECT_EQ(Kubectl("exec p -c d -- warn careful"), "careful\n");
  EXPECT_EQ(Kubectl("exec p -c c -- exit 7"), "exit 7: command terminated with exit code 7\n");
  EXPECT_EQ(Kubectl("exec -i p -c c -- cat", "what goes in"), "what goes in");
  const std::string much(3'000'000, 'x');
  EXPECT_EQ(Kubectl("exec -i p -c c -- cat", much).size(), much.size());
  EXPECT_EQ(Kubectl("exec p -c c -- zeros 9000000").size(), 9'000'000u);
  const std::string missing = Kubectl("exec p -c c -- no-such-program");
  EXPECT_TRUE(missing.starts_with("exit 1: ")) << missing;
  EXPECT_NE(missing.find("no program \"no-such-program\" in the image"), std::string::npos)
      << missing;
  const std::string nobody = Kubectl("exec p -c nobody -- echo x");
  EXPECT_TRUE(nobody.starts_with("exit 1: ")) << nobody;
  WriteKubeconfig("eve", {"plumb:viewer"});
  const std::string forbidden = Kubectl("exec p -c c -- echo hello");
  EXPECT_NE(forbidden.find("cannot create resource \"pods/exec\""), std::string::npos) << forbidden;
}

}  // namespace
}  // namespace state
