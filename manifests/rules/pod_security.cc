// Rules (Kubernetes documentation, "Pod Security Standards"), with the version of Kubernetes from
// which on each holds: baseline    host namespaces, privileged, capabilities beyond the runtime's
// own, hostPath, host ports, AppArmor, SELinux, /proc, seccomp (1.19, before by annotations),
// sysctls, Windows host processes, hosts of probes and hooks (1.34) restricted  besides: kinds of
// volumes, allowPrivilegeEscalation (1.8), runAsNonRoot, runAsUser (1.23), seccomp must be set
// (1.19), all capabilities dropped (1.22) Of a pod with `os.name: windows` (1.25) less is asked; no
// node runs it. Kubernetes asks less of one with `hostUsers: false` (1.35), too. plumb does not act
// on that, so such a pod may not be root either; of /proc it may ask anything, since plumb hides
// the same of it in all pods.
#include "manifests/rules/pod_security.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "manifests/rules/report.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

constexpr std::string_view kLevelNames[] = {"privileged", "baseline", "restricted"};

constexpr std::string_view kAppArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";
constexpr std::string_view kSeccompOfPod = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view kSeccompPrefix = "container.seccomp.security.alpha.kubernetes.io/";

constexpr std::string_view kDefaultCapabilities[] = {
    "AUDIT_WRITE",      "CHOWN",   "DAC_OVERRIDE", "FOWNER",  "FSETID", "KILL",      "MKNOD",
    "NET_BIND_SERVICE", "SETFCAP", "SETGID",       "SETPCAP", "SETUID", "SYS_CHROOT"};

struct SafeSysctl {
  std::string_view name;
  int since;  // 1.SINCE
};
constexpr SafeSysctl kSafeSysctls[] = {
    {"kernel.shm_rmid_forced", 0},
    {"net.ipv4.ip_local_port_range", 0},
    {"net.ipv4.ip_unprivileged_port_start", 0},
    {"net.ipv4.ping_group_range", 0},
    {"net.ipv4.tcp_syncookies", 0},
    {"net.ipv4.ip_local_reserved_ports", 27},
    {"net.ipv4.tcp_fin_timeout", 29},
    {"net.ipv4.tcp_keepalive_intvl", 29},
    {"net.ipv4.tcp_keepalive_probes", 29},
    {"net.ipv4.tcp_keepalive_time", 29},
    {"net.ipv4.tcp_rmem", 32},
    {"net.ipv4.tcp_wmem", 32},
    {"net.ipv4.tcp_notsent_lowat", 37},
    {"net.ipv4.tcp_slow_start_after_idle", 37},
};

constexpr std::string_view kRestrictedVolumes[] = {
    "configMap", "csi",   "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim",
    "projected", "secret"};

bool IsOneOf(std::string_view text, std::span<const std::string_view> allowed) {
  return std::find(allowed.begin(), allowed.end(), text) != allowed.end();
}

bool IsConfinedProfile(std::string_view type) {
  return type == "RuntimeDefault" || type == "Localhost";
}

class PodSecurityCheck {
 public:
  PodSecurityCheck(const Json& pod, std::string_view path, const PodSecurityPolicy& policy)
      : spec_(pod["spec"]),
        path_(Join(path, "spec")),
        annotations_(pod["metadata"]["annotations"]),
        annotations_path_(Join(path, "metadata") + ".annotations"),
        minor_(policy.minor),
        restricted_(policy.level == PodSecurityLevel::kRestricted),
        windows_(spec_["os"]["name"].AsString() == "windows" && Since(25)) {}

  std::vector<Problem> Run() {
    HostNamespaces();
    Sysctls();
    AppArmorAnnotations();
    if (!Since(19)) SeccompAnnotations();
    Volumes();
    Context(spec_["securityContext"], path_ + ".securityContext");
    for (const std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
      size_t index = 0;
      for (const Json& container : spec_[list].Elements()) {
        Container(container, Join(Join(path_, list), index++));
      }
    }
    return std::move(problems_);
  }

 private:
  bool Since(int minor) const { return minor_ >= minor; }

  void Forbid(std::string field, std::string message, const Json& at) {
    report_.Forbidden(std::move(field), std::move(message), at);
  }

  void HostNamespaces() {
    for (const std::string_view field : {"hostNetwork", "hostPID", "hostIPC"}) {
      if (spec_[field].AsBool()) Forbid(Join(path_, field), "must not be true", spec_[field]);
    }
  }

  void Sysctls() {
    size_t index = 0;
    for (const Json& sysctl : spec_["securityContext"]["sysctls"].Elements()) {
      const Json& name = sysctl["name"];
      const std::string at = Join(path_ + ".securityContext.sysctls", index++) + ".name";
      const bool safe = std::any_of(std::begin(kSafeSysctls), std::end(kSafeSysctls),
                                    [&](const SafeSysctl& each) {
                                      return each.name == name.AsString() && Since(each.since);
                                    });
      if (!safe) Forbid(at, std::string(name.AsString()) + " is not one of the safe sysctls", name);
    }
  }

  void AppArmorAnnotations() {
    for (const auto& [key, value] : annotations_.Members()) {
      const std::string_view profile = value.AsString();
      if (!key.starts_with(kAppArmorPrefix) || profile.empty() || profile == "runtime/default" ||
          profile.starts_with("localhost/")) {
        continue;
      }
      Forbid(JoinKey(annotations_path_, key), "must be runtime/default or localhost/NAME", value);
    }
  }

  void SeccompAnnotations() {
    for (const auto& [key, value] : annotations_.Members()) {
      const std::string_view profile = value.AsString();
      if ((key != kSeccompOfPod && !key.starts_with(kSeccompPrefix)) ||
          profile == "runtime/default" || profile == "docker/default" ||
          profile.starts_with("localhost/")) {
        continue;
      }
      Forbid(JoinKey(annotations_path_, key), "must be runtime/default or localhost/NAME", value);
    }
  }

  void Volumes() {
    size_t index = 0;
    for (const Json& volume : spec_["volumes"].Elements()) {
      const std::string at = Join(path_ + ".volumes", index++);
      for (const auto& [source, value] : volume.Members()) {
        if (source == "name" || value.IsNull()) continue;
        if (restricted_ ? IsOneOf(source, kRestrictedVolumes) : source != "hostPath") continue;
        Forbid(Join(at, source),
               restricted_ ? "is none of the kinds of volumes that are allowed: configMap, csi, "
                             "downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, "
                             "projected, secret"
                           : "must not be used",
               value);
      }
    }
  }

  // What a pod and a container can say alike.
  void Context(const Json& context, const std::string& path) {
    const Json& process = context["windowsOptions"]["hostProcess"];
    if (process.AsBool()) Forbid(path + ".windowsOptions.hostProcess", "must not be true", process);
    SeLinux(context["seLinuxOptions"], path + ".seLinuxOptions");
    for (const std::string_view field : {"appArmorProfile", "seccompProfile"}) {
      const Json& type = context[field]["type"];
      if (!context[field].IsObject() || IsConfinedProfile(type.AsString())) continue;
      if (field == "seccompProfile" && !Since(19)) continue;
      Forbid(Join(path, field) + ".type", "must be RuntimeDefault or Localhost", type);
    }
    if (!restricted_) return;
    const Json& non_root = context["runAsNonRoot"];
    if (non_root.IsBool() && !non_root.AsBool()) {
      Forbid(path + ".runAsNonRoot", "must be true", non_root);
    }
    const Json& user = context["runAsUser"];
    if (Since(23) && !user.IsNull() && user.AsInt(-1) == 0) {
      Forbid(path + ".runAsUser", "must not be 0", user);
    }
  }

  void SeLinux(const Json& options, const std::string& path) {
    const Json& type = options["type"];
    const std::string_view name = type.AsString();
    const bool allowed = name.empty() || name == "container_t" || name == "container_init_t" ||
                         name == "container_kvm_t" || (name == "container_engine_t" && Since(31));
    if (!allowed) {
      Forbid(path + ".type",
             "must be container_t, container_init_t, container_kvm_t or container_engine_t", type);
    }
    for (const std::string_view field : {"user", "role"}) {
      if (options[field].AsString().empty()) continue;
      Forbid(Join(path, field), "must not be set", options[field]);
    }
  }

  void Container(const Json& container, const std::string& path) {
    const Json& context = container["securityContext"];
    const std::string at = path + ".securityContext";
    Context(context, at);
    if (context["privileged"].AsBool()) {
      Forbid(at + ".privileged", "must not be true", context["privileged"]);
    }
    const std::string_view proc = context["procMount"].AsString();
    const Json& host_users = spec_["hostUsers"];
    const bool any_proc = !restricted_ && Since(35) && host_users.IsBool() && !host_users.AsBool();
    if (!proc.empty() && proc != "Default" && !any_proc) {
      Forbid(at + ".procMount", "must be Default", context["procMount"]);
    }
    AddedCapabilities(context["capabilities"]["add"], at + ".capabilities.add");
    HostPorts(container["ports"], path + ".ports");
    if (Since(34)) HandlerHosts(container, path);
    if (restricted_) MustBeSet(context, at);
  }

  void AddedCapabilities(const Json& list, const std::string& path) {
    const bool none = restricted_ && Since(22);
    size_t index = 0;
    for (const Json& capability : list.Elements()) {
      const std::string at = Join(path, index++);
      const std::string_view name = capability.AsString();
      if (none ? name == "NET_BIND_SERVICE" : IsOneOf(name, kDefaultCapabilities)) continue;
      Forbid(at,
             none ? "only NET_BIND_SERVICE may be added"
                  : std::string(name) + " is not one of the capabilities that may be added",
             capability);
    }
  }

  void HostPorts(const Json& ports, const std::string& path) {
    size_t index = 0;
    for (const Json& port : ports.Elements()) {
      const std::string at = Join(path, index++) + ".hostPort";
      if (port["hostPort"].AsInt() != 0) Forbid(at, "must not be used", port["hostPort"]);
    }
  }

  void HandlerHosts(const Json& container, const std::string& path) {
    for (const std::string_view probe : {"livenessProbe", "readinessProbe", "startupProbe"}) {
      HandlerHost(container[probe], Join(path, probe));
    }
    for (const std::string_view hook : {"postStart", "preStop"}) {
      HandlerHost(container["lifecycle"][hook], Join(path + ".lifecycle", hook));
    }
  }

  void HandlerHost(const Json& handler, const std::string& path) {
    for (const std::string_view kind : {"httpGet", "tcpSocket"}) {
      const Json& host = handler[kind]["host"];
      if (host.AsString().empty()) continue;
      Forbid(Join(path, kind) + ".host", "must not be set; the pod itself is asked without it",
             host);
    }
  }

  // What restricted wants to see, on the container or the pod.
  void MustBeSet(const Json& context, const std::string& path) {
    const Json& of_pod = spec_["securityContext"];
    const Json& escalation = context["allowPrivilegeEscalation"];
    if (Since(8) && !windows_ && !(escalation.IsBool() && !escalation.AsBool())) {
      Forbid(path + ".allowPrivilegeEscalation", "must be false", escalation);
    }
    if (!context["runAsNonRoot"].IsBool() && !of_pod["runAsNonRoot"].AsBool()) {
      Forbid(path + ".runAsNonRoot", "must be true, here or for the pod", context["runAsNonRoot"]);
    }
    const bool pod_confined = IsConfinedProfile(of_pod["seccompProfile"]["type"].AsString());
    if (Since(19) && !windows_ && !context["seccompProfile"].IsObject() && !pod_confined) {
      Forbid(path + ".seccompProfile.type",
             "must be RuntimeDefault or Localhost, here or for the pod", context["seccompProfile"]);
    }
    if (!Since(22) || windows_) return;
    const Json& drop = context["capabilities"]["drop"];
    const bool all = std::any_of(drop.Elements().begin(), drop.Elements().end(),
                                 [](const Json& each) { return each.AsString() == "ALL"; });
    if (!all) Forbid(path + ".capabilities.drop", "must have ALL", drop);
  }

  const Json& spec_;
  const std::string path_;
  const Json& annotations_;
  const std::string annotations_path_;
  const int minor_;
  const bool restricted_;
  const bool windows_;
  std::vector<Problem> problems_, warnings_;
  Report report_{problems_, warnings_};
};

}  // namespace

std::string ToString(const PodSecurityPolicy& policy) {
  const std::string level(kLevelNames[static_cast<size_t>(policy.level)]);
  if (policy.minor == kLatestPodSecurity) return level + ":latest";
  return level + ":v1." + std::to_string(policy.minor);
}

std::optional<PodSecurityLevel> ParsePodSecurityLevel(std::string_view text) {
  for (const PodSecurityLevel level : {PodSecurityLevel::kPrivileged, PodSecurityLevel::kBaseline,
                                       PodSecurityLevel::kRestricted}) {
    if (text == kLevelNames[static_cast<size_t>(level)]) return level;
  }
  return std::nullopt;
}

std::optional<int> ParsePodSecurityVersion(std::string_view text) {
  if (text == "latest") return kLatestPodSecurity;
  if (!text.starts_with("v1.")) return std::nullopt;
  text.remove_prefix(3);
  int minor = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), minor);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || minor < 0 || minor >= kLatestPodSecurity) return std::nullopt;
  return minor;
}

std::vector<Problem> CheckPodSecurity(const Json& pod, std::string_view path,
                                      const PodSecurityPolicy& policy) {
  if (policy.level == PodSecurityLevel::kPrivileged) return {};
  return PodSecurityCheck(pod, path, policy).Run();
}

}  // namespace manifests
