// Up is a row of steps, each of which makes what is missing. The record is on disk before the first
// of them, and all that they make follows from it: that is how Down finds it after a crash between
// any two instructions.

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/edge/files.h"
#include "plumb/dev/cluster.h"
#include "plumb/dev/daemons.h"
#include "plumb/dev/forwarder.h"
#include "plumb/dev/images/demo_images.h"
#include "plumb/dev/network.h"
#include "plumb/dev/processes.h"

namespace plumb {
namespace {

constexpr base::Duration kStartTimeout = base::Duration::Seconds(30);
constexpr size_t kMaxKubeconfigBytes = 1 << 20;
constexpr int kCrashExitCode = 137;

struct Program {
  const char* name;
  const char* package;
};
// What a cluster needs of this machine, by Debian package.
constexpr Program kPrograms[] = {
    {"ip", "iproute2"},
    {"nsenter", "util-linux"},
    {"nft", "nftables"},
    {"conntrack", "conntrack"},
    {"containerd", "containerd"},
    {"runc", "runc"},
    {"git", "git"},
    {"docker-registry", "docker-registry"},
};
constexpr const char* kPluginProgram = "/usr/lib/cni/bridge";

bool InPath(std::string_view program) {
  const char* path = getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin";
  while (!rest.empty()) {
    size_t end = std::min(rest.find(':'), rest.size());
    std::string candidate = std::string(rest.substr(0, end)) + "/" + std::string(program);
    if (access(candidate.c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

base::Status CheckMachine() {
  if (geteuid() != 0) {
    return {base::Code::kForbidden,
            "plumb dev makes network namespaces and containers, which only root may; run it with "
            "sudo"};
  }
  std::string missing;
  std::string packages;
  auto lacks = [&](const std::string& program, const std::string& package) {
    missing += (missing.empty() ? "" : ", ") + program;
    packages += " " + package;
  };
  for (const Program& program : kPrograms) {
    if (!InPath(program.name)) lacks(program.name, program.package);
  }
  if (access(kPluginProgram, X_OK) != 0) lacks(kPluginProgram, "containernetworking-plugins");
  if (access(kBusyboxPath, R_OK) != 0) lacks(kBusyboxPath, "busybox-static");
  if (missing.empty()) return {};
  return {base::Code::kNotFound, "plumb dev needs " + missing + "; apt-get install" + packages};
}

base::Result<std::string> OwnBinary() {
  std::error_code error;
  std::string path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error || access(path.c_str(), X_OK) != 0) {
    return {base::Code::kInternal, "this program's file is gone (" + path + "); start it again"};
  }
  return path;
}

// Makes the directory, and tells the topmost of those that were missing; "" if none was.
base::Result<std::string> MakeClusterDirectory(const std::string& directory) {
  std::filesystem::path made;
  std::error_code error;
  for (std::filesystem::path path = directory; !std::filesystem::exists(path, error);
       path = path.parent_path()) {
    made = path;
  }
  RETURN_IF_ERROR(base::MakeDirectories(directory, 0755));
  return made.string();
}

base::Status CheckNodes(int nodes) {
  if (nodes >= 1 && nodes <= kMaxDevNodes) return {};
  return {base::Code::kInvalid, "a cluster has 1 to " + std::to_string(kMaxDevNodes) + " nodes"};
}

// The record of the cluster as it shall be: what there is, widened by the options.
base::Result<ClusterRecord> PlanRecord(const DevOptions& options, const std::string& directory,
                                       const std::string& made_root) {
  base::Result<ClusterRecord> found = LoadRecord(directory);
  ClusterRecord record;
  if (found.ok()) {
    record = *found;
    if (record.name != options.name) {
      return {base::Code::kConflict, directory + " holds the cluster \"" + record.name +
                                         "\"; choose another --dir, or --name " + record.name};
    }
    if (options.nodes != 0 && options.nodes < record.nodes) {
      return {base::Code::kConflict, "the cluster has " + std::to_string(record.nodes) +
                                         " nodes and cannot shrink; `plumb dev down` first"};
    }
  } else if (found.status().code() == base::Code::kNotFound) {
    record.directory = directory;
    record.name = options.name;
    record.nodes = kDefaultNodes;
    record.made_root = made_root;
  } else {
    return found.status();
  }
  if (options.nodes != 0) record.nodes = options.nodes;
  RETURN_IF_ERROR(CheckNodes(record.nodes));
  auto choose = [](uint16_t wished, uint16_t& port) -> base::Status {
    if (wished != 0) port = wished;
    while (port == 0) {
      ASSIGN_OR_RETURN(port, FindFreePort());
    }
    return {};
  };
  RETURN_IF_ERROR(choose(options.api_port, record.api_port));
  RETURN_IF_ERROR(choose(options.registry_port, record.registry_port));
  while (record.registry_port == record.api_port) {
    ASSIGN_OR_RETURN(record.registry_port, FindFreePort());
  }
  return record;
}

class Starter {
 public:
  Starter(const DevOptions& options, ClusterRecord record, std::string binary)
      : options_(options), record_(std::move(record)), binary_(std::move(binary)) {}

  base::Status Run();
  const ClusterRecord& record() const { return record_; }

 private:
  base::Status StartForwarder();
  base::Status StartRegistry();
  base::Status PushImages();
  base::Status StartServer();
  base::Status StartAgents();
  base::Status Start(const Daemon& daemon);
  void Say(std::string_view line) { options_.progress(line); }
  void CrashPoint(std::string_view name) {
    if (options_.faults != nullptr && options_.faults->Hit(name)) _exit(kCrashExitCode);
  }

  const DevOptions& options_;
  const ClusterRecord record_;
  const std::string binary_;
};

base::Status Starter::Run() {
  CrashPoint("dev/recorded");
  RETURN_IF_ERROR(BuildNetwork(record_));
  Say("network    a bridge, the server and " + std::to_string(record_.nodes) +
      " nodes, in namespaces " + PrefixOf(record_.directory) + "-*");
  CrashPoint("dev/network");
  RETURN_IF_ERROR(StartRegistry());
  CrashPoint("dev/registry");
  RETURN_IF_ERROR(StartForwarder());
  Say("registry   " + std::string(kRegistryName) +
      " in manifests; from here 127.0.0.1:" + std::to_string(record_.registry_port));
  CrashPoint("dev/forwarder");
  RETURN_IF_ERROR(PushImages());
  CrashPoint("dev/images");
  RETURN_IF_ERROR(StartServer());
  Say("server     https://127.0.0.1:" + std::to_string(record_.api_port));
  CrashPoint("dev/server");
  RETURN_IF_ERROR(StartAgents());
  CrashPoint("dev/agents");
  return {};
}

base::Status Starter::Start(const Daemon& daemon) {
  ASSIGN_OR_RETURN(bool started, StartDaemon(record_.directory, daemon));
  if (started) CrashPoint("dev/started-" + daemon.name);
  return {};
}

base::Status Starter::StartRegistry() {
  RETURN_IF_ERROR(base::MakeDirectories(RegistryMember(record_).data_directory, 0755));
  RETURN_IF_ERROR(
      base::WriteFileAtomic(record_.directory + "/registry.yml", RegistryConfig(record_), 0644));
  Daemon daemon = RegistryDaemon(record_);
  RETURN_IF_ERROR(Start(daemon));
  return AwaitDaemon(record_.directory, daemon, kStartTimeout);
}

base::Status Starter::StartForwarder() {
  Daemon daemon = ForwarderDaemon(record_, binary_);
  std::optional<PinnedProcess> running = FindDaemon(record_.directory, daemon.name);
  if (running && !RunsAs(*running, daemon)) {  // the ports were changed
    StopDaemons(record_.directory, {daemon});
  }
  if (!FindDaemon(record_.directory, daemon.name)) {
    for (auto [port, option] : {std::pair(record_.api_port, "--api-port"),
                                std::pair(record_.registry_port, "--registry-port")}) {
      if (PortIsFree(port)) continue;
      return {base::Code::kUnavailable, "port " + std::to_string(port) +
                                            " of 127.0.0.1 is taken; end the program that listens "
                                            "there, or choose another with " +
                                            option};
    }
  }
  RETURN_IF_ERROR(Start(daemon));
  return AwaitDaemon(record_.directory, daemon, kStartTimeout);
}

base::Status Starter::PushImages() {
  ASSIGN_OR_RETURN(std::vector<std::string> names, PushDemoImages(record_.registry_port));
  std::string line = "images    ";
  for (const std::string& name : names) line += " " + std::string(kRegistryName) + "/" + name;
  Say(line);
  return {};
}

base::Status Starter::StartServer() {
  RETURN_IF_ERROR(base::MakeDirectories(ServerMember(record_).data_directory, 0700));
  Daemon daemon = ServerDaemon(record_, binary_);
  RETURN_IF_ERROR(Start(daemon));
  RETURN_IF_ERROR(AwaitDaemon(record_.directory, daemon, kStartTimeout));
  ASSIGN_OR_RETURN(std::string text,
                   base::ReadFile(ServerKubeconfigPath(record_), kMaxKubeconfigBytes));
  std::string inside = "https://" + std::string(kServerAddress) + ":" + std::to_string(kServerPort);
  size_t at = text.find(inside);
  if (at != std::string::npos) {
    text.replace(at, inside.size(), "https://127.0.0.1:" + std::to_string(record_.api_port));
  }
  return base::WriteFileAtomic(KubeconfigPath(record_.directory), text, 0600);
}

base::Status Starter::StartAgents() {
  std::vector<Daemon> daemons;
  for (int i = 1; i <= record_.nodes; ++i) {
    Member node = NodeMember(record_, i);
    RETURN_IF_ERROR(base::MakeDirectories(node.data_directory, 0700));
    daemons.push_back(AgentDaemon(record_, binary_, node, JoinTokenPath(record_)));
    RETURN_IF_ERROR(Start(daemons.back()));
  }
  std::string line = "nodes     ";
  for (const Daemon& daemon : daemons) {
    RETURN_IF_ERROR(AwaitDaemon(record_.directory, daemon, kStartTimeout));
    line += " " + daemon.name;
  }
  Say(line);
  return {};
}

}  // namespace

base::Result<std::string> CanonicalDirectory(const std::string& directory) {
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(directory, error);
  if (!error) path = std::filesystem::weakly_canonical(path, error);
  std::string text = path.string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  if (error || directory.empty() || text == "/") {
    return {base::Code::kInvalid, "\"" + directory + "\" cannot hold a cluster; see --dir"};
  }
  if (text.size() > kMaxDevDirectoryBytes) {
    return {base::Code::kInvalid, text + " is too long a path for the sockets below it (at most " +
                                      std::to_string(kMaxDevDirectoryBytes) +
                                      " bytes); choose a shorter --dir"};
  }
  return text;
}

base::Result<ClusterRecord> Up(const DevOptions& options) {
  RETURN_IF_ERROR(CheckMachine());
  if (options.nodes != 0) RETURN_IF_ERROR(CheckNodes(options.nodes));
  ASSIGN_OR_RETURN(std::string directory, CanonicalDirectory(options.directory));
  ASSIGN_OR_RETURN(std::string binary, OwnBinary());
  if (access(RecordPath(directory).c_str(), F_OK) != 0) RETURN_IF_ERROR(CheckUnused(directory));
  ASSIGN_OR_RETURN(std::string made_root, MakeClusterDirectory(directory));
  ASSIGN_OR_RETURN(base::UniqueFd lock, LockDirectory(directory));
  ASSIGN_OR_RETURN(ClusterRecord record, PlanRecord(options, directory, made_root));
  RETURN_IF_ERROR(SaveRecord(record));
  RETURN_IF_ERROR(base::MakeDirectories(directory + "/run", 0755));
  RETURN_IF_ERROR(base::MakeDirectories(directory + "/logs", 0755));
  Starter starter(options, std::move(record), std::move(binary));
  RETURN_IF_ERROR(starter.Run());
  return starter.record();
}

}  // namespace plumb
