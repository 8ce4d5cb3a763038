// PlanPod: what is to be done for one pod now, and what is to be said of it. The decision of the
// node agent.
//
// Pure: the same input gives the same plan. Whatever carries it out (pod_workers) has no choices;
// it runs the commands, all of them at once, and asks again when something has changed or
// `again_after` has passed.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/json.h"
#include "base/time.h"
#include "nodeagent/pod_context.h"
#include "nodeagent/pods/commands.h"
#include "nodeagent/pods/probe.h"
#include "nodeagent/pods/runtime.h"

namespace nodeagent {

// How the search for a container's image went.
struct ImageResult {
  uint32_t attempt = 0;  // of the container
  std::string reference;
  std::string id;         // "" if it is not here
  base::Status failure;   // why not
  uint32_t failures = 0;  // in a row, of this image on this node
  base::MonotonicTime retry_at;
};

// A command that failed; its object is left alone until `retry_at`.
struct Failure {
  std::string verb;  // "create", "start", "run", ...
  base::Status status;
  uint32_t count = 0;
  base::MonotonicTime retry_at;
};

// What the agent remembers of a pod beyond what the runtime and the API tell. After a restart of
// the agent it is empty, and the plan must do no harm.
struct PodMemory {
  base::Json status;  // the last that was planned; null: the pod's own tells
  std::map<std::string, ImageResult> images;             // by container name
  std::map<std::string, ProbeVerdict> probes;            // by container id
  std::map<std::string, std::string> volumes;            // versions written, by name
  std::map<std::string, Failure> failures;               // by object
  std::map<std::string, base::MonotonicTime> under_way;  // by object; a stop: when it kills
  std::map<std::string, base::MonotonicTime> exits;      // by container id: first seen
  std::map<std::string, std::string> messages;           // by container id: its last words
  std::set<std::string> starting;                        // container ids whose postStart hook runs
  std::set<std::string> hook_failed;                  // container ids whose postStart hook failed
  std::optional<base::MonotonicTime> stopping_since;  // first seen to be unwanted
  bool volumes_removed = false;
};

struct PodInput {
  const NodeFacts& node;
  const state::View* view = nullptr;  // null: nothing is known
  bool complete = false;              // what the View lacks does not exist
  state::ObjectPtr pod;               // null: the View does not hold it
  std::string ns, name, uid;          // of the pod, as far as they are known
  std::vector<SandboxState> sandboxes;
  std::vector<ContainerState> containers;
  const PodMemory& memory;
  bool removal_programmed = false;  // no node sends it new connections any more
  base::Now now;
};

struct PodPlan {
  std::vector<Command> commands;  // all of them may run now
  std::vector<Probe> probes;      // all that should be asked from now on
  base::Json status;              // of the pod; null for one that is not wanted
  bool report = true;             // false: the status is about to be known better
  std::optional<base::Duration> again_after;
  bool finished = false;  // nothing of it is left on the machine
};

PodPlan PlanPod(const PodInput& input);

// Notes in `memory` what is seen for the first time in `input`, and forgets what is gone. Before
// each PlanPod.
void Observe(const PodInput& input, PodMemory& memory);

// How long a container's signal waits at most for all nodes to have taken it out of their service
// rules; and no longer than half of its pod's grace period, which this wait is part of.
inline constexpr base::Duration kDrainLimit = base::Duration::Seconds(10);
base::Duration DrainLimit(base::Duration grace);
// How long a container that ended waits for its restart: nothing, then 10 s, doubling to the most;
// one that ran for kRestartForgiven begins anew.
inline constexpr base::Duration kFirstRestartWait = base::Duration::Seconds(10);
inline constexpr base::Duration kMaxRestartWait = base::Duration::Minutes(5);
inline constexpr base::Duration kRestartForgiven = base::Duration::Minutes(10);
// How long an object of which a command failed is left alone.
inline constexpr base::Backoff kCommandRetry{base::Duration::Seconds(1),
                                             base::Duration::Seconds(20)};
// Least time between the signal and the kill.
inline constexpr base::Duration kMinGrace = base::Duration::Seconds(1);

}  // namespace nodeagent
