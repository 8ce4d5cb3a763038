// plumb repo and plumb token: what people ask of a server, by its kubeconfig.
#include <cstdio>
#include <optional>

#include "base/net/http.h"
#include "plumb/commands/command_support.h"
#include "plumb/commands/terminal.h"
#include "plumb/endpoints.h"

namespace plumb {
namespace {

base::Json Strings(const std::string& commas) {
  base::Json list = base::Json::MakeArray();
  for (size_t start = 0; start < commas.size();) {
    const size_t end = std::min(commas.find(',', start), commas.size());
    if (end > start) list.Append(commas.substr(start, end - start));
    start = end + 1;
  }
  return list;
}

int ListRepositories(Session& session) {
  const base::Result<base::Json> list =
      session.client.Get(std::string(kConsolePrefix) + "/repositories");
  if (!list.ok()) return Fail(list.status());
  if (WantsJson(session.arguments)) return PrintJson(*list), 0;
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "READY", "REVISION", "OBJECTS", "MESSAGE"}};
  for (const base::Json& each : list->Elements()) {
    rows.push_back({CellText(each["name"]), CellText(each["ready"]), CellText(each["revision"]),
                    CellText(each["objects"]), CellText(each["message"])});
  }
  std::fputs(TableText(rows).c_str(), stdout);
  return 0;
}

}  // namespace

int RepoCommand(const Words& words) {
  constexpr const char* kHelp =
      "usage: plumb repo create NAME [--branch BRANCH] [--namespaces A,B] [--default-namespace "
      "NS]\n"
      "       plumb repo list [-o json]\n"
      "       plumb repo delete NAME    what it deployed stays\n\n"
      "A push to the branch of a repository is a deploy.\n\n"
      "  --branch BRANCH         the branch that is deployed (default main)\n"
      "  --namespaces A,B        the repository may touch these only (default: all but plumb's)\n"
      "  --default-namespace NS  for objects that name none (default: the first of --namespaces,\n"
      "                          else \"default\")\n\n"
      "Exit codes: 0 done, 1 failed or there already, 2 wrong usage or name, 4 no such "
      "repository,\n"
      "5 not allowed, 6 the server cannot be reached.\n";
  int exit = 0;
  std::optional<Session> session = Begin(
      words, {{"--branch", "--namespaces", "--default-namespace", kOutputFlag}, {}}, kHelp, exit);
  if (!session) return exit;
  const std::vector<std::string>& operands = session->arguments.operands();
  if (operands.size() == 1 && operands[0] == "list") return ListRepositories(*session);
  if (operands.size() != 2) return WrongUsage(kHelp);
  const std::string path = std::string(kConsolePrefix) + "/repositories";
  base::Result<base::Json> done = base::Json();
  if (operands[0] == "create") {
    base::Json body = base::Json::MakeObject({{"name", operands[1]}});
    if (session->arguments.Has("--branch")) body.Set("branch", session->arguments.Get("--branch"));
    if (session->arguments.Has("--namespaces"))
      body.Set("namespaces", Strings(session->arguments.Get("--namespaces")));
    if (session->arguments.Has("--default-namespace")) {
      body.Set("defaultNamespace", session->arguments.Get("--default-namespace"));
    }
    done = session->client.Send("POST", path, body);
    if (done.ok())
      std::printf("repository %s is at %s/git/%s.git\n", operands[1].c_str(),
                  session->client.url().c_str(), operands[1].c_str());
  } else if (operands[0] == "delete") {
    done =
        session->client.Send("DELETE", path + "/" + base::PercentEncode(operands[1]), base::Json());
    if (done.ok())
      std::printf("repository %s is deleted; what it deployed stays\n", operands[1].c_str());
  } else {
    return WrongUsage(kHelp);
  }
  return done.ok() ? 0 : Fail(done.status());
}

int TokenCommand(const Words& words) {
  constexpr const char* kHelp =
      "usage: plumb token create NAME --role admin|deployer|viewer    prints the secret, once\n"
      "       plumb token list [-o json]\n"
      "       plumb token revoke NAME\n\n"
      "For Git the token is the password (any user name), for the API a bearer token.\n"
      "admin may do all, a deployer may push and change what is deployed, a viewer may read all\n"
      "but Secrets.\n\n"
      "Exit codes: 0 done, 1 failed or there already, 2 wrong usage, 4 no such token, 5 not "
      "allowed,\n"
      "6 the server cannot be reached.\n";
  int exit = 0;
  std::optional<Session> session = Begin(words, {{"--role", kOutputFlag}, {}}, kHelp, exit);
  if (!session) return exit;
  const std::vector<std::string>& operands = session->arguments.operands();
  const std::string path = std::string(kConsolePrefix) + "/tokens";
  if (operands.size() == 1 && operands[0] == "list") {
    const base::Result<base::Json> list = session->client.Get(path);
    if (!list.ok()) return Fail(list.status());
    if (WantsJson(session->arguments)) return PrintJson(*list), 0;
    std::vector<std::vector<std::string>> rows = {{"NAME", "ROLE"}};
    for (const base::Json& each : list->Elements())
      rows.push_back({CellText(each["name"]), CellText(each["role"])});
    std::fputs(TableText(rows).c_str(), stdout);
    return 0;
  }
  if (operands.size() == 2 && operands[0] == "create") {
    const base::Result<base::Json> made = session->client.Send(
        "POST", path,
        base::Json::MakeObject(
            {{"name", operands[1]}, {"role", session->arguments.Get("--role", "deployer")}}));
    if (!made.ok()) return Fail(made.status());
    std::printf("%s\n", std::string((*made)["secret"].AsString()).c_str());
    return 0;
  }
  if (operands.size() == 2 && operands[0] == "revoke") {
    const base::Result<base::Json> done =
        session->client.Send("DELETE", path + "/" + base::PercentEncode(operands[1]), base::Json());
    if (!done.ok()) return Fail(done.status());
    std::printf("token %s is revoked\n", operands[1].c_str());
    return 0;
  }
  return WrongUsage(kHelp);
}

}  // namespace plumb
