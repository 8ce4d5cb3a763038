// Rules:
// - Who runs is told by a file with pid and start time, written right after the start. What that
//   file names and still lives is adopted.
// - One thing at a time is waited for, by one timer: that it serves, that it ends by itself, or
//   that it ends as told. Exits are found by asking, every kWatch; a socket that answers counts
//   more than a process that lives.
// - After an exit the next start waits, twice as long each time, as kRestart says; a containerd
//   that lasted kStable starts over with the shortest wait.
// - Its log is ours to bound: it is written in append mode, so emptying it from outside is safe.
#include "nodeagent/edge/containerd.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "base/edge/files.h"
#include "base/log.h"
#include "nodeagent/edge/cri_runtime.h"
#include "nodeagent/edge/oci_archive.h"
#include "nodeagent/edge/pause_image.h"

namespace nodeagent {
namespace {

constexpr base::Duration kAsk = base::Duration::Millis(50);  // while coming up or going down
constexpr base::Duration kWatch = base::Duration::Millis(500);
constexpr base::Backoff kRestart{base::Duration::Millis(200), base::Duration::Seconds(30)};
constexpr base::Duration kStable = base::Duration::Seconds(60);
constexpr size_t kMaxConfigFile = 1 << 20;
constexpr size_t kMaxPidFile = 128;
constexpr char kConfigFile[] = "config.toml";
constexpr char kPidFile[] = "containerd.pid";
constexpr char kLogFile[] = "containerd.log";

std::string LastLine(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));
}

void BoundLog(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || info.st_size <= static_cast<off_t>(kMaxContainerdLog)) {
    return;
  }
  if (truncate(path.c_str(), 0) != 0) base::LogWarning("containerd's log cannot be emptied");
}

}  // namespace

Containerd::Containerd(base::Loop& loop, ContainerdOptions options)
    : loop_(loop), options_(std::move(options)), restart_(kRestart) {}

Containerd::~Containerd() {
  if (timer_ != 0) loop_.Cancel(timer_);
  if (child_) child_->Release();
}

std::optional<pid_t> Containerd::pid() const {
  if (!identity_ || !identity_->IsAlive()) return std::nullopt;
  return identity_->pid;
}

Runtime& Containerd::runtime() {
  if (!runtime_) runtime_ = NewCriRuntime(loop_, {.socket = socket()});
  return *runtime_;
}

void Containerd::After(base::Duration delay, std::function<void()> what) {
  if (timer_ != 0) loop_.Cancel(timer_);
  timer_ = loop_.After(delay, [this, what = std::move(what)] {
    timer_ = 0;
    what();
  });
}

void Containerd::Start(Runtime::DoneStatus done) {
  starting_ = std::move(done);
  image_imported_ = false;
  deadline_ = loop_.now().monotonic + kContainerdStart;
  bool changed = false;
  if (base::Status written = WriteConfig(&changed); !written.ok()) {
    return loop_.Post(lifeline_->Wrap([this, written] { FinishStart(written); }));
  }
  if (!IsRunning()) Adopt();
  if (changed && IsRunning()) return Terminate([this] { Begin(); });
  Begin();
}

void Containerd::Begin() {
  if (!IsRunning()) {
    if (base::Status started = Spawn(); !started.ok()) {
      return loop_.Post(lifeline_->Wrap([this, started] { FinishStart(started); }));
    }
  }
  WaitUntilReady();
}

base::Status Containerd::WriteConfig(bool* changed) {
  if (options_.directory.size() > kMaxContainerdDirectory) {
    return base::Status(base::Code::kInvalid,
                        "containerd's directory " + options_.directory +
                            " has too long a path for a socket; choose a data directory of at "
                            "most " +
                            std::to_string(kMaxContainerdDirectory) + " bytes");
  }
  RETURN_IF_ERROR(base::MakeDirectories(CniConfigDirectory(options_.directory), 0755));
  const std::string text = ContainerdConfigText(options_, DetectMachine());
  const auto old = base::ReadFile(Path(kConfigFile), kMaxConfigFile);
  *changed = !old.ok() || *old != text;
  return *changed ? base::WriteFileAtomic(Path(kConfigFile), text, 0600) : base::Status();
}

base::Status Containerd::Spawn() {
  const base::UniqueFd log(
      open(Path(kLogFile).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log.valid()) return base::ErrnoStatus("cannot open " + Path(kLogFile), errno);
  base::ProcessOptions process;
  process.argv = {options_.program, "--config", Path(kConfigFile)};
  process.output = log.get();
  process.error = log.get();
  process.new_session = true;
  process.network_namespace = options_.network_namespace;
  base::Result<base::Process> child = base::Process::Start(process);
  if (!child.ok()) return child.status();
  child_.emplace(*std::move(child));
  identity_ = ProcessIdentity::Of(child_->pid());
  started_ = loop_.now().monotonic;
  base::LogInfo("containerd started", {{"pid", std::to_string(child_->pid())}});
  return base::WriteFileAtomic(Path(kPidFile), identity_ ? identity_->ToString() : "", 0600);
}

void Containerd::Adopt() {
  const auto text = base::ReadFile(Path(kPidFile), kMaxPidFile);
  if (!text.ok()) return;
  const std::optional<ProcessIdentity> known = ProcessIdentity::Parse(*text);
  if (!known || !known->IsAlive()) return;
  identity_ = known;
  started_ = loop_.now().monotonic;
  base::LogInfo("containerd adopted", {{"pid", std::to_string(known->pid)}});
}

bool Containerd::IsRunning() {
  const bool running = child_ ? !child_->Poll() : identity_ && identity_->IsAlive();
  if (!running) Forget();
  return running;
}

void Containerd::Forget() {
  child_.reset();
  identity_.reset();
}

void Containerd::WaitUntilReady() {
  runtime().Version(lifeline_->Wrap([this](base::Result<RuntimeVersion> answer) {
    if (answer.ok()) return CheckImage();
    if (!IsRunning()) {
      return FinishStart(base::Status(base::Code::kUnavailable,
                                      "containerd ended while it started: " + LogTail()));
    }
    if (loop_.now().monotonic > deadline_) {
      return FinishStart(base::Status(
          base::Code::kTimeout,
          "containerd does not serve after " + kContainerdStart.ToString() + ": " + LogTail()));
    }
    After(kAsk, [this] { WaitUntilReady(); });
  }));
}

// The sandbox image is imported once, and then asked for until containerd's CRI side knows of it.
void Containerd::CheckImage() {
  if (!options_.sandbox_image.empty()) return FinishStart({});
  runtime().FindImage(kPauseImage, lifeline_->Wrap([this](base::Result<std::string> found) {
    if (found.ok()) return FinishStart({});
    if (found.status().code() != base::Code::kNotFound || loop_.now().monotonic > deadline_) {
      return FinishStart(found.status().WithContext("the sandbox image did not arrive"));
    }
    if (image_imported_) return After(kAsk, [this] { CheckImage(); });
    loop_.Offload([this, tie = lifeline_->tie(), socket = socket()]() -> base::Loop::Task {
      const base::Status imported = ImportOciArchive(socket, PauseImageArchive());
      return tie.Wrap([this, imported] {
        image_imported_ = true;
        imported.ok() ? CheckImage() : FinishStart(imported);
      });
    });
  }));
}

void Containerd::FinishStart(base::Status status) {
  if (status.ok()) After(kWatch, [this] { Watch(); });
  std::exchange(starting_, nullptr)(std::move(status));
}

void Containerd::Watch() {
  BoundLog(Path(kLogFile));
  if (IsRunning()) {
    if (loop_.now().monotonic - started_ > kStable) restart_.Reset();
    return After(kWatch, [this] { Watch(); });
  }
  const base::Duration wait = restart_.Next();
  base::LogWarning("containerd ended; its pods go on, it is started again",
                   {{"after", wait.ToString()}, {"log", LogTail()}});
  After(wait, [this] { Restart(); });
}

void Containerd::Restart() {
  ++restarts_;
  if (base::Status started = Spawn(); !started.ok()) {
    base::LogError("containerd cannot be started", {{"reason", started.ToString()}});
  }
  After(kWatch, [this] { Watch(); });
}

void Containerd::Stop(bool remove_pods, Runtime::DoneStatus done) {
  if (timer_ != 0) loop_.Cancel(std::exchange(timer_, 0));
  lifeline_.emplace();  // a start that is under way goes no further
  if (starting_) {
    std::exchange(starting_, nullptr)(
        base::Status(base::Code::kCancelled, "containerd was stopped while it started"));
  }
  if (!IsRunning()) Adopt();
  const auto end = [this, done = std::move(done)](const base::Status& removed) {
    Terminate([this, done, removed] {
      unlink(Path(kPidFile).c_str());
      done(removed);
    });
  };
  remove_pods ? RemovePods(end) : end({});
}

void Containerd::RemovePods(std::function<void(base::Status)> then) {
  runtime().List(lifeline_->Wrap([this, then](base::Result<RuntimeSnapshot> snapshot) {
    if (!snapshot.ok()) return then(snapshot.status());
    if (snapshot->sandboxes.empty()) return then({});
    struct Removal {
      size_t left;
      base::Status failure;
    };
    const auto removal = std::make_shared<Removal>(Removal{snapshot->sandboxes.size(), {}});
    const auto ended = lifeline_->Wrap([removal, then](const base::Status& status) {
      if (removal->failure.ok()) removal->failure = status;
      if (--removal->left == 0) then(removal->failure);
    });
    for (const SandboxState& sandbox : snapshot->sandboxes) {
      runtime().StopSandbox(sandbox.id,
                            lifeline_->Wrap([this, ended, id = sandbox.id](base::Status status) {
                              if (!status.ok()) return ended(status);
                              runtime().RemoveSandbox(id, ended);
                            }));
    }
  }));
}

void Containerd::Terminate(std::function<void()> gone) {
  deadline_ = loop_.now().monotonic + kContainerdGrace;
  if (identity_) identity_->Signal(SIGTERM);
  WaitUntilGone([this, gone = std::move(gone)] {
    deadline_ = loop_.now().monotonic + kContainerdStart;
    gone();
  });
}

void Containerd::WaitUntilGone(std::function<void()> gone) {
  if (!IsRunning()) return gone();
  if (loop_.now().monotonic > deadline_) identity_->Signal(SIGKILL);
  After(kAsk, [this, gone = std::move(gone)] { WaitUntilGone(gone); });
}

std::string Containerd::LogTail() const {
  const auto log = base::ReadFile(Path(kLogFile), kMaxContainerdLog * 2);
  if (!log.ok() || log->empty()) return "it wrote nothing to " + Path(kLogFile);
  return LastLine(*log) + " (see " + Path(kLogFile) + ")";
}

}  // namespace nodeagent
