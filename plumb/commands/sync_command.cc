// plumb sync: asks for applications to be applied now, as Flux's users do it: a new value of the
// annotation reconcile.fluxcd.io/requestedAt. The answer is status.lastHandledReconcileAt. plumb
// suspend and plumb resume: spec.suspend. The server writes them, since what stands in plumb-system
// is administrators' own, and deployers may ask for just this.
#include <cstdio>
#include <set>

#include "base/net/http.h"
#include "base/printable.h"
#include "gitsync/plan/application.h"
#include "plumb/commands/command_support.h"
#include "plumb/commands/follow_applications.h"
#include "plumb/commands/terminal.h"
#include "plumb/endpoints.h"
#include "plumb/reports/wait_verdict.h"

namespace plumb {
namespace {

constexpr int kFailed = 1, kTimedOut = 3;

constexpr const char* kHelp =
    "usage: plumb sync [NAME] [--timeout 10m]\n\n"
    "Applies the newest commit again, now: all applications of the repository NAME, or the\n"
    "application NAME, and waits until each is healthy or has failed. What an upgrade holds until "
    "it\n"
    "is asked for ('held: ...') is done. Default: the repository of this checkout's remote, or "
    "the\n"
    "only one. The same without plumb, for an administrator:\n\n"
    "  kubectl -n plumb-system annotate --overwrite kustomization/NAME \\\n"
    "      reconcile.fluxcd.io/requestedAt=\"$(date +%s)\"\n\n"
    "Exit codes: 0 healthy, 1 failed, 2 wrong usage, 3 timed out, 4 no such repository, 5 not\n"
    "allowed, 6 the server cannot be reached.\n\n"
    "  --timeout DURATION  90s, 10m, 1h (default 10m)\n";

base::Result<std::string> ChooseName(const Arguments& arguments, Client& client) {
  if (arguments.operands().size() > 1) {
    return base::Status(base::Code::kInvalid, "one name at a time; see plumb sync --help");
  }
  if (!arguments.operands().empty()) return arguments.operands()[0];
  const base::Result<LocalGit> git = LocalGit::Open();
  return ChooseRepository(arguments, client, git.ok() ? &*git : nullptr);
}

std::string PathOf(const std::string& application, const char* verb) {
  return std::string(kConsolePrefix) + "/applications/" + base::PercentEncode(application) + "/" +
         verb;
}

// The names of those that were asked for.
base::Result<std::set<std::string>> Ask(Client& client, const std::string& name,
                                        const std::string& value) {
  std::set<std::string> asked;
  ASSIGN_OR_RETURN(const base::Json list, client.Get(kKustomizationList));
  const Applications applications = ChooseApplications(list, name);
  if (applications.empty()) return NoSuchName(name);
  for (const auto& [application, object] : applications) {
    RETURN_IF_ERROR(client
                        .Send("POST", PathOf(application, "sync"),
                              base::Json::MakeObject({{"requestedAt", value}}))
                        .status());
    asked.insert(application);
  }
  return asked;
}

}  // namespace

int SyncCommand(const Words& words) {
  int exit = 0;
  const std::optional<Arguments> arguments = ParseFlags(words, {{"--timeout"}, {}}, kHelp, exit);
  if (!arguments) return exit;
  const base::Result<base::Duration> timeout =
      arguments->GetDuration("--timeout", base::Duration::Minutes(10));
  if (!timeout.ok()) return Fail(timeout.status());
  base::Result<Client> client = Client::Connect(*arguments, *timeout + base::Duration::Seconds(30));
  if (!client.ok()) return Fail(client.status());
  const base::Result<std::string> name = ChooseName(*arguments, *client);
  if (!name.ok()) return Fail(name.status());
  const std::string value = WallClock().ToMicroString();
  const base::Result<std::set<std::string>> asked = Ask(*client, *name, value);
  if (!asked.ok()) return Fail(asked.status());
  bool failed = false;
  const base::Status status = FollowApplications(
      *client, *name, *timeout, [&](const std::string& application, const base::Json& object) {
        if (!asked->contains(application)) return true;  // it came since
        const SyncVerdict verdict = JudgeSync(object, value);
        if (!verdict.ended) return false;
        failed |= !verdict.healthy;
        std::printf("%s %s\n", application.c_str(), base::OneLine(verdict.message).c_str());
        return true;
      });
  if (status.code() == base::Code::kTimeout) {
    std::fprintf(stderr, "plumb: it has not ended after %s\n", timeout->ToString().c_str());
    return kTimedOut;
  }
  if (!status.ok()) return Fail(status);
  return failed ? kFailed : 0;
}

namespace {

int SetSuspended(const Words& words, bool suspend, const char* help) {
  int exit = 0;
  std::optional<Session> session = Begin(words, {{}, {}}, help, exit);
  if (!session) return exit;
  if (session->arguments.operands().size() != 1) return WrongUsage(help);
  const std::string& name = session->arguments.operands()[0];
  const base::Result<base::Json> done = session->client.Send(
      "POST", PathOf(name, "suspend"), base::Json::MakeObject({{"suspend", suspend}}));
  if (!done.ok()) return Fail(done.status());
  std::printf("application %s %s\n", name.c_str(),
              suspend ? "is suspended: nothing is applied until plumb resume" : "goes on");
  return 0;
}

}  // namespace

int SuspendCommand(const Words& words) {
  return SetSuspended(words, true,
                      "usage: plumb suspend NAME\n\n"
                      "Nothing is applied for the application NAME until plumb resume; what runs "
                      "stays.\n\n"
                      "Exit codes: 0 done, 1 failed, 2 wrong usage, 4 no such application, 5 not "
                      "allowed,\n6 the server cannot be reached.\n");
}

int ResumeCommand(const Words& words) {
  return SetSuspended(words, false,
                      "usage: plumb resume NAME\n\n"
                      "Goes on with the application NAME, at once with its newest commit.\n\n"
                      "Exit codes: 0 done, 1 failed, 2 wrong usage, 4 no such application, 5 not "
                      "allowed,\n6 the server cannot be reached.\n");
}

}  // namespace plumb
