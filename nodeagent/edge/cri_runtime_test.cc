// On a real containerd, in a network namespace and a directory of its own. Needs root.
#include "nodeagent/edge/cri_runtime.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <regex>
#include <sstream>
#include <utility>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "base/edge/real_loop.h"
#include "nodeagent/edge/cni.h"
#include "nodeagent/edge/containerd.h"
#include "nodeagent/edge/containerd_leftovers.h"
#include "nodeagent/edge/oci_archive.h"
#include "nodeagent/edge/process_identity.h"
#include "nodeagent/testing/runtime_contract.h"

namespace nodeagent {
namespace {

constexpr char kPrefix[] = "plumb-cri-";  // of directories and namespaces; our pid follows
constexpr char kTemporary[] = "/tmp/";
constexpr char kTestImage[] = "plumb.dev/contract/busybox:1";
constexpr char kRegistry[] = "127.0.0.1:5000";  // in the namespace
// Prints "COLUMNSxROWS" when it is told the terminal's size.
constexpr char kSizeProgram[] = R"(#!/bin/sh
until size=$(stty size 2>/dev/null) && [ "${size:-0 0}" != "0 0" ]; do sleep 0.05; done
echo "${size#* }x${size% *}"
)";
constexpr size_t kMaxProgram = 32 << 20;
constexpr size_t kMaxLog = 1 << 20;

std::string NamespacePath(const std::string& name) { return "/run/netns/" + name; }

std::string TestImageArchive(const std::string& name) {
  auto busybox = base::ReadFile("/bin/busybox", kMaxProgram);
  CHECK(busybox.ok());
  std::vector<ImageFile> files = {{"bin/", 0755, "", ""},
                                  {"data/", 0755, "", ""},
                                  {"etc/", 0755, "", ""},
                                  {"proc/", 0555, "", ""},
                                  {"tmp/", 01777, "", ""},
                                  {"bin/busybox", 0755, *std::move(busybox), ""},
                                  {"bin/size", 0755, kSizeProgram, ""}};
  for (const char* applet : {"sh", "sleep", "echo", "true", "false", "env", "grep", "id", "cat",
                             "dd", "ping", "hostname", "pwd", "touch", "sort", "stty"}) {
    files.push_back({std::string("bin/") + applet, 0777, "", "busybox"});
  }
  ImageConfig config;
  config.entrypoint = {"/bin/sh"};
  config.environment = {"PATH=/bin"};
  return WriteOciArchive(name, MakeImage(MakeLayer(files), config));
}

// The one node of this program: made when the first test asks for it, removed after the last.
class TestNode {
 public:
  // Null without root.
  static TestNode* Shared() {
    if (geteuid() != 0) return nullptr;
    if (!shared_) shared_ = new TestNode;
    return shared_;
  }
  static void RemoveShared() { delete std::exchange(shared_, nullptr); }

  // As after a crash of the agent: nothing is stopped before it is removed.
  static void AbandonShared() {
    shared_->containerd_.reset();
    RemoveShared();
  }

  base::RealLoop& loop() { return loop_; }
  Containerd& containerd() { return *containerd_; }
  const ContainerdOptions& options() const { return options_; }
  std::string directory() const { return directory_; }
  std::string network_namespace() const { return NamespacePath(name_); }

  bool Run(std::function<void()> act, std::function<bool()> done, base::Duration limit) {
    bool reached = false;
    const std::function<void(base::MonotonicTime)> check = [&](base::MonotonicTime deadline) {
      reached = done();
      if (reached || loop_.now().monotonic > deadline) return loop_.Stop();
      loop_.After(base::Duration::Millis(2), [&, deadline] { check(deadline); });
    };
    loop_.Post(std::move(act));
    loop_.Post([&] { check(loop_.now().monotonic + limit); });
    loop_.Run();
    return reached;
  }

  base::Status Do(std::function<void(Runtime::DoneStatus)> call) {
    const auto answer = std::make_shared<std::optional<base::Status>>();
    const bool answered =
        Run([&] { call([answer](base::Status status) { *answer = std::move(status); }); },
            [answer] { return answer->has_value(); }, kStepLimit);
    return answered ? **answer : base::Status(base::Code::kTimeout, "no answer");
  }

  // A new Containerd for the same directory, as an agent that restarts makes one.
  void RestartAgent(const ContainerdOptions& options) {
    containerd_.reset();
    containerd_ = std::make_unique<Containerd>(loop_, options);
  }
  base::Status StartContainerd() {
    return Do([&](auto done) { containerd_->Start(done); });
  }
  base::Status StopContainerd() {
    return Do([&](auto done) { containerd_->Stop(false, done); });
  }

 private:
  TestNode() : name_(kPrefix + std::to_string(getpid())), directory_(kTemporary + name_) {
    RemoveStale();
    Check(base::RunChecked({"ip", "netns", "add", name_}).status());
    Check(base::RunChecked({"ip", "-n", name_, "link", "set", "lo", "up"}).status());
    options_.directory = directory_ + "/c";
    options_.network_namespace = network_namespace();
    options_.plain_http_registries = {kRegistry};
    Check(WriteCniConfig({.directory = CniConfigDirectory(options_.directory),
                          .data_directory = directory_ + "/leases",
                          .pod_cidr = "10.88.7.0/24"}));
    containerd_ = std::make_unique<Containerd>(loop_, options_);
    Check(StartContainerd());
    Check(ImportOciArchive(containerd_->socket(), TestImageArchive(kTestImage)));
  }

  ~TestNode() {
    if (containerd_) Check(Do([&](auto done) { containerd_->Stop(true, done); }));
    containerd_.reset();
    Remove(name_);
  }

  static void Check(const base::Status& status) {
    EXPECT_TRUE(status.ok()) << "the test's node: " << status.ToString();
  }

  static void Remove(const std::string& name) {
    Check(RemoveContainerdLeftovers(kTemporary + name + "/c"));
    Check(base::RemoveTree(kTemporary + name));
    if (access(NamespacePath(name).c_str(), F_OK) == 0) {
      Check(base::RunChecked({"ip", "netns", "delete", name}).status());
    }
  }

  // What programs left that were killed.
  static void RemoveStale() {
    const auto names = base::ListDirectory(kTemporary);
    if (!names.ok()) return;
    for (const std::string& name : *names) {
      if (!name.starts_with(kPrefix)) continue;
      const std::string number = name.substr(sizeof kPrefix - 1);
      pid_t pid = 0;
      std::from_chars(number.data(), number.data() + number.size(), pid);
      if (pid > 0 && !ProcessIdentity::Of(pid)) Remove(name);
    }
  }

  static TestNode* shared_;
  const std::string name_;
  const std::string directory_;
  base::RealLoop loop_;
  ContainerdOptions options_;
  std::unique_ptr<Containerd> containerd_;
};
TestNode* TestNode::shared_ = nullptr;

class RemoveNodeAtEnd : public testing::Environment {
 public:
  void TearDown() override { TestNode::RemoveShared(); }
};
const auto* const kRemoveNodeAtEnd = testing::AddGlobalTestEnvironment(new RemoveNodeAtEnd);

ContainerConfig Shell(const std::string& script) {
  ContainerConfig config;
  config.image = kTestImage;
  config.command = {"/bin/sh", "-c", script, "sh"};
  return config;
}

// "exit:3:200ms" as a shell script.
ContainerConfig ShellFor(const std::string& program) {
  std::smatch words;
  const std::string wait = "while :; do sleep 0.05; done";
  if (program == "run") return Shell("trap 'exit 0' TERM; " + wait);
  if (program == "stubborn") return Shell("trap '' TERM; " + wait);
  if (program == "print") {
    return Shell("for word in \"$@\"; do echo \"$word\"; done; env | grep PLUMB_ | sort");
  }
  if (std::regex_match(program, words, std::regex("exit:(\\d+):(\\d+)ms"))) {
    return Shell("sleep 0." + words[2].str() + "; exit " + words[1].str());
  }
  if (std::regex_match(program, words, std::regex("drain:(\\d+)ms"))) {
    return Shell("trap 'sleep 0." + words[1].str() + "; exit 0' TERM; " + wait);
  }
  if (std::regex_match(program, words, std::regex("oom:(\\d+)ms"))) {
    ContainerConfig config =
        Shell("sleep 0." + words[1].str() + "; exec dd if=/dev/zero of=/dev/null bs=256M");
    config.resources.memory_limit_bytes = 24 << 20;
    return config;
  }
  ADD_FAILURE() << "no script for " << program;
  return {};
}

// This thread, and its loop, as an agent's would be: where containerd's own port can be reached.
class InNetwork {
 public:
  explicit InNetwork(const std::string& path) : before_(Open("/proc/thread-self/ns/net")) {
    Enter(Open(path));
  }
  ~InNetwork() { Enter(before_); }

 private:
  static base::UniqueFd Open(const std::string& path) {
    base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    CHECK(fd.valid());
    return fd;
  }
  static void Enter(const base::UniqueFd& network) {
    CHECK(setns(network.get(), CLONE_NEWNET) == 0);
  }

  const base::UniqueFd before_;
};

class CriWorld final : public RuntimeWorld {
 public:
  explicit CriWorld(TestNode& node)
      : node_(node),
        network_(node.network_namespace()),
        runtime_(NewCriRuntime(node.loop(), {.socket = node.containerd().socket()})) {}
  Runtime& runtime() override { return *runtime_; }
  bool Run(std::function<void()> act, std::function<bool()> done, base::Duration limit) override {
    return node_.Run(std::move(act), std::move(done), limit);
  }
  ContainerConfig Program(const std::string& program) override { return ShellFor(program); }
  std::string log_directory() override { return node_.directory() + "/logs"; }
  std::string ReadLog(const std::string& path) override {
    const auto log = base::ReadFile(path, kMaxLog);
    return log.ok() ? *log : log.status().ToString();
  }
  void StopDaemon() override { EXPECT_EQ(node_.StopContainerd().ToString(), "OK"); }
  void StartDaemon() override { EXPECT_EQ(node_.StartContainerd().ToString(), "OK"); }

 private:
  TestNode& node_;
  const InNetwork network_;
  const std::unique_ptr<Runtime> runtime_;
};

std::unique_ptr<RuntimeWorld> MakeCriWorld() {
  TestNode* node = TestNode::Shared();
  return node ? std::make_unique<CriWorld>(*node) : nullptr;
}

INSTANTIATE_TEST_SUITE_P(Runtimes, RuntimeContract,
                         testing::Values(RuntimeUnderTest{"Cri", &MakeCriWorld}), RuntimeName);

// What only a real machine can show.
class CriRuntimeTest : public RuntimeContract {
 protected:
  // The standard output of a script that runs to its end in a pod of that name.
  std::string OutputOf(const SandboxConfig& pod, ContainerConfig config) {
    config.name = "main";
    config.log_path = "0.log";
    const auto sandbox = RunSandbox(pod);
    if (!sandbox.ok()) return sandbox.status().ToString();
    const auto container = Create(*sandbox, pod, config);
    if (!container.ok()) return container.status().ToString();
    if (base::Status started = Start(*container); !started.ok()) return started.ToString();
    WaitForExit(*container);
    std::string text;
    std::istringstream lines(world_->ReadLog(pod.log_directory + "/0.log"));
    for (std::string line; std::getline(lines, line);) {
      text += line.substr(line.find(" std") + sizeof " stdout F") + "\n";
    }
    return text;
  }
  std::string Pull(const std::string& reference) {
    const auto answer =
        Ask<std::string>([&](auto done) { runtime().PullImage(reference, {}, done); });
    return answer.ok() ? "OK" : answer.status().ToString();
  }
  TestNode& node() { return *TestNode::Shared(); }
};

INSTANTIATE_TEST_SUITE_P(Runtimes, CriRuntimeTest,
                         testing::Values(RuntimeUnderTest{"Cri", &MakeCriWorld}), RuntimeName);

TEST_P(CriRuntimeTest, ContainerSeesItsMountsUserAndNames) {
  const std::string mounted = node().directory() + "/mounted";
  ASSERT_TRUE(base::MakeDirectories(mounted, 0755).ok());
  ASSERT_TRUE(base::WriteFileAtomic(mounted + "/file", "from the host\n", 0666).ok());
  SandboxConfig pod = Pod("seeing");
  pod.dns = {{"10.96.0.10"}, {"default.svc.cluster.local"}, {"ndots:5"}};
  ContainerConfig config = Shell(
      "exec 2>&1; cat /data/file /etc/resolv.conf; hostname; id -u; id -g; pwd; touch /data/new || "
      "echo no;"
      "touch /new || echo no");
  config.mounts = {{"/data", mounted, true}};
  config.working_directory = "/tmp";
  config.security.run_as_user = 1000;
  config.security.run_as_group = 2000;
  config.security.read_only_root = true;
  EXPECT_EQ(
      OutputOf(pod, config),
      "from the host\nsearch default.svc.cluster.local\nnameserver 10.96.0.10\n"
      "options ndots:5\nseeing\n1000\n2000\n/tmp\n"
      "touch: /data/new: Read-only file system\nno\ntouch: /new: Read-only file system\nno\n");
}

TEST_P(CriRuntimeTest, ContainerThatMustNotBeRootIsNotMadeFromAnImageOfRoots) {
  ContainerConfig config = Shell("id -u");
  config.security.must_not_be_root = true;
  EXPECT_EQ(OutputOf(Pod("rootless"), config),
            "Invalid: runAsNonRoot is set, but the image runs as root; set runAsUser to the number "
            "of another user");
  config.security.run_as_user = 1000;
  EXPECT_EQ(OutputOf(Pod("user"), config), "1000\n");
}

TEST_P(CriRuntimeTest, PrivilegedContainerHasAllThatItAsksFor) {
  ContainerConfig config = Shell("grep CapEff /proc/self/status");
  const std::string plain = OutputOf(Pod("plain"), config);
  config.security.privileged = true;
  const std::string privileged = OutputOf(Pod("privileged"), config);
  EXPECT_LT(plain, privileged);
  config.security.privileged = false;
  config.security.drop_capabilities = {"ALL"};
  EXPECT_EQ(OutputOf(Pod("dropped"), config), "CapEff:\t0000000000000000\n");
}

TEST_P(CriRuntimeTest, ProcessNamespaceIsTheContainersUnlessShared) {
  SandboxConfig pod = Pod("alone");
  const ContainerConfig config = Shell("echo $$");
  EXPECT_EQ(OutputOf(pod, config), "1\n");
  pod = Pod("shared");
  pod.share_process_namespace = true;
  EXPECT_NE(OutputOf(pod, config), "1\n");
}

TEST_P(CriRuntimeTest, PodsReachEachOther) {
  Launch("pinged", "run");
  const std::string ip = List().sandboxes.at(0).ip;
  EXPECT_EQ(OutputOf(Pod("pinging"), Shell("ping -q -c 1 -W 10 " + ip + " >/tmp/x && echo yes")),
            "yes\n");
}

TEST_P(CriRuntimeTest, LogIsReopenedAfterItWasMoved) {
  const std::string container = Launch("logging", "run");
  const std::string log = Pod("logging").log_directory + "/main/0.log";
  ASSERT_EQ(rename(log.c_str(), (log + ".1").c_str()), 0);
  EXPECT_NE(world_->ReadLog(log), "");
  EXPECT_EQ(Do([&](auto done) { runtime().ReopenLog(container, done); }).ToString(), "OK");
  EXPECT_EQ(world_->ReadLog(log), "");
}

TEST_P(CriRuntimeTest, LongLineIsLoggedInParts) {
  const SandboxConfig pod = Pod("long");
  const std::string script = "dd if=/dev/zero bs=" + std::to_string(2 * kMaxContainerdLogLine + 1) +
                             " count=1 2>/tmp/x; echo";
  OutputOf(pod, Shell(script));
  std::string parts;
  std::istringstream lines(world_->ReadLog(pod.log_directory + "/0.log"));
  for (std::string line; std::getline(lines, line);) parts += line.substr(line.find(" std") + 8, 1);
  EXPECT_EQ(parts, "PPF");
}

TEST_P(CriRuntimeTest, PullSaysWhyItFailsAndSucceedsWhenTheImageIsThere) {
  const std::string reference = std::string(kRegistry) + "/web:1";
  EXPECT_EQ(Pull("Not A Reference").substr(0, 7), "Invalid");
  EXPECT_EQ(Pull(reference).substr(0, 18), "ServiceUnavailable");

  const std::string directory = node().directory();
  base::ProcessOptions registry;
  registry.argv = {"docker-registry", "serve", directory + "/registry.yml"};
  registry.network_namespace = node().network_namespace();
  const std::string config = "version: 0.1\nstorage: {filesystem: {rootdirectory: " + directory +
                             "/registry}}\nhttp: {addr: \"" + kRegistry + "\"}\n";
  ASSERT_TRUE(base::WriteFileAtomic(directory + "/registry.yml", config, 0600).ok());
  auto process = base::Process::Start(registry);
  ASSERT_TRUE(process.ok()) << process.status().ToString();

  std::string refused = Pull(reference);
  for (int i = 0; i < 600 && refused.starts_with("ServiceUnavailable"); ++i) {
    world_->Run([] {}, [] { return false; }, base::Duration::Millis(50));
    refused = Pull(reference);
  }
  EXPECT_EQ(refused.substr(0, 8), "NotFound") << refused;

  const std::string archive = directory + "/web.tar";
  ASSERT_TRUE(base::WriteFileAtomic(archive, TestImageArchive("web:1"), 0600).ok());
  base::ProcessOptions copy;
  copy.argv = {"skopeo",
               "--insecure-policy",
               "copy",
               "--dest-tls-verify=false",
               "oci-archive:" + archive,
               "docker://" + reference};
  copy.network_namespace = node().network_namespace();
  const auto copied = base::RunProcess(copy, "", kStepLimit);
  ASSERT_TRUE(copied.ok() && copied->exit.ok()) << copied->error;
  EXPECT_EQ(Pull(reference), "OK");
  const auto found = Ask<std::string>([&](auto done) { runtime().FindImage(reference, done); });
  EXPECT_TRUE(found.ok()) << found.status().ToString();
  process->Stop(base::Duration::Seconds(5));
}

TEST_P(CriRuntimeTest, RuntimeThatEndsCancelsItsCalls) {
  const std::string container = Launch("cancelled", "run");
  bool answered = false;
  auto other = NewCriRuntime(node().loop(), {.socket = node().containerd().socket()});
  world_->Run(
      [&] {
        other->OnChange([&] { answered = true; });
        other->Exec(container, {"sleep", "60"}, kStepLimit,
                    [&](base::Result<ExecResult>) { answered = true; });
        other->List([&](base::Result<RuntimeSnapshot>) { answered = true; });
        other.reset();
      },
      [&] { return answered; }, base::Duration::Millis(500));
  EXPECT_FALSE(answered);
}

TEST_P(CriRuntimeTest, RestartedAgentAdoptsTheContainerdThatRuns) {
  const std::string container = Launch("adopted", "run");
  const auto before = node().containerd().pid();
  node().RestartAgent(node().options());
  EXPECT_EQ(node().StartContainerd().ToString(), "OK");
  EXPECT_EQ(node().containerd().pid(), before);

  // With another configuration it is started again, and its pods go on.
  ContainerdOptions changed = node().options();
  changed.plain_http_registries.push_back("127.0.0.1:5001");
  node().RestartAgent(changed);
  EXPECT_EQ(node().StartContainerd().ToString(), "OK");
  EXPECT_NE(node().containerd().pid(), before);
  EXPECT_EQ(StateOf(container).phase, ContainerPhase::kRunning);
}

TEST_P(CriRuntimeTest, ContainerdThatEndsIsStartedAgain) {
  const std::string container = Launch("supervised", "run");
  const uint64_t restarts = node().containerd().restarts();
  kill(*node().containerd().pid(), SIGKILL);
  EXPECT_TRUE(
      world_->Run([] {}, [&] { return node().containerd().restarts() > restarts; }, kStepLimit));
  base::Result<RuntimeSnapshot> seen = base::Status(base::Code::kUnavailable, "");
  while (seen.status().code() == base::Code::kUnavailable) {
    seen = Ask<RuntimeSnapshot>([&](auto done) { runtime().List(done); });
  }
  EXPECT_EQ(StateOf(container).phase, ContainerPhase::kRunning);
}

// Processes and mounts that name the directory.
int UsesOf(const std::string& directory) {
  int uses = 0;
  for (pid_t pid : AllProcesses()) {
    const auto command = base::ReadFile("/proc/" + std::to_string(pid) + "/cmdline", kMaxLog);
    uses += command.ok() && command->find(directory) != std::string::npos;
  }
  const auto mounts = base::ReadFile("/proc/self/mountinfo", kMaxLog);
  return uses + (mounts.ok() && mounts->find(directory) != std::string::npos);
}

size_t ShimSockets() {
  const auto names = base::ListDirectory("/run/containerd/s");
  return names.ok() ? names->size() : 0;
}

TEST_P(CriRuntimeTest, LeftoversOfANodeThatWasNotStoppedAreRemoved) {
  const size_t sockets = ShimSockets();
  Launch("left", "run");
  const std::string directory = node().directory();
  EXPECT_GE(UsesOf(directory), 3);  // containerd, a shim, mounts
  EXPECT_EQ(ShimSockets(), sockets + 1);
  world_.reset();
  TestNode::AbandonShared();
  EXPECT_EQ(UsesOf(directory), 0);
  EXPECT_EQ(ShimSockets(), sockets);
  EXPECT_NE(access(directory.c_str(), F_OK), 0);
}

TEST(ContainerdTest, DirectoryThatIsTooLongForASocketIsRefused) {
  base::RealLoop loop;
  Containerd containerd(loop, {.directory = "/tmp/" + std::string(90, 'd')});
  std::string said;
  loop.Post([&] {
    containerd.Start([&](const base::Status& status) {
      said = status.ToString().substr(0, 29);
      loop.Stop();
    });
  });
  loop.Run();
  EXPECT_EQ(said, "Invalid: containerd's directo");
}

}  // namespace
}  // namespace nodeagent
