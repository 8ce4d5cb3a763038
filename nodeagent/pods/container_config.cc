// Rules:
// - cpu: shares follow the request, the quota follows the limit over a period of 100 ms.
// - Memory out: Guaranteed pods go last (-997), BestEffort first (1000), the others by the share of
//   the node's memory that they asked for (Kubernetes documentation, "Node out of memory
//   behavior").
// - Names are asked of the cluster (ClusterFirst) unless the pod is on the host's network or says
//   otherwise; dnsConfig is added to what the policy gives.
// - Volumes of files are mounted read-only; a subPath must stay in its volume, and the runtime is
//   given a place of the agent's that shows it, never a path in which a container can put a link.
// - A container that must not be root and is told to be is refused.
// - One that names no seccomp profile gets the runtime's, unless it is privileged or the agent was
//   told otherwise. One that runs already goes on as it was made.
#include "nodeagent/pods/container_config.h"

#include <algorithm>

#include "manifests/kinds/pod_resources.h"
#include "manifests/quantity.h"
#include "nodeagent/pods/environment.h"
#include "nodeagent/volumes/volumes.h"

namespace nodeagent {
namespace {

constexpr size_t kMaxNameservers = 3;
constexpr size_t kMaxSearches = 32;
constexpr size_t kMaxHostname = 63;
constexpr int64_t kMinShares = 2;
constexpr int64_t kMaxShares = 262'144;
constexpr int64_t kMinQuotaMicros = 1000;

void AddStrings(base::Value from, std::vector<std::string>& to) {
  for (base::Value element : from.Elements()) {
    const std::string text(element.AsString());
    if (std::find(to.begin(), to.end(), text) == to.end()) to.push_back(text);
  }
}

void AddDnsConfig(base::Value config, SandboxConfig::Dns& dns) {
  AddStrings(config["nameservers"], dns.servers);
  AddStrings(config["searches"], dns.searches);
  for (base::Value option : config["options"].Elements()) {
    const std::string name(option["name"].AsString());
    std::erase_if(dns.options, [&name](const std::string& old) {
      return old == name || old.starts_with(name + ":");
    });
    const std::string_view value = option["value"].AsString();
    dns.options.push_back(value.empty() ? name : name + ":" + std::string(value));
  }
}

SandboxConfig::Dns DnsOf(const PodContext& context) {
  const NodeFacts& node = context.node;
  const base::Value spec = context.pod["spec"];
  const std::string_view policy = spec["dnsPolicy"].AsString("ClusterFirst");
  const bool cluster =
      !node.cluster_dns_ip.empty() &&
      (policy == "ClusterFirstWithHostNet" || (policy == "ClusterFirst" && !context.HostNetwork()));
  SandboxConfig::Dns dns;
  if (cluster) {
    dns.servers = {node.cluster_dns_ip};
    const std::string services = "svc." + node.cluster_domain;
    dns.searches = {std::string(context.Namespace()) + "." + services, services,
                    node.cluster_domain};
    dns.searches.insert(dns.searches.end(), node.dns_searches.begin(), node.dns_searches.end());
    dns.options = {"ndots:5"};
  } else if (policy != "None") {
    dns = {node.dns_servers, node.dns_searches, node.dns_options};
  }
  AddDnsConfig(spec["dnsConfig"], dns);
  if (dns.servers.size() > kMaxNameservers) dns.servers.resize(kMaxNameservers);
  if (dns.searches.size() > kMaxSearches) dns.searches.resize(kMaxSearches);
  return dns;
}

std::map<std::string, std::string> StringMap(base::Value from) {
  std::map<std::string, std::string> map;
  for (const auto& [key, value] : from.Members()) {
    map.emplace(std::string(key), std::string(value.AsString()));
  }
  return map;
}

void AddPodLabels(const PodContext& context, std::map<std::string, std::string>& labels) {
  labels[kManagedLabel] = "true";
  labels[kPodNameLabel] = context.Name();
  labels[kPodNamespaceLabel] = context.Namespace();
  labels[kPodUidLabel] = context.Uid();
}

int64_t GraceSeconds(const PodContext& context) {
  return context.pod["spec"]["terminationGracePeriodSeconds"].AsInt(kDefaultGraceSeconds);
}

int64_t OomScoreOf(const PodContext& context, base::Value container) {
  const std::string_view qos = manifests::QosClass(context.pod["spec"]);
  if (qos == "Guaranteed") return -997;
  if (qos == "BestEffort") return 1000;
  const int64_t asked =
      manifests::Quantity::Of(container["resources"]["requests"]["memory"]).Value();
  if (context.node.memory_bytes <= 0) return 999;
  const double share = static_cast<double>(asked) / static_cast<double>(context.node.memory_bytes);
  return std::clamp<int64_t>(1000 - static_cast<int64_t>(1000 * share), 3, 999);
}

ContainerConfig::Resources ResourcesOf(const PodContext& context, base::Value container) {
  const base::Value limits = container["resources"]["limits"];
  const base::Value requests = container["resources"]["requests"];
  const int64_t cpu_limit = manifests::Quantity::Of(limits["cpu"]).MilliValue();
  const int64_t cpu_request =
      requests["cpu"].Exists() ? manifests::Quantity::Of(requests["cpu"]).MilliValue() : cpu_limit;
  ContainerConfig::Resources resources;
  resources.cpu_shares = std::clamp(cpu_request * 1024 / 1000, kMinShares, kMaxShares);
  if (cpu_limit > 0) {
    resources.cpu_quota_micros =
        std::max(kMinQuotaMicros, cpu_limit * resources.cpu_period_micros / 1000);
  }
  resources.memory_limit_bytes = manifests::Quantity::Of(limits["memory"]).Value();
  resources.oom_score_adjust = OomScoreOf(context, container);
  return resources;
}

std::optional<int64_t> FirstInt(base::Value first, base::Value second) {
  if (first.Exists()) return first.AsInt();
  if (second.Exists()) return second.AsInt();
  return std::nullopt;
}

base::Result<ContainerConfig::Security> SecurityOf(const PodContext& context,
                                                   base::Value container) {
  const base::Value pod = context.pod["spec"]["securityContext"];
  const base::Value own = container["securityContext"];
  ContainerConfig::Security security;
  security.privileged = own["privileged"].AsBool();
  security.read_only_root = own["readOnlyRootFilesystem"].AsBool();
  security.no_new_privileges = !own["allowPrivilegeEscalation"].AsBool(true);
  security.run_as_user = FirstInt(own["runAsUser"], pod["runAsUser"]);
  security.run_as_group = FirstInt(own["runAsGroup"], pod["runAsGroup"]);
  for (base::Value group : pod["supplementalGroups"].Elements()) {
    security.supplemental_groups.push_back(group.AsInt());
  }
  if (pod["fsGroup"].Exists()) security.supplemental_groups.push_back(pod["fsGroup"].AsInt());
  AddStrings(own["capabilities"]["add"], security.add_capabilities);
  AddStrings(own["capabilities"]["drop"], security.drop_capabilities);
  const std::string_view unasked =
      context.node.seccomp_default && !security.privileged ? "RuntimeDefault" : "Unconfined";
  const std::string_view seccomp =
      own["seccompProfile"]["type"].AsString(pod["seccompProfile"]["type"].AsString(unasked));
  security.seccomp_unconfined = seccomp != "RuntimeDefault";
  if (seccomp == "Localhost") {
    return base::Status(base::Code::kInvalid,
                        "seccompProfile of type Localhost is not served; use RuntimeDefault");
  }
  security.must_not_be_root = own["runAsNonRoot"].AsBool(pod["runAsNonRoot"].AsBool());
  if (security.must_not_be_root && security.run_as_user == 0) {
    return base::Status(base::Code::kInvalid,
                        "runAsNonRoot is set, but runAsUser is 0; name another user");
  }
  if (security.run_as_group && !security.run_as_user) {
    return base::Status(base::Code::kInvalid, "runAsGroup needs a runAsUser beside it");
  }
  return security;
}

base::Status AddVolumeMount(const PodContext& context, base::Value mount,
                            const Variables& environment, ContainerBuild& build) {
  const std::string_view name = mount["name"].AsString();
  const base::Value volume = Named(context.pod["spec"]["volumes"], name);
  if (!volume.Exists()) {
    return base::Status(base::Code::kInvalid, "volumeMounts names volume \"" + std::string(name) +
                                                  "\", which the pod does not have");
  }
  Mount out;
  out.container_path = mount["mountPath"].AsString();
  if (!out.container_path.starts_with('/')) out.container_path.insert(0, 1, '/');
  out.host_path = VolumePath(context, volume);
  out.read_only = mount["readOnly"].AsBool() || IsReadOnlyVolume(volume);
  std::string sub_path(mount["subPath"].AsString());
  if (const std::string_view expression = mount["subPathExpr"].AsString(); !expression.empty()) {
    sub_path = Expand(expression, environment);
  }
  if (!sub_path.empty()) {
    if (!IsPathBelow(sub_path)) {
      return base::Status(base::Code::kInvalid, "subPath \"" + sub_path +
                                                    "\" leads out of the volume; write a relative "
                                                    "path without \"..\"");
    }
    std::string place =
        SubPathDirectory(context.node, context.Uid(), build.config.name, build.config.attempt) +
        "/" + std::to_string(build.sub_paths.size());
    build.sub_paths.push_back({out.host_path, sub_path, place});
    out.host_path = std::move(place);
  }
  build.config.mounts.push_back(std::move(out));
  return {};
}

bool IsMounted(const ContainerConfig& config, std::string_view path) {
  return std::any_of(config.mounts.begin(), config.mounts.end(),
                     [path](const Mount& mount) { return mount.container_path == path; });
}

// A file of the agent's own, mounted into the container.
void AddFile(const PodContext& context, FileContent file, std::string container_path,
             ContainerBuild& build) {
  Mount mount;
  mount.container_path = std::move(container_path);
  mount.host_path = PodDirectory(context.node, context.Uid()) + "/files/" + file.path;
  build.config.mounts.push_back(std::move(mount));
  build.files.push_back(std::move(file));
}

std::string HostsFile(const PodContext& context) {
  std::string hosts =
      "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
      "fe00::0\tip6-localnet\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";
  const std::string hostname = HostnameOf(context);
  const std::string subdomain(context.pod["spec"]["subdomain"].AsString());
  hosts += context.ip + "\t";
  if (!subdomain.empty()) {
    hosts += hostname + "." + subdomain + "." + std::string(context.Namespace()) + ".svc." +
             context.node.cluster_domain + "\t";
  }
  hosts += hostname + "\n";
  for (base::Value alias : context.pod["spec"]["hostAliases"].Elements()) {
    hosts += alias["ip"].AsString();
    for (base::Value name : alias["hostnames"].Elements()) {
      hosts += "\t" + std::string(name.AsString());
    }
    hosts += "\n";
  }
  return hosts;
}

void AddOwnFiles(const PodContext& context, base::Value container, const std::string& instance,
                 ContainerBuild& build) {
  if (!context.HostNetwork() && !IsMounted(build.config, "/etc/hosts")) {
    AddFile(context, {"hosts-" + instance, HostsFile(context), 0644}, "/etc/hosts", build);
  }
  std::string path(container["terminationMessagePath"].AsString("/dev/termination-log"));
  if (path.empty() || IsMounted(build.config, path)) return;
  AddFile(context, {"message-" + instance, "", 0666}, path, build);
  build.config.annotations[kMessageAnnotation] = build.config.mounts.back().host_path;
  if (container["terminationMessagePolicy"].AsString() == "FallbackToLogsOnError") {
    build.config.annotations[kMessageLogAnnotation] =
        PodLogDirectory(context.node, context.Namespace(), context.Name(), context.Uid()) + "/" +
        build.config.log_path;
  }
}

void Annotate(const PodContext& context, base::Value container, base::Duration restart_wait,
              ContainerConfig& config) {
  AddPodLabels(context, config.labels);
  config.labels[kContainerNameLabel] = config.name;
  config.annotations[kRestartWaitAnnotation] = std::to_string(restart_wait.seconds());
  config.annotations[kGraceAnnotation] = std::to_string(GraceSeconds(context));
  config.annotations[kImageAnnotation] = container["image"].AsString();
}

}  // namespace

std::string HostnameOf(const PodContext& context) {
  if (context.HostNetwork()) return context.node.name;
  std::string hostname(context.pod["spec"]["hostname"].AsString(context.Name()));
  if (hostname.size() > kMaxHostname) hostname.resize(kMaxHostname);
  while (hostname.ends_with('-') || hostname.ends_with('.')) hostname.pop_back();
  return hostname;
}

SandboxConfig BuildSandbox(const PodContext& context, uint32_t attempt) {
  const base::Value spec = context.pod["spec"];
  SandboxConfig config;
  config.pod_uid = context.Uid();
  config.pod_name = context.Name();
  config.pod_namespace = context.Namespace();
  config.attempt = attempt;
  config.hostname = HostnameOf(context);
  config.log_directory =
      PodLogDirectory(context.node, context.Namespace(), context.Name(), context.Uid());
  config.cgroup_parent = context.node.cgroup_parent;
  config.host_network = context.HostNetwork();
  config.host_pid = spec["hostPID"].AsBool();
  config.host_ipc = spec["hostIPC"].AsBool();
  config.share_process_namespace = spec["shareProcessNamespace"].AsBool();
  config.dns = DnsOf(context);
  for (base::Value sysctl : spec["securityContext"]["sysctls"].Elements()) {
    config.sysctls[std::string(sysctl["name"].AsString())] = sysctl["value"].AsString();
  }
  config.labels = StringMap(context.pod["metadata"]["labels"]);
  AddPodLabels(context, config.labels);
  return config;
}

base::Result<ContainerBuild> BuildContainer(const PodContext& context, base::Value container,
                                            uint32_t attempt, const std::string& image_id,
                                            base::Duration restart_wait) {
  const std::string_view system = context.pod["spec"]["os"]["name"].AsString("linux");
  if (system != "linux") {
    return base::Status(base::Code::kInvalid, "the pod is for " + std::string(system) +
                                                  "; nodes of this cluster run linux");
  }
  ASSIGN_OR_RETURN(const Variables environment, BuildEnvironment(context, container));
  ContainerBuild build;
  ContainerConfig& config = build.config;
  config.name = container["name"].AsString();
  config.attempt = attempt;
  config.image = image_id;
  for (base::Value word : container["command"].Elements()) {
    config.command.push_back(Expand(word.AsString(), environment));
  }
  for (base::Value word : container["args"].Elements()) {
    config.arguments.push_back(Expand(word.AsString(), environment));
  }
  config.working_directory = container["workingDir"].AsString();
  config.environment.assign(environment.begin(), environment.end());
  config.log_path = config.name + "/" + std::to_string(attempt) + ".log";
  config.stdin_open = container["stdin"].AsBool();
  config.stdin_once = container["stdinOnce"].AsBool();
  config.tty = container["tty"].AsBool();
  config.resources = ResourcesOf(context, container);
  ASSIGN_OR_RETURN(config.security, SecurityOf(context, container));
  Annotate(context, container, restart_wait, config);
  for (base::Value mount : container["volumeMounts"].Elements()) {
    RETURN_IF_ERROR(AddVolumeMount(context, mount, environment, build));
  }
  AddOwnFiles(context, container, config.name + "-" + std::to_string(attempt), build);
  return build;
}

}  // namespace nodeagent
