#include "base/edge/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/edge/files.h"

namespace base {
namespace {

constexpr Duration kLong = Duration::Minutes(5);  // never reached unless something is broken

ProcessOptions Command(std::vector<std::string> argv) {
  ProcessOptions options;
  options.argv = std::move(argv);
  return options;
}

ProcessOptions Shell(const std::string& script) { return Command({"sh", "-c", script}); }

// "code=0 out=[..] err=[..]", or the status.
std::string RunText(const ProcessOptions& options, std::string_view input = {}) {
  const Result<RunOutput> run = RunProcess(options, input, kLong);
  if (!run.ok()) return run.status().ToString();
  std::string text = "code=" + std::to_string(run->exit.code);
  if (run->exit.signal != 0) text += " signal=" + std::to_string(run->exit.signal);
  return text + " out=[" + run->output + "] err=[" + run->error + "]";
}

// Returns when the process is gone or only waits for its parent to notice.
void AwaitEnd(pid_t pid) {
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process.valid()) return;
  pollfd polls = {process.get(), POLLIN, 0};
  EXPECT_EQ(poll(&polls, 1, static_cast<int>(kLong.millis())), 1);
}

struct PipeEnds {
  UniqueFd read, write;
  PipeEnds() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read.Reset(ends[0]);
    write.Reset(ends[1]);
  }
  // Up to and without the next newline, or the end.
  std::string ReadLine() {
    std::string line;
    char byte;
    while (::read(read.get(), &byte, 1) == 1 && byte != '\n') line += byte;
    return line;
  }
};

TEST(ProcessTest, OutputErrorAndExitCodeComeBack) {
  EXPECT_EQ(RunText(Shell("echo to-out; echo to-err >&2; exit 3")),
            "code=3 out=[to-out\n] err=[to-err\n]");
}

TEST(ProcessTest, ArgumentsReachTheProgramWithoutAShell) {
  EXPECT_EQ(RunText(Command({"printf", "%s|", "a b", "$HOME;`id`", "*", ""})),
            "code=0 out=[a b|$HOME;`id`|*||] err=[]");
}

TEST(ProcessTest, InputIsReadToItsEnd) {
  const std::string large(3u << 20, 'x');
  const Result<RunOutput> run = RunProcess(Command({"cat"}), large, kLong);
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  EXPECT_TRUE(run->output == large);
  EXPECT_EQ(RunText(Command({"cat"})), "code=0 out=[] err=[]");
}

TEST(ProcessTest, OutputBeyondTheLimitIsDroppedAndTheChildGoesOn) {
  const Result<RunOutput> run = RunProcess(
      Shell("head -c " + std::to_string(kMaxRunOutput + 100'000) + " /dev/zero; echo end >&2"), {},
      kLong);
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  EXPECT_EQ(run->output.size(), kMaxRunOutput);
  EXPECT_EQ(run->error, "end\n");
}

TEST(ProcessTest, EndBySignalIsTold) {
  EXPECT_EQ(RunText(Shell("kill -9 $$")), "code=137 signal=9 out=[] err=[]");
}

TEST(ProcessTest, MissingProgramIsNotFound) {
  EXPECT_EQ(RunText(Command({"plumb-no-such-program"})),
            "NotFound: cannot run plumb-no-such-program: it is not in PATH; install it");
  EXPECT_EQ(RunText(Command({"/no/such/program"})),
            "NotFound: cannot run /no/such/program: No such file or directory");
}

TEST(ProcessTest, MissingDirectoryIsNamed) {
  ProcessOptions options = Command({"true"});
  options.directory = "/no/such/directory";
  EXPECT_EQ(RunText(options),
            "NotFound: cannot run true in directory /no/such/directory: No such file or directory");
}

TEST(ProcessTest, MissingNetworkNamespaceIsNamed) {
  ProcessOptions options = Command({"true"});
  options.network_namespace = "/no/such/namespace";
  EXPECT_EQ(RunText(options),
            "NotFound: cannot enter network namespace /no/such/namespace: No such file or "
            "directory");
}

TEST(ProcessTest, DirectoryAndEnvironmentAreTheOnesGiven) {
  ProcessOptions options = Shell("pwd; echo $ONLY-$HOME");
  options.directory = "/usr";
  options.environment = {"ONLY=this"};
  EXPECT_EQ(RunText(options), "code=0 out=[/usr\nthis-\n] err=[]");
}

TEST(ProcessTest, ChildInheritsNoDescriptorsAndNoBlockedSignals) {
  int leaky[2];
  ASSERT_EQ(pipe(leaky), 0);  // without close-on-exec, as a careless library would
  sigset_t blocked, before;
  sigfillset(&blocked);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const std::string text = RunText(Command({"ls", "/proc/self/fd"}));
  const std::string mask = RunText(Command({"grep", "SigBlk", "/proc/self/status"}));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(leaky[0]);
  close(leaky[1]);
  EXPECT_EQ(text, "code=0 out=[0\n1\n2\n3\n] err=[]");  // 3 is the directory that ls reads
  EXPECT_EQ(mask, "code=0 out=[SigBlk:\t0000000000000000\n] err=[]");
}

TEST(ProcessTest, StreamsGivenInTheirOwnRangeAreNotMixedUp) {
  PipeEnds pipe;
  const UniqueFd saved(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10));
  ASSERT_EQ(dup2(pipe.write.get(), STDIN_FILENO), STDIN_FILENO);
  ProcessOptions options = Shell("read line; echo got-$line");
  PipeEnds input;
  options.input = input.read.get();
  options.output = STDIN_FILENO;  // overwritten in the child by `input` unless moved away first
  Result<Process> child = Process::Start(options);
  ASSERT_EQ(dup2(saved.get(), STDIN_FILENO), STDIN_FILENO);
  ASSERT_TRUE(child.ok()) << child.status().ToString();
  ASSERT_EQ(write(input.write.get(), "word\n", 5), 5);
  EXPECT_EQ(pipe.ReadLine(), "got-word");
  EXPECT_EQ(child->Wait().code, 0);
}

TEST(ProcessTest, NewSessionHasTheChildAsItsLeader) {
  PipeEnds pipe;
  ProcessOptions options = Command({"cut", "-d", " ", "-f", "1,6", "/proc/self/stat"});
  options.new_session = true;
  options.output = pipe.write.get();
  Result<Process> child = Process::Start(options);
  ASSERT_TRUE(child.ok());
  const std::string pid = std::to_string(child->pid());
  EXPECT_EQ(pipe.ReadLine(), pid + " " + pid);
  child->Wait();
}

TEST(ProcessTest, DeadlineEndsTheChildAndWhatItStarted) {
  std::string file = testing::TempDir() + "/plumb-process-XXXXXX";
  const UniqueFd made(mkostemp(file.data(), O_CLOEXEC));
  ASSERT_TRUE(made.valid());
  const Result<RunOutput> run =
      RunProcess(Shell("sleep 1000 & echo $! > " + file + "; wait"), {}, Duration::Millis(500));
  EXPECT_EQ(run.status().code(), Code::kTimeout);
  EXPECT_NE(run.status().message().find("did not end within 500ms"), std::string::npos);
  AwaitEnd(static_cast<pid_t>(std::stol(*ReadFile(file, 100))));
  unlink(file.c_str());
}

TEST(ProcessTest, DescendantThatHoldsThePipesDoesNotHoldUs) {
  const Result<RunOutput> run =
      RunProcess(Shell("sleep 1000 & echo $!"), {}, Duration::Seconds(500));
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  const pid_t sleeper = static_cast<pid_t>(std::stol(run->output));
  EXPECT_EQ(kill(sleeper, SIGKILL), 0);
  AwaitEnd(sleeper);
}

TEST(ProcessTest, StopAsksFirst) {
  Result<Process> child = Process::Start(Command({"sleep", "1000"}));
  ASSERT_TRUE(child.ok());
  const ExitStatus exit = child->Stop(kLong);
  EXPECT_EQ(exit.signal, SIGTERM);
  EXPECT_EQ(exit.code, 128 + SIGTERM);
}

TEST(ProcessTest, StopKillsAfterTheGrace) {
  PipeEnds pipe;
  ProcessOptions options = Shell("trap '' TERM; echo ready; exec sleep 1000");
  options.output = pipe.write.get();
  Result<Process> child = Process::Start(options);
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(pipe.ReadLine(), "ready");
  EXPECT_EQ(child->Stop(Duration::Millis(20)).signal, SIGKILL);
}

TEST(ProcessTest, PollTellsWhetherTheChildStillRuns) {
  PipeEnds pipe;
  ProcessOptions options = Command({"cat"});
  options.input = pipe.read.get();
  Result<Process> child = Process::Start(options);
  ASSERT_TRUE(child.ok());
  EXPECT_FALSE(child->Poll().has_value());
  pipe.write.Reset();
  AwaitEnd(child->pid());
  const std::optional<ExitStatus> exit = child->Poll();
  ASSERT_TRUE(exit.has_value());
  EXPECT_TRUE(exit->ok());
}

TEST(ProcessTest, ForgottenChildIsKilledAndReaped) {
  pid_t pid = -1;
  {
    const Result<Process> child = Process::Start(Command({"sleep", "1000"}));
    ASSERT_TRUE(child.ok());
    pid = child->pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(ProcessTest, ReleasedChildGoesOn) {
  Result<Process> child = Process::Start(Command({"sleep", "1000"}));
  ASSERT_TRUE(child.ok());
  const pid_t pid = child->pid();
  {
    Process owner = *std::move(child);
    owner.Release();
  }
  EXPECT_EQ(kill(pid, SIGKILL), 0);
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
}

TEST(ProcessTest, CheckedRunGivesTheOutputOrTheReason) {
  EXPECT_EQ(*RunChecked({"cat"}, "text"), "text");
  const Result<std::string> failed =
      RunChecked({"sh", "-c", "echo noise >&2; echo the reason >&2; exit 4"});
  EXPECT_EQ(failed.status().ToString(),
            "InternalError: sh -c echo noise >&2; echo the reason >&2; exit 4: exit code 4: the "
            "reason");
}

}  // namespace
}  // namespace base
