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

namespace {

constexpr const char* kTokenHelp =
    "usage: plumb token create NAME [--role admin|deployer|viewer] [--ttl DURATION]\n"
    "           [--repo A,B] [--branch B,C] [--verbs fetch,push]    prints the secret, once\n"
    "       plumb token create [NAME] --join [--ttl DURATION] [--uses N] [--node NODE]\n"
    "       plumb token list [-o json]\n"
    "       plumb token revoke NAME\n"
    "       plumb token revoke --node NODE | --certificate SERIAL\n\n"
    "For Git the token is the password (any user name), for the API a bearer token.\n"
    "admin may do all, a deployer may push and change what is deployed, a viewer may read all\n"
    "but Secrets. docs/roles.md has it whole. What is revoked counts no more at once: watches,\n"
    "logs and commands that it opened end.\n\n"
    "  --role ROLE           default deployer\n"
    "  --ttl DURATION        it expires after 90s, 10m, 24h (default: never; with --join 24h)\n"
    "  --repo A,B            it is for these repositories, and for nothing else there is\n"
    "  --branch B,C          it pushes to these branches only\n"
    "  --verbs A,B           it does these only: fetch, push, sync, suspend, get, list, watch, "
    "...\n"
    "  --join                a token that machines join with: plumb agent --token-file FILE\n"
    "  --uses N              so many machines may join with it (default: any number)\n"
    "  --node NODE           of --join: it is for a node of this name, even if that is live;\n"
    "                        of revoke: the node's certificates count no more\n"
    "  --certificate SERIAL  as openssl x509 -noout -serial says it\n\n"
    "Exit codes: 0 done, 1 failed or there already, 2 wrong usage, 4 no such token, 5 not "
    "allowed,\n"
    "6 the server cannot be reached.\n";

constexpr const char* kJoinTtl = "24h";

std::string WordsIn(const base::Json& list) {
  std::string text;
  for (const base::Json& each : list.Elements())
    text += (text.empty() ? "" : ",") + std::string(each.AsString());
  return text;
}

// What a token is bound to, in the words of the flags.
std::string BoundTo(const base::Json& token) {
  std::string text;
  const auto add = [&](const std::string& what, const std::string& value) {
    if (!value.empty()) text += (text.empty() ? "" : " ") + what + "=" + value;
  };
  add("repo", WordsIn(token["repositories"]));
  add("branch", WordsIn(token["branches"]));
  add("verbs", WordsIn(token["verbs"]));
  add("node", std::string(token["node"].AsString()));
  add("uses", token.Has("uses") ? CellText(token["uses"]) : "");
  return text;
}

int ListTokens(Session& session, const std::string& path) {
  const base::Result<base::Json> list = session.client.Get(path);
  if (!list.ok()) return Fail(list.status());
  if (WantsJson(session.arguments)) return PrintJson(*list), 0;
  std::vector<std::vector<std::string>> rows = {{"NAME", "ROLE", "EXPIRES", "BOUND TO"}};
  for (const base::Json& each : list->Elements()) {
    rows.push_back({CellText(each["name"]), CellText(each["role"]),
                    each.Has("expires") ? CellText(each["expires"]) : "never", BoundTo(each)});
  }
  std::fputs(TableText(rows).c_str(), stdout);
  return 0;
}

base::Result<base::Json> WantedToken(const Arguments& arguments) {
  const bool join = arguments.Has("--join");
  base::Json body =
      base::Json::MakeObject({{"role", join ? "join" : arguments.Get("--role", "deployer")}});
  if (arguments.operands().size() > 1) body.Set("name", arguments.operands()[1]);
  if (join || arguments.Has("--ttl")) body.Set("ttl", arguments.Get("--ttl", join ? kJoinTtl : ""));
  for (const auto& [flag, field] :
       {std::pair("--repo", "repositories"), std::pair("--branch", "branches"),
        std::pair("--verbs", "verbs")}) {
    if (arguments.Has(flag)) body.Set(field, Strings(arguments.Get(flag)));
  }
  if (arguments.Has("--node")) body.Set("node", arguments.Get("--node"));
  if (arguments.Has("--uses")) {
    const base::Result<base::Json> uses = base::ParseJson(arguments.Get("--uses"));
    if (!uses.ok() || !uses->IsInt() || uses->AsInt() < 1)
      return base::Status(base::Code::kInvalid, "--uses takes a number of at least 1");
    body.Set("uses", *uses);
  }
  return body;
}

int CreateToken(Session& session, const std::string& path) {
  const base::Result<base::Json> wanted = WantedToken(session.arguments);
  if (!wanted.ok()) return Fail(wanted.status());
  const base::Result<base::Json> made = session.client.Send("POST", path, *wanted);
  if (!made.ok()) return Fail(made.status());
  std::printf("%s\n", std::string((*made)["secret"].AsString()).c_str());
  return 0;
}

int DenyCertificates(Session& session) {
  const Arguments& arguments = session.arguments;
  const std::string node = arguments.Get("--node"), serial = arguments.Get("--certificate");
  const base::Result<base::Json> done =
      session.client.Send("POST", std::string(kConsolePrefix) + "/denied",
                          serial.empty() ? base::Json::MakeObject({{"node", node}})
                                         : base::Json::MakeObject({{"serial", serial}}));
  if (!done.ok()) return Fail(done.status());
  if (serial.empty()) {
    std::printf("the certificates of node %s count no more; kubectl delete node %s removes it\n",
                node.c_str(), node.c_str());
  } else {
    std::printf("certificate %s counts no more\n", serial.c_str());
  }
  return 0;
}

}  // namespace

int TokenCommand(const Words& words) {
  int exit = 0;
  std::optional<Session> session = Begin(words,
                                         {{"--role", "--ttl", "--repo", "--branch", "--verbs",
                                           "--uses", "--node", "--certificate", kOutputFlag},
                                          {"--join"}},
                                         kTokenHelp, exit);
  if (!session) return exit;
  const std::vector<std::string>& operands = session->arguments.operands();
  const std::string path = std::string(kConsolePrefix) + "/tokens";
  const std::string verb = operands.empty() ? "" : operands[0];
  const bool join = session->arguments.Has("--join");
  if (verb == "list" && operands.size() == 1) return ListTokens(*session, path);
  if (verb == "create" && (operands.size() == 2 || (join && operands.size() == 1)))
    return CreateToken(*session, path);
  const bool certificates =
      session->arguments.Has("--node") != session->arguments.Has("--certificate");
  if (verb == "revoke" && operands.size() == 1 && certificates) return DenyCertificates(*session);
  if (verb != "revoke" || operands.size() != 2) return WrongUsage(kTokenHelp);
  const base::Result<base::Json> done =
      session->client.Send("DELETE", path + "/" + base::PercentEncode(operands[1]), base::Json());
  if (!done.ok()) return Fail(done.status());
  std::printf("token %s is revoked\n", operands[1].c_str());
  return 0;
}

}  // namespace plumb
