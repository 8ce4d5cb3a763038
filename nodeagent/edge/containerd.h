// Containerd: plumb's own containerd: configured, started, watched, started again when it ends.
//
// Loop only. Pods live under their shims, not under containerd: they survive its end and ours. A
// Containerd that is destroyed leaves the process running, and the next one for the same directory
// adopts it. One Containerd for a directory at a time: the caller's data directory is locked.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/backoff.h"
#include "base/edge/process.h"
#include "base/lifeline.h"
#include "base/loop.h"
#include "nodeagent/edge/containerd_config.h"
#include "nodeagent/edge/process_identity.h"
#include "nodeagent/pods/runtime.h"

namespace nodeagent {

class Containerd {
 public:
  Containerd(base::Loop& loop, ContainerdOptions options);
  ~Containerd();  // leaves it running

  // Writes the configuration, then adopts the containerd that runs already, or starts one (again,
  // if its configuration is another). Answers once it serves and has the sandbox image; kInvalid if
  // the directory's path is too long; kTimeout or kUnavailable with the last line of its log if it
  // does not come up within kContainerdStart; it then stays as it is: Stop it or Start again. From
  // an OK on, an exit is followed by a start with back-off.
  void Start(Runtime::DoneStatus done);

  // Ends it: SIGTERM, SIGKILL after kContainerdGrace. Its pods go on, unless `remove_pods`: then
  // all sandboxes with plumb's label are removed first. Answers when it is gone, with the first
  // error of a removal.
  void Stop(bool remove_pods, Runtime::DoneStatus done);

  std::string socket() const { return ContainerdSocket(options_.directory); }
  std::optional<pid_t> pid() const;                // while it runs
  uint64_t restarts() const { return restarts_; }  // since Start

 private:
  Runtime& runtime();  // made when it is first needed: then the socket's path is known to be good
  base::Status WriteConfig(bool* changed);
  void Begin();
  base::Status Spawn();
  void Adopt();
  bool IsRunning();
  void Forget();
  void WaitUntilReady();
  void CheckImage();
  void FinishStart(base::Status status);
  void Watch();
  void Restart();
  void RemovePods(std::function<void(base::Status)> then);
  void Terminate(std::function<void()> gone);
  void WaitUntilGone(std::function<void()> gone);
  void After(base::Duration delay, std::function<void()> what);
  std::string LogTail() const;
  std::string Path(const char* name) const { return options_.directory + "/" + name; }

  base::Loop& loop_;
  const ContainerdOptions options_;
  std::unique_ptr<Runtime> runtime_;         // asks for its version and image, and removes its pods
  std::optional<base::Process> child_;       // if we started it
  std::optional<ProcessIdentity> identity_;  // of it, in either case
  Runtime::DoneStatus starting_;
  base::MonotonicTime deadline_;
  base::MonotonicTime started_;
  base::Backoff restart_;
  base::Loop::TimerId timer_ = 0;  // of the one thing that is waited for
  bool image_imported_ = false;
  uint64_t restarts_ = 0;
  std::optional<base::Lifeline> lifeline_{std::in_place};  // another after each Stop
};

inline constexpr base::Duration kContainerdStart = base::Duration::Seconds(30);
inline constexpr base::Duration kContainerdGrace = base::Duration::Seconds(10);
// Its log is emptied beyond this size.
inline constexpr size_t kMaxContainerdLog = 16 << 20;

}  // namespace nodeagent
