// Down goes by what there is, not by what was recorded: the cluster's name marks its processes and
// namespaces, its directory holds its files and mounts. Daemons are asked to end first, agents
// before the server; then whatever is left is killed, because mounts, cgroups and namespaces can
// only go when nothing uses them. The record goes last: a Down that was cut off can be repeated.

#include <unistd.h>

#include <filesystem>

#include "base/edge/files.h"
#include "plumb/dev/cluster.h"
#include "plumb/dev/daemons.h"
#include "plumb/dev/namespaces.h"
#include "plumb/dev/processes.h"
#include "plumb/dev/traces.h"

namespace plumb {
namespace {

// Fills `left` with sentences about what stays.
class Remover {
 public:
  explicit Remover(ClusterRecord record)
      : record_(std::move(record)), prefix_(PrefixOf(record_.directory)) {}

  std::vector<std::string> Run(bool owns_files) {
    StopInOrder();
    ContainerTraces traces = FindContainerTraces(record_.directory);
    KillRest(traces);
    UnmountBelow(record_.directory);
    for (std::string& trace : RemoveTraces(traces)) left_.push_back(std::move(trace));
    for (const std::string& name : ListNamespaces(prefix_ + "-")) {
      Check(DeleteNamespace(NamespacePath(name)));
    }
    if (!RemoveCgroup(CgroupRoot(record_))) left_.push_back("cgroup " + CgroupRoot(record_));
    for (const std::string& mount : MountsBelow(record_.directory)) {
      left_.push_back("mount " + mount);
    }
    // Never through a mount that is still there, to files that are not ours.
    if (owns_files && left_.empty()) RemoveFiles();
    return std::move(left_);
  }

 private:
  void StopInOrder() {
    std::vector<Daemon> agents;
    for (int i = 1; i <= record_.nodes; ++i) {
      agents.push_back(AgentDaemon(record_, "", NodeMember(record_, i), ""));
    }
    StopDaemons(record_.directory, agents);
    StopDaemons(record_.directory, {ServerDaemon(record_, "")});
    StopDaemons(record_.directory, {RegistryDaemon(record_), ForwarderDaemon(record_, "")});
  }

  void KillRest(const ContainerTraces& traces) {
    Belonging belonging;
    belonging.mark = prefix_;
    belonging.networks = NetworksOf(record_.directory, traces);
    belonging.cgroups = traces.cgroups;
    belonging.cgroups.push_back(CgroupRoot(record_));
    for (const std::string& name : ListNamespaces(prefix_ + "-")) {
      std::optional<NamespaceId> id = ReadNamespaceId(NamespacePath(name));
      if (id) belonging.networks.push_back(*id);
    }
    for (pid_t pid : KillProcesses(belonging)) left_.push_back("process " + std::to_string(pid));
  }

  void RemoveFiles() {
    const std::string& directory = record_.directory;
    base::Result<std::vector<std::string>> names = base::ListDirectory(directory);
    if (!names.ok()) return Check(names.status());
    std::string last[] = {RecordPath(directory), LockPath(directory)};
    for (const std::string& name : *names) {
      std::string path = directory + "/" + name;
      if (path != last[0] && path != last[1]) Check(base::RemoveTree(path));
    }
    if (!left_.empty()) return;
    for (const std::string& path : last) Check(base::RemoveTree(path));
    RemoveMadeDirectories();
  }

  void RemoveMadeDirectories() {
    std::filesystem::path path = record_.directory;
    std::filesystem::path root = record_.made_root;
    if (root.empty()) return;
    while (rmdir(path.c_str()) == 0 && path != root) path = path.parent_path();
  }

  void Check(const base::Status& status) {
    if (!status.ok()) left_.emplace_back(status.message());
  }

  const ClusterRecord record_;
  const std::string prefix_;
  std::vector<std::string> left_;
};

base::Status Refuse(const std::string& directory) {
  std::optional<NamespaceId> own = ReadNamespaceId("/proc/self/ns/net");
  for (const std::string& name : ListNamespaces(PrefixOf(directory) + "-")) {
    if (ReadNamespaceId(NamespacePath(name)) != own) continue;
    return {base::Code::kConflict, "this shell runs inside the cluster; leave it first"};
  }
  return {};
}

}  // namespace

base::Status Down(const std::string& requested) {
  if (geteuid() != 0) {
    return {base::Code::kForbidden, "only root may remove a cluster; run it with sudo"};
  }
  ASSIGN_OR_RETURN(std::string directory, CanonicalDirectory(requested));
  RETURN_IF_ERROR(Refuse(directory));
  base::Result<ClusterRecord> record = LoadRecord(directory);
  if (!record.ok() && record.status().code() != base::Code::kNotFound) return record.status();
  bool ours = record.ok() || (access(directory.c_str(), F_OK) == 0 && CheckUnused(directory).ok());
  base::UniqueFd lock;
  if (ours) {
    ASSIGN_OR_RETURN(lock, LockDirectory(directory));
  }
  // Without a record there may still be what it described, if someone removed the files.
  if (!record.ok()) record = ClusterRecord{directory, "", 0, 0, 0, ours ? directory : ""};
  std::vector<std::string> left = Remover(*record).Run(ours);
  if (left.empty()) return {};
  std::vector<base::Cause> causes;
  std::string message = "could not remove everything of the cluster in " + directory + ":";
  for (const std::string& what : left) {
    message += "\n  " + what;
    causes.push_back({"Left", what, ""});
  }
  return {base::Code::kInternal, message, causes};
}

base::Status Kill(const std::string& requested, std::string_view name) {
  ASSIGN_OR_RETURN(std::string directory, CanonicalDirectory(requested));
  ASSIGN_OR_RETURN(ClusterRecord record, LoadRecord(directory));
  ASSIGN_OR_RETURN(Member member, FindMember(record, name));
  ASSIGN_OR_RETURN(base::UniqueFd lock, LockDirectory(directory));
  ContainerTraces traces = FindContainerTraces(member.data_directory);
  Belonging belonging;
  belonging.mark = PrefixOf(directory) + "/" + member.name;
  belonging.networks = NetworksOf(member.data_directory, traces);
  belonging.cgroups = traces.cgroups;
  belonging.cgroups.push_back(CgroupOf(record, member));
  std::optional<NamespaceId> own = ReadNamespaceId(NamespacePath(member.network_namespace));
  if (own) belonging.networks.push_back(*own);
  std::vector<pid_t> stayed = KillProcesses(belonging);
  unlink(PidPath(directory, member.name).c_str());
  // A power cut would take these too: they live in memory.
  UnmountBelow(member.data_directory);
  std::vector<std::string> left = RemoveTraces(traces);
  if (!RemoveCgroup(CgroupOf(record, member))) left.push_back("cgroup " + CgroupOf(record, member));
  for (pid_t pid : stayed) left.push_back("process " + std::to_string(pid));
  if (left.empty()) return {};
  return {base::Code::kInternal, "something of " + member.name + " stays: " + left[0]};
}

}  // namespace plumb
