// PodShape: a pod's containers as its plan and its status see them: what is wanted beside what is
// there.
//
// Borrows from the PodInput that it is made of. Immutable.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "nodeagent/pods/pod_plan.h"

namespace nodeagent {

enum class Role { kInit, kSidecar, kApp };
enum class RestartPolicy { kAlways, kOnFailure, kNever };

struct Slot {  // one container of the spec
  base::Value spec;
  std::string name;
  Role role = Role::kApp;
  // The newest instance; one that the runtime does not list any more is told by the last status.
  const ContainerState* current = nullptr;
  const ContainerState* previous = nullptr;  // the one before, if it is listed
  bool in_sandbox = false;                   // `current` lives in the newest sandbox
  base::Json last_status;                    // the container's part of the last status

  bool Running() const { return current != nullptr && current->phase == ContainerPhase::kRunning; }
  bool Ended() const {
    return current != nullptr && (current->phase == ContainerPhase::kExited ||
                                  current->phase == ContainerPhase::kUnknown);
  }
  bool Succeeded() const { return Ended() && current->exit_code == 0; }
};

// A container of the pod is on its way to run, and may run already.
bool IsBeingStarted(const PodInput& input);

class PodShape {
 public:
  explicit PodShape(const PodInput& input);
  PodShape(const PodShape&) = delete;
  PodShape& operator=(const PodShape&) = delete;

  const PodInput& input() const { return input_; }
  base::Value pod() const { return input_.pod->document.root(); }
  const PodContext& context() const { return context_; }
  const SandboxState* sandbox() const { return sandbox_; }  // the newest; null if there is none
  const std::vector<Slot>& init() const { return init_; }   // in order, sidecars among them
  const std::vector<Slot>& apps() const { return apps_; }
  const base::Json& last_status() const { return last_status_; }
  RestartPolicy restart_policy() const { return restart_policy_; }

  bool SandboxReady() const;  // with an address
  bool Deleting() const { return input_.pod->Deleting(); }
  // Init containers need not run (again) in this sandbox.
  bool Initialized() const;
  // The slot shall run again, now or after a wait.
  bool WantsRestart(const Slot& slot) const;
  // It has started, and its startup probe, if it has one, has passed.
  bool Started(const Slot& slot) const;
  bool Ready(const Slot& slot) const;
  // Every container has ended for good; if so, `failed` says how.
  bool Done(bool* failed) const;
  bool PastDeadline() const;
  std::optional<base::Duration> UntilDeadline() const;  // nothing if there is none

 private:
  Slot MakeSlot(base::Value spec, Role role, const char* status_list);
  void FindInstances(Slot& slot);
  void Recall(Slot& slot);
  const ProbeVerdict* VerdictOf(const Slot& slot) const;

  const PodInput& input_;
  base::Json last_status_;
  const SandboxState* sandbox_ = nullptr;
  PodContext context_;
  RestartPolicy restart_policy_ = RestartPolicy::kAlways;
  std::deque<ContainerState> recalled_;
  std::vector<Slot> init_, apps_;
};

}  // namespace nodeagent
