// A whole agent on virtual time: a store that holds pods, a runtime and a disk in memory. Statuses
// go back into the store, confirmed deletions remove pods from it, as the control plane does.
#include "nodeagent/pods/pod_workers.h"

#include <gtest/gtest.h>

#include "nodeagent/pods/container_config.h"
#include "nodeagent/testing/fake_probe_client.h"
#include "nodeagent/testing/fake_runtime.h"
#include "nodeagent/testing/fake_volume_writer.h"
#include "state/testing/test_cluster.h"

namespace nodeagent {
namespace {

using base::Duration;

class PodWorkersTest : public testing::Test {
 protected:
  explicit PodWorkersTest(uint64_t seed = 1)
      : cluster_(seed),
        faults_(seed),
        runtime_(cluster_.loop, faults_),
        volumes_(cluster_.loop, faults_),
        probes_(cluster_.loop) {
    cluster_.AddNode("n1");
    on_commit_ = cluster_.store().OnCommit([this](const state::Change& change) {
      changed_.push_back(change.key());
      cluster_.loop.Post([this] { Deliver(); });
    });
    StartAgent();
  }

  void StartAgent(bool with_view = true) {
    NodeFacts node;
    node.name = "n1";
    node.ip = "10.0.0.1";
    node.log_root = "/logs";
    node.volume_root = "/pods";
    node.memory_bytes = int64_t{8} << 30;
    agent_ = std::make_unique<PodWorkers>(
        cluster_.loop, runtime_, volumes_, probes_, node,
        PodWorkers::Hooks{
            [this](const state::Key& key, const std::string&, const base::Json& status) {
              ++statuses_;
              WriteStatus(key, status);
            },
            [this](const state::Key& key, const std::string& uid) { Confirm(key, uid); },
            [this](const PodNews& event) { events_.push_back(event.reason); }});
    changed_.clear();
    if (with_view) agent_->ViewReplaced(cluster_.store().view(), true);
    agent_->Programmed(programmed_);
  }
  void CrashAgent() {
    agent_.reset();
    runtime_.Disconnect();
  }
  void Deliver() {
    if (agent_ == nullptr || changed_.empty()) return;
    agent_->ViewChanged(cluster_.store().view(), true, std::exchange(changed_, {}));
    if (rules_follow_) agent_->Programmed(programmed_ = cluster_.store().revision());
  }
  void WriteStatus(const state::Key& key, const base::Json& status) {
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    if (draft.view().Get(key) == nullptr) return;
    const auto updated = draft.UpdateStatus(key, status);
    ASSERT_TRUE(updated.ok()) << updated.status().ToString();
    ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  }
  void Confirm(const state::Key& key, const std::string& uid) {
    state::DeleteOptions now;
    now.grace_period_seconds = 0;
    now.uid = uid;
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    if (!draft.Delete(key, now).ok()) return;
    ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  }

  // A pod "web" of one container "main" that runs `image`; `more` is YAML of the container.
  void Pod(const std::string& image, const std::string& more = "", const std::string& spec = "") {
    cluster_.Apply("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  nodeName: n1\n" +
                   spec + "  containers:\n  - name: main\n    image: \"registry.test/" + image +
                   "\"\n" + more);
  }
  std::string Field(const std::string& path) {
    const std::string value = cluster_.Field("pods", "default", "web", "status." + path);
    return value.size() > 1 && value[0] == '"' ? value.substr(1, value.size() - 2) : value;
  }
  std::string Ready() {
    return Field("containerStatuses[0].ready") + " after " +
           Field(
               "containerStatuses[0]."
               "restartCount") +
           " restarts";
  }
  // A slice of a Service has the pod, ready or not.
  void ServiceNamesPod(const std::string& ready) {
    cluster_.Apply(
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-1}\n"
        "addressType: IPv4\nendpoints:\n- addresses: [10.88.0.2]\n  conditions: {ready: " +
        ready + "}\n  targetRef: {kind: Pod, name: web, uid: " +
        std::string(cluster_.Get("pods", "default", "web")->Uid()) + "}\n");
  }
  bool Exists() { return cluster_.Get("pods", "default", "web") != nullptr; }
  // "main 0 running, main 1 exited 1", as the runtime has it.
  std::string Machine() {
    std::string text;
    for (const ContainerState& state : runtime_.Now().containers) {
      text += (text.empty() ? "" : ", ") + state.name + " " + std::to_string(state.attempt);
      if (state.phase == ContainerPhase::kRunning) text += " running";
      if (state.phase == ContainerPhase::kCreated) text += " created";
      if (state.phase == ContainerPhase::kExited)
        text += " exited " + std::to_string(state.exit_code);
    }
    if (text.empty()) text = runtime_.Now().sandboxes.empty() ? "empty" : "sandbox";
    return text;
  }
  std::string ContainerId() { return runtime_.Now().containers.back().id; }
  void Settle(Duration span = Duration::Seconds(2)) { cluster_.Settle(span); }

  state::TestCluster cluster_;
  base::Faults faults_;
  FakeRuntime runtime_;
  FakeVolumeWriter volumes_;
  FakeProbeClient probes_;
  std::unique_ptr<PodWorkers> agent_;
  std::vector<state::Key> changed_;
  base::Subscription on_commit_;
  std::vector<std::string> events_;
  uint64_t statuses_ = 0;
  state::Revision programmed_ = 0;
  bool rules_follow_ = true;
};

TEST_F(PodWorkersTest, StartsAPodAndThenDoesNothing) {
  Pod("run");
  Settle();
  EXPECT_EQ(Field("phase"), "Running");
  EXPECT_EQ(Ready(), "true after 0 restarts");
  EXPECT_EQ(Field("podIP"), "10.88.0.2");
  EXPECT_EQ(Machine(), "main 0 running");
  const state::Revision revision = cluster_.store().revision();
  Settle(Duration::Minutes(30));
  EXPECT_EQ(cluster_.store().revision(), revision);
  EXPECT_EQ(Machine(), "main 0 running");
  EXPECT_TRUE(agent_->Idle());
}

TEST_F(PodWorkersTest, StartTakesLittleMoreThanTheRuntimesOwnTime) {
  runtime_.AddImage("registry.test/run:1");
  Pod("run:1");
  const base::MonotonicTime begin = cluster_.loop.now().monotonic;
  ASSERT_TRUE(
      cluster_.loop.RunUntil([this] { return Field("phase") == "Running"; }, Duration::Seconds(5)));
  const FakeTimes times;
  const Duration bare = times.sandbox + times.create + times.start;
  EXPECT_LT(cluster_.loop.now().monotonic - begin, bare * 12 / 10);
}

TEST_F(PodWorkersTest, CrashLoopWaitsDouble) {
  Pod("exit:1:1s");
  std::string restarts;
  for (int second = 0; second < 150; ++second) {
    const uint64_t before = runtime_.containers_started();
    Settle(Duration::Seconds(1));
    if (runtime_.containers_started() > before) restarts += std::to_string(second) + " ";
  }
  // Started with the pod and at once after the first exit; then 10, 20 and 40 seconds after exits.
  EXPECT_EQ(restarts, "0 2 13 34 75 ");
  EXPECT_EQ(Field("containerStatuses[0].state.waiting.reason"), "CrashLoopBackOff");
  EXPECT_EQ(Field("containerStatuses[0].lastState.terminated.exitCode"), "1");
  EXPECT_EQ(Field("containerStatuses[0].restartCount"), "4");
}

TEST_F(PodWorkersTest, WhatHappensIsToldByKubernetesNames) {
  const auto told = [this] {
    std::string text;
    for (const std::string& reason : std::exchange(events_, {})) text += reason + " ";
    return text;
  };
  Pod("run");
  Settle();
  EXPECT_EQ(told(), "Pulling Pulled Created Started ");
  cluster_.Delete("pods", "default", "web");
  Settle();
  EXPECT_EQ(told(), "Killing ");
  Pod("exit:1:1s");
  Settle(Duration::Seconds(10));
  EXPECT_EQ(told(), "Pulling Pulled Created Started Pulled Created Started BackOff ");
}

TEST_F(PodWorkersTest, AProbeThatFailsIsToldOfBeforeItDecides) {
  Pod("run",
      "    readinessProbe: {httpGet: {path: /ready, port: 80}, periodSeconds: 1, "
      "failureThreshold: 600}\n");
  Settle();
  events_.clear();
  probes_.Answer("/ready", base::Status(base::Code::kInternal, "HTTP status 503"));
  Settle(Duration::Seconds(3));
  EXPECT_EQ(Ready(), "true after 0 restarts");
  EXPECT_EQ(events_, std::vector<std::string>{"Unhealthy"});
  Settle(kProbeNewsPeriod);
  EXPECT_EQ(events_.size(), 2u) << "once in a while";
  CheckAnswer sent_on;
  sent_on.warning = "it is sent on to another host";
  probes_.Answer("/ready", sent_on);
  Settle(kProbeNewsPeriod + kProbeNewsPeriod);
  EXPECT_EQ(events_.back(), "ProbeWarning");
}

TEST_F(PodWorkersTest, OomKillIsSaid) {
  Pod("oom:1s", "", "  restartPolicy: Never\n");
  Settle(Duration::Seconds(5));
  EXPECT_EQ(Field("phase"), "Failed");
  EXPECT_EQ(Field("containerStatuses[0].state.terminated.reason"), "OOMKilled");
}

TEST_F(PodWorkersTest, DeletedPodDrainsAndIsConfirmedWhenNothingIsLeft) {
  Pod("drain:3s");
  Settle();
  cluster_.Delete("pods", "default", "web");
  Settle();
  EXPECT_TRUE(Exists()) << "the container still drains";
  Settle(Duration::Seconds(2));
  EXPECT_FALSE(Exists());
  EXPECT_EQ(Machine(), "empty");
  EXPECT_EQ(volumes_.file_count(), 0u);
  EXPECT_EQ(agent_->pods(), 0u);
}

TEST_F(PodWorkersTest, StubbornContainerIsKilledAfterTheGraceOfTheDeletion) {
  Pod("stubborn");
  Settle();
  state::DeleteOptions options;
  options.grace_period_seconds = 5;
  cluster_.Delete("pods", "default", "web", options);
  Settle(Duration::Seconds(4));
  EXPECT_EQ(Machine(), "main 0 running");
  Settle(Duration::Seconds(3));
  EXPECT_FALSE(Exists());
}

TEST_F(PodWorkersTest, SignalWaitsUntilNoNodeSendsConnections) {
  Pod("run");
  Settle();
  ServiceNamesPod("true");
  Settle();
  cluster_.Delete("pods", "default", "web");
  Settle(Duration::Seconds(3));
  EXPECT_EQ(Machine(), "main 0 running") << "the slice still names it";
  rules_follow_ = false;
  ServiceNamesPod("false");
  Settle(Duration::Seconds(3));
  EXPECT_EQ(Machine(), "main 0 running") << "a node has not programmed it";
  agent_->Programmed(cluster_.store().revision());
  Settle(Duration::Seconds(1));
  EXPECT_FALSE(Exists());
}

// kubernetes#24695: on a quiet cluster nodes hear nothing that they would report to have programmed.
TEST_F(PodWorkersTest, APodOfNoServiceGetsItsSignalAtOnce) {
  Pod("run");
  Settle();
  rules_follow_ = false;
  cluster_.Delete("pods", "default", "web");
  Settle(Duration::Seconds(1));
  EXPECT_FALSE(Exists());
}

TEST_F(PodWorkersTest, APodThatWasTakenOutOfItsServiceBeforeWaitsForThatRevisionOnly) {
  Pod("run");
  Settle();
  ServiceNamesPod("true");
  Settle();
  rules_follow_ = false;
  ServiceNamesPod("false");
  const state::Revision out = cluster_.store().revision();
  Settle();
  cluster_.Delete("pods", "default", "web");
  Settle(Duration::Seconds(2));
  EXPECT_EQ(Machine(), "main 0 running") << "a node has not programmed it";
  agent_->Programmed(out);
  Settle(Duration::Seconds(1));
  EXPECT_FALSE(Exists());
}

TEST_F(PodWorkersTest, RestartedAgentAdoptsWhatRuns) {
  Pod("run", "    readinessProbe: {httpGet: {path: /ready, port: 80}}\n");
  Settle();
  const std::string before = Machine() + " " + ContainerId();
  const uint64_t statuses = statuses_;
  CrashAgent();
  Settle(Duration::Minutes(1));
  StartAgent();
  Settle(Duration::Minutes(1));
  EXPECT_EQ(Machine() + " " + ContainerId(), before);
  EXPECT_EQ(Ready(), "true after 0 restarts");
  EXPECT_EQ(statuses_, statuses) << "it has nothing new to say";
  EXPECT_EQ(runtime_.containers_created(), 1u);
}

TEST_F(PodWorkersTest, AgentWithoutAViewStopsNothing) {
  Pod("run");
  Settle();
  CrashAgent();
  StartAgent(false);
  Settle(Duration::Minutes(5));
  EXPECT_EQ(Machine(), "main 0 running");
  agent_->ViewReplaced(state::View(), false);
  Settle(Duration::Minutes(5));
  EXPECT_EQ(Machine(), "main 0 running") << "an incomplete View proves nothing";
  agent_->ViewReplaced(state::View(), true);
  Settle(Duration::Minutes(1));
  EXPECT_EQ(Machine(), "empty");
}

TEST_F(PodWorkersTest, PodThatWasReplacedWhileTheAgentWasAwayIsRemovedAndTheNewOneRuns) {
  Pod("run");
  Settle();
  CrashAgent();
  state::DeleteOptions at_once;
  at_once.grace_period_seconds = 0;
  cluster_.Delete("pods", "default", "web", at_once);
  Pod("run");
  StartAgent();
  Settle(Duration::Seconds(30));
  EXPECT_EQ(Machine(), "main 0 running");
  EXPECT_EQ(runtime_.Now().sandboxes[0].pod_uid, cluster_.Get("pods", "default", "web")->Uid());
  EXPECT_EQ(Ready(), "true after 0 restarts");
}

TEST_F(PodWorkersTest, MissingSecretIsNamedAndThePodStartsWhenItComes) {
  Pod("run", "    env: [{name: A, valueFrom: {secretKeyRef: {name: keys, key: a}}}]\n");
  Settle(Duration::Seconds(20));
  EXPECT_EQ(Field("containerStatuses[0].state.waiting.reason"), "CreateContainerConfigError");
  cluster_.Apply("apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {a: b}\n");
  Settle(Duration::Seconds(1));
  EXPECT_EQ(Ready(), "true after 0 restarts");
}

TEST_F(PodWorkersTest, MountedConfigMapFollowsItsObjectWithoutARestart) {
  cluster_.Apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: one}\n");
  Pod("run", "    volumeMounts: [{name: conf, mountPath: /conf}]\n",
      "  volumes: [{name: conf, configMap: {name: conf}}]\n");
  Settle();
  const std::string file =
      "/pods/" + std::string(cluster_.Get("pods", "default", "web")->Uid()) + "/volumes/conf/a";
  EXPECT_EQ(volumes_.Read(file), "one");
  cluster_.Apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: two}\n");
  Settle();
  EXPECT_EQ(volumes_.Read(file), "two");
  EXPECT_EQ(Machine(), "main 0 running");
  EXPECT_EQ(volumes_.writes(), 2u);
}

TEST_F(PodWorkersTest, ReadinessFollowsItsProbe) {
  probes_.Answer("/ready", base::Status(base::Code::kUnavailable, "connection refused"));
  Pod("run", "    readinessProbe: {httpGet: {path: /ready, port: 80}, periodSeconds: 2}\n");
  Settle(Duration::Seconds(20));
  EXPECT_EQ(Field("phase") + " " + Ready(), "Running false after 0 restarts");
  probes_.Answer("/ready", {});
  Settle(Duration::Seconds(3));
  EXPECT_EQ(Ready(), "true after 0 restarts");
  probes_.Answer("/ready", base::Status(base::Code::kInternal, "status 500"));
  Settle(Duration::Seconds(3));
  EXPECT_EQ(Ready(), "true after 0 restarts") << "one failure is not enough";
  Settle(Duration::Seconds(5));
  EXPECT_EQ(Ready(), "false after 0 restarts");
}

TEST_F(PodWorkersTest, FailedLivenessRestartsTheContainer) {
  Pod("run",
      "    livenessProbe: {httpGet: {path: /live, port: 80}, periodSeconds: 1}\n"
      "    startupProbe: {tcpSocket: {port: 80}, periodSeconds: 1}\n");
  Settle(Duration::Seconds(5));
  EXPECT_EQ(Ready(), "true after 0 restarts");
  probes_.Answer("/live", base::Status(base::Code::kInternal, "status 500"));
  Settle(Duration::Seconds(4));
  probes_.Answer("/live", {});
  Settle(Duration::Seconds(4));
  EXPECT_EQ(Ready(), "true after 1 restarts");
  EXPECT_EQ(std::count(events_.begin(), events_.end(), "Unhealthy"), 3)
      << "the first failure, that which decides, and the first of the next container";
}

TEST_F(PodWorkersTest, FailedPullBacksOffAndRecovers) {
  runtime_.SetPull("registry.test/app:1", Duration::Seconds(1),
                   base::Status(base::Code::kNotFound, "no such image"));
  Pod("app:1");
  Settle(Duration::Seconds(5));
  EXPECT_EQ(Field("containerStatuses[0].state.waiting.reason"), "ErrImagePull");
  Settle(Duration::Seconds(10));
  EXPECT_EQ(Field("containerStatuses[0].state.waiting.reason"), "ImagePullBackOff");
  runtime_.SetPull("registry.test/app:1", Duration::Seconds(1));
  Settle(Duration::Seconds(15));
  EXPECT_EQ(Field("containerStatuses[0].state.waiting.reason"), "ImagePullBackOff")
      << "the second wait is 20 s";
  Settle(Duration::Seconds(10));
  EXPECT_EQ(Ready(), "true after 0 restarts");
}

TEST_F(PodWorkersTest, HooksRunAroundTheContainersLife) {
  Pod("run",
      "    lifecycle:\n"
      "      postStart: {httpGet: {path: /hello, port: 80}}\n"
      "      preStop: {sleep: {seconds: 3}}\n");
  Settle();
  EXPECT_EQ(Ready(), "true after 0 restarts");
  EXPECT_EQ(probes_.asked(), 1u);
  cluster_.Delete("pods", "default", "web");
  Settle(Duration::Seconds(2));
  EXPECT_EQ(Machine(), "main 0 running") << "the preStop hook sleeps";
  Settle(Duration::Seconds(3));
  EXPECT_FALSE(Exists());
}

TEST_F(PodWorkersTest, FailedPostStartHookRestartsTheContainer) {
  probes_.Answer("/hello", base::Status(base::Code::kInternal, "status 500"));
  Pod("run", "    lifecycle: {postStart: {httpGet: {path: /hello, port: 80}}}\n");
  Settle();
  probes_.Answer("/hello", {});
  Settle(Duration::Seconds(12));
  EXPECT_EQ(Field("containerStatuses[0].ready"), "true");
  EXPECT_NE(Field("containerStatuses[0].restartCount"), "0");
}

TEST_F(PodWorkersTest, LastWordsOfAContainerAreInItsStatus) {
  Pod("exit:3:2s", "", "  restartPolicy: Never\n");
  Settle();
  const std::string uid(cluster_.Get("pods", "default", "web")->Uid());
  volumes_.SetFile("/pods/" + uid + "/files/message-main-0", "no more ideas");
  Settle(Duration::Seconds(3));
  EXPECT_EQ(Field("containerStatuses[0].state.terminated.message"), "no more ideas");
}

TEST_F(PodWorkersTest, RebootedMachineRunsItsPodsAgain) {
  Pod("run");
  Settle();
  CrashAgent();
  runtime_.Reboot();
  StartAgent();
  Settle(Duration::Seconds(20));
  EXPECT_EQ(Ready(), "true after 1 restarts");
  EXPECT_EQ(Machine(), "main 1 running");
}

TEST_F(PodWorkersTest, StatusThatSomeoneElseWroteIsPutRight) {
  Pod("run");
  Settle();
  cluster_.SetStatus("pods", "default", "web",
                     "phase: Running\nconditions: [{type: Ready, status: \"False\"}]");
  Settle();
  EXPECT_EQ(Ready(), "true after 0 restarts");
}

TEST_F(PodWorkersTest, RuntimeThatIsAwayStopsNothingAndIsWaitedFor) {
  Pod("run");
  Settle();
  runtime_.SetDown(true);
  Settle(Duration::Minutes(10));
  EXPECT_EQ(Ready(), "true after 0 restarts");
  cluster_.Delete("pods", "default", "web");
  Settle(Duration::Minutes(1));
  EXPECT_TRUE(Exists());
  runtime_.SetDown(false);
  Settle(Duration::Seconds(30));
  EXPECT_FALSE(Exists());
}

// Whatever the runtime and the disk do, once they behave, every pod is as desired.
class PodWorkersFaults : public PodWorkersTest, public testing::WithParamInterface<uint64_t> {
 protected:
  PodWorkersFaults() : PodWorkersTest(GetParam()) {}
};

TEST_P(PodWorkersFaults, EndAsDesired) {
  base::Rng rng(GetParam());
  for (const char* verb : {"list", "find_image", "pull_image", "run_sandbox", "stop_sandbox",
                           "remove_sandbox", "create", "start", "stop", "remove", "exec"}) {
    for (const char* kind : {"error", "hang", "lost"}) {
      faults_.Set("runtime." + std::string(verb) + "." + kind, 1, 8 + rng.Below(16));
    }
  }
  for (const char* verb : {"write", "prepare", "remove", "read"}) {
    faults_.Set("volumes." + std::string(verb) + ".error", 1, 4);
  }
  faults_.Set("runtime.event.lost", 1, 3);
  Pod("run", "    readinessProbe: {exec: {command: [\"true\"]}}\n",
      "  volumes: [{name: work, emptyDir: {}}]\n");
  for (int step = 0; step < 30; ++step) {
    Settle(Duration::Seconds(static_cast<int64_t>(rng.Below(60))));
    const RuntimeSnapshot now = runtime_.Now();
    switch (rng.Below(6)) {
      case 0:
        CrashAgent();
        StartAgent();
        break;
      case 1:
        if (!now.containers.empty()) runtime_.EndContainer(now.containers.back().id, 1, "Error");
        break;
      case 2:
        if (!now.sandboxes.empty()) runtime_.EndSandbox(now.sandboxes.back().id);
        break;
      case 3:
        if (Exists()) cluster_.Delete("pods", "default", "web");
        break;
      default:
        if (!Exists()) Pod("run");
    }
  }
  faults_.Clear();
  if (!Exists()) Pod("run");
  Settle(Duration::Minutes(10));
  if (!Exists()) Pod("run");  // its deletion was under way
  Settle(Duration::Minutes(10));
  EXPECT_EQ(Field("containerStatuses[0].ready"), "true");
  EXPECT_EQ(runtime_.Now().sandboxes.size(), 1u);
  EXPECT_TRUE(agent_->Idle());
  const state::Revision revision = cluster_.store().revision();
  Settle(Duration::Minutes(10));
  EXPECT_EQ(cluster_.store().revision(), revision) << "it is at rest";
  cluster_.Delete("pods", "default", "web");
  Settle(Duration::Minutes(5));
  EXPECT_FALSE(Exists());
  EXPECT_EQ(Machine(), "empty");
  EXPECT_EQ(volumes_.file_count(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PodWorkersFaults, testing::Range<uint64_t>(1, 41));

}  // namespace
}  // namespace nodeagent
