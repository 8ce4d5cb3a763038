// Rules:
// - A pod is planned when something about it has changed and a listing is there that was begun
//   after its last command ended: a plan never sees a world older than what it has done itself.
// - Commands of a plan run at once. Their objects are marked in the pod's memory until they end, so
//   that the next plan leaves them alone.
// - Listings are shared: any number of wishes become one listing, and one more after it.
// - A pod is remembered as long as the View or the runtime knows it.
// - A pod that EndpointSlices have named is out of a node's service rules when that node has
//   programmed the change that took it out of the last of them; one that none has named never was
//   in.
// - A status is told when it changed, and again when the View shows one that the agent never wrote;
//   an older one of its own is on its way to be replaced and is passed over.
#include "nodeagent/pods/pod_workers.h"

#include <algorithm>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "manifests/kinds/kind_facts.h"
#include "nodeagent/pods/check_runner.h"
#include "nodeagent/pods/drain.h"
#include "nodeagent/volumes/volumes.h"

namespace nodeagent {
namespace {

auto Fields(const SandboxState& state) {
  return std::tie(state.id, state.attempt, state.ready, state.ip);
}
auto Fields(const ContainerState& state) {
  return std::tie(state.id, state.sandbox_id, state.name, state.attempt, state.phase,
                  state.image_id, state.started_at, state.finished_at, state.exit_code,
                  state.reason, state.message);
}

template <typename State>
bool Same(const std::vector<State>& a, const std::vector<State>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const State& x, const State& y) { return Fields(x) == Fields(y); });
}

std::string Label(const std::map<std::string, std::string>& labels, const char* name) {
  const auto found = labels.find(name);
  return found == labels.end() ? "" : found->second;
}

constexpr std::string_view kSlices = "endpointslices.discovery.k8s.io";

std::string VerbOf(const Command& command) {
  const std::string text = ToString(command);
  return text.substr(0, text.find(' '));
}

}  // namespace

PodWorkers::PodWorkers(base::Loop& loop, Runtime& runtime, VolumeWriter& volumes,
                       ProbeClient& probes, NodeFacts node, Hooks hooks)
    : loop_(loop),
      runtime_(runtime),
      volumes_(volumes),
      probes_(probes),
      node_(std::move(node)),
      hooks_(std::move(hooks)),
      images_(loop, runtime),
      prober_(loop, runtime, probes, [this](const ProbeNews& news) { Heard(news); }) {
  runtime_.OnChange(lifeline_.Wrap([this] { List(); }));
  List();
}

PodWorkers::~PodWorkers() {
  loop_.Cancel(list_timer_);
  for (auto& [uid, worker] : workers_) loop_.Cancel(worker.timer);
}

template <typename T, typename Callback>
std::function<void(T)> PodWorkers::Guard(const std::string& uid, Callback callback) {
  return lifeline_.Wrap([this, uid, callback = std::move(callback)](T value) {
    if (Worker* worker = Find(uid)) callback(*worker, std::move(value));
  });
}

// Listing.

void PodWorkers::List() {
  if (list_under_way_) {
    list_again_ = true;
    return;
  }
  list_under_way_ = true;
  list_again_ = false;
  loop_.Cancel(list_timer_);
  const uint64_t number = ++listing_;
  list_timer_ = loop_.After(kListWait, [this] {
    list_under_way_ = false;
    List();
  });
  runtime_.List(lifeline_.Wrap(
      [this, number](const base::Result<RuntimeSnapshot>& snapshot) { Listed(number, snapshot); }));
}

void PodWorkers::Listed(uint64_t number, const base::Result<RuntimeSnapshot>& snapshot) {
  if (number != listing_ || !list_under_way_) return;  // given up
  list_under_way_ = false;
  if (!snapshot.ok()) {
    loop_.Cancel(list_timer_);
    list_timer_ = loop_.After(kListRetry, [this] { List(); });
    return;
  }
  listed_ = number;
  Distribute(*snapshot);
  PlanSoon();
  if (list_again_) return List();
  ListLater();
}

void PodWorkers::ListLater() {
  loop_.Cancel(list_timer_);
  list_timer_ = loop_.After(kRelistPeriod, [this] { List(); });
}

void PodWorkers::Distribute(const RuntimeSnapshot& snapshot) {
  std::map<std::string, std::vector<SandboxState>> sandboxes;
  std::map<std::string, std::vector<ContainerState>> containers;
  for (const SandboxState& state : snapshot.sandboxes) sandboxes[state.pod_uid].push_back(state);
  for (const ContainerState& state : snapshot.containers) {
    containers[Label(state.labels, kPodUidLabel)].push_back(state);
  }
  for (const auto& [uid, states] : sandboxes) {
    Worker& worker = WorkerOf(uid);
    if (!worker.key.name.empty()) continue;
    worker.key = {"pods", states[0].pod_namespace, states[0].pod_name};
  }
  for (const auto& [uid, states] : containers) WorkerOf(uid);
  for (auto& [uid, worker] : workers_) {
    if (Same(worker.sandboxes, sandboxes[uid]) && Same(worker.containers, containers[uid])) {
      continue;
    }
    worker.sandboxes = std::move(sandboxes[uid]);
    worker.containers = std::move(containers[uid]);
    worker.dirty = true;
  }
}

// The View.

void PodWorkers::ViewReplaced(const state::View& view, bool complete) {
  view_ = view;
  complete_ = complete;
  for (auto& [uid, worker] : workers_) worker.gone_told = false;
  for (const state::ObjectPtr& pod : view.Lookup(state::Index::kNode, node_.name)) Take(pod);
  NoteAllServed();
  for (auto& [uid, worker] : workers_) {
    Refresh(worker);
    Touch(worker);
  }
}

void PodWorkers::ViewChanged(const state::View& view, bool complete,
                             const std::vector<state::Key>& changed) {
  if (!view_ || complete != complete_) return ViewReplaced(view, complete);
  const state::View before = *std::exchange(view_, view);
  for (const state::Key& key : changed) {
    if (key.resource == "pods") {
      const auto known = uids_.find(key);
      Worker* worker = known == uids_.end() ? nullptr : Find(known->second);
      if (const state::ObjectPtr pod = view.Get(key)) Take(pod);
      if (worker != nullptr) Refresh(*worker);
    } else if (manifests::FactsOf(key.resource).held_by == manifests::HeldBy::kItsReaders) {
      TouchNamespace(key.ns, false);
    }
  }
  for (const state::Key& key : changed) {
    if (key.resource != kSlices) continue;
    NoteSlice(key, before);
    TouchNamespace(key.ns, true);
  }
}

// A pod that the View holds: its worker knows it.
void PodWorkers::Take(const state::ObjectPtr& pod) {
  if ((*pod)["spec"]["nodeName"].AsString() != node_.name) return;
  const std::string uid(pod->Uid());
  Worker& worker = WorkerOf(uid);
  worker.key = pod->key;
  if (worker.pod == nullptr && pod->Deleting()) {
    // It may have had one, of which nothing is known any more.
    NoteServed(worker, true, view_->revision());
    NoteServed(worker, IsServed(*view_, pod->key.ns, uid), view_->revision());
  }
  uids_[pod->key] = uid;
  Refresh(worker);
}

// The worker's pod is what the View says now.
void PodWorkers::Refresh(Worker& worker) {
  state::ObjectPtr pod = worker.key.name.empty() ? nullptr : view_->Get(worker.key);
  if (pod != nullptr && pod->Uid() != worker.uid) pod = nullptr;
  if (pod == nullptr && !complete_) return;
  if (pod == worker.pod) return;
  worker.pod = std::move(pod);
  if (worker.pod != nullptr) CompareStatus(worker);
  if (worker.pod == nullptr) {
    const auto known = uids_.find(worker.key);
    if (known != uids_.end() && known->second == worker.uid) uids_.erase(known);
  }
  Touch(worker);
}

void PodWorkers::CompareStatus(Worker& worker) {
  const std::string shown((*worker.pod)["status"].Bytes());
  const auto own = std::find(worker.unseen.begin(), worker.unseen.end(), shown);
  if (own == worker.unseen.end()) {
    worker.reported = {};
    return;
  }
  worker.unseen.erase(worker.unseen.begin(), own);
}

void PodWorkers::TouchNamespace(const std::string& ns, bool only_stopping) {
  for (auto& [uid, worker] : workers_) {
    if (worker.key.ns != ns) continue;
    if (!only_stopping || worker.memory.stopping_since) Touch(worker);
  }
}

void PodWorkers::Programmed(state::Revision revision) {
  programmed_ = revision;
  for (auto& [uid, worker] : workers_) {
    if (worker.memory.stopping_since) Touch(worker);
  }
}

// Connections.

// Of a pod that has been served, `revision` is that of the rules in which it is not any more.
void PodWorkers::NoteServed(Worker& worker, bool served, state::Revision revision) {
  if (worker.served && !served) worker.removed_at = revision;
  worker.served = served;
  worker.was_served = worker.was_served || served;
}

void PodWorkers::NoteAllServed() {
  std::set<std::string> uids;
  for (const state::ObjectPtr& slice : view_->List(kSlices)) uids.merge(ServedBy(*slice));
  for (auto& [uid, worker] : workers_) {
    NoteServed(worker, uids.count(uid) != 0, view_->revision());
  }
}

// A slice has changed: every node is told, so that all come to its revision.
void PodWorkers::NoteSlice(const state::Key& key, const state::View& before) {
  const state::ObjectPtr was = before.Get(key), is = view_->Get(key);
  std::set<std::string> uids;
  if (was != nullptr) uids.merge(ServedBy(*was));
  if (is != nullptr) uids.merge(ServedBy(*is));
  for (const std::string& uid : uids) {
    Worker* worker = Find(uid);
    if (worker == nullptr) continue;
    NoteServed(*worker, IsServed(*view_, key.ns, uid),
               is != nullptr ? is->revision : view_->revision());
  }
}

bool PodWorkers::RemovalProgrammed(const Worker& worker) const {
  if (!view_) return false;
  return !worker.was_served || (!worker.served && programmed_ >= worker.removed_at);
}

// Planning.

PodWorkers::Worker& PodWorkers::WorkerOf(const std::string& uid) {
  const auto [entry, is_new] = workers_.try_emplace(uid);
  if (is_new) entry->second.uid = uid;
  return entry->second;
}

PodWorkers::Worker* PodWorkers::Find(const std::string& uid) {
  const auto found = workers_.find(uid);
  return found == workers_.end() ? nullptr : &found->second;
}

void PodWorkers::Touch(Worker& worker) {
  worker.dirty = true;
  PlanSoon();
}

void PodWorkers::PlanSoon() {
  if (plan_posted_) return;
  plan_posted_ = true;
  loop_.Post(lifeline_.Wrap([this] {
    plan_posted_ = false;
    PlanDue();
  }));
}

void PodWorkers::PlanDue() {
  if (!view_) return;
  size_t planned = 0;
  std::vector<std::string> left;
  for (auto& [uid, worker] : workers_) {
    if (!worker.dirty || worker.needs_listing > listed_) continue;
    if (planned == kMaxPlansPerTurn) return PlanSoon();
    ++planned;
    PlanWorker(worker);
    const bool nothing_left = worker.pod == nullptr && complete_ && worker.sandboxes.empty() &&
                              worker.containers.empty() && worker.memory.under_way.empty() &&
                              worker.memory.volumes_removed;
    if (nothing_left) left.push_back(uid);
  }
  for (const std::string& uid : left) {
    loop_.Cancel(workers_.at(uid).timer);
    prober_.Set(uid, {});
    workers_.erase(uid);
  }
}

void PodWorkers::PlanWorker(Worker& worker) {
  worker.dirty = false;
  const PodInput input{node_,
                       &*view_,
                       complete_,
                       worker.pod,
                       worker.key.ns,
                       worker.key.name,
                       worker.uid,
                       worker.sandboxes,
                       worker.containers,
                       worker.memory,
                       RemovalProgrammed(worker),
                       loop_.now()};
  Observe(input, worker.memory);
  const PodPlan plan = PlanPod(input);
  if (worker.pod != nullptr) {
    TellOfBackOff(worker, plan.status);
    worker.memory.status = plan.status;
  }
  Report(worker, plan);
  prober_.Set(worker.uid, plan.probes);
  loop_.Cancel(worker.timer);
  worker.timer = 0;
  if (plan.again_after) {
    worker.timer = loop_.After(*plan.again_after, [this, uid = worker.uid] {
      if (Worker* again = Find(uid)) Touch(*again);
    });
  }
  for (const Command& command : plan.commands) Execute(worker, command);
}

// A container that waits longer each time, or its image: once each time that the wait begins.
void PodWorkers::TellOfBackOff(const Worker& worker, const base::Json& status) {
  const base::Json& before = worker.memory.status;
  for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
    for (size_t i = 0; i < status[list].size(); ++i) {
      const base::Json& container = status[list].At(i);
      const std::string_view reason = container["state"]["waiting"]["reason"].AsString();
      if (reason == before[list].At(i)["state"]["waiting"]["reason"].AsString()) continue;
      const std::string name(container["name"].AsString());
      if (reason == "CrashLoopBackOff") {
        Tell(worker, true, "BackOff", "Back-off restarting failed container " + name);
      } else if (reason == "ImagePullBackOff") {
        Tell(worker, true, "BackOff",
             "Back-off pulling image \"" + std::string(container["image"].AsString()) + "\"");
      }
    }
  }
}

void PodWorkers::Report(Worker& worker, const PodPlan& plan) {
  const state::ObjectPtr pod = worker.pod;  // telling may change it
  if (pod == nullptr) return;
  if (plan.report && !(plan.status == worker.reported)) {
    std::string bytes = plan.status.ToString();
    const bool shown = worker.reported.IsNull() && bytes == (*pod)["status"].Bytes();
    worker.reported = plan.status;
    worker.unseen.push_back(std::move(bytes));
    if (worker.unseen.size() > kMaxUnseenStatuses) worker.unseen.pop_front();
    if (!shown) hooks_.status(worker.key, worker.uid, plan.status);
  }
  if (plan.finished && pod->Deleting() && !std::exchange(worker.gone_told, true)) {
    hooks_.gone(worker.key, worker.uid);
  }
}

void PodWorkers::Heard(const ProbeNews& news) {
  Worker* worker = Find(news.pod_uid);
  if (worker == nullptr) return;
  const std::string probe =
      std::string(ToString(news.kind)) + " probe of container " + news.container_name;
  if (!news.passed) {
    Tell(*worker, true, "Unhealthy", probe + " failed: " + news.message);
  } else if (!news.message.empty()) {
    Tell(*worker, true, "ProbeWarning", probe + ": " + news.message);
  }
  if (!news.decides) return;
  ProbeVerdict& verdict = worker->memory.probes[news.container_id];
  if (!news.passed) verdict.message = news.message;
  switch (news.kind) {
    case ProbeKind::kStartup:
      verdict.started = news.passed;
      verdict.unhealthy = !news.passed;
      break;
    case ProbeKind::kReadiness:
      verdict.known = true;
      verdict.ready = news.passed;
      break;
    case ProbeKind::kLiveness: verdict.unhealthy = !news.passed; break;
  }
  Touch(*worker);
}

// Carrying out.

bool PodWorkers::Idle() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& entry) { return entry.second.memory.under_way.empty(); });
}

std::vector<PodWorkers::Log> PodWorkers::RunningLogs() const {
  std::vector<Log> logs;
  for (const auto& [uid, worker] : workers_) {
    if (worker.key.name.empty()) continue;
    for (const ContainerState& state : worker.containers) {
      if (state.phase != ContainerPhase::kRunning) continue;
      logs.push_back({state.id, LogPath(worker, state)});
    }
  }
  return logs;
}

void PodWorkers::Execute(Worker& worker, const Command& command) {
  base::MonotonicTime until;
  if (const auto* stop = std::get_if<StopContainer>(&command)) {
    until = loop_.now().monotonic + stop->grace;
  }
  worker.memory.under_way[ObjectOf(command)] = until;
  std::visit([this, &worker](const auto& known) { Do(worker, known); }, command);
}

// What every command's end does.
PodWorkers::Answer PodWorkers::Completion(Worker& worker, const Command& command,
                                          bool changes_runtime) {
  return Guard<base::Status>(
      worker.uid, [this, object = ObjectOf(command), verb = VerbOf(command), changes_runtime](
                      Worker& owner, const base::Status& status) {
        owner.memory.under_way.erase(object);
        if (status.ok()) owner.memory.failures.erase(object);
        if (!status.ok()) Failed(owner, object, verb, status);
        if (changes_runtime) {
          owner.needs_listing = listing_ + 1;
          List();
        }
        Touch(owner);
      });
}

void PodWorkers::Failed(Worker& worker, const std::string& object, const std::string& verb,
                        const base::Status& status) {
  Failure& failure = worker.memory.failures[object];
  const uint32_t count = failure.count + 1;
  failure = {verb, status, count, loop_.now().monotonic + kCommandRetry.After(count)};
  Tell(worker, true, "Failed", verb + " " + object + ": " + std::string(status.message()));
}

void PodWorkers::Do(Worker& worker, const PullImage& command) {
  const std::string image = "image \"" + command.reference + "\"";
  const auto pulling = Guard<bool>(worker.uid, [this, image](Worker& owner, bool) {
    Tell(owner, false, "Pulling", "Pulling " + image);
  });
  const auto answered = [this, command, image](Worker& owner, const ImageStore::Answer& answer) {
    owner.memory.under_way.erase(ObjectOf(command));
    owner.memory.images[command.container] = {command.attempt, command.reference, answer.id,
                                              answer.failure,  answer.failures,   answer.retry_at};
    if (!answer.failure.ok()) {
      Tell(owner, true, "Failed",
           "Failed to pull " + image + ": " + std::string(answer.failure.message()));
    } else {
      Tell(owner, false, "Pulled",
           answer.pulled ? "Successfully pulled " + image
                         : "Container " + image + " already present on machine");
    }
    Touch(owner);
  };
  images_.Get(
      command, [pulling] { pulling(true); },
      Guard<const ImageStore::Answer&>(worker.uid, answered));
}

void PodWorkers::Do(Worker& worker, const RunSandbox& command) {
  const Answer done = Completion(worker, command, true);
  runtime_.RunSandbox(command.config,
                      [done](const base::Result<std::string>& id) { done(id.status()); });
}

void PodWorkers::Do(Worker& worker, const CreateContainer& command) {
  const Answer done = Completion(worker, command, true);
  const auto created = Guard<base::Result<std::string>>(
      worker.uid, [this, done, name = command.config.name](Worker& owner, const auto& id) {
        // Whatever was wrong may be the image: it is looked for anew.
        if (!id.ok()) owner.memory.images.erase(name);
        if (id.ok()) Tell(owner, false, "Created", "Created container " + name);
        done(id.status());
      });
  volumes_.Prepare(
      PodDirectory(node_, worker.uid), command.files, command.sub_paths,
      Guard<base::Status>(worker.uid, [this, command, created, done](Worker&, base::Status status) {
        if (!status.ok()) return done(std::move(status));
        runtime_.CreateContainer(command.sandbox_id, command.sandbox, command.config, created);
      }));
}

void PodWorkers::Do(Worker& worker, const StartContainer& command) {
  const Answer done = Completion(worker, command, true);
  const bool has_hook = command.post_start.kind != Check::Kind::kNone;
  if (has_hook) worker.memory.starting.insert(command.id);
  runtime_.StartContainer(command.id,
                          Guard<base::Status>(worker.uid, [this, command, has_hook, done](
                                                              Worker& owner, base::Status status) {
                            if (status.ok())
                              Tell(owner, false, "Started", "Started container " + command.name);
                            if (has_hook && status.ok()) RunPostStart(owner.uid, command);
                            if (has_hook && !status.ok()) owner.memory.starting.erase(command.id);
                            done(std::move(status));
                          }));
}

void PodWorkers::RunPostStart(const std::string& uid, const StartContainer& command) {
  RunCheck(loop_, runtime_, probes_, command.id, command.post_start, kPostStartLimit,
           Guard<base::Status>(uid, [this, command](Worker& owner, const base::Status& status) {
             owner.memory.starting.erase(command.id);
             if (!status.ok()) {
               owner.memory.hook_failed.insert(command.id);
               Tell(owner, true, "FailedPostStartHook",
                    "postStart hook of container " + command.name + ": " +
                        std::string(status.message()));
             }
             Touch(owner);
           }));
}

void PodWorkers::Do(Worker& worker, const StopContainer& command) {
  Tell(worker, false, "Killing", "Stopping container " + command.name + ": " + command.reason);
  const Answer done = Completion(worker, command, true);
  const base::MonotonicTime begin = loop_.now().monotonic;
  if (command.pre_stop.kind == Check::Kind::kNone) {
    return runtime_.StopContainer(command.id, command.grace, done);
  }
  RunCheck(loop_, runtime_, probes_, command.id, command.pre_stop, command.grace,
           Guard<base::Status>(
               worker.uid, [this, command, begin, done](Worker& owner, const base::Status& status) {
                 if (!status.ok()) {
                   Tell(owner, true, "FailedPreStopHook",
                        "preStop hook of container " + command.name + ": " +
                            std::string(status.message()));
                 }
                 const base::Duration left = command.grace - (loop_.now().monotonic - begin);
                 runtime_.StopContainer(command.id, std::max(kMinGrace, left), done);
               }));
}

void PodWorkers::Do(Worker& worker, const RemoveContainer& command) {
  const Answer done = Completion(worker, command, true);
  std::vector<std::string> files;
  for (const ContainerState& state : worker.containers) {
    if (state.id == command.id) files = FilesOf(worker, state);
  }
  runtime_.RemoveContainer(
      command.id,
      Guard<base::Status>(worker.uid, [this, files, done](Worker&, base::Status status) {
        if (!status.ok()) return done(std::move(status));
        volumes_.Remove(files, done);
      }));
}

// What an instance of a container leaves on the disk.
std::vector<std::string> PodWorkers::FilesOf(const Worker& worker, const ContainerState& state) {
  std::vector<std::string> files = ContainerFiles(node_, worker.uid, state.name, state.attempt);
  const std::string log = LogPath(worker, state);
  files.push_back(log);
  for (int i = 1; i < kMaxLogFiles; ++i) files.push_back(log + "." + std::to_string(i));
  return files;
}

std::string PodWorkers::LogPath(const Worker& worker, const ContainerState& state) const {
  return ContainerLogPath(node_, worker.key.ns, worker.key.name, worker.uid, state.name,
                          state.attempt);
}

void PodWorkers::Do(Worker& worker, const StopSandbox& command) {
  runtime_.StopSandbox(command.id, Completion(worker, command, true));
}

void PodWorkers::Do(Worker& worker, const RemoveSandbox& command) {
  const Answer done = Completion(worker, command, true);
  runtime_.StopSandbox(
      command.id,
      Guard<base::Status>(worker.uid, [this, id = command.id, done](Worker&, base::Status status) {
        if (!status.ok()) return done(std::move(status));
        runtime_.RemoveSandbox(id, done);
      }));
}

void PodWorkers::Do(Worker& worker, const WriteVolumes& command) {
  std::vector<std::pair<std::string, std::string>> versions;
  for (const VolumeWrite& volume : command.volumes) {
    versions.emplace_back(volume.name, volume.version);
  }
  const Answer done = Completion(worker, command, false);
  volumes_.Write(
      PodDirectory(node_, worker.uid), command.volumes,
      Guard<base::Status>(worker.uid, [versions, done](Worker& owner, base::Status status) {
        if (status.ok()) {
          for (const auto& [name, version] : versions) {
            owner.memory.volumes[name] = version;
          }
        }
        done(std::move(status));
      }));
}

void PodWorkers::Do(Worker& worker, const RemoveVolumes& command) {
  const Answer done = Completion(worker, command, false);
  volumes_.Remove(command.directories,
                  Guard<base::Status>(worker.uid, [done](Worker& owner, base::Status status) {
                    owner.memory.volumes_removed = status.ok();
                    done(std::move(status));
                  }));
}

void PodWorkers::Do(Worker& worker, const ReadMessage& command) {
  const Answer done = Completion(worker, command, false);
  volumes_.ReadMessage(command.file, command.log_path,
                       Guard<base::Result<std::string>>(
                           worker.uid, [done, id = command.id](Worker& owner, const auto& message) {
                             // What cannot be read is not worth a second try: the exit code tells
                             // more.
                             owner.memory.messages[id] = message.ok() ? *message : "";
                             done({});
                           }));
}

void PodWorkers::Tell(const Worker& worker, bool warning, const std::string& reason,
                      const std::string& message) {
  if (!hooks_.event || worker.key.name.empty()) return;
  hooks_.event({worker.key, worker.uid, warning ? "Warning" : "Normal", reason, message});
}

}  // namespace nodeagent
