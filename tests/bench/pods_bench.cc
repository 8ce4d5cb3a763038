// On a real node of `plumb dev` (a namespace of its own, a containerd of its own): from the watch
// event that a pod is bound until the one that it runs, beside the bare CRI calls on the same
// containerd with the same image: sandbox, create, start, one after another. The agent is halted
// (SIGSTOP) meanwhile, so that it does not remove what is not its own.
#include <signal.h>
#include <unistd.h>

#include "manifests/kinds/conditions.h"
#include "nodeagent/edge/cri_runtime.h"
#include "plumb/dev/cluster.h"
#include "plumb/dev/daemons.h"
#include "tests/bench/bench.h"
#include "tests/bench/git_workspace.h"

namespace bench {
namespace {

using testsupport::ApiConnection;
using testsupport::ApiTrust;

constexpr int kPods = 20;
constexpr int kWarmUp = 2;  // the first one pulls the image
constexpr char kImage[] = "registry:5000/hello:1";
constexpr char kPath[] = "/api/v1/namespaces/default/pods";
constexpr double kServerAim = 64 * kMiB, kAgentAim = 32 * kMiB;
constexpr double kIdleSeconds = 5;

// A cluster that is taken down in any case.
class DevCluster {
 public:
  DevCluster(std::string plumb, std::string directory)
      : plumb_(std::move(plumb)), directory_(std::move(directory)) {}
  ~DevCluster() {
    const auto down = Run("down");
    if (!down.ok()) std::fprintf(stderr, "bench: %s\n", down.status().ToString().c_str());
  }
  base::Status Up() { return Run("up", {"--nodes", "1"}).status(); }
  const std::string& directory() const { return directory_; }

 private:
  base::Result<std::string> Run(const char* verb, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {plumb_, "dev", verb, "--dir", directory_};
    words.insert(words.end(), more.begin(), more.end());
    return base::RunChecked(std::move(words), {}, base::Duration::Minutes(3));
  }
  const std::string plumb_, directory_;
};

base::Result<double> OnePod(ApiConnection& api, EventReader& watch, int number) {
  const std::string name = "bench-" + std::to_string(number);
  const std::string pod =
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name +
      R"("},"spec":{"terminationGracePeriodSeconds":0,"containers":[{"name":"main","image":")" +
      kImage + R"("}]}})";
  // The first event with a node, then the first that says that it runs; both have this name.
  RETURN_IF_ERROR(api.Ask("POST", kPath, pod).status());
  ASSIGN_OR_RETURN(const double bound, watch.TimeOf("\"nodeName\":\""));
  ASSIGN_OR_RETURN(const double runs, watch.TimeOf("\"phase\":\"Running\""));
  const std::string path = std::string(kPath) + "/" + name;
  RETURN_IF_ERROR(api.Ask("DELETE", path + "?gracePeriodSeconds=0").status());
  RETURN_IF_ERROR(watch.TimeOf("\"type\":\"DELETED\"").status());
  return (runs - bound) * 1e3;
}

// One call on the loop, waited for.
template <typename T>
base::Result<T> Ask(RunningLoop& loop,
                    const std::function<void(nodeagent::Runtime::Done<T>)>& call) {
  auto answer = std::make_shared<std::promise<base::Result<T>>>();
  loop.loop().Post([call, answer] {
    call([answer](base::Result<T> result) { answer->set_value(std::move(result)); });
  });
  return answer->get_future().get();
}

base::Result<std::vector<double>> BareCalls(const Context& context, const std::string& socket) {
  RunningLoop loop;
  std::unique_ptr<nodeagent::Runtime> runtime;
  loop.Call([&] {
    runtime = nodeagent::NewCriRuntime(loop.loop(), {.socket = socket});
    return 0;
  });
  const auto done = [&](const std::function<void(nodeagent::Runtime::DoneStatus)>& call) {
    return Ask<bool>(
               loop,
               [call](nodeagent::Runtime::Done<bool> answer) {
                 call([answer](base::Status status) {
                   answer(status.ok() ? base::Result<bool>(true) : base::Result<bool>(status));
                 });
               })
        .status();
  };
  const auto one = [&](int number) -> base::Result<double> {
    nodeagent::SandboxConfig sandbox;
    sandbox.pod_name = sandbox.pod_uid = sandbox.hostname = "bare-" + std::to_string(number);
    sandbox.pod_namespace = "default";
    sandbox.log_directory = Path(context, "logs");
    nodeagent::ContainerConfig container;
    container.name = "main";
    container.image = kImage;
    container.log_path = sandbox.pod_name + ".log";
    const double begin = Seconds();
    ASSIGN_OR_RETURN(const std::string id, Ask<std::string>(loop, [&](auto answer) {
                       runtime->RunSandbox(sandbox, answer);
                     }));
    ASSIGN_OR_RETURN(const std::string main, Ask<std::string>(loop, [&](auto answer) {
                       runtime->CreateContainer(id, sandbox, container, answer);
                     }));
    RETURN_IF_ERROR(done([&](auto answer) { runtime->StartContainer(main, answer); }));
    const double took = (Seconds() - begin) * 1e3;
    RETURN_IF_ERROR(done([&](auto answer) { runtime->StopSandbox(id, answer); }));
    RETURN_IF_ERROR(done([&](auto answer) { runtime->RemoveSandbox(id, answer); }));
    return took;
  };
  std::vector<double> times;
  base::Status failed;
  for (int i = -kWarmUp; i < kPods && failed.ok(); ++i) {
    const base::Result<double> took = one(i + kWarmUp);
    failed = took.status();
    if (took.ok() && i >= 0) times.push_back(*took);
  }
  loop.Call([&] { return runtime.reset(), 0; });
  if (!failed.ok()) return failed;
  return times;
}

base::Status WaitUntilReady(ApiConnection& api) {
  for (const double begin = Seconds(); Seconds() < begin + 60;) {
    ASSIGN_OR_RETURN(const std::string nodes, api.Ask("GET", "/api/v1/nodes"));
    ASSIGN_OR_RETURN(const base::Json list, base::ParseJson(nodes));
    for (const base::Json& node : list["items"].Elements()) {
      if (manifests::ConditionIs(node["status"], "Ready", "True")) return {};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return base::Status(base::Code::kTimeout, "the node did not become ready");
}

}  // namespace

base::Status BenchPods(const Context& context) {
  if (geteuid() != 0) {
    std::fprintf(stderr, "bench: pods: needs root; left out\n");
    return {};
  }
  DevCluster cluster(context.plumb, Path(context, "dev"));
  RETURN_IF_ERROR(cluster.Up());
  ASSIGN_OR_RETURN(const plumb::ClusterState state, plumb::Inspect(cluster.directory()));
  const plumb::Member server = plumb::ServerMember(state.record);
  const plumb::Member node = plumb::NodeMember(state.record, 1);
  pid_t server_pid = 0, agent_pid = 0;
  for (const plumb::MemberState& member : state.members) {
    if (member.member.name == server.name) server_pid = member.pid.value_or(0);
    if (member.member.name == node.name) agent_pid = member.pid.value_or(0);
  }
  if (server_pid == 0 || agent_pid == 0)
    return base::Status(base::Code::kUnavailable, "plumb dev runs without server or agent");
  ASSIGN_OR_RETURN(const ApiTrust trust, ApiTrust::OfDataDir(server.data_directory));
  ASSIGN_OR_RETURN(ApiConnection api, ApiConnection::Open(trust, state.record.api_port));
  RETURN_IF_ERROR(WaitUntilReady(api));
  std::this_thread::sleep_for(std::chrono::duration<double>(kIdleSeconds));
  const auto memory = [](const char* of, pid_t pid, double aim) {
    Report({"pods.idle_memory",
            {{"of", of}, {"nodes", 1}},
            ResidentBytes(pid) / kMiB,
            "MiB",
            "",
            std::nullopt,
            ValueAtMost(aim / kMiB)});
  };
  memory("server", server_pid, kServerAim);
  memory("agent", agent_pid, kAgentAim);

  ASSIGN_OR_RETURN(EventReader watch, EventReader::Open(trust, state.record.api_port, kPath));
  std::vector<double> ours;
  for (int i = -kWarmUp; i < kPods; ++i) {
    ASSIGN_OR_RETURN(const double took, OnePod(api, watch, i + kWarmUp));
    if (i >= 0) ours.push_back(took);
  }
  kill(agent_pid, SIGSTOP);
  const auto bare = BareCalls(context, plumb::ContainerdSocketPath(node));
  kill(agent_pid, SIGCONT);
  if (!bare.ok()) return bare.status();
  Report({"pods.start",
          {{"pods", kPods}, {"from", "bound"}, {"until", "Running"}},
          Median(ours),
          "ms",
          "bare CRI calls on the same containerd: sandbox, create, start",
          Median(*bare),
          RatioAtMost(1.2)});
  return {};
}

}  // namespace bench
