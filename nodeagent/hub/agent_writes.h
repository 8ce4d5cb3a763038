// What a node may write: the status of its own pods, the end of those that are being deleted, its
// own Node and Lease, and Events about its pods. Everything else is refused here.
//
// Pure functions over a Draft. A refusal is an answer for good: repeating the report cannot help.
#pragma once

#include <functional>
#include <string>

#include "base/time.h"
#include "nodeagent/session/frame.h"
#include "state/draft.h"

namespace nodeagent {

// kNotFound: no such pod, or another one under its name. kForbidden: it is not of this node, or the
// node claims a label that is not its to set. kTooLarge. kInvalid.
base::Status WritePodStatus(state::Draft& draft, const std::string& node, const PodStatus& report);
base::Status WritePodGone(state::Draft& draft, const std::string& node, const PodGone& report);
// Makes the Node if there is none. Refused labels are left out, and named in the error; the rest is
// written.
base::Status WriteNodeStatus(state::Draft& draft, const std::string& node,
                             const NodeStatus& report);
// kNotFound: the node may not speak of that pod.
base::Status WritePodEvent(state::Draft& draft, const std::string& node, const PodEvent& report);

// Makes or renews the Lease kube-node-lease/NODE. `valid` is how long it counts.
base::Status RenewLease(state::Draft& draft, const std::string& node, base::WallTime now,
                        base::Duration valid);
// The Node's condition Ready becomes Unknown: the node is not heard from.
base::Status MarkUnknown(state::Draft& draft, const std::string& node, base::WallTime now);

inline constexpr char kLeaseNamespace[] = "kube-node-lease";

}  // namespace nodeagent
