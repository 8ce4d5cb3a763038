// plumb wait: follows the applications of a repository until their histories say how the deploys
// ended.
#include <cstdio>
#include <map>
#include <utility>

#include "base/printable.h"
#include "plumb/commands/command_support.h"
#include "plumb/commands/follow_applications.h"
#include "plumb/reports/wait_verdict.h"

namespace plumb {
namespace {

constexpr int kTimedOut = 3, kWrongUsage = 64, kOtherTrouble = 70;

constexpr const char* kHelp =
    "usage: plumb wait [REVISION] [--repo NAME] [--timeout 10m] [-o json]\n\n"
    "Waits until the deploy of REVISION has ended: anything that git resolves in this checkout, "
    "or\n"
    "the beginning of a commit's id. Default: HEAD, if this checkout has a remote that is the\n"
    "repository, else the newest deploy. A revision that was not pushed yet is waited for. The\n"
    "server remembers the last 50 deploys of each application.\n\n"
    "Exit codes: 0 healthy, 1 failed, 2 superseded by a newer push, 3 timed out; 4 no such\n"
    "repository or revision, 5 not allowed, 6 the server cannot be reached, 64 wrong usage. Of\n"
    "several applications the worst counts.\n\n"
    "  --repo NAME         a repository, for all of its applications, or one application "
    "(default:\n"
    "                      this checkout's repository, or the only one)\n"
    "  --timeout DURATION  90s, 10m, 1h (default 10m)\n"
    "  -o json             print the end as JSON\n";

// 0 to 3 mean something else here.
int Trouble(const base::Status& status) {
  const int code = Fail(status);
  if (status.code() == base::Code::kInvalid) return kWrongUsage;
  return code > kTimedOut ? code : kOtherTrouble;
}

class Waiter {
 public:
  Waiter(const LocalGit* git, std::string repository, std::string commit, bool json)
      : git_(git), repository_(std::move(repository)), commit_(std::move(commit)), json_(json) {}

  int Run(Client& client, base::Duration timeout) {
    const base::Status status =
        FollowApplications(client, repository_, timeout,
                           [&](const std::string& application, const base::Json& object) {
                             return Look(application, object);
                           });
    if (status.code() == base::Code::kTimeout) {
      std::fprintf(stderr, "plumb: the deploy has not ended after %s\n",
                   timeout.ToString().c_str());
      return kTimedOut;
    }
    if (!status.ok()) return Trouble(status);
    int exit = 0;
    base::Json ends = base::Json::MakeArray();
    for (const auto& [application, verdict] : ends_) {
      const int code = ExitCodeOf(verdict.phase);
      if (exit != 1 && code != 0) exit = code;
      ends.Append(base::Json::MakeObject({{"repository", application},
                                          {"commit", verdict.commit},
                                          {"phase", gitsync::PhaseName(verdict.phase)},
                                          {"message", verdict.message}}));
    }
    if (json_) PrintJson(ends.size() == 1 ? std::as_const(ends).At(0) : ends);
    return exit;
  }

 private:
  // True once the deploy has ended.
  bool Look(const std::string& application, const base::Json& kustomization) {
    const WaitVerdict verdict = JudgeDeploy(kustomization, commit_, [&](const std::string& newer) {
      return git_ != nullptr && !commit_.empty() && git_->IsAncestor(commit_, newer);
    });
    const bool ended = verdict.known && verdict.phase != gitsync::DeployPhase::kProgressing;
    std::string line = application + " " + verdict.commit.substr(0, 12);
    line += (verdict.commit.empty() ? "" : " ");
    line += verdict.known ? gitsync::PhaseName(verdict.phase) : "not pushed yet";
    if (!verdict.message.empty()) line += ": " + verdict.message;
    std::string& told = told_[application];
    if (line != told && !(ended && json_)) {
      std::fprintf(ended ? stdout : stderr, "%s\n", base::OneLine(line).c_str());
    }
    told = line;
    if (ended) ends_[application] = verdict;
    return ended;
  }

  const LocalGit* const git_;
  const std::string repository_, commit_;
  const bool json_;
  std::map<std::string, std::string> told_;
  std::map<std::string, WaitVerdict> ends_;
};

bool LooksLikeCommit(const std::string& text) {
  return text.size() >= 4 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// The commit to wait for; empty for the newest deploy.
base::Result<std::string> ChooseCommit(const Arguments& arguments, const LocalGit* git,
                                       const std::string& repository) {
  if (arguments.operands().size() > 1) {
    return base::Status(base::Code::kInvalid, "one revision at a time; see plumb wait --help");
  }
  if (arguments.operands().empty()) {
    if (git == nullptr) return std::string();
    for (const std::string& name : git->Repositories()) {
      if (name == repository) return git->Commit("HEAD");
    }
    return std::string();
  }
  const std::string& revision = arguments.operands()[0];
  const base::Result<std::string> commit =
      git == nullptr ? base::Result<std::string>(base::Code::kNotFound, "no checkout")
                     : git->Commit(revision);
  if (commit.ok() || LooksLikeCommit(revision)) return commit.ok() ? *commit : revision;
  return base::Status(base::Code::kNotFound,
                      "\"" + revision +
                          "\" names no commit here; in a checkout of the repository "
                          "git resolves it, elsewhere give the commit's id");
}

}  // namespace

int WaitCommand(const Words& words) {
  int exit = 0;
  const std::optional<Arguments> arguments =
      ParseFlags(words, {{"--repo", "--timeout", kOutputFlag}, {}}, kHelp, exit, kWrongUsage);
  if (!arguments) return exit;
  const base::Result<base::Duration> timeout =
      arguments->GetDuration("--timeout", base::Duration::Minutes(10));
  if (!timeout.ok()) return Trouble(timeout.status());
  base::Result<Client> client = Client::Connect(*arguments, *timeout + base::Duration::Seconds(30));
  if (!client.ok()) return Trouble(client.status());
  const base::Result<LocalGit> checkout = LocalGit::Open();
  const LocalGit* git = checkout.ok() ? &*checkout : nullptr;
  const base::Result<std::string> repository = ChooseRepository(*arguments, *client, git);
  if (!repository.ok()) return Trouble(repository.status());
  const base::Result<std::string> commit = ChooseCommit(*arguments, git, *repository);
  if (!commit.ok()) return Trouble(commit.status());
  return Waiter(git, *repository, *commit, WantsJson(*arguments)).Run(*client, *timeout);
}

}  // namespace plumb
