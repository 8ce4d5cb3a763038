// Commands: what a pod's plan wants done, as data. One command is about one object of the pod; two
// commands about the same object are never under way at once.
//
// Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "nodeagent/pods/probe.h"
#include "nodeagent/pods/runtime.h"
#include "nodeagent/volumes/volume_writer.h"

namespace nodeagent {

enum class PullPolicy { kAlways, kIfNotPresent, kNever };

// Brings an image to the node, or finds that it is there.
struct PullImage {
  std::string container;
  uint32_t attempt = 0;  // of the container that will run it
  std::string reference;
  PullPolicy policy = PullPolicy::kIfNotPresent;
  std::optional<ImageCredentials> credentials;
};
struct RunSandbox {
  SandboxConfig config;
};
struct CreateContainer {
  std::string sandbox_id;
  SandboxConfig sandbox;
  ContainerConfig config;
  std::vector<FileContent> files;  // to be prepared before
  std::vector<SubPath> sub_paths;
};
struct StartContainer {
  std::string name;
  std::string id;
  Check post_start;  // runs beside it; the container is not ready before it is done
};
struct StopContainer {
  std::string name;
  std::string id;
  base::Duration grace;
  Check pre_stop;      // runs before the signal, within the grace
  std::string reason;  // why, for people
};
struct RemoveContainer {
  std::string name;
  std::string id;
};
struct StopSandbox {
  std::string id;
};
struct RemoveSandbox {  // stops it before
  std::string id;
};
struct WriteVolumes {
  std::vector<VolumeWrite> volumes;
};
struct RemoveVolumes {
  std::vector<std::string> directories;
};
// Reads what an ended container said.
struct ReadMessage {
  std::string id;
  std::string file;
  std::string log_path;  // "" if its log does not speak for it
};

using Command = std::variant<PullImage, RunSandbox, CreateContainer, StartContainer, StopContainer,
                             RemoveContainer, StopSandbox, RemoveSandbox, WriteVolumes,
                             RemoveVolumes, ReadMessage>;

// The object that it is about: "container web", "image web", "sandbox", "volumes", ...
std::string ObjectOf(const Command& command);
// For logs and tests: "start web", "stop web 30s: Liveness probe failed"; no values of secrets.
std::string ToString(const Command& command);

}  // namespace nodeagent
