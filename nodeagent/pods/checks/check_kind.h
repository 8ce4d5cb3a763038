// CheckKind: a handler of a probe or of a hook, as the Kubernetes API ("Probe", "LifecycleHandler")
// has it, and the Check that it asks for.
//
// Pure. A kind is a file of this folder and one line in all.cc.
#pragma once

#include <span>
#include <string_view>

#include "nodeagent/pods/probe.h"

namespace nodeagent {

struct CheckKind {
  std::string_view field;  // of the handler; its value is the `body` below
  Check (*read)(const PodContext& context, base::Value container, base::Value body);
};

std::span<const CheckKind* const> AllCheckKinds();

// A number, or the name of one of the container's ports; 0 for what is neither.
uint16_t PortOf(base::Value container, base::Value port);
// The host that a body names, or the pod's address (the node's, on the host's network).
std::string HostOf(const PodContext& context, base::Value body);

}  // namespace nodeagent
