// FakeRuntime: a Runtime whose containers live in memory, on a Loop's (virtual) time.
//
// What a container does is told by its image: the part of the reference after the last '/', with
// colons between its words:
//   run              runs until it is stopped; exits with 0 on SIGTERM
//   exit:CODE:TIME   exits with CODE after TIME ("exit:1:2s")
//   crash-once:CODE:TIME  attempt 0 exits so, later ones run
//   drain:TIME       exits with 0 TIME after SIGTERM
//   stubborn         ignores SIGTERM: is killed after its grace (137)
//   oom:TIME         is killed for its memory after TIME (137, OOMKilled)
//   print            logs its arguments and its environment, a line each, and exits with 0
//   broken           cannot be started
//   anything else    as run
// Exec knows the commands true, false, "echo WORDS" and "sleep SECONDS"; OpenExec also "cat", "warn
// WORDS" (to standard error), "exit CODE", "zeros BYTES" and "size" (of the terminal, when it is told).
//
// Fault points, VERB being version, ready, list, find_image, pull_image, run_sandbox, stop_sandbox,
// remove_sandbox, create, start, stop, remove, reopen_log, exec:
//   runtime.VERB.error  fails without effect (kInternal)
//   runtime.VERB.hang   no effect, kTimeout after kFakeCallTimeout
//   runtime.VERB.lost   has its effect, but answers kTimeout after kFakeCallTimeout
//   runtime.exit.wrong  a container that ends by itself has exit code 255
//   runtime.event.lost  OnChange is not called for a change
// Loop only. The runtime outlives its agent: Disconnect() is what the agent's crash does.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/faults.h"
#include "base/loop.h"
#include "nodeagent/pods/runtime.h"
#include "nodeagent/testing/fake_command.h"

namespace nodeagent {

// How long verbs take; by default what a real machine was seen to take.
struct FakeTimes {
  base::Duration pull = base::Duration::Millis(800);
  base::Duration sandbox = base::Duration::Millis(100);
  base::Duration create = base::Duration::Millis(15);
  base::Duration start = base::Duration::Millis(55);
  base::Duration other = base::Duration::Millis(3);
};
inline constexpr base::Duration kFakeCallTimeout = base::Duration::Seconds(120);

class FakeRuntime final : public Runtime {
 public:
  using ExecHandler = std::function<base::Result<ExecResult>(const ContainerState& container,
                                                             const std::vector<std::string>&)>;

  // Pods get addresses from `first_address` (an IPv4 address as a number) on.
  FakeRuntime(base::Loop& loop, base::Faults& faults, uint32_t first_address = 0x0a580002,
              FakeTimes times = {});

  // The registry. Every image can be pulled at FakeTimes::pull unless it is said otherwise here.
  void SetPull(const std::string& reference, base::Duration time, base::Status outcome = {});
  void AddImage(const std::string& reference);  // it is on the node already
  void RemoveImage(const std::string& reference);

  // What happens to the machine.
  void EndContainer(const std::string& id, int32_t exit_code, const std::string& reason);
  void EndSandbox(const std::string& id);  // its network is gone, its containers are killed
  void SetDown(bool down);  // the runtime's daemon: verbs are kUnavailable, containers go on
  void SetNotReady(const std::string& reason);  // "" for ready
  void Reboot();                                // every container and sandbox has ended
  void Disconnect();  // calls under way are not answered, OnChange is forgotten
  void OnExec(ExecHandler handler) { exec_ = std::move(handler); }

  // What a test looks at.
  enum class Moment { kStarted, kToldToStop };
  // Called as a container's program starts, and as a running one is told to stop, by any verb.
  void Watch(std::function<void(const ContainerState&, Moment)> watch) {
    watch_ = std::move(watch);
  }
  const std::map<std::string, std::string>& logs() const { return logs_; }  // by path
  std::string Log(const std::string& path) const;  // directory and log_path; "" if none
  RuntimeSnapshot Now() const;
  const SandboxConfig* FindSandboxConfig(const std::string& id) const;
  const ContainerConfig* FindContainerConfig(const std::string& id) const;
  uint64_t containers_created() const { return containers_created_; }
  uint64_t containers_started() const { return containers_started_; }

  void Version(Done<RuntimeVersion> done) override;
  void Ready(DoneStatus done) override;
  void List(Done<RuntimeSnapshot> done) override;
  void FindImage(const std::string& reference, Done<std::string> done) override;
  void PullImage(const std::string& reference, const std::optional<ImageCredentials>& credentials,
                 Done<std::string> done) override;
  void RunSandbox(const SandboxConfig& config, Done<std::string> done) override;
  void StopSandbox(const std::string& id, DoneStatus done) override;
  void RemoveSandbox(const std::string& id, DoneStatus done) override;
  void CreateContainer(const std::string& sandbox_id, const SandboxConfig& sandbox,
                       const ContainerConfig& config, Done<std::string> done) override;
  void StartContainer(const std::string& id, DoneStatus done) override;
  void StopContainer(const std::string& id, base::Duration grace, DoneStatus done) override;
  void RemoveContainer(const std::string& id, DoneStatus done) override;
  void ReopenLog(const std::string& id, DoneStatus done) override;
  void Exec(const std::string& id, const std::vector<std::string>& command, base::Duration timeout,
            Done<ExecResult> done) override;
  std::unique_ptr<base::Duplex> OpenExec(const std::string& id,
                                         const state::ExecRequest& request) override;
  void OnChange(std::function<void()> changed) override;

 private:
  struct Sandbox {
    SandboxState state;
    SandboxConfig config;
  };
  struct Program {
    std::string word;  // "exit"
    int32_t exit_code = 0;
    base::Duration time;
  };
  struct Container {
    ContainerState state;
    ContainerConfig config;
    Program program;
    std::string log_path;
    base::Loop::TimerId end_timer = 0;  // of its program
    std::vector<DoneStatus> stopping;
  };
  struct Pull {
    base::Duration time;
    base::Status outcome;
  };

  // Answer is base::Status or a Result.
  template <typename Answer>
  using Respond = std::function<void(Answer)>;
  template <typename Answer>
  void Serve(const char* verb, base::Duration time, Respond<Answer> done,
             std::function<void(Respond<Answer>)> act);

  static Program ProgramOf(const std::string& image);
  static std::string ImageId(const std::string& reference);
  std::string ImageReference(const std::string& image) const;  // "" if it is not here
  std::string NextAddress();
  Container* FindContainer(const std::string& id);
  void RunProgram(Container& container);
  void EndAfter(Container& container, base::Duration time, int32_t exit_code,
                const std::string& reason);
  void End(Container& container, int32_t exit_code, const std::string& reason);
  void Terminate(Container& container);
  void StopSandboxNow(const std::string& id);
  void TellToStop(const Container& container);
  void TellAllToStop(const std::string& sandbox);  // its containers
  void AppendLog(const Container& container, const std::string& line);
  base::Result<ExecResult> RunCommand(const ContainerState& container,
                                      const std::vector<std::string>& command);
  void Changed();

  base::Loop& loop_;
  base::Faults& faults_;
  const FakeTimes times_;
  uint32_t next_address_;
  std::map<std::string, Pull> pulls_;
  std::map<std::string, std::string> images_;  // reference by id
  std::map<std::string, Sandbox> sandboxes_;
  std::map<std::string, Container> containers_;
  std::map<std::string, std::string> logs_;
  ExecHandler exec_;
  std::map<uint64_t, std::unique_ptr<FakeCommand>> commands_;
  uint64_t last_command_ = 0;
  std::function<void()> changed_;
  std::function<void(const ContainerState&, Moment)> watch_;
  bool change_announced_ = false;
  bool down_ = false;
  std::string not_ready_;
  uint64_t session_ = 0;  // grows with each Disconnect
  uint64_t next_id_ = 1;
  uint64_t containers_created_ = 0;
  uint64_t containers_started_ = 0;
};

}  // namespace nodeagent
