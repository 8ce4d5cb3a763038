#include "plumb/commands/command_support.h"

#include <algorithm>
#include <cstdio>

#include "base/printable.h"
#include "plumb/endpoints.h"

namespace plumb {

std::optional<Arguments> ParseFlags(const Words& words, FlagSet flags, const char* help, int& exit,
                                    int wrong) {
  flags.with_value.insert(kKubeconfigFlag);
  flags.without.insert({"--help", "-h"});
  base::Result<Arguments> arguments = Arguments::Parse(words, flags);
  if (!arguments.ok()) {
    Fail(arguments.status());
    return exit = wrong, std::nullopt;
  }
  if (arguments->Has("--help") || arguments->Has("-h")) {
    std::printf(
        "%s\n  --kubeconfig FILE   which server, and as whom (default $KUBECONFIG, then "
        "/var/lib/plumb/kubeconfig)\n",
        help);
    return exit = 0, std::nullopt;
  }
  const std::string output = arguments->Get(kOutputFlag, "json");
  if (output != "json") {
    std::fprintf(stderr, "plumb: -o takes json, not \"%s\"\n", output.c_str());
    return exit = wrong, std::nullopt;
  }
  return *std::move(arguments);
}

std::optional<Session> Begin(const Words& words, FlagSet flags, const char* help, int& exit) {
  std::optional<Arguments> arguments = ParseFlags(words, std::move(flags), help, exit);
  if (!arguments) return std::nullopt;
  base::Result<Client> client = Client::Connect(*arguments);
  if (!client.ok()) return exit = Fail(client.status()), std::nullopt;
  return Session{*std::move(arguments), *std::move(client)};
}

int WrongUsage(const char* help) {
  std::fprintf(stderr, "%s", help);
  return 2;
}

bool WantsJson(const Arguments& arguments) { return arguments.Has(kOutputFlag); }

void PrintJson(const base::Json& json) {
  std::printf("%s\n", base::PrintableJson(json.ToString()).c_str());
  std::fflush(stdout);
}

std::string CellText(const base::Json& cell) {
  return base::OneLine(cell.IsString() ? std::string(cell.AsString()) : cell.ToString());
}

base::Result<std::string> ChooseRepository(const Arguments& arguments, Client& client,
                                           const LocalGit* git) {
  if (arguments.Has("--repo")) return arguments.Get("--repo");
  std::vector<std::string> names;
  if (git != nullptr) names = git->Repositories();
  std::string where = "the remotes of this checkout";
  if (names.empty()) {
    ASSIGN_OR_RETURN(const base::Json list,
                     client.Get(std::string(kConsolePrefix) + "/repositories"));
    for (const base::Json& each : list.Elements()) {
      const std::string name(each["repository"].AsString());
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    where = "the server's repositories";
  }
  if (names.size() == 1) return names.front();
  if (names.empty()) {
    return base::Status(base::Code::kNotFound,
                        "the server has no repository yet; make one with 'plumb repo create NAME'");
  }
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return base::Status(base::Code::kInvalid,
                      "which repository? Choose one of " + where + " with --repo: " + all);
}

}  // namespace plumb
