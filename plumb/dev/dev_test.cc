// plumb dev, as a user runs it: as a program. dev_test_main.cc stands in for the daemons. Whatever
// a test did, its cluster is taken down at its end.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "base/json.h"
#include "plumb/dev/cluster.h"
#include "plumb/dev/forwarder.h"
#include "plumb/dev/namespaces.h"
#include "plumb/dev/processes.h"
#include "plumb/dev/traces.h"

namespace plumb {
namespace {

base::RunOutput Execute(std::vector<std::string> argv) {
  base::ProcessOptions options;
  options.argv = std::move(argv);
  base::Result<base::RunOutput> output =
      base::RunProcess(options, "", base::Duration::Seconds(120));
  EXPECT_TRUE(output.ok()) << output.status().ToString();
  return output.ok() ? *std::move(output) : base::RunOutput();
}

std::string OwnFile() { return std::filesystem::read_symlink("/proc/self/exe"); }

class Scratch {
 public:
  Scratch() {
    char path[] = "/tmp/plumb-dev-test.XXXXXX";
    path_ = mkdtemp(path);
  }
  ~Scratch() { EXPECT_EQ(base::RemoveTree(path_).ToString(), "OK"); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A cluster in a scratch directory, driven through the command line.
class DevCluster {
 public:
  DevCluster() : directory_(scratch_.path() + "/c") {}
  ~DevCluster() { Dev({"down"}); }

  base::RunOutput Dev(std::vector<std::string> args) {
    std::vector<std::string> argv = {OwnFile(), "dev", args[0], "--dir", directory_};
    argv.insert(argv.end(), args.begin() + 1, args.end());
    return Execute(argv);
  }
  base::RunOutput Up(std::vector<std::string> args = {}) {
    args.insert(args.begin(), "up");
    return Dev(args);
  }
  // What CMD prints in a member's network.
  std::string In(const std::string& member, std::vector<std::string> command) {
    std::vector<std::string> args = {"exec", member, "--"};
    args.insert(args.end(), command.begin(), command.end());
    base::RunOutput output = Dev(args);
    return output.output + output.error;
  }
  base::Json Status() {
    base::Result<base::Json> json = base::ParseJson(Dev({"status", "-o", "json"}).output);
    EXPECT_TRUE(json.ok()) << json.status().ToString();
    return json.ok() ? *json : base::Json();
  }
  // "registry server node1 ...", a member that does not run in brackets.
  std::string Running() {
    std::string text;
    base::Json status = Status();
    for (const base::Json& member : std::as_const(status)["members"].Elements()) {
      std::string name(member["name"].AsString());
      bool runs = member["state"].AsString() == "running" &&
                  member["containerd"].AsString("running") == "running";
      text += runs ? name + " " : "(" + name + ") ";
    }
    return text;
  }
  pid_t PidOf(std::string_view name) {
    std::optional<PinnedProcess> process = FindDaemon(directory_, name);
    return process ? process->pid() : 0;
  }
  // Everything on this machine that is this cluster's; "" if there is nothing.
  std::string Leftovers() {
    std::string prefix = PrefixOf(directory_);
    std::string text;
    for (const std::string& name : ListNamespaces(prefix)) text += "namespace " + name + "\n";
    for (const std::string& mount : MountsBelow(directory_)) text += "mount " + mount + "\n";
    for (const PinnedProcess& process : FindProcesses({prefix})) {
      text += "process " + std::to_string(process.pid()) + "\n";
    }
    if (std::filesystem::exists(directory_)) text += "directory\n";
    base::RunOutput found =
        Execute({"find", "/sys/fs/cgroup", "-maxdepth", "2", "-name", prefix + "*"});
    return text + found.output;
  }
  const std::string& directory() const { return directory_; }

 private:
  Scratch scratch_;
  std::string directory_;
};

class Dev : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};

std::string AskLoopback(uint16_t port) {
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return "";
  char buffer[100];
  ssize_t size = recv(fd.get(), buffer, sizeof(buffer), 0);
  return size > 0 ? std::string(buffer, static_cast<size_t>(size)) : "";
}

TEST_F(Dev, UpStartsEverythingAndDownLeavesNothing) {
  DevCluster cluster;
  base::RunOutput up = cluster.Up({"--nodes", "2"});
  ASSERT_EQ(up.exit.code, 0) << up.error;
  EXPECT_EQ(cluster.Running(), "registry server node1 node2 ");
  EXPECT_EQ(cluster.Dev({"status"}).exit.code, 0);
  base::RunOutput down = cluster.Dev({"down"});
  EXPECT_EQ(down.exit.code, 0) << down.error;
  EXPECT_EQ(cluster.Leftovers(), "");
  EXPECT_EQ(cluster.Dev({"down"}).exit.code, 0);
  EXPECT_EQ(cluster.Dev({"status"}).exit.code, 1);
}

TEST_F(Dev, MembersReachEachOtherAndTheHostReachesTheirPorts) {
  DevCluster cluster;
  ASSERT_EQ(cluster.Up({"--nodes", "2"}).exit.code, 0);
  for (const char* node : {"node1", "node2"}) {
    std::string answer = cluster.In(node, {"busybox", "wget", "-qO-", "http://10.77.0.1:5000/v2/"});
    EXPECT_EQ(answer, "{}");
    answer = cluster.In(node, {"busybox", "nc", "10.77.0.2", "6443"});
    EXPECT_EQ(answer, "this is the server\n");
  }
  base::Json status = cluster.Status();
  auto port = static_cast<uint16_t>(std::as_const(status)["apiPort"].AsInt());
  EXPECT_EQ(AskLoopback(port), "this is the server\n");
  EXPECT_EQ(*base::ReadFile(cluster.directory() + "/kubeconfig", 1000),
            "server: https://127.0.0.1:" + std::to_string(port) + "\n");
  std::string registry = std::to_string(std::as_const(status)["registryPort"].AsInt());
  EXPECT_EQ(
      Execute({"busybox", "wget", "-qO-", "http://127.0.0.1:" + registry + "/v2/_catalog"}).output,
      "{\"repositories\":[\"hello\",\"tools\"]}\n");
}

TEST_F(Dev, NodeReachesAnotherNode) {
  DevCluster cluster;
  ASSERT_EQ(cluster.Up({"--nodes", "2"}).exit.code, 0);
  base::ProcessOptions options;
  options.argv = {HELLO_BINARY, "serve"};
  options.environment = {"VERSION=9"};
  options.network_namespace = NamespacePath(PrefixOf(cluster.directory()) + "-node1");
  base::Result<base::Process> server = base::Process::Start(options);
  ASSERT_TRUE(server.ok());
  while (!Accepts(PrefixOf(cluster.directory()) + "-node1", "127.0.0.1", 8080)) usleep(1000);
  std::string answer = cluster.In("node2", {HELLO_BINARY, "get", "http://10.77.0.11:8080/"});
  EXPECT_NE(answer.find("1 requests, 0 failed\nversion 9: 1\n"), std::string::npos) << answer;
  server->Stop(base::Duration::Seconds(5));
}

TEST_F(Dev, SecondUpChangesNothing) {
  DevCluster cluster;
  ASSERT_EQ(cluster.Up({"--nodes", "1"}).exit.code, 0);
  base::Json before = cluster.Status();
  base::RunOutput again = cluster.Up();
  EXPECT_EQ(again.exit.code, 0) << again.error;
  EXPECT_EQ(cluster.Status().ToString(), before.ToString());
}

TEST_F(Dev, UpGrowsAClusterButDoesNotShrinkIt) {
  DevCluster cluster;
  ASSERT_EQ(cluster.Up({"--nodes", "1"}).exit.code, 0);
  ASSERT_EQ(cluster.Up({"--nodes", "2"}).exit.code, 0);
  EXPECT_EQ(cluster.Running(), "registry server node1 node2 ");
  EXPECT_NE(cluster.Up({"--nodes", "1"}).error.find("has 2 nodes and cannot shrink"),
            std::string::npos);
}

TEST_F(Dev, UpBringsBackWhatWasKilled) {
  DevCluster cluster;
  ASSERT_EQ(cluster.Up({"--nodes", "2"}).exit.code, 0);
  pid_t other = cluster.PidOf("node1");
  ASSERT_EQ(cluster.Dev({"kill", "node2"}).exit.code, 0);
  ASSERT_EQ(cluster.Dev({"kill", "server"}).exit.code, 0);
  kill(cluster.PidOf("forwarder"), SIGKILL);
  EXPECT_EQ(cluster.Running(), "registry (server) node1 (node2) ");
  EXPECT_EQ(cluster.Dev({"status"}).exit.code, 1);
  base::RunOutput up = cluster.Up();
  EXPECT_EQ(up.exit.code, 0) << up.error;
  EXPECT_EQ(cluster.Running(), "registry server node1 node2 ");
  EXPECT_EQ(cluster.PidOf("node1"), other);
}

TEST_F(Dev, DaemonWhosePidFileIsLostIsAdopted) {
  DevCluster cluster;
  ASSERT_EQ(cluster.Up({"--nodes", "1"}).exit.code, 0);
  pid_t registry = cluster.PidOf("registry");
  pid_t node = cluster.PidOf("node1");
  ASSERT_EQ(unlink(PidPath(cluster.directory(), "registry").c_str()), 0);
  ASSERT_EQ(unlink(PidPath(cluster.directory(), "node1").c_str()), 0);
  EXPECT_EQ(cluster.Up().exit.code, 0);
  EXPECT_EQ(cluster.PidOf("registry"), registry);
  EXPECT_EQ(cluster.PidOf("node1"), node);
}

TEST_F(Dev, DownLeavesNothingAfterACrashAnywhereInUp) {
  for (const char* point : {"dev/recorded", "dev/network", "dev/started-registry", "dev/registry",
                            "dev/started-forwarder", "dev/images", "dev/started-server",
                            "dev/server", "dev/started-node1", "dev/agents"}) {
    DevCluster cluster;
    ASSERT_EQ(cluster.Up({"--nodes", "2", "--fault", point}).exit.code, 137) << point;
    EXPECT_NE(cluster.Leftovers(), "") << point;
    base::RunOutput down = cluster.Dev({"down"});
    EXPECT_EQ(down.exit.code, 0) << point << ": " << down.error;
    EXPECT_EQ(cluster.Leftovers(), "") << point;
  }
}

TEST_F(Dev, UpGoesOnAfterACrash) {
  DevCluster cluster;
  for (const char* point : {"dev/network", "dev/started-server", "dev/started-node1"}) {
    ASSERT_EQ(cluster.Up({"--nodes", "2", "--fault", point}).exit.code, 137) << point;
  }
  base::RunOutput up = cluster.Up();
  EXPECT_EQ(up.exit.code, 0) << up.error;
  EXPECT_EQ(cluster.Running(), "registry server node1 node2 ");
}

TEST_F(Dev, TwoClustersRunSideBySide) {
  DevCluster one;
  DevCluster two;
  ASSERT_EQ(one.Up({"--nodes", "1"}).exit.code, 0);
  ASSERT_EQ(two.Up({"--nodes", "1", "--name", "other"}).exit.code, 0);
  base::Json before = two.Status();
  EXPECT_EQ(one.Dev({"down"}).exit.code, 0);
  EXPECT_EQ(one.Leftovers(), "");
  EXPECT_EQ(two.Running(), "registry server node1 ");
  EXPECT_EQ(two.Status().ToString(), before.ToString());
  EXPECT_EQ(two.In("node1", {"busybox", "nc", "10.77.0.2", "6443"}), "this is the server\n");
}

// Starts a container of the demo image on node1, with a network of its own; the exit code.
int StartContainer(DevCluster& cluster) {
  std::string image = "10.77.0.1:5000/hello:1";
  std::string cgroup = "/" + PrefixOf(cluster.directory()) + "/node1/pod1/c1";
  cluster.In("node1", {"ctr", "image", "pull", "--plain-http", image});
  return cluster.Dev({"exec", "node1", "--", "ctr", "run", "-d", "--cgroup", cgroup, image, "c1"})
      .exit.code;
}

std::string BundleOf(const DevCluster& cluster) {
  return cluster.directory() +
         "/nodes/node1/containerd/state/io.containerd.runtime.v2.task/k8s.io/c1";
}

TEST_F(Dev, DownEndsContainersWhoseAgentAndContainerdAreGone) {
  DevCluster cluster;
  ASSERT_EQ(cluster.Up({"--nodes", "1"}).exit.code, 0);
  ASSERT_EQ(StartContainer(cluster), 0);
  std::string bundle = BundleOf(cluster);
  std::string shim_socket = base::ReadFile(bundle + "/address", 1000)->substr(strlen("unix://"));
  std::optional<PinnedProcess> container =
      PinnedProcess::Open(std::stoi(*base::ReadFile(bundle + "/init.pid", 100)));
  ASSERT_TRUE(container && !container->WaitEnd({}));
  EXPECT_TRUE(std::filesystem::exists(shim_socket));
  EXPECT_FALSE(MountsBelow(cluster.directory()).empty());
  kill(cluster.PidOf("node1"), SIGKILL);
  base::RunOutput down = cluster.Dev({"down"});
  EXPECT_EQ(down.exit.code, 0) << down.error;
  EXPECT_EQ(cluster.Leftovers(), "");
  EXPECT_TRUE(container->WaitEnd({}));
  EXPECT_FALSE(std::filesystem::exists(shim_socket));
  EXPECT_FALSE(std::filesystem::exists("/run/containerd/runc/k8s.io/c1"));
}

TEST_F(Dev, KilledNodeLosesItsContainersAndComesBack) {
  DevCluster cluster;
  ASSERT_EQ(cluster.Up({"--nodes", "1"}).exit.code, 0);
  ASSERT_EQ(StartContainer(cluster), 0);
  EXPECT_NE(cluster.In("node1", {"ctr", "task", "list"}).find("RUNNING"), std::string::npos);
  std::optional<PinnedProcess> container =
      PinnedProcess::Open(std::stoi(*base::ReadFile(BundleOf(cluster) + "/init.pid", 100)));
  ASSERT_TRUE(container && !container->WaitEnd({}));
  std::string shim_socket = base::ReadFile(BundleOf(cluster) + "/address", 1000)->substr(7);
  base::RunOutput killed = cluster.Dev({"kill", "node1"});
  ASSERT_EQ(killed.exit.code, 0) << killed.error;
  EXPECT_TRUE(container->WaitEnd({}));
  EXPECT_FALSE(std::filesystem::exists(shim_socket));
  ASSERT_EQ(cluster.Up().exit.code, 0);
  EXPECT_EQ(cluster.In("node1", {"ctr", "task", "list"}).find("RUNNING"), std::string::npos);
  EXPECT_NE(cluster.In("node1", {"ctr", "container", "list"}).find("c1"), std::string::npos);
}

TEST_F(Dev, DownFindsAClusterWhoseFilesWereRemoved) {
  DevCluster cluster;
  ASSERT_EQ(cluster.Up({"--nodes", "1"}).exit.code, 0);
  std::filesystem::remove_all(cluster.directory() + "/run");
  std::filesystem::remove(RecordPath(cluster.directory()));
  EXPECT_EQ(cluster.Dev({"down"}).exit.code, 0);
  // Without a record the files may be anyone's.
  EXPECT_EQ(cluster.Leftovers(), "directory\n");
}

TEST_F(Dev, DirectoryThatWasThereBeforeStays) {
  DevCluster cluster;
  std::filesystem::create_directory(cluster.directory());
  ASSERT_EQ(cluster.Up({"--nodes", "1"}).exit.code, 0);
  EXPECT_EQ(cluster.Dev({"down"}).exit.code, 0);
  EXPECT_TRUE(std::filesystem::is_empty(cluster.directory()));
}

TEST_F(Dev, DownSaysWhatItCannotRemove) {
  DevCluster cluster;
  ASSERT_EQ(cluster.Up({"--nodes", "1", "--fault", "dev/network"}).exit.code, 137);
  std::string file = cluster.directory() + "/keep";
  ASSERT_TRUE(base::WriteFileAtomic(file, "x", 0644).ok());
  Execute({"chattr", "+i", file});
  base::RunOutput down = cluster.Dev({"down"});
  Execute({"chattr", "-i", file});
  EXPECT_EQ(down.exit.code, 1);
  EXPECT_NE(down.error.find("could not remove everything"), std::string::npos) << down.error;
  EXPECT_NE(down.error.find(file), std::string::npos) << down.error;
  EXPECT_EQ(cluster.Dev({"down"}).exit.code, 0);
  EXPECT_EQ(cluster.Leftovers(), "");
}

TEST_F(Dev, ErrorsSayWhatToDo) {
  DevCluster cluster;
  std::string taken = std::to_string(*FindFreePort());
  auto error = [&](std::vector<std::string> args) { return cluster.Dev(args).error; };
  EXPECT_EQ(error({"status"}), "plumb dev: there is no cluster in " + cluster.directory() +
                                   "; `plumb dev up` makes one, --dir names another place\n");
  EXPECT_EQ(error({"up", "--nodes", "0"}),
            "plumb dev: --nodes takes a number from 1 to 50, not \"0\"\nsee plumb dev --help\n");
  std::filesystem::create_directory(cluster.directory());
  ASSERT_TRUE(base::WriteFileAtomic(cluster.directory() + "/mine", "x", 0644).ok());
  EXPECT_EQ(error({"up"}), "plumb dev: " + cluster.directory() +
                               " holds other files (mine); a cluster needs a directory of its own, "
                               "see --dir\n");
  EXPECT_EQ(error({"down"}), "");
  EXPECT_TRUE(std::filesystem::exists(cluster.directory() + "/mine"));
}

TEST_F(Dev, TakenPortIsNamed) {
  DevCluster holder;
  DevCluster cluster;
  ASSERT_EQ(holder.Up({"--nodes", "1"}).exit.code, 0);
  base::Json status = holder.Status();
  std::string port = std::to_string(std::as_const(status)["apiPort"].AsInt());
  base::RunOutput up = cluster.Up({"--nodes", "1", "--api-port", port});
  EXPECT_EQ(up.exit.code, 1);
  EXPECT_EQ(up.error.substr(0, up.error.find('\n')),
            "plumb dev: port " + port +
                " of 127.0.0.1 is taken; end the program that listens there, or choose another "
                "with --api-port");
  base::RunOutput again =
      cluster.Up({"--nodes", "1", "--api-port", std::to_string(*FindFreePort())});
  EXPECT_EQ(again.exit.code, 0) << again.error;
}

TEST_F(Dev, PidThatNowMeansAnotherProcessIsNotTheDaemon) {
  Scratch scratch;
  ASSERT_TRUE(base::MakeDirectories(scratch.path() + "/run", 0755).ok());
  ASSERT_TRUE(base::MakeDirectories(scratch.path() + "/logs", 0755).ok());
  Daemon daemon;
  daemon.name = "sleeper";
  daemon.argv = {"sleep", "1000"};
  daemon.mark = PrefixOf(scratch.path()) + "/sleeper";
  ASSERT_TRUE(StartDaemon(scratch.path(), daemon).ok());
  std::string path = PidPath(scratch.path(), "sleeper");
  base::Json file = *base::ParseJson(*base::ReadFile(path, 1000));
  EXPECT_TRUE(FindDaemon(scratch.path(), "sleeper").has_value());
  for (auto [key, value] : {std::pair<const char*, base::Json>("startTicks", 1),
                            std::pair<const char*, base::Json>("boot", "another")}) {
    base::Json changed = file;
    changed.Set(key, value);
    ASSERT_TRUE(base::WriteFileAtomic(path, changed.ToString(), 0600).ok());
    EXPECT_FALSE(FindDaemon(scratch.path(), "sleeper").has_value()) << key;
  }
  EXPECT_TRUE(KillProcesses({daemon.mark}).empty());
}

}  // namespace
}  // namespace plumb
