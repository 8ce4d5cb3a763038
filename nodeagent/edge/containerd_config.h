// containerd's config.toml as plumb writes it. Pure, apart from DetectMachine.
#pragma once

#include <string>
#include <vector>

namespace nodeagent {

struct ContainerdOptions {
  std::string directory;  // all that it writes is in here; at most kMaxContainerdDirectory bytes
  std::string program = "containerd";  // looked up in PATH
  std::string network_namespace;       // path; "" for ours
  std::string sandbox_image;           // "" for the pause image inside this binary
  // Served without TLS: "host:port", or "name:port=http://host:port" for a name that only images use.
  std::vector<std::string> plain_http_registries;
  std::string cni_programs = "/usr/lib/cni";
};
// The path of a unix socket has 107 bytes; the longest that containerd makes in the directory adds
// "/containerd.sock.ttrpc".
inline constexpr size_t kMaxContainerdDirectory = 107 - 22;
inline constexpr int kMaxContainerdLogLine = 16 << 10;  // longer lines of a container are split

// Where things are in `directory`.
std::string ContainerdSocket(const std::string& directory);
std::string ContainerdState(const std::string& directory);
std::string CniConfigDirectory(const std::string& directory);

// What the configuration depends on beside the options.
struct RuntimeMachine {
  bool may_lower_oom_score = true;  // CAP_SYS_RESOURCE is in the bounding set
  bool has_overlay = true;
};
RuntimeMachine DetectMachine();

std::string ContainerdConfigText(const ContainerdOptions& options, const RuntimeMachine& machine);

}  // namespace nodeagent
