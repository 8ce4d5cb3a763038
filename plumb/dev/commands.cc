#include "plumb/dev/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "base/json.h"
#include "plumb/dev/cluster.h"
#include "plumb/dev/daemons.h"

namespace plumb {
namespace {

constexpr char kDefaultParent[] = "/var/lib/plumb-dev/";
constexpr int kUsage = 2;

constexpr char kHelp[] =
    R"(plumb dev: a cluster on this machine, for trying plumb and for tests

Each node is a network namespace with a containerd of its own; the control plane and an image
registry have one each. No address of the cluster exists outside of them: from here the API and the
registry are reached through ports of 127.0.0.1. Needs root.

usage: plumb dev COMMAND [OPTIONS]

  up                    make and start what is missing; run again after a crash or a reboot
      --nodes N         number of nodes, 1 to 50 (default 3); a cluster can grow
      --api-port P      port of 127.0.0.1 for the API (default: any free one, then the same)
      --registry-port P port of 127.0.0.1 for the registry
  down                  end and remove everything: processes, mounts, namespaces, files
  status [-o json]      what runs; exit code 1 if something does not
  exec MEMBER -- CMD    run CMD in the network of node1, node2, ..., server or registry, with
                        KUBECONFIG, and on a node CONTAINERD_ADDRESS, set
  logs MEMBER [-f]      the log of a member's daemon
  kill MEMBER           end all its processes at once, containers included, as a power cut would;
                        `plumb dev up` switches it on again

options of all:
  --dir DIR             everything is kept here (default /var/lib/plumb-dev/NAME)
  --name NAME           name of the cluster (default "dev"); clusters run side by side

images: manifests name registry:5000/hello:1, hello:2 (a small HTTP server in two versions) and
tools:1 (a shell). Your own: skopeo copy --dest-tls-verify=false SOURCE \
  docker://127.0.0.1:REGISTRY-PORT/NAME:TAG, and registry:5000/NAME:TAG in the manifest.

exit codes: 0 done, 1 failed, 2 not understood; exec: that of CMD
)";

struct CommandLine {
  std::string command;
  std::string directory;
  std::string name = "dev";
  int nodes = 0;
  int api_port = 0;
  int registry_port = 0;
  bool json = false;
  bool follow = false;
  base::Faults faults{0};
  std::vector<std::string> words;  // without an option's dashes
  std::vector<std::string> behind_dashes;
};

int Fail(const base::Status& status) {
  fprintf(stderr, "plumb dev: %s\n", std::string(status.message()).c_str());
  return 1;
}

base::Result<int> ParseNumber(const std::string& option, const std::string& text, int max) {
  char* end = nullptr;
  long value = strtol(text.c_str(), &end, 10);
  if (!text.empty() && *end == '\0' && value >= 1 && value <= max) return static_cast<int>(value);
  return {base::Code::kInvalid,
          option + " takes a number from 1 to " + std::to_string(max) + ", not \"" + text + "\""};
}

base::Status SetOption(const std::string& option, const std::string& value, CommandLine& line) {
  auto number = [&](int max, int& target) -> base::Status {
    ASSIGN_OR_RETURN(target, ParseNumber(option, value, max));
    return {};
  };
  if (option == "--dir") {
    line.directory = value;
  } else if (option == "--name") {
    line.name = value;
  } else if (option == "--nodes") {
    return number(kMaxDevNodes, line.nodes);
  } else if (option == "--api-port") {
    return number(65535, line.api_port);
  } else if (option == "--registry-port") {
    return number(65535, line.registry_port);
  } else if (option == "--fault") {  // of tests: the process ends at this point
    line.faults.SetOnce(value);
  } else if (option == "-o" && (value == "json" || value == "table")) {
    line.json = value == "json";
  } else if (option == "-o") {
    return {base::Code::kInvalid, "-o takes json or table, not \"" + value + "\""};
  } else {
    return {base::Code::kInvalid, "there is no option " + option};
  }
  return {};
}

base::Status CheckName(const std::string& name) {
  bool good = !name.empty() && name.size() <= 32 && name[0] != '-';
  for (char c : name) {
    good = good && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
  }
  if (good) return {};
  return {base::Code::kInvalid, "\"" + name +
                                    "\" is no name for a cluster: lower-case letters, "
                                    "digits and dashes, at most 32"};
}

base::Result<CommandLine> Parse(const std::vector<std::string>& args) {
  CommandLine line;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& word = args[i];
    if (word == "--") {
      line.behind_dashes.assign(args.begin() + static_cast<long>(i) + 1, args.end());
      break;
    }
    if (word == "-f" || word == "--follow") {
      line.follow = true;
    } else if (word.size() > 1 && word[0] == '-') {
      size_t equals = word.find('=');
      if (equals == std::string::npos && i + 1 == args.size()) {
        return {base::Code::kInvalid, word + " is no option, or lacks its value"};
      }
      std::string value = equals == std::string::npos ? args[++i] : word.substr(equals + 1);
      RETURN_IF_ERROR(SetOption(word.substr(0, equals), value, line));
    } else if (line.command.empty()) {
      line.command = word;
    } else {
      line.words.push_back(word);
    }
  }
  RETURN_IF_ERROR(CheckName(line.name));
  if (line.directory.empty()) line.directory = kDefaultParent + line.name;
  return line;
}

int RunUp(CommandLine& line) {
  DevOptions options;
  options.directory = line.directory;
  options.name = line.name;
  options.nodes = line.nodes;
  options.api_port = static_cast<uint16_t>(line.api_port);
  options.registry_port = static_cast<uint16_t>(line.registry_port);
  options.faults = &line.faults;
  options.progress = [](std::string_view text) {
    printf("  %.*s\n", static_cast<int>(text.size()), text.data());
    fflush(stdout);
  };
  base::Result<ClusterRecord> record = Up(options);
  if (!record.ok()) {
    Fail(record.status());
    if (access(RecordPath(line.directory).c_str(), F_OK) == 0) {
      fprintf(stderr, "`plumb dev up` goes on from here, `plumb dev down` removes it; --dir %s\n",
              line.directory.c_str());
    }
    return 1;
  }
  std::string kubeconfig = KubeconfigPath(record->directory);
  std::string where =
      record->directory == kDefaultParent + std::string("dev") ? "" : " --dir " + record->directory;
  printf(
      "cluster \"%s\" is up. Try:\n"
      "  export KUBECONFIG=%s\n"
      "  kubectl get nodes\n"
      "  plumb dev status%s\n"
      "  plumb dev down%s\n",
      record->name.c_str(), kubeconfig.c_str(), where.c_str(), where.c_str());
  return 0;
}

std::string Word(const std::optional<bool>& runs) {
  return !runs ? "-" : *runs ? "running" : "down";
}

void PrintTable(const ClusterState& state) {
  printf("%-10s %-24s %-12s %-8s %-8s %s\n", "MEMBER", "NAMESPACE", "IP", "PID", "STATE",
         "CONTAINERD");
  for (const MemberState& one : state.members) {
    printf("%-10s %-24s %-12s %-8s %-8s %s\n", one.member.name.c_str(),
           one.member.network_namespace.c_str(), one.member.address.c_str(),
           one.pid ? std::to_string(*one.pid).c_str() : "-", Word(one.pid.has_value()).c_str(),
           Word(one.containerd).c_str());
  }
  printf("\nAPI https://127.0.0.1:%u, registry 127.0.0.1:%u (forwarder: %s)\n",
         state.record.api_port, state.record.registry_port, Word(state.forwarding).c_str());
  printf("KUBECONFIG=%s\n", KubeconfigPath(state.record.directory).c_str());
}

void PrintJson(const ClusterState& state) {
  base::Json members = base::Json::MakeArray();
  for (const MemberState& one : state.members) {
    base::Json json = base::Json::MakeObject({{"name", one.member.name},
                                              {"namespace", one.member.network_namespace},
                                              {"ip", one.member.address},
                                              {"state", Word(one.pid.has_value())}});
    if (one.pid) json.Set("pid", int64_t{*one.pid});
    if (one.containerd) json.Set("containerd", Word(one.containerd));
    members.Append(std::move(json));
  }
  base::Json json = base::Json::MakeObject({{"name", state.record.name},
                                            {"dir", state.record.directory},
                                            {"apiPort", int{state.record.api_port}},
                                            {"registryPort", int{state.record.registry_port}},
                                            {"kubeconfig", KubeconfigPath(state.record.directory)},
                                            {"forwarder", Word(state.forwarding)},
                                            {"members", std::move(members)}});
  printf("%s\n", json.ToString().c_str());
}

int RunStatus(const CommandLine& line) {
  base::Result<ClusterState> state = Inspect(line.directory);
  if (!state.ok()) return Fail(state.status());
  line.json ? PrintJson(*state) : PrintTable(*state);
  return state->AllRuns() ? 0 : 1;
}

// The member that the command's first word names.
base::Result<std::pair<ClusterRecord, Member>> NamedMember(const CommandLine& line) {
  ASSIGN_OR_RETURN(std::string directory, CanonicalDirectory(line.directory));
  ASSIGN_OR_RETURN(ClusterRecord record, LoadRecord(directory));
  ASSIGN_OR_RETURN(Member member, FindMember(record, line.words.empty() ? "" : line.words[0]));
  return std::pair(std::move(record), std::move(member));
}

// Replaces this process.
int Execute(const std::vector<std::string>& argv) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execvp(words[0], words.data());
  return Fail({base::Code::kNotFound, "cannot run " + argv[0] + ": " + strerror(errno)});
}

int RunExec(const CommandLine& line) {
  base::Result<std::pair<ClusterRecord, Member>> found = NamedMember(line);
  if (!found.ok()) return Fail(found.status());
  const auto& [record, member] = *found;
  std::vector<std::string> command(line.words.begin() + 1, line.words.end());
  command.insert(command.end(), line.behind_dashes.begin(), line.behind_dashes.end());
  if (command.empty()) {
    return Fail(
        {base::Code::kInvalid, "which command? plumb dev exec " + member.name + " -- ip address"});
  }
  setenv("KUBECONFIG", ServerKubeconfigPath(record).c_str(), 1);
  if (member.name.compare(0, 4, "node") == 0) {
    setenv("CONTAINERD_ADDRESS", ContainerdSocketPath(member).c_str(), 1);
    setenv("CONTAINERD_NAMESPACE", "k8s.io", 1);
  }
  // Not `ip netns exec`: that one hides the cgroup mounts.
  std::vector<std::string> argv = {"nsenter", "--net=" + NamespacePath(member.network_namespace),
                                   "--"};
  argv.insert(argv.end(), command.begin(), command.end());
  return Execute(argv);
}

int RunLogs(const CommandLine& line) {
  base::Result<std::pair<ClusterRecord, Member>> found = NamedMember(line);
  if (!found.ok()) return Fail(found.status());
  std::string path = LogPath(found->first.directory, found->second.name);
  if (line.follow) return Execute({"tail", "-n", "+1", "-F", path});
  return Execute({"cat", path});
}

int RunKill(const CommandLine& line) {
  base::Status status = Kill(line.directory, line.words.empty() ? "" : line.words[0]);
  return status.ok() ? 0 : Fail(status);
}

int RunDown(const CommandLine& line) {
  base::Status status = Down(line.directory);
  if (!status.ok()) return Fail(status);
  printf("nothing of the cluster in %s is left\n", line.directory.c_str());
  return 0;
}

}  // namespace

int DevCommand(const std::vector<std::string>& args) {
  // Behind "--" stands a command with options of its own.
  auto dashes = std::find(args.begin(), args.end(), "--");
  bool help = args.empty() || args[0] == "help";
  for (auto it = args.begin(); it != dashes; ++it) help = help || *it == "--help" || *it == "-h";
  if (help) {
    fputs(kHelp, stdout);
    return 0;
  }
  base::Result<CommandLine> line = Parse(args);
  if (!line.ok()) {
    Fail(line.status());
    fprintf(stderr, "see plumb dev --help\n");
    return kUsage;
  }
  const std::string& command = line->command;
  if (command == "up") return RunUp(*line);
  if (command == "down") return RunDown(*line);
  if (command == "status") return RunStatus(*line);
  if (command == "exec") return RunExec(*line);
  if (command == "logs") return RunLogs(*line);
  if (command == "kill") return RunKill(*line);
  fprintf(stderr, "plumb dev: there is no command \"%s\"; see plumb dev --help\n", command.c_str());
  return kUsage;
}

}  // namespace plumb
