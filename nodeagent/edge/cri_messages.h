// Between the words of runtime.h and CRI's messages, and what CRI's errors mean. Pure; any thread.
// Only the CRI runtime includes this: it drags in protobuf.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/status.h"
#include "cri.pb.h"
#include "nodeagent/pods/runtime.h"

namespace nodeagent {

// `privileged`: whether its containers may be.
runtime::v1::PodSandboxConfig ToCri(const SandboxConfig& config, bool privileged = false);

runtime::v1::ContainerConfig ToCri(const SandboxConfig& sandbox, const ContainerConfig& config);

runtime::v1::ExecRequest ToCri(const std::string& container, const state::ExecRequest& exec);

// Of a list's item; `ip` comes from the sandbox's status, as the rest of a container from its.
SandboxState FromCri(const runtime::v1::PodSandbox& listed, const std::string& ip);
ContainerState FromCri(const runtime::v1::Container& listed,
                       const runtime::v1::ContainerStatus& status);

// kOk, or kUnavailable with the reasons of the conditions that do not hold.
base::Status ReadinessOf(const runtime::v1::RuntimeStatus& status);

// `grpc_code` is one of gRPC's status codes (0 is OK). The message is the runtime's.
base::Status StatusOf(int grpc_code, const std::string& message);

// CRI counts in whole seconds: rounded up, so that nothing positive becomes 0, which would mean "at
// once" or "no limit".
int64_t WholeSeconds(base::Duration duration);

}  // namespace nodeagent
