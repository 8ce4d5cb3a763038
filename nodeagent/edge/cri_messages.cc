// Rules:
// - A namespace is said explicitly: CRI's zero value of the process namespace is "shared by the
//   pod", Kubernetes' default is one for each container.
// - A privileged container needs a sandbox that says it is privileged; runtimes look at the copy
//   of the sandbox's configuration that comes with the container, so it is said there.
#include "nodeagent/edge/cri_messages.h"

#include <iterator>
#include <utility>

namespace nodeagent {
namespace {

namespace cri = runtime::v1;

void CopyMap(const std::map<std::string, std::string>& from,
             google::protobuf::Map<std::string, std::string>& to) {
  for (const auto& [key, value] : from) to[key] = value;
}

std::map<std::string, std::string> FromMap(
    const google::protobuf::Map<std::string, std::string>& from) {
  return {from.begin(), from.end()};
}

template <typename Strings, typename Repeated>
void CopyAll(const Strings& from, Repeated& to) {
  to.Assign(from.begin(), from.end());
}

void SetNamespaces(const SandboxConfig& config, cri::NamespaceOption& to) {
  to.set_network(config.host_network ? cri::NODE : cri::POD);
  to.set_ipc(config.host_ipc ? cri::NODE : cri::POD);
  to.set_pid(config.host_pid                  ? cri::NODE
             : config.share_process_namespace ? cri::POD
                                              : cri::CONTAINER);
}

void SetResources(const ContainerConfig::Resources& from, cri::LinuxContainerResources& to) {
  to.set_cpu_shares(from.cpu_shares);
  if (from.cpu_quota_micros > 0) {
    to.set_cpu_quota(from.cpu_quota_micros);
    to.set_cpu_period(from.cpu_period_micros);
  }
  to.set_memory_limit_in_bytes(from.memory_limit_bytes);
  to.set_oom_score_adj(from.oom_score_adjust);
}

cri::SecurityProfile::ProfileType SeccompOf(bool unconfined) {
  return unconfined ? cri::SecurityProfile::Unconfined : cri::SecurityProfile::RuntimeDefault;
}

void SetSecurity(const ContainerConfig::Security& from, cri::LinuxContainerSecurityContext& to) {
  to.set_privileged(from.privileged);
  to.set_readonly_rootfs(from.read_only_root);
  to.set_no_new_privs(from.no_new_privileges);
  if (from.run_as_user) to.mutable_run_as_user()->set_value(*from.run_as_user);
  if (from.run_as_group) to.mutable_run_as_group()->set_value(*from.run_as_group);
  CopyAll(from.supplemental_groups, *to.mutable_supplemental_groups());
  CopyAll(from.add_capabilities, *to.mutable_capabilities()->mutable_add_capabilities());
  CopyAll(from.drop_capabilities, *to.mutable_capabilities()->mutable_drop_capabilities());
  to.mutable_seccomp()->set_profile_type(SeccompOf(from.seccomp_unconfined));
}

ContainerPhase PhaseOf(cri::ContainerState state) {
  switch (state) {
    case cri::CONTAINER_CREATED: return ContainerPhase::kCreated;
    case cri::CONTAINER_RUNNING: return ContainerPhase::kRunning;
    case cri::CONTAINER_EXITED: return ContainerPhase::kExited;
    default: return ContainerPhase::kUnknown;
  }
}

// gRPC's status codes by number.
constexpr base::Code kCodes[] = {
    base::Code::kOk,             // 0 OK
    base::Code::kCancelled,      // 1 CANCELLED
    base::Code::kInternal,       // 2 UNKNOWN
    base::Code::kInvalid,        // 3 INVALID_ARGUMENT
    base::Code::kTimeout,        // 4 DEADLINE_EXCEEDED
    base::Code::kNotFound,       // 5 NOT_FOUND
    base::Code::kAlreadyExists,  // 6 ALREADY_EXISTS
    base::Code::kForbidden,      // 7 PERMISSION_DENIED
    base::Code::kTooLarge,       // 8 RESOURCE_EXHAUSTED: a message beyond the limit
    base::Code::kConflict,       // 9 FAILED_PRECONDITION
    base::Code::kConflict,       // 10 ABORTED
    base::Code::kInvalid,        // 11 OUT_OF_RANGE
    base::Code::kInternal,       // 12 UNIMPLEMENTED
    base::Code::kInternal,       // 13 INTERNAL
    base::Code::kUnavailable,    // 14 UNAVAILABLE
    base::Code::kCorruption,     // 15 DATA_LOSS
    base::Code::kForbidden,      // 16 UNAUTHENTICATED
};

base::Code CodeOf(int grpc_code) {
  const bool known = grpc_code >= 0 && grpc_code < static_cast<int>(std::size(kCodes));
  return known ? kCodes[grpc_code] : base::Code::kInternal;
}

}  // namespace

cri::PodSandboxConfig ToCri(const SandboxConfig& config, bool privileged) {
  cri::PodSandboxConfig out;
  out.mutable_metadata()->set_name(config.pod_name);
  out.mutable_metadata()->set_uid(config.pod_uid);
  out.mutable_metadata()->set_namespace_(config.pod_namespace);
  out.mutable_metadata()->set_attempt(config.attempt);
  // A pod on the machine's network has the machine's name; runtimes refuse another.
  if (!config.host_network) out.set_hostname(config.hostname);
  out.set_log_directory(config.log_directory);
  CopyAll(config.dns.servers, *out.mutable_dns_config()->mutable_servers());
  CopyAll(config.dns.searches, *out.mutable_dns_config()->mutable_searches());
  CopyAll(config.dns.options, *out.mutable_dns_config()->mutable_options());
  CopyMap(config.labels, *out.mutable_labels());
  (*out.mutable_labels())[kManagedLabel] = "true";
  CopyMap(config.annotations, *out.mutable_annotations());
  out.mutable_linux()->set_cgroup_parent(config.cgroup_parent);
  CopyMap(config.sysctls, *out.mutable_linux()->mutable_sysctls());
  cri::LinuxSandboxSecurityContext& security = *out.mutable_linux()->mutable_security_context();
  SetNamespaces(config, *security.mutable_namespace_options());
  security.set_privileged(privileged);
  security.mutable_seccomp()->set_profile_type(cri::SecurityProfile::RuntimeDefault);
  return out;
}

cri::ContainerConfig ToCri(const SandboxConfig& sandbox, const ContainerConfig& config) {
  cri::ContainerConfig out;
  out.mutable_metadata()->set_name(config.name);
  out.mutable_metadata()->set_attempt(config.attempt);
  out.mutable_image()->set_image(config.image);
  CopyAll(config.command, *out.mutable_command());
  CopyAll(config.arguments, *out.mutable_args());
  out.set_working_dir(config.working_directory);
  for (const auto& [key, value] : config.environment) {
    cri::KeyValue& env = *out.add_envs();
    env.set_key(key);
    env.set_value(value);
  }
  for (const Mount& mount : config.mounts) {
    cri::Mount& to = *out.add_mounts();
    to.set_container_path(mount.container_path);
    to.set_host_path(mount.host_path);
    to.set_readonly(mount.read_only);
  }
  CopyMap(config.labels, *out.mutable_labels());
  (*out.mutable_labels())[kManagedLabel] = "true";
  CopyMap(config.annotations, *out.mutable_annotations());
  out.set_log_path(config.log_path);
  out.set_stdin(config.stdin_open);
  out.set_stdin_once(config.stdin_once);
  out.set_tty(config.tty);
  SetResources(config.resources, *out.mutable_linux()->mutable_resources());
  cri::LinuxContainerSecurityContext& security = *out.mutable_linux()->mutable_security_context();
  SetSecurity(config.security, security);
  SetNamespaces(sandbox, *security.mutable_namespace_options());
  return out;
}

runtime::v1::ExecRequest ToCri(const std::string& container, const state::ExecRequest& exec) {
  runtime::v1::ExecRequest request;
  request.set_container_id(container);
  request.mutable_cmd()->Assign(exec.command.begin(), exec.command.end());
  request.set_tty(exec.terminal);
  request.set_stdin(exec.stdin_open);
  request.set_stdout(exec.stdout_open);
  request.set_stderr(exec.stderr_open && !exec.terminal);
  return request;
}

SandboxState FromCri(const cri::PodSandbox& listed, const std::string& ip) {
  SandboxState out;
  out.id = listed.id();
  out.pod_uid = listed.metadata().uid();
  out.pod_name = listed.metadata().name();
  out.pod_namespace = listed.metadata().namespace_();
  out.attempt = listed.metadata().attempt();
  out.ready = listed.state() == cri::SANDBOX_READY;
  out.ip = ip;
  out.created_at = base::WallTime::FromNanos(listed.created_at());
  out.labels = FromMap(listed.labels());
  out.annotations = FromMap(listed.annotations());
  return out;
}

ContainerState FromCri(const cri::Container& listed, const cri::ContainerStatus& status) {
  ContainerState out;
  out.id = listed.id();
  out.sandbox_id = listed.pod_sandbox_id();
  out.name = listed.metadata().name();
  out.attempt = listed.metadata().attempt();
  out.phase = PhaseOf(status.state());
  out.image = listed.image().image();
  out.image_id = status.image_ref();
  out.created_at = base::WallTime::FromNanos(status.created_at());
  out.started_at = base::WallTime::FromNanos(status.started_at());
  out.finished_at = base::WallTime::FromNanos(status.finished_at());
  out.exit_code = status.exit_code();
  out.reason = status.reason();
  out.message = status.message();
  out.labels = FromMap(listed.labels());
  out.annotations = FromMap(listed.annotations());
  return out;
}

base::Status ReadinessOf(const cri::RuntimeStatus& status) {
  std::string reasons;
  for (const cri::RuntimeCondition& condition : status.conditions()) {
    if (condition.status()) continue;
    if (!reasons.empty()) reasons += "; ";
    reasons += condition.type() + " is false (" + condition.reason() + "): " + condition.message();
  }
  if (reasons.empty()) return {};
  return base::Status(base::Code::kUnavailable, "the container runtime is not ready: " + reasons);
}

base::Status StatusOf(int grpc_code, const std::string& message) {
  if (grpc_code == 0) return {};
  return base::Status(CodeOf(grpc_code), message);
}

int64_t WholeSeconds(base::Duration duration) {
  constexpr int64_t kSecond = 1'000'000'000;
  return duration.nanos() <= 0 ? 0 : (duration.nanos() + kSecond - 1) / kSecond;
}

}  // namespace nodeagent
