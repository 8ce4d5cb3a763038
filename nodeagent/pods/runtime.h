// Runtime: what runs containers on a node. The seam between PlanPod, which decides, and the
// machine.
//
// edge/cri_runtime speaks CRI to containerd; testing/fake_runtime keeps real state in memory and
// fails on demand; both pass testing/runtime_contract. All calls are made on the loop and answer on
// the loop, later, exactly once. List() is the truth; events only shorten the wait for it. All
// verbs are idempotent: stopping what has stopped is OK, removing what is gone is OK.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/net/duplex.h"
#include "base/status.h"
#include "base/time.h"
#include "state/pod_stream.h"

namespace nodeagent {

// A pod's shared world: network namespace, host name, cgroup.
struct SandboxConfig {
  std::string pod_uid;
  std::string pod_name;
  std::string pod_namespace;
  uint32_t attempt = 0;  // counts sandboxes of one pod
  std::string hostname;
  std::string log_directory;
  std::string cgroup_parent;  // "" for the runtime's default
  bool host_network = false;
  bool host_pid = false;
  bool host_ipc = false;
  bool share_process_namespace = false;
  struct Dns {
    std::vector<std::string> servers;
    std::vector<std::string> searches;
    std::vector<std::string> options;
  } dns;
  std::map<std::string, std::string> sysctls;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  auto operator<=>(const SandboxConfig&) const = delete;
};

struct Mount {
  std::string container_path;
  std::string host_path;
  bool read_only = false;
};

struct ContainerConfig {
  std::string name;
  uint32_t attempt = 0;              // counts containers of one name in one pod
  std::string image;                 // what PullImage returned, or a reference that exists
  std::vector<std::string> command;  // replaces the image's entry point, if not empty
  std::vector<std::string> arguments;
  std::string working_directory;
  std::vector<std::pair<std::string, std::string>> environment;  // in order
  std::vector<Mount> mounts;
  std::string log_path;  // relative to the sandbox's log_directory
  bool stdin_open = false;
  bool stdin_once = false;
  bool tty = false;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;

  struct Resources {
    int64_t cpu_shares = 0;        // 0: the runtime's default
    int64_t cpu_quota_micros = 0;  // per period; 0: no limit
    int64_t cpu_period_micros = 100'000;
    int64_t memory_limit_bytes = 0;  // 0: no limit
    int64_t oom_score_adjust = 0;
  } resources;

  struct Security {
    bool privileged = false;
    bool read_only_root = false;
    bool no_new_privileges = false;
    std::optional<int64_t> run_as_user;
    std::optional<int64_t> run_as_group;
    std::vector<int64_t> supplemental_groups;
    std::vector<std::string> add_capabilities;
    std::vector<std::string> drop_capabilities;
    bool seccomp_unconfined = true;
    bool must_not_be_root = false;  // if run_as_user does not say who it is, the image must
  } security;
};

enum class ContainerPhase { kCreated, kRunning, kExited, kUnknown };

struct ContainerState {
  std::string id;
  std::string sandbox_id;
  std::string name;
  uint32_t attempt = 0;
  ContainerPhase phase = ContainerPhase::kUnknown;
  std::string image;     // as configured
  std::string image_id;  // digest reference, as status.containerStatuses[].imageID shows it
  base::WallTime created_at, started_at, finished_at;
  int32_t exit_code = 0;
  std::string reason;   // "Completed", "Error", "OOMKilled"
  std::string message;  // the termination message, when there is one
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
};

struct SandboxState {
  std::string id;
  std::string pod_uid, pod_name, pod_namespace;
  uint32_t attempt = 0;
  bool ready = false;
  std::string ip;  // "" with host network or before the network is up
  base::WallTime created_at;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
};

// All sandboxes and containers that carry plumb's label.
struct RuntimeSnapshot {
  std::vector<SandboxState> sandboxes;     // by id
  std::vector<ContainerState> containers;  // by id
};

struct RuntimeVersion {
  std::string name;     // "containerd"
  std::string version;  // "1.6.20"
};

struct ExecResult {
  int32_t exit_code = 0;
  std::string output;  // standard output, then standard error; at most kMaxExecOutput bytes of each
};
inline constexpr size_t kMaxExecOutput = 16 << 10;

struct ImageCredentials {
  std::string username;
  std::string password;
  std::string server_address;
};

class Runtime {
 public:
  template <typename T>
  using Done = std::function<void(base::Result<T>)>;
  using DoneStatus = std::function<void(base::Status)>;

  virtual ~Runtime() = default;

  virtual void Version(Done<RuntimeVersion> done) = 0;
  // Whether the runtime and its network are ready; kUnavailable with the runtime's own reason if
  // not.
  virtual void Ready(DoneStatus done) = 0;
  virtual void List(Done<RuntimeSnapshot> done) = 0;

  // The id of the image if it is there, kNotFound if not.
  virtual void FindImage(const std::string& reference, Done<std::string> done) = 0;
  virtual void PullImage(const std::string& reference,
                         const std::optional<ImageCredentials>& credentials,
                         Done<std::string> done) = 0;

  virtual void RunSandbox(const SandboxConfig& config, Done<std::string> done) = 0;  // its id
  virtual void StopSandbox(const std::string& id,
                           DoneStatus done) = 0;  // kills what still runs in it
  virtual void RemoveSandbox(const std::string& id, DoneStatus done) = 0;  // and its containers

  virtual void CreateContainer(const std::string& sandbox_id, const SandboxConfig& sandbox,
                               const ContainerConfig& config,
                               Done<std::string> done) = 0;  // its id
  virtual void StartContainer(const std::string& id, DoneStatus done) = 0;
  // SIGTERM (or the image's stop signal), SIGKILL after `grace`; answers when it has exited.
  virtual void StopContainer(const std::string& id, base::Duration grace, DoneStatus done) = 0;
  virtual void RemoveContainer(const std::string& id, DoneStatus done) = 0;
  virtual void ReopenLog(const std::string& id, DoneStatus done) = 0;

  // Runs a command in a running container to its end; kTimeout after `timeout`.
  virtual void Exec(const std::string& id, const std::vector<std::string>& command,
                    base::Duration timeout, Done<ExecResult> done) = 0;

  // Runs a command in a running container with its input and output open: messages of
  // base/net/remote_channels.h pass both ways. The last one that comes, on kStatus, is how the
  // command ended; without it, `finished` says why there was no command.
  virtual std::unique_ptr<base::Duplex> OpenExec(const std::string& id,
                                                 const state::ExecRequest& request) = 0;

  // Called on the loop whenever something may have changed: List again. At most one, set before the
  // first call.
  virtual void OnChange(std::function<void()> changed) = 0;
};

// The label that marks sandboxes and containers as plumb's, and those that name their pod.
inline constexpr char kManagedLabel[] = "plumb.dev/managed";
inline constexpr char kPodNameLabel[] = "io.kubernetes.pod.name";
inline constexpr char kPodNamespaceLabel[] = "io.kubernetes.pod.namespace";
inline constexpr char kPodUidLabel[] = "io.kubernetes.pod.uid";
inline constexpr char kContainerNameLabel[] = "io.kubernetes.container.name";

}  // namespace nodeagent
