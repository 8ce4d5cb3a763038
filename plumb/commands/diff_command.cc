// plumb diff.
#include <cstdio>

#include "base/net/http.h"
#include "plumb/commands/command_support.h"
#include "plumb/commands/follow_applications.h"
#include "plumb/commands/terminal.h"
#include "plumb/endpoints.h"
#include "plumb/reports/diff_report.h"
#include "plumb/server/edge/diff_route.h"

namespace plumb {
namespace {

constexpr int kNoDifference = 0, kDifferences = 1, kTrouble = 2;

constexpr const char* kHelp =
    "usage: plumb diff [REVISION] [--repo NAME] [-o json]\n\n"
    "What a push of REVISION (default: HEAD of this checkout) would change, compared with what is\n"
    "live now. Nothing is pushed and nothing is changed. A commit need not be pushed before; an\n"
    "older one shows what a rollback would do. Outside of a checkout, or for a commit that the\n"
    "checkout lacks, REVISION is one that the server has: a commit, its beginning, or a branch.\n"
    "Values of Secrets are not shown: equal ones have the same number.\n\n"
    "Exit codes: 0 no difference, 1 differences, 2 it could not be found out, or the push would "
    "be\n"
    "refused.\n\n"
    "  --repo NAME         a repository of the server, for all of its applications, or one\n"
    "                      application (default: the repository of this checkout's remote)\n"
    "  -o json             for scripts: every object before and after\n";

int Trouble(const base::Status& status) {
  Fail(status);
  return kTrouble;
}

struct Question {
  std::string query;
  std::string body;  // empty: the server has the commit
};

// Whether an application of the same source has a path, wherever it leads.
bool HasPaths(const base::Json& kustomizations, const std::string& name) {
  const auto source_of = [](const base::Json& object) {
    return object["spec"]["sourceRef"]["name"].AsString();
  };
  std::string source = name;
  for (const base::Json& each : kustomizations["items"].Elements()) {
    if (each["metadata"]["name"].AsString() == name) source = source_of(each);
  }
  for (const base::Json& each : kustomizations["items"].Elements()) {
    const bool same = source_of(each) == source || source_of(each) == name;
    if (same && !each["spec"]["path"].AsString().empty()) return true;
  }
  return false;
}

// The commit as the checkout has it, else by its name on the server.
base::Result<Question> Ask(const Arguments& arguments, Client& client) {
  if (arguments.operands().size() > 1) {
    return base::Status(base::Code::kInvalid, "one revision at a time; see plumb diff --help");
  }
  const std::string revision = arguments.operands().empty() ? "" : arguments.operands()[0];
  const base::Result<LocalGit> git = LocalGit::Open();
  if (!git.ok() && !arguments.Has("--repo")) return git.status();
  ASSIGN_OR_RETURN(const std::string repository,
                   ChooseRepository(arguments, client, git.ok() ? &*git : nullptr));
  Question question{"?repository=" + base::PercentEncode(repository), ""};
  if (git.ok()) {
    const base::Result<std::string> commit = git->Commit(revision.empty() ? "HEAD" : revision);
    if (commit.ok()) {
      ASSIGN_OR_RETURN(const base::Json list, client.Get(kKustomizationList));
      ASSIGN_OR_RETURN(const SourceArchive archive,
                       git->Archive(*commit, HasPaths(list, repository)));
      question.body = EncodeArchive(archive);
      if (revision.empty() && git->HasUncommittedChanges()) {
        std::fprintf(stderr, "note: changes that are not committed are left out\n");
      }
      return question;
    }
    if (revision.empty()) return commit.status();
  }
  question.query += "&revision=" + base::PercentEncode(revision);
  return question;
}

}  // namespace

int DiffCommand(const Words& words) {
  int exit = 0;
  const std::optional<Arguments> arguments =
      ParseFlags(words, {{"--repo", kOutputFlag}, {}}, kHelp, exit, kTrouble);
  if (!arguments) return exit;
  base::Result<Client> client = Client::Connect(*arguments);
  if (!client.ok()) return Trouble(client.status());
  base::Result<Question> question = Ask(*arguments, *client);
  if (!question.ok()) return Trouble(question.status());
  const base::Result<base::Json> report = client->Post(
      kDiffPath + question->query, "application/octet-stream", std::move(question->body));
  if (!report.ok()) return Trouble(report.status());
  if (WantsJson(*arguments)) {
    PrintJson(*report);
  } else {
    for (const base::Json& warning : (*report)["warnings"].Elements()) {
      std::fprintf(stderr, "warning: %s\n", CellText(warning).c_str());
    }
    for (const base::Json& error : (*report)["errors"].Elements()) {
      std::fprintf(stderr, "%s\n", CellText(error).c_str());
    }
    // What differs is worth knowing of a refused push, too: of a suspended repository, its drift.
    if (!WouldBeRefused(*report) || HasDifferences(*report))
      std::fputs(DiffText(*report, OutputStyle()).c_str(), stdout);
  }
  if (WouldBeRefused(*report)) {
    std::fprintf(stderr, "plumb: a push of this commit would be refused\n");
    return kTrouble;
  }
  return HasDifferences(*report) ? kDifferences : kNoDifference;
}

}  // namespace plumb
