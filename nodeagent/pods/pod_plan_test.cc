// A pod as YAML, what the runtime lists as lines of text, and out comes one line: the commands, the
// phase, and what each container is said to do.
#include "nodeagent/pods/pod_plan.h"

#include <gtest/gtest.h>

#include <sstream>

#include "nodeagent/pods/container_config.h"
#include "state/testing/test_cluster.h"

namespace nodeagent {
namespace {

constexpr char kWeb[] = R"(
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  nodeName: n1
  containers:
  - name: main
    image: "hello:1"
)";

std::string Summary(const base::Json& container) {
  const base::Json& state = container["state"];
  std::string text = std::string(container["name"].AsString()) + ": ";
  if (state.Has("running")) text += container["ready"].AsBool() ? "ready" : "running";
  if (state.Has("waiting")) {
    text += "waiting " + std::string(state["waiting"]["reason"].AsString());
    if (state["waiting"].Has("message")) {
      text += " (" + std::string(state["waiting"]["message"].AsString()) + ")";
    }
  }
  if (state.Has("terminated")) {
    text += "ended " + std::to_string(state["terminated"]["exitCode"].AsInt()) + " " +
            std::string(state["terminated"]["reason"].AsString());
  }
  const int64_t restarts = container["restartCount"].AsInt();
  return restarts == 0 ? text : text + " restarts=" + std::to_string(restarts);
}

std::string StatusSummary(const base::Json& status) {
  if (status.IsNull()) return "-";
  std::string text(status["phase"].AsString());
  if (status.Has("reason")) text += " " + std::string(status["reason"].AsString());
  for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
    for (const base::Json& container : status[list].Elements()) text += "; " + Summary(container);
  }
  return text;
}

std::string Condition(const base::Json& status, std::string_view type) {
  for (const base::Json& condition : status["conditions"].Elements()) {
    if (condition["type"].AsString() != type) continue;
    return std::string(condition["status"].AsString()) + " since " +
           std::string(condition["lastTransitionTime"].AsString()).substr(11);
  }
  return "absent";
}

class PodPlanTest : public testing::Test {
 protected:
  PodPlanTest() {
    node_.name = "n1";
    node_.ip = "10.0.0.1";
    node_.log_root = "/logs";
    node_.volume_root = "/pods";
    node_.cluster_dns_ip = "10.96.0.10";
    node_.cpu_millis = 4000;
    node_.memory_bytes = int64_t{8} << 30;
  }

  // "sandbox ATTEMPT ready IP", "sandbox ATTEMPT dead", "NAME ATTEMPT created|running",
  // "NAME ATTEMPT exited CODE SECONDS_AGO [RAN_SECONDS]", in sandbox 0 unless "in N" follows.
  void Runtime(const std::string& text) {
    sandboxes_.clear();
    containers_.clear();
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string name, state;
      uint32_t attempt = 0;
      if (!(words >> name >> attempt >> state)) continue;
      if (name == "sandbox") {
        SandboxState sandbox;
        sandbox.id = "s" + std::to_string(attempt);
        sandbox.attempt = attempt;
        sandbox.ready = state == "ready";
        words >> sandbox.ip;
        sandboxes_.push_back(sandbox);
      } else {
        containers_.push_back(Container(name, attempt, state, words));
      }
    }
  }
  ContainerState Container(const std::string& name, uint32_t attempt, const std::string& state,
                           std::istringstream& words) {
    const base::WallTime now = cluster_.loop.now().wall;
    ContainerState container;
    container.id = name + "-" + std::to_string(attempt);
    container.sandbox_id = "s0";
    container.name = name;
    container.attempt = attempt;
    container.created_at = container.started_at = now - base::Duration::Minutes(1);
    container.phase = state == "created"   ? ContainerPhase::kCreated
                      : state == "running" ? ContainerPhase::kRunning
                                           : ContainerPhase::kExited;
    int64_t ago = 0, ran = 5;
    if (state == "exited") words >> container.exit_code >> ago >> ran;
    if (!words) words.clear();
    container.finished_at = now - base::Duration::Seconds(ago);
    if (state == "exited") {
      container.started_at = container.finished_at - base::Duration::Seconds(ran);
    }
    const int64_t wait = attempt == 0 ? 0 : std::min<int64_t>(300, 10 << (attempt - 1));
    container.annotations[kRestartWaitAnnotation] = std::to_string(wait);
    container.annotations[kGraceAnnotation] = "30";
    std::string in;
    if (words >> in) words >> container.sandbox_id;
    return container;
  }
  void HaveImage(const std::string& container, uint32_t attempt, const std::string& reference) {
    memory_.images[container] = {attempt, reference, "sha256:" + reference, {}, 0, {}};
  }
  void Pod(std::string_view yaml) { cluster_.Apply(yaml); }

  const PodPlan& Run(bool known = true) {
    const state::View view = cluster_.store().view();
    const state::ObjectPtr pod = known ? view.Get("pods", "default", "web") : nullptr;
    const PodInput input{node_,
                         &view,
                         complete_,
                         pod,
                         "default",
                         "web",
                         pod ? std::string(pod->Uid()) : "uid-1",
                         sandboxes_,
                         containers_,
                         memory_,
                         programmed_,
                         cluster_.loop.now()};
    Observe(input, memory_);
    plan_ = PlanPod(input);
    memory_.status = plan_.status;
    return plan_;
  }
  std::string Plan(bool known = true) {
    const PodPlan& plan = Run(known);
    std::string text;
    for (const Command& command : plan.commands) {
      text += (text.empty() ? "" : ", ") + ToString(command);
    }
    if (text.empty()) text = plan.finished ? "finished" : "nothing";
    if (plan.again_after) text += ", again after " + plan.again_after->ToString();
    return text + " | " + StatusSummary(plan.status);
  }
  template <typename T>
  const T* Find() const {
    for (const Command& command : plan_.commands) {
      if (const T* found = std::get_if<T>(&command)) return found;
    }
    return nullptr;
  }
  // The variables of the container that the plan creates.
  std::string Environment(const std::string& prefix) {
    std::string text;
    const auto* create = Find<CreateContainer>();
    if (create == nullptr) return "nothing is created";
    for (const auto& [name, value] : create->config.environment) {
      if (name.starts_with(prefix)) text += name + "=" + value + "\n";
    }
    return text;
  }

  state::TestCluster cluster_;
  NodeFacts node_;
  std::vector<SandboxState> sandboxes_;
  std::vector<ContainerState> containers_;
  PodMemory memory_;
  PodPlan plan_;
  bool complete_ = true;
  bool programmed_ = false;
};

TEST_F(PodPlanTest, GoesFromNothingToRunningInSteps) {
  Pod(kWeb);
  EXPECT_EQ(Plan(), "run sandbox 0 | Pending; main: waiting ContainerCreating");
  Runtime("sandbox 0 ready 10.88.0.2");
  EXPECT_EQ(Plan(), "pull hello:1 for main | Pending; main: waiting ContainerCreating");
  HaveImage("main", 0, "hello:1");
  EXPECT_EQ(Plan(), "create main 0 | Pending; main: waiting ContainerCreating");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 created");
  EXPECT_EQ(Plan(), "start main | Pending; main: waiting ContainerCreating");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 running");
  EXPECT_EQ(Plan(), "nothing | Running; main: ready");
  EXPECT_EQ(plan_.status["podIP"].AsString(), "10.88.0.2");
  EXPECT_EQ(plan_.status["hostIP"].AsString(), "10.0.0.1");
}

TEST_F(PodPlanTest, WhatIsUnderWayIsNotBegunAgain) {
  Pod(kWeb);
  memory_.under_way["sandbox"] = {};
  EXPECT_EQ(Plan(), "nothing | Pending; main: waiting ContainerCreating");
}

TEST_F(PodPlanTest, FailedCommandWaitsAndTheStatusSaysWhy) {
  Pod(kWeb);
  memory_.failures["sandbox"] = {"run", base::Status(base::Code::kInternal, "no address is free"),
                                 1, cluster_.loop.now().monotonic + base::Duration::Seconds(4)};
  EXPECT_EQ(Plan(),
            "nothing, again after 4s | Pending; main: waiting ContainerCreating (the sandbox: no "
            "address is free)");
}

TEST_F(PodPlanTest, ConditionsKeepTheirTimeWhileTheirStatusStays) {
  Pod(kWeb);
  Runtime("sandbox 0 ready 10.88.0.2");
  Run();
  EXPECT_EQ(Condition(plan_.status, "Ready"), "False since 14:13:20Z");
  cluster_.Settle(base::Duration::Seconds(5));
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 running");
  Run();
  cluster_.Settle(base::Duration::Seconds(5));
  Run();
  EXPECT_EQ(Condition(plan_.status, "Ready"), "True since 14:13:25Z");
  EXPECT_EQ(Condition(plan_.status, "Initialized"), "True since 14:13:20Z");
}

TEST_F(PodPlanTest, CrashingContainerRestartsAtOnceThenAfterDoublingWaits) {
  Pod(kWeb);
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 exited 1 0");
  HaveImage("main", 1, "hello:1");
  EXPECT_EQ(Plan(), "create main 1 | Running; main: ended 1 Error");
  EXPECT_EQ(Find<CreateContainer>()->config.annotations.at(kRestartWaitAnnotation), "10");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 exited 1 9\nmain 1 exited 1 3");
  EXPECT_EQ(Plan(),
            "nothing, again after 7s | Running; main: waiting CrashLoopBackOff (back-off 10s "
            "restarting container main) restarts=1");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 5 exited 1 9\nmain 6 exited 1 200");
  EXPECT_EQ(Plan(),
            "nothing, again after 1m40s | Running; main: waiting CrashLoopBackOff (back-off 5m "
            "restarting container main) restarts=6");
}

TEST_F(PodPlanTest, ContainerThatRanLongEnoughIsForgiven) {
  Pod(kWeb);
  Runtime("sandbox 0 ready 10.88.0.2\nmain 6 exited 1 0 600");
  HaveImage("main", 7, "hello:1");
  EXPECT_EQ(Plan(), "create main 7 | Running; main: ended 1 Error restarts=6");
  EXPECT_EQ(Find<CreateContainer>()->config.annotations.at(kRestartWaitAnnotation), "10");
}

TEST_F(PodPlanTest, ClockPutBackDoesNotMakeTheWaitLonger) {
  Pod(kWeb);
  Runtime("sandbox 0 ready 10.88.0.2\nmain 1 exited 1 0");
  Run();
  cluster_.loop.JumpWallClock(base::Duration::Hours(-5));
  cluster_.Settle(base::Duration::Seconds(10));
  HaveImage("main", 2, "hello:1");
  EXPECT_EQ(Plan(), "create main 2 | Running; main: ended 1 Error restarts=1");
}

TEST_F(PodPlanTest, RestartPolicyDecidesWhatAnExitMeans) {
  const std::string yaml = kWeb;
  Pod(yaml + "  restartPolicy: OnFailure\n");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 exited 0 1");
  EXPECT_EQ(Plan(), "stop sandbox | Succeeded; main: ended 0 Completed");
}

TEST_F(PodPlanTest, NeverRestartingPodFailsWithItsContainer) {
  const std::string yaml = kWeb;
  Pod(yaml + "  restartPolicy: Never\n");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 exited 3 1");
  EXPECT_EQ(Plan(), "stop sandbox | Failed; main: ended 3 Error");
  Runtime("sandbox 0 dead\nmain 0 exited 3 1");
  EXPECT_EQ(Plan(), "nothing | Failed; main: ended 3 Error");
}

TEST_F(PodPlanTest, ContainersOwnRestartPolicyGoesBeforeThePods) {
  const std::string yaml = kWeb;
  Pod(yaml + "    restartPolicy: OnFailure\n  restartPolicy: Never\n");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 exited 3 1");
  HaveImage("main", 1, "hello:1");
  EXPECT_EQ(Plan(), "create main 1 | Running; main: ended 3 Error");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 exited 0 1");
  EXPECT_EQ(Plan(), "stop sandbox | Succeeded; main: ended 0 Completed");
}

TEST_F(PodPlanTest, LostContainerOfANeverRestartingPodIsNotRunAgain) {
  const std::string yaml = kWeb;
  Pod(yaml + "  restartPolicy: Never\n");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 running");
  EXPECT_EQ(Plan(), "nothing | Running; main: ready");
  Runtime("");
  EXPECT_EQ(Plan(), "nothing | Failed; main: ended 137 ContainerStatusUnknown");
}

TEST_F(PodPlanTest, InitContainersRunInOrderAndSidecarsStay) {
  Pod(R"(
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  nodeName: n1
  initContainers:
  - {name: first, image: "hello:1"}
  - {name: side, image: "hello:1", restartPolicy: Always}
  - {name: second, image: "hello:1"}
  containers:
  - {name: main, image: "hello:1"}
)");
  for (const char* name : {"first", "side", "second", "main"}) HaveImage(name, 0, "hello:1");
  Runtime("sandbox 0 ready 10.88.0.2");
  EXPECT_EQ(Plan(),
            "create first 0 | Pending; first: waiting PodInitializing; side: waiting "
            "PodInitializing; second: waiting PodInitializing; main: waiting PodInitializing");
  Runtime("sandbox 0 ready 10.88.0.2\nfirst 0 exited 0 1");
  EXPECT_EQ(Plan().substr(0, 13), "create side 0");
  Runtime("sandbox 0 ready 10.88.0.2\nfirst 0 exited 0 1\nside 0 running");
  EXPECT_EQ(Plan().substr(0, 15), "create second 0");
  Runtime("sandbox 0 ready 10.88.0.2\nfirst 0 exited 0 1\nside 0 running\nsecond 0 exited 0 1");
  EXPECT_EQ(Plan().substr(0, 13), "create main 0");
  Runtime(
      "sandbox 0 ready 10.88.0.2\nfirst 0 exited 0 1\nside 0 running\nsecond 0 exited 0 1\n"
      "main 0 running");
  EXPECT_EQ(Plan(),
            "nothing | Running; first: ended 0 Completed; side: ready; second: ended 0 Completed; "
            "main: ready");
}

TEST_F(PodPlanTest, InitContainerThatFailsIsRetriedOrFailsThePod) {
  const std::string yaml = R"(
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  nodeName: n1
  initContainers: [{name: setup, image: "hello:1"}]
  containers: [{name: main, image: "hello:1"}]
)";
  Pod(yaml);
  Runtime("sandbox 0 ready 10.88.0.2\nsetup 1 exited 2 4");
  EXPECT_EQ(Plan(),
            "nothing, again after 6s | Pending; setup: waiting CrashLoopBackOff (back-off 10s "
            "restarting container setup) restarts=1; main: waiting PodInitializing");
}

TEST_F(PodPlanTest, DeadSandboxIsReplacedAndItsContainersRunAgain) {
  Pod(kWeb);
  Runtime("sandbox 0 dead\nmain 0 exited 137 1");
  EXPECT_EQ(Plan().substr(0, 13), "run sandbox 1");
  Runtime("sandbox 0 dead\nmain 0 running");
  EXPECT_EQ(Plan().substr(0, 12), "stop sandbox") << "what still runs in it ends first";
  HaveImage("main", 1, "hello:1");
  Runtime("sandbox 0 dead\nmain 0 exited 137 1\nsandbox 1 ready 10.88.0.3");
  EXPECT_EQ(Plan(), "create main 1, remove sandbox | Running; main: ended 137 Error");
}

TEST_F(PodPlanTest, RestartsAreCountedOnWhenTheOldSandboxIsGone) {
  Pod(kWeb);
  Runtime("sandbox 0 dead\nmain 4 exited 1 100");
  Run();
  HaveImage("main", 5, "hello:1");
  Runtime("sandbox 1 ready 10.88.0.3");
  EXPECT_EQ(Plan(), "create main 5 | Running; main: ended 1 Error restarts=4");
}

TEST_F(PodPlanTest, OnlyTheLastTwoInstancesAreKept) {
  Pod(kWeb);
  Runtime(
      "sandbox 0 ready 10.88.0.2\nmain 0 exited 1 90\nmain 1 exited 1 60\nmain 2 exited 1 30\n"
      "main 3 running");
  EXPECT_EQ(Plan(), "remove main, remove main | Running; main: ready restarts=3");
}

TEST_F(PodPlanTest, DeletedPodIsStoppedWhenItsRemovalIsProgrammed) {
  Pod(kWeb);
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 running");
  Run();
  cluster_.Delete("pods", "default", "web");
  EXPECT_EQ(Plan(), "nothing, again after 10s | Running; main: ready");
  cluster_.Settle(base::Duration::Seconds(2));
  programmed_ = true;
  EXPECT_EQ(Plan(), "stop main 28s: the pod is deleted | Running; main: ready");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 exited 0 0");
  EXPECT_EQ(Plan(), "remove sandbox | Succeeded; main: ended 0 Completed");
  Runtime("");
  EXPECT_EQ(Plan(), "remove volumes | Succeeded; main: ended 0 Completed");
  memory_.volumes_removed = true;
  EXPECT_EQ(Plan(), "finished | Succeeded; main: ended 0 Completed");
}

TEST_F(PodPlanTest, ADeletedPodHasNotEndedWhileAContainerOfItIsBeingStarted) {
  Pod(kWeb);
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 exited 1 20\nmain 1 created");
  memory_.under_way["container main"] = {};
  cluster_.Delete("pods", "default", "web");
  EXPECT_EQ(Plan(), "nothing | Running; main: waiting ContainerCreating restarts=1");
}

TEST_F(PodPlanTest, DrainEndsAtItsLimit) {
  Pod(kWeb);
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 running");
  cluster_.Delete("pods", "default", "web");
  Run();
  cluster_.Settle(kDrainLimit);
  EXPECT_EQ(Plan(), "stop main 20s: the pod is deleted | Running; main: ready");
}

TEST_F(PodPlanTest, TheGracePeriodBoundsTheDrainAndAllThatComesAfterIt) {
  Pod(std::string(kWeb) +
      "  initContainers: [{name: side, image: 'hello:1', restartPolicy: Always}]\n"
      "  terminationGracePeriodSeconds: 4\n");
  Runtime("sandbox 0 ready 10.88.0.2\nside 0 running\nmain 0 running");
  Run();
  cluster_.Delete("pods", "default", "web");
  EXPECT_EQ(Plan().substr(0, 24), "nothing, again after 2s ");
  cluster_.Settle(base::Duration::Seconds(2));
  EXPECT_EQ(Plan().substr(0, 13), "stop main 2s:");
  cluster_.Settle(base::Duration::Seconds(1));
  Runtime("sandbox 0 ready 10.88.0.2\nside 0 running\nmain 0 exited 0 0");
  EXPECT_EQ(Plan().substr(0, 13), "stop side 1s:");
  cluster_.Settle(base::Duration::Seconds(9));
  EXPECT_EQ(Plan().substr(0, 13), "stop side 1s:") << "the signal comes before the kill";
}

TEST_F(PodPlanTest, SeccompIsTheRuntimesUnlessItIsAskedForOtherwise) {
  const auto unconfined = [&](const std::string& context) {
    cluster_.Delete("pods", "default", "web", {.grace_period_seconds = 0});
    Pod(std::string(kWeb) + "    securityContext: {" + context + "}\n");
    Runtime("sandbox 0 ready 10.88.0.2");
    HaveImage("main", 0, "hello:1");
    Run();
    const auto* create = Find<CreateContainer>();
    return create == nullptr ? "none" : create->config.security.seccomp_unconfined ? "off" : "on";
  };
  Pod(kWeb);
  EXPECT_STREQ(unconfined(""), "on");
  EXPECT_STREQ(unconfined("seccompProfile: {type: RuntimeDefault}"), "on");
  EXPECT_STREQ(unconfined("seccompProfile: {type: Unconfined}"), "off");
  EXPECT_STREQ(unconfined("privileged: true"), "off");
  node_.seccomp_default = false;
  EXPECT_STREQ(unconfined(""), "off");
  EXPECT_STREQ(unconfined("seccompProfile: {type: RuntimeDefault}"), "on");
}

TEST_F(PodPlanTest, ShorterGraceGoesPastAStopThatIsUnderWay) {
  Pod(kWeb);
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 running");
  programmed_ = true;
  cluster_.Delete("pods", "default", "web");
  memory_.under_way["container main"] = cluster_.loop.now().monotonic + base::Duration::Seconds(30);
  EXPECT_EQ(Plan(), "nothing | Running; main: ready");
  state::DeleteOptions sooner;
  sooner.grace_period_seconds = 3;
  cluster_.Delete("pods", "default", "web", sooner);
  EXPECT_EQ(Plan(), "stop main 3s: the pod is deleted | Running; main: ready");
}

TEST_F(PodPlanTest, SidecarsAreStoppedAfterTheAppsFromTheLastToTheFirst) {
  Pod(R"(
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  nodeName: n1
  initContainers:
  - {name: one, image: "hello:1", restartPolicy: Always}
  - {name: two, image: "hello:1", restartPolicy: Always}
  containers: [{name: main, image: "hello:1"}]
)");
  programmed_ = true;
  cluster_.Delete("pods", "default", "web");
  const std::string sandbox = "sandbox 0 ready 10.88.0.2\n";
  Runtime(sandbox + "one 0 running\ntwo 0 running\nmain 0 running");
  EXPECT_EQ(Plan().substr(0, 13), "stop main 30s");
  Runtime(sandbox + "one 0 running\ntwo 0 running\nmain 0 exited 0 0");
  EXPECT_EQ(Plan().substr(0, 12), "stop two 30s");
  Runtime(sandbox + "one 0 running\ntwo 0 exited 0 0\nmain 0 exited 0 0");
  EXPECT_EQ(Plan().substr(0, 12), "stop one 30s");
}

TEST_F(PodPlanTest, UnknownPodIsRemovedOnlyIfTheViewIsComplete) {
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 running");
  complete_ = false;
  EXPECT_EQ(Plan(false), "nothing | -");
  complete_ = true;
  EXPECT_EQ(Plan(false), "nothing, again after 10s | -");
  programmed_ = true;
  EXPECT_EQ(Plan(false), "stop main 30s: its pod is gone | -");
  Runtime("sandbox 0 ready 10.88.0.2");
  EXPECT_EQ(Plan(false), "remove sandbox | -");
}

TEST_F(PodPlanTest, MissingSecretIsSaidAndOptionalOnesAreNot) {
  const std::string yaml = kWeb;
  Pod(yaml + R"(    env:
    - {name: TOKEN, valueFrom: {secretKeyRef: {name: keys, key: token}}}
    - {name: MAYBE, valueFrom: {configMapKeyRef: {name: absent, key: x, optional: true}}}
)");
  Runtime("sandbox 0 ready 10.88.0.2");
  HaveImage("main", 0, "hello:1");
  EXPECT_EQ(Plan(),
            "nothing | Pending; main: waiting CreateContainerConfigError (variable TOKEN: secret "
            "\"keys\" not found in namespace \"default\"; create it, or make the reference "
            "optional)");
  complete_ = false;
  EXPECT_EQ(Plan(),
            "nothing | Pending; main: waiting ContainerCreating (variable TOKEN: secret \"keys\" "
            "is not known yet: waiting for the control plane)");
  complete_ = true;
  Pod("apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {token: s3cret}\n");
  EXPECT_EQ(Plan(), "create main 0 | Pending; main: waiting ContainerCreating");
  EXPECT_EQ(Environment("TOKEN"), "TOKEN=s3cret\n");
}

TEST_F(PodPlanTest, EnvironmentIsOfServicesThenEnvFromThenEnv) {
  Pod("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {A: one, B: two}\n");
  Pod(R"(
apiVersion: v1
kind: Service
metadata: {name: my-db}
spec: {clusterIP: 10.96.0.77, selector: {app: db}, ports: [{name: sql, port: 5432}]}
)");
  const std::string yaml = kWeb;
  Pod(yaml + R"(    envFrom: [{configMapRef: {name: conf}, prefix: X_}]
    env:
    - {name: X_B, value: 'three-$(X_A)-$(NONE)-$$(X_A)'}
    - {name: X_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: X_LABEL, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
    - {name: X_MEM, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
    args: ['--db=$(MY_DB_SERVICE_HOST)']
    resources: {limits: {memory: 64Mi, cpu: 250m}}
)");
  Runtime("sandbox 0 ready 10.88.0.2");
  HaveImage("main", 0, "hello:1");
  Run();
  EXPECT_EQ(Environment("X_"),
            "X_A=one\nX_B=three-one-$(NONE)-$(X_A)\nX_IP=10.88.0.2\nX_LABEL=web\nX_MEM=64\n");
  EXPECT_EQ(Environment("MY_DB"),
            "MY_DB_PORT=tcp://10.96.0.77:5432\nMY_DB_PORT_5432_TCP=tcp://10.96.0.77:5432\n"
            "MY_DB_PORT_5432_TCP_ADDR=10.96.0.77\nMY_DB_PORT_5432_TCP_PORT=5432\n"
            "MY_DB_PORT_5432_TCP_PROTO=tcp\nMY_DB_SERVICE_HOST=10.96.0.77\n"
            "MY_DB_SERVICE_PORT=5432\nMY_DB_SERVICE_PORT_SQL=5432\n");
  ASSERT_NE(Find<CreateContainer>(), nullptr);
  const ContainerConfig& config = Find<CreateContainer>()->config;
  EXPECT_EQ(config.arguments, std::vector<std::string>{"--db=10.96.0.77"});
  EXPECT_EQ(config.resources.cpu_shares, 256);
  EXPECT_EQ(config.resources.cpu_quota_micros, 25'000);
  EXPECT_EQ(config.resources.memory_limit_bytes, 64 << 20);
  EXPECT_EQ(config.resources.oom_score_adjust, -997);
  EXPECT_EQ(config.log_path, "main/0.log");
}

TEST_F(PodPlanTest, VolumesAreWrittenBeforeContainersAndAgainWhenTheyChange) {
  Pod("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: one, b: two}\n");
  const std::string yaml = kWeb;
  Pod(yaml + R"(    volumeMounts:
    - {name: conf, mountPath: /etc/conf}
    - {name: work, mountPath: /work, subPath: in/here}
  volumes:
  - {name: conf, configMap: {name: conf, items: [{key: a, path: x/a.txt, mode: 256}]}}
  - {name: work, emptyDir: {}}
)");
  Runtime("sandbox 0 ready 10.88.0.2");
  HaveImage("main", 0, "hello:1");
  EXPECT_EQ(Plan().substr(0, 23), "write volumes conf work");
  for (const VolumeWrite& volume : Find<WriteVolumes>()->volumes) {
    memory_.volumes[volume.name] = volume.version;
  }
  const FileContent& file = Find<WriteVolumes>()->volumes[0].files[0];
  EXPECT_EQ(file.path + " " + file.content + " " + std::to_string(file.mode), "x/a.txt one 256");
  Run();
  std::string mounts;
  for (const Mount& mount : Find<CreateContainer>()->config.mounts) {
    mounts += mount.container_path + (mount.read_only ? " ro " : " rw ") +
              mount.host_path.substr(mount.host_path.find('/', 6)) + "\n";
  }
  EXPECT_EQ(mounts,
            "/etc/conf ro /volumes/conf\n/work rw /subpaths/main-0/0\n"
            "/etc/hosts rw /files/hosts-main-0\n"
            "/dev/termination-log rw /files/message-main-0\n");
  Pod("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: new, b: two}\n");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 running");
  EXPECT_EQ(Plan(), "write volumes conf | Running; main: ready");
}

TEST_F(PodPlanTest, ImageFailuresAreSaidInKubernetesWords) {
  Pod(kWeb);
  Runtime("sandbox 0 ready 10.88.0.2");
  ImageResult& image = memory_.images["main"];
  image = {0,  "hello:1",
           "", base::Status(base::Code::kNotFound, "there is no such image"),
           1,  cluster_.loop.now().monotonic + base::Duration::Seconds(10)};
  EXPECT_EQ(Plan(),
            "nothing, again after 10s | Pending; main: waiting ErrImagePull (there is no such "
            "image)");
  image.failures = 2;
  EXPECT_EQ(Plan(),
            "nothing, again after 10s | Pending; main: waiting ImagePullBackOff (back-off pulling: "
            "there is no such image)");
  cluster_.Settle(base::Duration::Seconds(10));
  EXPECT_EQ(Plan().substr(0, 21), "pull hello:1 for main");
}

TEST_F(PodPlanTest, ProbesAreAskedInTurnAndDriveReadiness) {
  const std::string yaml = kWeb;
  Pod(yaml + R"(    ports: [{name: http, containerPort: 8080}]
    startupProbe: {tcpSocket: {port: http}}
    readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 3}
    livenessProbe: {exec: {command: ["true"]}, terminationGracePeriodSeconds: 7}
)");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 running");
  const auto asked = [this] {
    std::string text;
    for (const Probe& probe : plan_.probes) text += std::string(ToString(probe.kind)) + " ";
    return text;
  };
  EXPECT_EQ(Plan(), "nothing | Running; main: running");
  EXPECT_EQ(asked(), "Startup ");
  EXPECT_EQ(plan_.probes[0].check.port, 8080);
  EXPECT_EQ(plan_.probes[0].check.host, "10.88.0.2");
  memory_.probes["main-0"].started = true;
  EXPECT_EQ(Plan(), "nothing | Running; main: running");
  EXPECT_EQ(asked(), "Readiness Liveness ");
  memory_.probes["main-0"].known = memory_.probes["main-0"].ready = true;
  EXPECT_EQ(Plan(), "nothing | Running; main: ready");
  memory_.probes["main-0"].unhealthy = true;
  memory_.probes["main-0"].message = "exit code 1";
  EXPECT_EQ(Plan(), "stop main 7s: Liveness probe failed: exit code 1 | Running; main: ready");
}

TEST_F(PodPlanTest, RestartedAgentKeepsReadinessUntilItsProbesSpeak) {
  const std::string yaml = kWeb;
  Pod(yaml + "    readinessProbe: {tcpSocket: {port: 80}}\n");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 running");
  memory_.probes["main-0"] = {true, true, false, false, ""};
  Run();
  memory_ = PodMemory{.status = plan_.status};
  EXPECT_EQ(Plan(), "nothing | Running; main: ready");
  memory_.probes["main-0"] = {true, false, false, false, "refused"};
  EXPECT_EQ(Plan(), "nothing | Running; main: running");
}

TEST_F(PodPlanTest, DeadlineEndsThePod) {
  const std::string yaml = kWeb;
  Pod(yaml + "  activeDeadlineSeconds: 60\n");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 running");
  EXPECT_EQ(Plan(), "nothing, again after 1m | Running; main: ready");
  cluster_.Settle(base::Duration::Minutes(1));
  EXPECT_EQ(Plan(), "stop main 30s: the pod is past its deadline | Running; main: ready");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 exited 143 0");
  EXPECT_EQ(Plan(), "stop sandbox | Failed DeadlineExceeded; main: ended 143 Error");
}

TEST_F(PodPlanTest, LastWordsAreReadBeforeTheEndIsReported) {
  Pod(kWeb);
  Runtime("sandbox 0 ready 10.88.0.2\nmain 1 exited 1 0");
  containers_[0].annotations[kMessageAnnotation] = "/pods/x";
  EXPECT_EQ(Plan().substr(0, 12), "read message");
  EXPECT_FALSE(plan_.report);
  memory_.messages["main-1"] = "out of ideas";
  Run();
  EXPECT_TRUE(plan_.report);
  EXPECT_NE(plan_.status.ToString().find("\"message\":\"out of ideas\""), std::string::npos);
}

TEST_F(PodPlanTest, ForeignConditionsStayAndGatesCount) {
  const std::string yaml = kWeb;
  Pod(yaml + "  readinessGates: [{conditionType: example.com/gate}]\n");
  Runtime("sandbox 0 ready 10.88.0.2\nmain 0 running");
  Run();
  EXPECT_EQ(Condition(plan_.status, "Ready").substr(0, 5), "False");
  cluster_.SetStatus("pods", "default", "web",
                     "conditions: [{type: example.com/gate, status: \"True\", lastTransitionTime: "
                     "\"2026-01-01T01:02:03Z\"}]");
  Run();
  EXPECT_EQ(Condition(plan_.status, "Ready").substr(0, 4), "True");
  EXPECT_EQ(Condition(plan_.status, "example.com/gate"), "True since 01:02:03Z");
}

TEST_F(PodPlanTest, SandboxKnowsNames) {
  Pod(kWeb);
  Run();
  const SandboxConfig& config = Find<RunSandbox>()->config;
  EXPECT_EQ(config.hostname, "web");
  EXPECT_EQ(config.dns.servers, std::vector<std::string>{"10.96.0.10"});
  EXPECT_EQ(config.dns.searches, (std::vector<std::string>{"default.svc.cluster.local",
                                                           "svc.cluster.local", "cluster.local"}));
  EXPECT_EQ(config.labels.at("app"), "web");
}

}  // namespace
}  // namespace nodeagent
