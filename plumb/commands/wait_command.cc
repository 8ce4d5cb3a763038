// plumb wait: one GET, then a watch on the repository's Kustomization, until its history says how
// the deploy ended.
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "base/net/http.h"
#include "plumb/commands/command_support.h"
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
    "server remembers the last 50 deploys.\n\n"
    "Exit codes: 0 healthy, 1 failed, 2 superseded by a newer push, 3 timed out; 4 no such\n"
    "repository or revision, 5 not allowed, 6 the server cannot be reached, 64 wrong usage.\n\n"
    "  --repo NAME         the repository (default: this checkout's, or the only one)\n"
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
  Waiter(Client client, const LocalGit* git, std::string repository, std::string commit,
         base::Duration timeout, bool json)
      : client_(std::move(client)),
        git_(git),
        repository_(std::move(repository)),
        commit_(std::move(commit)),
        timeout_(timeout),
        json_(json) {}

  int Run() {
    for (bool first = true;; first = false) {
      base::Result<base::Json> object = client_.Get(path_);
      if (!object.ok() && object.status().code() == base::Code::kNotFound) return NoRepository();
      if (!object.ok() && first) return Trouble(object.status());
      if (object.ok() && Look(*object)) return exit_;
      const int64_t seconds = SecondsLeft();
      if (seconds <= 0) return OutOfTime();
      if (!object.ok()) {
        sleep(1);  // the server restarts
        continue;
      }
      if (const base::Status status = Watch(*object, seconds); deleted_) {
        return NoRepository();
      } else if (ended_) {
        return exit_;
      } else if (!status.ok() && status.code() == base::Code::kForbidden) {
        return Trouble(status);
      }
    }
  }

 private:
  base::Status Watch(const base::Json& object, int64_t seconds) {
    const std::string query =
        "?watch=true&fieldSelector=" + base::PercentEncode("metadata.name=" + repository_) +
        "&resourceVersion=" + std::string(object["metadata"]["resourceVersion"].AsString()) +
        "&timeoutSeconds=" + std::to_string(seconds);
    return client_.Follow(kList + query, [&](const base::Json& event) {
      const std::string_view type = event["type"].AsString();
      if (type == "ERROR") return false;  // too old: begin anew
      deleted_ = type == "DELETED";
      return !deleted_ && !Look(event["object"]);
    });
  }

  // True once the deploy has ended.
  bool Look(const base::Json& kustomization) {
    const WaitVerdict verdict = JudgeDeploy(kustomization, commit_, [&](const std::string& newer) {
      return git_ != nullptr && !commit_.empty() && git_->IsAncestor(commit_, newer);
    });
    ended_ = verdict.known && verdict.phase != gitsync::DeployPhase::kProgressing;
    const std::string phase =
        verdict.known ? std::string(gitsync::PhaseName(verdict.phase)) : "not pushed yet";
    std::string line = repository_ + " " + verdict.commit.substr(0, 12);
    line += (verdict.commit.empty() ? "" : " ") + phase;
    if (!verdict.message.empty()) line += ": " + verdict.message;
    if (ended_) {
      exit_ = ExitCodeOf(verdict.phase);
      if (json_) {
        PrintJson(base::Json::MakeObject({{"repository", repository_},
                                          {"commit", verdict.commit},
                                          {"phase", phase},
                                          {"message", verdict.message}}));
      } else {
        std::printf("%s\n", line.c_str());
      }
    } else if (line != told_) {
      std::fprintf(stderr, "%s\n", line.c_str());
    }
    told_ = line;
    return ended_;
  }

  int NoRepository() const {
    return Trouble(base::Status(base::Code::kNotFound,
                                "there is no repository \"" + repository_ +
                                    "\" on the server; plumb repo list names those there are"));
  }

  int OutOfTime() const {
    std::fprintf(stderr, "plumb: the deploy has not ended after %s\n", timeout_.ToString().c_str());
    return kTimedOut;
  }

  // Rounded up: a server ends a watch at full seconds.
  int64_t SecondsLeft() const {
    const auto passed = std::chrono::steady_clock::now() - start_;
    const int64_t left =
        timeout_.millis() - std::chrono::duration_cast<std::chrono::milliseconds>(passed).count();
    return (left + 999) / 1000;
  }

  static constexpr const char* kList =
      "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/plumb-system/kustomizations";
  Client client_;
  const LocalGit* const git_;
  const std::string repository_, commit_;
  const base::Duration timeout_;
  const bool json_;
  const std::string path_ = std::string(kList) + "/" + base::PercentEncode(repository_);
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::string told_;
  bool ended_ = false, deleted_ = false;
  int exit_ = 0;
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
  return Waiter(*std::move(client), git, *repository, *commit, *timeout, WantsJson(*arguments))
      .Run();
}

}  // namespace plumb
