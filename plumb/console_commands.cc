// plumb repo, token, status and wait: what people ask of a server, by its kubeconfig.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "plumb/client.h"
#include "plumb/commands.h"

namespace plumb {
namespace {

constexpr const char* kConsole = "/plumb/v1";

void PrintTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 3, ' ');
    }
    std::printf("%s\n", line.c_str());
  }
}

std::string CellText(const base::Json& cell) {
  return cell.IsString() ? std::string(cell.AsString()) : cell.ToString();
}

// Parses, connects, or says why not. Absent: the exit code is in `exit`.
struct Session {
  Arguments arguments;
  Client client;
};
std::optional<Session> Begin(const Words& words, FlagSet flags, const char* help, int& exit) {
  flags.with_value.insert(kKubeconfigFlag);
  flags.without.insert({"--help", "-h"});
  base::Result<Arguments> arguments = Arguments::Parse(words, flags);
  if (!arguments.ok()) return exit = Fail(arguments.status()), std::nullopt;
  if (arguments->Has("--help") || arguments->Has("-h")) {
    std::printf(
        "%s\n  --kubeconfig FILE   which server (default $KUBECONFIG, then "
        "/var/lib/plumb/kubeconfig)\n",
        help);
    return exit = 0, std::nullopt;
  }
  base::Result<Client> client = Client::Connect(*arguments);
  if (!client.ok()) return exit = Fail(client.status()), std::nullopt;
  return Session{*std::move(arguments), *std::move(client)};
}

int WrongUsage(const char* help) {
  std::fprintf(stderr, "%s", help);
  return 2;
}

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
  const base::Result<base::Json> list = session.client.Get(std::string(kConsole) + "/repositories");
  if (!list.ok()) return Fail(list.status());
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "READY", "REVISION", "OBJECTS", "MESSAGE"}};
  for (const base::Json& each : list->Elements()) {
    rows.push_back({CellText(each["name"]), CellText(each["ready"]), CellText(each["revision"]),
                    CellText(each["objects"]), CellText(each["message"])});
  }
  PrintTable(rows);
  return 0;
}

// A repository's record, once it is no longer in progress; absent while it is.
std::optional<int> Outcome(const base::Json& repository, const std::string& revision) {
  const std::string_view applied = repository["revision"].AsString();
  const std::string_view reason = repository["reason"].AsString();
  if (!revision.empty() && applied.find(revision) == std::string_view::npos &&
      reason != "Progressing" && !applied.empty() && repository["ready"].AsString() == "True") {
    return 2;  // another revision is what runs now
  }
  if (repository["ready"].AsString() == "True") return 0;
  if (repository["ready"].AsString() == "False") return 1;
  return std::nullopt;
}

}  // namespace

int RepoCommand(const Words& words) {
  constexpr const char* kHelp =
      "usage: plumb repo create NAME [--branch BRANCH] [--namespaces A,B] [--default-namespace "
      "NS]\n"
      "       plumb repo list\n"
      "       plumb repo delete NAME    what it deployed stays\n\n"
      "A push to the branch of a repository is a deploy.\n";
  int exit = 0;
  std::optional<Session> session =
      Begin(words, {{"--branch", "--namespaces", "--default-namespace"}, {}}, kHelp, exit);
  if (!session) return exit;
  const std::vector<std::string>& operands = session->arguments.operands();
  if (operands.size() == 1 && operands[0] == "list") return ListRepositories(*session);
  if (operands.size() != 2) return WrongUsage(kHelp);
  const std::string path = std::string(kConsole) + "/repositories";
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
    done = session->client.Send("DELETE", path + "/" + operands[1], base::Json());
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
      "       plumb token list\n"
      "       plumb token revoke NAME\n\n"
      "For Git the token is the password, for the API it is a bearer token.\n";
  int exit = 0;
  std::optional<Session> session = Begin(words, {{"--role"}, {}}, kHelp, exit);
  if (!session) return exit;
  const std::vector<std::string>& operands = session->arguments.operands();
  const std::string path = std::string(kConsole) + "/tokens";
  if (operands.size() == 1 && operands[0] == "list") {
    const base::Result<base::Json> list = session->client.Get(path);
    if (!list.ok()) return Fail(list.status());
    std::vector<std::vector<std::string>> rows = {{"NAME", "ROLE"}};
    for (const base::Json& each : list->Elements())
      rows.push_back({CellText(each["name"]), CellText(each["role"])});
    PrintTable(rows);
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
        session->client.Send("DELETE", path + "/" + operands[1], base::Json());
    if (!done.ok()) return Fail(done.status());
    std::printf("token %s is revoked\n", operands[1].c_str());
    return 0;
  }
  return WrongUsage(kHelp);
}

int StatusCommand(const Words& words) {
  constexpr const char* kHelp =
      "usage: plumb status\n\nThe repositories, what they deployed, and the nodes.\n";
  int exit = 0;
  std::optional<Session> session = Begin(words, {}, kHelp, exit);
  if (!session) return exit;
  if (const int failed = ListRepositories(*session); failed != 0) return failed;
  for (const auto& [title, path] :
       {std::pair("DEPLOYMENTS", "/apis/apps/v1/deployments"), std::pair("PODS", "/api/v1/pods"),
        std::pair("NODES", "/api/v1/nodes")}) {
    const base::Result<base::Json> table = session->client.GetTable(path);
    if (!table.ok()) return Fail(table.status());
    std::printf("\n%s\n", title);
    std::vector<std::vector<std::string>> rows(1);
    std::vector<size_t> shown;
    const base::Json::Array& columns = (*table)["columnDefinitions"].Elements();
    if (std::string_view(title) != "NODES") rows[0].push_back("NAMESPACE");
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i]["priority"].AsInt() != 0) continue;
      shown.push_back(i);
      std::string name(columns[i]["name"].AsString());
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return std::toupper(c); });
      rows[0].push_back(name);
    }
    for (const base::Json& row : (*table)["rows"].Elements()) {
      std::vector<std::string> cells;
      if (std::string_view(title) != "NODES")
        cells.push_back(CellText(row["object"]["metadata"]["namespace"]));
      for (const size_t i : shown) cells.push_back(CellText(row["cells"].At(i)));
      rows.push_back(std::move(cells));
    }
    PrintTable(rows);
  }
  return 0;
}

int WaitCommand(const Words& words) {
  constexpr const char* kHelp =
      "usage: plumb wait [REVISION] [--repo NAME] [--timeout 10m]\n\n"
      "Waits until the deploy has ended. Exit codes: 0 healthy, 1 failed, 2 superseded, 3 timed "
      "out.\n";
  int exit = 0;
  std::optional<Session> session = Begin(words, {{"--repo", "--timeout"}, {}}, kHelp, exit);
  if (!session) return exit;
  const base::Result<base::Duration> timeout =
      session->arguments.GetDuration("--timeout", base::Duration::Minutes(10));
  if (!timeout.ok()) return Fail(timeout.status());
  const std::string revision =
      session->arguments.operands().empty() ? "" : session->arguments.operands()[0];
  const std::string wanted = session->arguments.Get("--repo");
  constexpr int64_t kPollMillis = 500;
  for (int64_t waited = 0; waited <= timeout->millis(); waited += kPollMillis) {
    const base::Result<base::Json> list =
        session->client.Get(std::string(kConsole) + "/repositories");
    if (!list.ok()) return Fail(list.status());
    for (const base::Json& each : list->Elements()) {
      if (!wanted.empty() && each["name"].AsString() != wanted) continue;
      const std::optional<int> outcome = Outcome(each, revision);
      if (!outcome) continue;
      std::printf("%s: %s\n", CellText(each["name"]).c_str(), CellText(each["message"]).c_str());
      return *outcome;
    }
    usleep(kPollMillis * 1000);
  }
  std::fprintf(stderr, "plumb: the deploy has not ended after %s\n", timeout->ToString().c_str());
  return 3;
}

}  // namespace plumb
