// Rules:
// - cgroups by runc itself (SystemdCgroup = false): works on version 1 and version 2, with and
//   without systemd, so nothing has to be told apart.
// - Without CAP_SYS_RESOURCE nobody may lower a process's OOM score, and runc dies trying: then
//   containerd must restrict the values that it asks for.
// - Ports below 1024 and ping are free to every user in a pod's own network namespace, as later
//   releases of containerd have it.
#include "nodeagent/edge/containerd_config.h"

#include <linux/capability.h>
#include <sys/prctl.h>

#include "base/edge/files.h"
#include "base/json.h"
#include "nodeagent/edge/cri_runtime.h"
#include "nodeagent/edge/pause_image.h"

namespace nodeagent {
namespace {

constexpr size_t kMaxFilesystemsFile = 64 << 10;

// A TOML basic string; JSON's escapes are TOML's.
std::string Quoted(std::string_view text) {
  std::string out;
  base::AppendQuoted(text, out);
  return out;
}

std::string Text(std::string_view key, std::string_view text) {
  return std::string(key) + " = " + Quoted(text) + "\n";
}
std::string Flag(std::string_view key, bool value) {
  return std::string(key) + (value ? " = true\n" : " = false\n");
}
std::string Number(std::string_view key, int value) {
  return std::string(key) + " = " + std::to_string(value) + "\n";
}

std::string Registries(const std::vector<std::string>& registries) {
  std::string out;
  for (const std::string& registry : registries) {
    const size_t equals = registry.find('=');
    const std::string name = registry.substr(0, equals);
    const std::string endpoint =
        equals == std::string::npos ? "http://" + registry : registry.substr(equals + 1);
    out += "\n[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors." + Quoted(name) + "]\n";
    out += "endpoint = [" + Quoted(endpoint) + "]\n";
  }
  return out;
}

}  // namespace

std::string ContainerdSocket(const std::string& directory) {
  return directory + "/containerd.sock";
}
std::string ContainerdState(const std::string& directory) { return directory + "/state"; }
std::string CniConfigDirectory(const std::string& directory) { return directory + "/cni"; }

RuntimeMachine DetectMachine() {
  RuntimeMachine machine;
  machine.may_lower_oom_score = prctl(PR_CAPBSET_READ, CAP_SYS_RESOURCE) == 1;
  const auto filesystems = base::ReadFile("/proc/filesystems", kMaxFilesystemsFile);
  machine.has_overlay = filesystems.ok() && filesystems->find("\toverlay\n") != std::string::npos;
  return machine;
}

std::string ContainerdConfigText(const ContainerdOptions& options, const RuntimeMachine& machine) {
  const std::string& directory = options.directory;
  std::string out = "version = 2\n";
  out += Text("root", directory + "/root");
  out += Text("state", ContainerdState(directory));
  out += "disabled_plugins = [";
  for (const char* snapshotter : {"aufs", "btrfs", "devmapper", "zfs"}) {
    out += Quoted(std::string("io.containerd.snapshotter.v1.") + snapshotter) + ", ";
  }
  out += Quoted("io.containerd.internal.v1.restart") + "]\n";

  out += "\n[grpc]\n";
  out += Text("address", ContainerdSocket(directory));
  out += Number("max_recv_message_size", kMaxCriMessageBytes);
  out += Number("max_send_message_size", kMaxCriMessageBytes);

  out += "\n[debug]\n" + Text("level", "warn");
  out += "\n[plugins.\"io.containerd.internal.v1.opt\"]\n" + Text("path", directory + "/opt");

  out += "\n[plugins.\"io.containerd.grpc.v1.cri\"]\n";
  out += Text("sandbox_image",
              options.sandbox_image.empty() ? std::string(kPauseImage) : options.sandbox_image);
  out += Number("max_container_log_line_size", kMaxContainerdLogLine);
  out += Flag("restrict_oom_score_adj", !machine.may_lower_oom_score);
  out += Flag("netns_mounts_under_state_dir", true);
  out += Flag("enable_unprivileged_ports", true);
  out += Flag("enable_unprivileged_icmp", true);

  out += "\n[plugins.\"io.containerd.grpc.v1.cri\".cni]\n";
  out += Text("bin_dir", options.cni_programs);
  out += Text("conf_dir", CniConfigDirectory(directory));

  out += "\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n";
  out += Text("default_runtime_name", "runc");
  out += Text("snapshotter", machine.has_overlay ? "overlayfs" : "native");
  out += "\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\n";
  out += Text("runtime_type", "io.containerd.runc.v2");
  out += "\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\n";
  out += Flag("SystemdCgroup", false);
  out += Text("Root", ContainerdState(directory) + "/runc");
  out += Registries(options.plain_http_registries);
  return out;
}

}  // namespace nodeagent
