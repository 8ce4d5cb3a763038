// plumb: one program. The first word names the command; each command has its own --help.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/edge/log.h"
#include "plumb/commands/arguments.h"
#include "plumb/commands/commands.h"
#include "plumb/dev/commands.h"
#include "plumb/dev/forwarder.h"
#include "plumb/version.h"

namespace plumb {
namespace {

struct Command {
  const char* name;
  int (*run)(const Words& words);
  const char* summary;  // null: internal, not listed
};

int VersionCommand(const Words& words) {
  const base::Result<Arguments> arguments = Arguments::Parse(words, {{"-o"}, {"--help", "-h"}});
  if (!arguments.ok()) return Fail(arguments.status());
  if (arguments->Has("--help") || arguments->Has("-h")) {
    std::printf("usage: plumb version [-o json]\n");
  } else if (arguments->Get("-o") == "json") {
    std::printf("{\"kubernetes\":\"%s\",\"plumb\":\"%s\"}\n", kKubernetesVersion, kVersion);
  } else if (arguments->Has("-o")) {
    return Fail(base::Status(base::Code::kInvalid, "-o takes json"));
  } else {
    std::printf("plumb %s (Kubernetes API %s)\n", kVersion, kKubernetesVersion);
  }
  return 0;
}

constexpr Command kCommands[] = {
    {"up", UpCommand, "a server and a node in one process: the appliance on one machine"},
    {"server", ServerCommand, "the control plane: store, API, Git host, controllers, scheduler"},
    {"agent", AgentCommand, "a node: runs the pods that the control plane places here"},
    {"dev", DevCommand, "a cluster of several nodes on this machine, in network namespaces"},
    {"repo", RepoCommand, "create, list and delete the repositories that are deployed"},
    {"status", StatusCommand, "what is deployed, and how it is"},
    {"diff", DiffCommand, "what a push would change"},
    {"wait", WaitCommand, "wait until a deploy is healthy or has failed"},
    {"sync", SyncCommand, "apply again what a repository says, now"},
    {"suspend", SuspendCommand, "apply nothing more for an application, for a while"},
    {"resume", ResumeCommand, "go on with an application that was suspended"},
    {"backup", BackupCommand, "write all that the server is made of into a file"},
    {"restore", RestoreCommand, "make a server's data directory from a backup"},
    {"token", TokenCommand, "create, list and revoke the tokens of people and pipelines"},
    {"version", VersionCommand, "print the version"},
    {"dev-forward", DevForwardCommand, nullptr},
};

void PrintHelp(std::FILE* out) {
  std::fprintf(out,
               "plumb keeps a cluster of machines plumb with a Git repository.\n\nusage: plumb "
               "COMMAND [FLAGS]\n\n");
  for (const Command& command : kCommands) {
    if (command.summary != nullptr) std::fprintf(out, "  %-9s %s\n", command.name, command.summary);
  }
  std::fprintf(out,
               "\n'plumb COMMAND --help' explains one. Exit codes: 0 done, 1 failed, 2 wrong usage "
               "or input, 3 timed out,\n"
               "4 not found, 5 not allowed, 6 not reachable; diff and wait have codes of their "
               "own.\n");
}

}  // namespace

int Main(const Words& words) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    PrintHelp(words.empty() ? stderr : stdout);
    return words.empty() ? 2 : 0;
  }
  for (const Command& command : kCommands) {
    if (words[0] == command.name) return command.run(Words(words.begin() + 1, words.end()));
  }
  std::fprintf(stderr, "plumb: there is no command \"%s\"\n\n", words[0].c_str());
  PrintHelp(stderr);
  return 2;
}

// Everybody can read a process's command line: a token on it is gone from there before anything
// else is done. --token-file leaves it no moment.
void HideTokens(int argc, char** argv) {
  constexpr std::string_view kFlag = "--token";
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    char* secret = nullptr;
    if (word == kFlag && i + 1 < argc) secret = argv[i + 1];
    if (word.starts_with("--token=")) secret = argv[i] + kFlag.size() + 1;
    if (secret != nullptr) std::memset(secret, 'x', std::strlen(secret));
  }
}

}  // namespace plumb

int main(int argc, char** argv) {
  const plumb::Words words(argv + 1, argv + argc);
  plumb::HideTokens(argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);  // what went wrong is said in our words
  return plumb::Main(words);
}
