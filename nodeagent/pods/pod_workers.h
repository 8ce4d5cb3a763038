// PodWorkers: keeps the containers of this machine as the View wants its pods: lists what runs,
// plans each pod whose world has changed, and carries the plans out.
//
// Loop only. Borrows the loop and the seams; they must outlive it. Destroying it stops nothing:
// containers go on, and another PodWorkers finds them again.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/lifeline.h"
#include "base/loop.h"
#include "nodeagent/pods/image_store.h"
#include "nodeagent/pods/pod_plan.h"
#include "nodeagent/pods/probe_client.h"
#include "nodeagent/pods/prober.h"
#include "nodeagent/pods/runtime.h"
#include "nodeagent/volumes/volume_writer.h"
#include "state/view.h"

namespace nodeagent {

// Something that happened to a pod, for people; becomes an Event.
struct PodNews {
  state::Key pod;
  std::string uid;
  std::string type;    // "Normal", "Warning"
  std::string reason;  // "Started"
  std::string message;
};

class PodWorkers {
 public:
  struct Hooks {
    // The status of a pod is now this. Called only when it changed, or when the View shows another
    // one that the agent did not write.
    std::function<void(const state::Key&, const std::string& uid, const base::Json& status)> status;
    // Nothing is left of a pod that is being deleted: its deletion may be confirmed.
    std::function<void(const state::Key&, const std::string& uid)> gone;
    std::function<void(const PodNews&)> event;  // may be empty
  };
  // A running container and its log's path, for rotation.
  struct Log {
    std::string container_id;
    std::string path;
  };

  PodWorkers(base::Loop& loop, Runtime& runtime, VolumeWriter& volumes, ProbeClient& probes,
             NodeFacts node, Hooks hooks);
  ~PodWorkers();
  PodWorkers(const PodWorkers&) = delete;
  PodWorkers& operator=(const PodWorkers&) = delete;

  // What the agent holds now; `complete` if what it lacks does not exist. Before the first call
  // nothing is done to any pod.
  void ViewReplaced(const state::View& view, bool complete);
  // The same, when only the objects of these keys have changed.
  void ViewChanged(const state::View& view, bool complete, const std::vector<state::Key>& changed);
  // All live nodes have programmed their service rules up to this revision.
  void Programmed(state::Revision revision);

  std::vector<Log> RunningLogs() const;
  size_t pods() const { return workers_.size(); }
  // No command is under way.
  bool Idle() const;

 private:
  struct Worker {
    state::Key key;  // as far as it is known
    std::string uid;
    state::ObjectPtr pod;  // as the View has it, or had it when it was complete
    std::vector<SandboxState> sandboxes;
    std::vector<ContainerState> containers;
    PodMemory memory;
    uint64_t needs_listing = 1;  // the first listing that shows what its last command did
    bool dirty = true;
    base::Loop::TimerId timer = 0;
    base::Json reported;
    std::deque<std::string> unseen;  // reported statuses that the View may still come to show
    // A Service has had it: EndpointSlices name it, or did until this revision.
    bool served = false, was_served = false;
    state::Revision removed_at = 0;
    bool gone_told = false;
  };

  // Listing.
  void List();
  void Listed(uint64_t number, const base::Result<RuntimeSnapshot>& snapshot);
  void Distribute(const RuntimeSnapshot& snapshot);
  void ListLater();

  // The View.
  void Take(const state::ObjectPtr& pod);
  void Refresh(Worker& worker);
  void CompareStatus(Worker& worker);
  void TouchNamespace(const std::string& ns, bool only_stopping);
  void NoteServed(Worker& worker, bool served, state::Revision revision);
  void NoteAllServed();
  void NoteSlice(const state::Key& key, const state::View& before);
  bool RemovalProgrammed(const Worker& worker) const;

  // Planning.
  Worker& WorkerOf(const std::string& uid);
  void Touch(Worker& worker);
  void PlanSoon();
  void PlanDue();
  void PlanWorker(Worker& worker);
  void Report(Worker& worker, const PodPlan& plan);
  void TellOfBackOff(const Worker& worker, const base::Json& status);
  void Heard(const ProbeNews& news);

  // Carrying out.
  using Answer = std::function<void(base::Status)>;
  void Execute(Worker& worker, const Command& command);
  Answer Completion(Worker& worker, const Command& command, bool changes_runtime);
  void Do(Worker& worker, const PullImage& command);
  void Do(Worker& worker, const RunSandbox& command);
  void Do(Worker& worker, const CreateContainer& command);
  void Do(Worker& worker, const StartContainer& command);
  void Do(Worker& worker, const StopContainer& command);
  void Do(Worker& worker, const RemoveContainer& command);
  void Do(Worker& worker, const StopSandbox& command);
  void Do(Worker& worker, const RemoveSandbox& command);
  void Do(Worker& worker, const WriteVolumes& command);
  void Do(Worker& worker, const RemoveVolumes& command);
  void Do(Worker& worker, const ReadMessage& command);
  std::vector<std::string> FilesOf(const Worker& worker, const ContainerState& state);
  std::string LogPath(const Worker& worker, const ContainerState& state) const;
  void RunPostStart(const std::string& uid, const StartContainer& command);
  void Failed(Worker& worker, const std::string& object, const std::string& verb,
              const base::Status& status);
  void Tell(const Worker& worker, bool warning, const std::string& reason,
            const std::string& message);
  Worker* Find(const std::string& uid);
  // `callback` with the worker of `uid`, if both still exist.
  template <typename T, typename Callback>
  std::function<void(T)> Guard(const std::string& uid, Callback callback);

  base::Loop& loop_;
  Runtime& runtime_;
  VolumeWriter& volumes_;
  ProbeClient& probes_;
  const NodeFacts node_;
  const Hooks hooks_;
  ImageStore images_;
  Prober prober_;
  std::optional<state::View> view_;
  bool complete_ = false;
  state::Revision programmed_ = 0;
  std::map<std::string, Worker> workers_;   // by the pod's uid
  std::map<state::Key, std::string> uids_;  // of the pods that the View holds

  uint64_t listing_ = 0;  // the number of the last listing begun
  uint64_t listed_ = 0;   // of the last that was answered
  bool list_under_way_ = false, list_again_ = false;
  base::Loop::TimerId list_timer_ = 0;
  bool plan_posted_ = false;
  base::Lifeline lifeline_;
};

// A container's log: the file that is written and those rotated before it, NAME.1 being the newest.
inline constexpr int kMaxLogFiles = 5;
// Lists at least this often; events are only hints.
inline constexpr base::Duration kRelistPeriod = base::Duration::Seconds(10);
// After one that failed.
inline constexpr base::Duration kListRetry = base::Duration::Seconds(1);
// A listing that takes longer is given up and begun again.
inline constexpr base::Duration kListWait = base::Duration::Seconds(15);
// Pods that are planned in one turn of the loop.
inline constexpr size_t kMaxPlansPerTurn = 32;
// Reported statuses that are remembered until the View shows them.
inline constexpr size_t kMaxUnseenStatuses = 16;
// How long a postStart hook may take.
inline constexpr base::Duration kPostStartLimit = base::Duration::Minutes(5);

}  // namespace nodeagent
