// Rules: a verb takes its time, then acts, then answers; what it finds when it acts is what counts.
// A container's end has one door, End(): it sets the state, answers the stops that wait for it, and
// announces the change. Identifiers count up and name their kind, so that a trace can be read.
#include "nodeagent/testing/fake_runtime.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/net/testing/memory_duplex.h"

namespace nodeagent {
namespace {

constexpr base::Duration kEventDelay = base::Duration::Millis(20);
constexpr int32_t kKilled = 137;
constexpr int32_t kWrongExitCode = 255;
constexpr int32_t kStartErrorCode = 128;

base::Status Gone(const char* what, const std::string& id) {
  return base::Status(base::Code::kNotFound, std::string(what) + " \"" + id + "\" does not exist");
}

base::Duration DurationOr(std::string_view text, base::Duration fallback) {
  const auto duration = base::Duration::Parse(text);
  return duration.ok() ? *duration : fallback;
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> words;
  size_t begin = 0;
  while (true) {
    const size_t end = text.find(separator, begin);
    words.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return words;
    begin = end + 1;
  }
}

}  // namespace

FakeRuntime::FakeRuntime(base::Loop& loop, base::Faults& faults, uint32_t first_address,
                         FakeTimes times)
    : loop_(loop), faults_(faults), times_(times), next_address_(first_address) {}

template <typename Answer>
void FakeRuntime::Serve(const char* verb, base::Duration time, Respond<Answer> done,
                        std::function<void(Respond<Answer>)> act) {
  const std::string point = std::string("runtime.") + verb;
  Respond<Answer> answer = [this, session = session_, done = std::move(done)](Answer value) {
    if (session == session_) done(std::move(value));
  };
  const base::Status late(base::Code::kTimeout, std::string(verb) + " did not answer in time");
  if (faults_.Hit(point + ".error")) {
    loop_.After(time, [answer, point] {
      answer(base::Status(base::Code::kInternal, "fault " + point + ".error"));
    });
    return;
  }
  if (faults_.Hit(point + ".hang")) {
    loop_.After(kFakeCallTimeout, [answer, late] { answer(late); });
    return;
  }
  if (faults_.Hit(point + ".lost")) {
    loop_.After(kFakeCallTimeout, [answer, late] { answer(late); });
    answer = [](Answer) {};
  }
  loop_.After(time, [this, answer, act = std::move(act)] {
    if (!down_) return act(answer);
    answer(base::Status(base::Code::kUnavailable, "the container runtime does not answer"));
  });
}

FakeRuntime::Program FakeRuntime::ProgramOf(const std::string& image) {
  const std::vector<std::string> words = Split(image.substr(image.rfind('/') + 1), ':');
  Program program{words[0], 0, base::Duration::Millis(10)};
  const bool has_code = words[0] == "exit" || words[0] == "crash-once";
  const size_t time = has_code ? 2 : 1;
  if (has_code && words.size() > 1) program.exit_code = std::atoi(words[1].c_str());
  if (words.size() > time) program.time = DurationOr(words[time], program.time);
  return program;
}

// Looks like a digest, and is the same on every node.
std::string FakeRuntime::ImageId(const std::string& reference) {
  uint64_t hash = 14695981039346656037u;
  std::string id = "sha256:";
  for (int part = 0; part < 4; ++part) {
    for (unsigned char byte : reference) hash = (hash ^ byte) * 1099511628211u;
    char hex[17];
    std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(hash));
    id += hex;
  }
  return id;
}

std::string FakeRuntime::ImageReference(const std::string& image) const {
  const auto by_id = images_.find(image);
  if (by_id != images_.end()) return by_id->second;
  return images_.count(ImageId(image)) ? image : "";
}

std::string FakeRuntime::NextAddress() {
  const uint32_t address = next_address_++;
  std::string text;
  for (int shift : {24, 16, 8, 0}) {
    text += std::to_string((address >> shift) & 255) + (shift > 0 ? "." : "");
  }
  return text;
}

void FakeRuntime::SetPull(const std::string& reference, base::Duration time, base::Status outcome) {
  pulls_[reference] = {time, std::move(outcome)};
}
void FakeRuntime::AddImage(const std::string& reference) {
  images_[ImageId(reference)] = reference;
}
void FakeRuntime::RemoveImage(const std::string& reference) { images_.erase(ImageId(reference)); }

void FakeRuntime::EndContainer(const std::string& id, int32_t exit_code,
                               const std::string& reason) {
  Container* container = FindContainer(id);
  if (container) End(*container, exit_code, reason);
}

void FakeRuntime::EndSandbox(const std::string& id) { StopSandboxNow(id); }

void FakeRuntime::SetDown(bool down) {
  down_ = down;
  if (!down) Changed();
}

void FakeRuntime::SetNotReady(const std::string& reason) { not_ready_ = reason; }

void FakeRuntime::Reboot() {
  for (auto& [id, container] : containers_) End(container, kWrongExitCode, "Unknown");
  for (auto& [id, sandbox] : sandboxes_) StopSandboxNow(id);
}

void FakeRuntime::Disconnect() {
  ++session_;
  commands_.clear();
  changed_ = nullptr;
}

std::string FakeRuntime::Log(const std::string& path) const {
  const auto log = logs_.find(path);
  return log == logs_.end() ? "" : log->second;
}

RuntimeSnapshot FakeRuntime::Now() const {
  RuntimeSnapshot snapshot;
  for (const auto& [id, sandbox] : sandboxes_) snapshot.sandboxes.push_back(sandbox.state);
  for (const auto& [id, container] : containers_) snapshot.containers.push_back(container.state);
  return snapshot;
}

const SandboxConfig* FakeRuntime::FindSandboxConfig(const std::string& id) const {
  const auto sandbox = sandboxes_.find(id);
  return sandbox == sandboxes_.end() ? nullptr : &sandbox->second.config;
}
const ContainerConfig* FakeRuntime::FindContainerConfig(const std::string& id) const {
  const auto container = containers_.find(id);
  return container == containers_.end() ? nullptr : &container->second.config;
}

FakeRuntime::Container* FakeRuntime::FindContainer(const std::string& id) {
  const auto container = containers_.find(id);
  return container == containers_.end() ? nullptr : &container->second;
}

void FakeRuntime::Version(Done<RuntimeVersion> done) {
  Serve<base::Result<RuntimeVersion>>("version", times_.other, done, [](auto answer) {
    answer(RuntimeVersion{"fake", "1.0.0"});
  });
}

void FakeRuntime::Ready(DoneStatus done) {
  Serve<base::Status>("ready", times_.other, done, [this](auto answer) {
    if (not_ready_.empty()) return answer({});
    answer(base::Status(base::Code::kUnavailable,
                        "the container runtime is not ready: " + not_ready_));
  });
}

void FakeRuntime::List(Done<RuntimeSnapshot> done) {
  Serve<base::Result<RuntimeSnapshot>>("list", times_.other, done,
                                       [this](auto answer) { answer(Now()); });
}

void FakeRuntime::FindImage(const std::string& reference, Done<std::string> done) {
  Serve<base::Result<std::string>>(
      "find_image", times_.other, done, [this, reference](auto answer) {
        if (const std::string found = ImageReference(reference); !found.empty()) {
          return answer(ImageId(found));
        }
        answer(base::Status(base::Code::kNotFound,
                            "image \"" + reference + "\" is not on this node; pull it"));
      });
}

void FakeRuntime::PullImage(const std::string& reference, const std::optional<ImageCredentials>&,
                            Done<std::string> done) {
  const auto told = pulls_.find(reference);
  const Pull pull = told == pulls_.end() ? Pull{times_.pull, {}} : told->second;
  Serve<base::Result<std::string>>("pull_image", pull.time, done,
                                   [this, reference, pull](auto answer) {
                                     if (!pull.outcome.ok()) return answer(pull.outcome);
                                     AddImage(reference);
                                     answer(ImageId(reference));
                                   });
}

void FakeRuntime::RunSandbox(const SandboxConfig& config, Done<std::string> done) {
  Serve<base::Result<std::string>>(
      "run_sandbox", times_.sandbox, done, [this, config](auto answer) {
        for (const auto& [id, sandbox] : sandboxes_) {
          if (sandbox.config.pod_uid != config.pod_uid) continue;
          if (sandbox.config.attempt != config.attempt) continue;
          if (sandbox.state.ready) return answer(id);
          return answer(base::Status(base::Code::kAlreadyExists,
                                     "this attempt's sandbox has ended; take the next attempt"));
        }
        Sandbox sandbox;
        sandbox.config = config;
        SandboxState& state = sandbox.state;
        state.id = "sandbox-" + std::to_string(next_id_++);
        state.pod_uid = config.pod_uid;
        state.pod_name = config.pod_name;
        state.pod_namespace = config.pod_namespace;
        state.attempt = config.attempt;
        state.ready = true;
        state.ip = config.host_network ? "" : NextAddress();
        state.created_at = loop_.now().wall;
        state.labels = config.labels;
        state.labels[kManagedLabel] = "true";
        state.annotations = config.annotations;
        const std::string id = state.id;
        sandboxes_[id] = std::move(sandbox);
        answer(id);
      });
}

void FakeRuntime::StopSandboxNow(const std::string& id) {
  const auto sandbox = sandboxes_.find(id);
  if (sandbox == sandboxes_.end()) return;
  for (auto& [container_id, container] : containers_) {
    if (container.state.sandbox_id == id) End(container, kKilled, "Error");
  }
  if (!std::exchange(sandbox->second.state.ready, false)) return;
  sandbox->second.state.ip.clear();
  Changed();
}

void FakeRuntime::TellToStop(const Container& container) {
  if (watch_ && container.state.phase == ContainerPhase::kRunning) {
    watch_(container.state, Moment::kToldToStop);
  }
}

void FakeRuntime::TellAllToStop(const std::string& sandbox) {
  for (const auto& [id, container] : containers_) {
    if (container.state.sandbox_id == sandbox) TellToStop(container);
  }
}

void FakeRuntime::StopSandbox(const std::string& id, DoneStatus done) {
  Serve<base::Status>("stop_sandbox", times_.sandbox, done, [this, id](auto answer) {
    TellAllToStop(id);
    StopSandboxNow(id);
    answer({});
  });
}

void FakeRuntime::RemoveSandbox(const std::string& id, DoneStatus done) {
  Serve<base::Status>("remove_sandbox", times_.other, done, [this, id](auto answer) {
    TellAllToStop(id);
    StopSandboxNow(id);
    std::erase_if(containers_,
                  [&id](const auto& entry) { return entry.second.state.sandbox_id == id; });
    sandboxes_.erase(id);
    answer({});
  });
}

void FakeRuntime::CreateContainer(const std::string& sandbox_id, const SandboxConfig& sandbox,
                                  const ContainerConfig& config, Done<std::string> done) {
  Serve<base::Result<std::string>>("create", times_.create, done, [=, this](auto answer) {
    const auto parent = sandboxes_.find(sandbox_id);
    if (parent == sandboxes_.end()) return answer(Gone("sandbox", sandbox_id));
    for (const auto& [id, other] : containers_) {
      if (other.state.sandbox_id != sandbox_id || other.config.name != config.name) continue;
      if (other.config.attempt == config.attempt) return answer(id);
    }
    if (!parent->second.state.ready) {
      return answer(base::Status(base::Code::kInternal, "the sandbox has ended"));
    }
    const std::string reference = ImageReference(config.image);
    if (reference.empty()) return answer(Gone("image", config.image));
    Container container;
    container.config = config;
    container.program = ProgramOf(reference);
    container.log_path = sandbox.log_directory + "/" + config.log_path;
    ContainerState& state = container.state;
    state.id = "container-" + std::to_string(next_id_++);
    state.sandbox_id = sandbox_id;
    state.name = config.name;
    state.attempt = config.attempt;
    state.phase = ContainerPhase::kCreated;
    state.image = config.image;
    state.image_id = ImageId(reference);
    state.created_at = loop_.now().wall;
    state.labels = config.labels;
    state.labels[kManagedLabel] = "true";
    state.annotations = config.annotations;
    const std::string id = state.id;
    containers_[id] = std::move(container);
    ++containers_created_;
    answer(id);
  });
}

void FakeRuntime::StartContainer(const std::string& id, DoneStatus done) {
  Serve<base::Status>("start", times_.start, done, [this, id](auto answer) {
    Container* container = FindContainer(id);
    if (!container) return answer(Gone("container", id));
    if (container->state.phase != ContainerPhase::kCreated) {
      if (container->state.reason != "StartError") return answer({});
      return answer(base::Status(base::Code::kInternal, "the container could not be started"));
    }
    container->state.started_at = loop_.now().wall;
    container->state.phase = ContainerPhase::kRunning;
    if (container->program.word == "broken") {
      End(*container, kStartErrorCode, "StartError");
      return answer(base::Status(base::Code::kInternal, "no such program in the image"));
    }
    ++containers_started_;
    if (watch_) watch_(container->state, Moment::kStarted);
    Changed();
    RunProgram(*container);
    answer({});
  });
}

void FakeRuntime::RunProgram(Container& container) {
  const Program& program = container.program;
  const bool crashes = program.word == "crash-once" && container.config.attempt == 0;
  logs_[container.log_path];  // from now on there is one
  if (program.word == "print") {
    for (const std::string& argument : container.config.arguments) AppendLog(container, argument);
    for (const auto& [key, value] : container.config.environment) {
      AppendLog(container, key + "=" + value);
    }
    EndAfter(container, base::Duration::Millis(5), 0, "Completed");
  } else if (program.word == "exit" || crashes) {
    AppendLog(container, "exits with " + std::to_string(program.exit_code));
    EndAfter(container, program.time, program.exit_code,
             program.exit_code == 0 ? "Completed" : "Error");
  } else if (program.word == "oom") {
    EndAfter(container, program.time, kKilled, "OOMKilled");
  }
}

void FakeRuntime::EndAfter(Container& container, base::Duration time, int32_t exit_code,
                           const std::string& reason) {
  if (container.end_timer != 0) loop_.Cancel(container.end_timer);
  container.end_timer = loop_.After(time, [this, id = container.state.id, exit_code, reason] {
    Container* ending = FindContainer(id);
    if (!ending) return;
    const bool wrong = faults_.Hit("runtime.exit.wrong");
    End(*ending, wrong ? kWrongExitCode : exit_code, wrong ? "Error" : reason);
  });
}

void FakeRuntime::End(Container& container, int32_t exit_code, const std::string& reason) {
  if (container.state.phase != ContainerPhase::kRunning) return;
  loop_.Cancel(container.end_timer);
  container.state.phase = ContainerPhase::kExited;
  container.state.exit_code = exit_code;
  container.state.reason = reason;
  container.state.finished_at = loop_.now().wall;
  for (const DoneStatus& stopped : std::exchange(container.stopping, {})) stopped({});
  Changed();
}

void FakeRuntime::Terminate(Container& container) {
  const std::string& word = container.program.word;
  if (word == "stubborn") return;
  EndAfter(container, word == "drain" ? container.program.time : base::Duration::Millis(1), 0,
           "Completed");
}

void FakeRuntime::StopContainer(const std::string& id, base::Duration grace, DoneStatus done) {
  Serve<base::Status>("stop", times_.other, done, [this, id, grace](auto answer) {
    Container* container = FindContainer(id);
    if (!container || container->state.phase != ContainerPhase::kRunning) return answer({});
    if (container->stopping.empty()) TellToStop(*container);
    container->stopping.push_back(answer);
    if (container->stopping.size() == 1) Terminate(*container);
    // The shortest grace of several stops counts.
    loop_.After(grace, [this, id] {
      if (Container* late = FindContainer(id)) End(*late, kKilled, "Error");
    });
  });
}

void FakeRuntime::RemoveContainer(const std::string& id, DoneStatus done) {
  Serve<base::Status>("remove", times_.other, done, [this, id](auto answer) {
    if (Container* container = FindContainer(id)) {
      TellToStop(*container);
      End(*container, kKilled, "Error");
      containers_.erase(id);
    }
    answer({});
  });
}

void FakeRuntime::ReopenLog(const std::string& id, DoneStatus done) {
  Serve<base::Status>("reopen_log", times_.other, done, [this, id](auto answer) {
    answer(FindContainer(id) ? base::Status() : Gone("container", id));
  });
}

void FakeRuntime::Exec(const std::string& id, const std::vector<std::string>& command,
                       base::Duration timeout, Done<ExecResult> done) {
  const bool sleeps = command.size() == 2 && command[0] == "sleep";
  const auto asked = sleeps ? DurationOr(command[1] + "s", {}) : times_.other;
  const bool in_time = asked < timeout;
  Serve<base::Result<ExecResult>>("exec", in_time ? asked : timeout, done, [=, this](auto answer) {
    const Container* container = FindContainer(id);
    if (!container) return answer(Gone("container", id));
    if (container->state.phase != ContainerPhase::kRunning) {
      return answer(base::Status(base::Code::kInternal, "the container does not run"));
    }
    if (!in_time) {
      return answer(base::Status(base::Code::kTimeout,
                                 "the command did not end within " + timeout.ToString()));
    }
    answer(exec_ ? exec_(container->state, command) : RunCommand(container->state, command));
  });
}

base::Result<ExecResult> FakeRuntime::RunCommand(const ContainerState&,
                                                 const std::vector<std::string>& command) {
  const std::string& program = command.at(0);
  if (program == "true" || program == "sleep") return ExecResult{0, ""};
  if (program == "false") return ExecResult{1, ""};
  if (program != "echo") {
    return base::Status(base::Code::kInternal, "no program \"" + program + "\" in the image");
  }
  std::string output;
  for (size_t i = 1; i < command.size(); ++i) output += (i > 1 ? " " : "") + command[i];
  return ExecResult{0, output + "\n"};
}

std::unique_ptr<base::Duplex> FakeRuntime::OpenExec(const std::string& id,
                                                    const state::ExecRequest& request) {
  auto [caller, own] = base::MemoryDuplexPair(loop_);
  own->SetPaused(true);  // what is written meanwhile waits for the command
  auto shared = std::make_shared<std::unique_ptr<base::Duplex>>(std::move(own));
  loop_.After(times_.other, [this, id, request, shared, session = session_] {
    if (session != session_) return;
    base::Status failed;
    const Container* container = FindContainer(id);
    if (down_) {
      failed = base::Status(base::Code::kUnavailable, "the runtime is down");
    } else if (faults_.Hit("runtime.exec.error")) {
      failed = base::Status(base::Code::kInternal, "injected");
    } else if (container == nullptr) {
      failed = Gone("container", id);
    } else if (container->state.phase != ContainerPhase::kRunning) {
      failed = base::Status(base::Code::kInternal, "the container does not run");
    }
    const uint64_t command = ++last_command_;
    commands_[command] = std::make_unique<FakeCommand>(
        loop_, std::move(*shared), request, failed, [this, command] { commands_.erase(command); });
  });
  return std::move(caller);
}

void FakeRuntime::OnChange(std::function<void()> changed) { changed_ = std::move(changed); }

void FakeRuntime::AppendLog(const Container& container, const std::string& line) {
  logs_[container.log_path] += loop_.now().wall.ToMicroString() + " stdout F " + line + "\n";
}

void FakeRuntime::Changed() {
  if (change_announced_ || faults_.Hit("runtime.event.lost")) return;
  change_announced_ = true;
  loop_.After(kEventDelay, [this] {
    change_announced_ = false;
    if (changed_ && !down_) changed_();
  });
}

}  // namespace nodeagent
