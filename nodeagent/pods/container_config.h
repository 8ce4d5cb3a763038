// The configuration of a pod's sandbox and containers, as the runtime takes it.
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "nodeagent/pod_context.h"
#include "nodeagent/pods/runtime.h"
#include "nodeagent/volumes/volume_writer.h"

namespace nodeagent {

SandboxConfig BuildSandbox(const PodContext& context, uint32_t attempt);

struct ContainerBuild {
  ContainerConfig config;
  std::vector<FileContent> files;  // that the agent writes before it is created
  std::vector<SubPath> sub_paths;
};

// kNotFound or kUnavailable for a reference that is missing or not known yet, kInvalid for what
// cannot be served. `restart_wait` is how long its successor waits once it has ended.
base::Result<ContainerBuild> BuildContainer(const PodContext& context, base::Value container,
                                            uint32_t attempt, const std::string& image_id,
                                            base::Duration restart_wait);

// The host name that the pod sees itself under.
std::string HostnameOf(const PodContext& context);

// What the agent writes on containers, so that a restarted one finds it again.
inline constexpr char kRestartWaitAnnotation[] = "plumb.dev/restart-wait-seconds";
inline constexpr char kGraceAnnotation[] = "plumb.dev/termination-grace-seconds";
inline constexpr char kImageAnnotation[] = "plumb.dev/image";  // the reference of the spec
inline constexpr char kMessageAnnotation[] = "plumb.dev/termination-message";  // a file
inline constexpr char kMessageLogAnnotation[] = "plumb.dev/termination-log";   // or this log

inline constexpr int64_t kDefaultGraceSeconds = 30;

}  // namespace nodeagent
