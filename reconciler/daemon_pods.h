// Daemon pods: what the pods of a DaemonSet are made of. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/time.h"
#include "state/object.h"

namespace reconciler {

// A pod of `set` for one node: bound to it by a node affinity (the scheduler places it), bearing
// what daemons bear, labelled with its revision's hash. `failures` is how many before it failed on
// this node, one after the other.
base::Json DaemonPodFor(const state::Object& set, std::string_view node, std::string_view hash,
                        int64_t failures);

// The node that a pod is on, or is made for; empty if nobody can tell.
std::string NodeOfDaemon(const state::Object& pod);

// Of a pod that ended: how many failed on its node one after the other, it included; one that had
// worked for long is the first again.
int64_t FailuresUpTo(const state::Object& pod);
// How long after its end it is kept: none for the first, then 1 s, and twice as long each time.
base::Duration FailureLeft(const state::Object& pod, base::WallTime now);

}  // namespace reconciler
