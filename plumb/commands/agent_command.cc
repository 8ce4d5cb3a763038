// plumb agent and plumb up.
#include <unistd.h>

#include <cstdio>

#include "base/edge/descriptors.h"
#include "base/edge/files.h"
#include "base/log.h"
#include "plumb/commands/arguments.h"
#include "plumb/commands/client.h"
#include "plumb/commands/commands.h"
#include "plumb/commands/config_file.h"
#include "plumb/commands/main_loop.h"
#include "plumb/commands/own_address.h"
#include "plumb/commands/server_command.h"
#include "plumb/data_directory.h"
#include "plumb/node/edge/agent.h"

namespace plumb {
namespace {

constexpr size_t kMaxTokenBytes = 4096;

constexpr const char* kAgentHelp =
    "usage: plumb agent --server URL --token-file FILE [FLAGS]\n\n"
    "A node: runs the pods that the control plane places here.\n\n"
    "  --server URL              https://ADDRESS:PORT of the control plane\n"
    "  --token-file FILE         has what `plumb token create --join` printed; - is standard "
    "input;\n"
    "                            needed for the first start only\n"
    "  --token TOKEN             the same on the command line, which others may see\n"
    "  --data-dir DIR            where everything is kept (default /var/lib/plumb-agent)\n"
    "  --node-name NAME          default: this machine's name\n"
    "  --node-ip ADDRESS         default: the address that reaches the server\n"
    "  --containerd SOCKET       one that runs already (default: its own); it must have a sandbox "
    "image\n"
    "  --cni-dir DIR             where that containerd reads the pod network from (default "
    "/etc/cni/net.d)\n"
    "  --cgroup-root PATH        the cgroup that pods run below\n"
    "  --registry-mirror NAME=URL  pull images of registry NAME from a plain-HTTP URL; may be "
    "repeated\n"
    "  --seccomp-default true|false  whether containers that name no seccomp profile get the "
    "runtime's\n"
    "                            (default true); containers that run already stay as they are\n"
    "  --pod-cidr, --service-cidr CIDR  as given to the server, if they were\n"
    "  --config FILE             these flags in YAML, without the dashes; the command line wins\n\n"
    "Exit codes: 0 stopped by a signal, 1 failed, 2 wrong usage or configuration, 5 not "
    "permitted,\n"
    "6 the server or containerd cannot be reached.\n";

std::string HostName() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

std::string HostOf(const std::string& url) {
  const size_t start = url.find("://");
  return start == std::string::npos ? url
                                    : url.substr(start + 3, url.find(':', start + 3) - start - 3);
}

// Empty if it cannot be read: a node that has joined needs none.
std::string ReadToken(const std::string& path) {
  const base::Result<std::string> text =
      base::ReadFile(path == "-" ? "/dev/stdin" : path, kMaxTokenBytes);
  if (!text.ok()) {
    base::LogWarning("no join token", {{"why", text.status().ToString()}});
    return "";
  }
  return text->substr(0, text->find_last_not_of(" \t\r\n") + 1);
}

FlagSet AgentFlags() {
  return {{"--data-dir", "--server", "--token", "--token-file", "--node-name", "--node-ip",
           "--containerd", "--cni-dir", "--cgroup-root", "--registry-mirror", "--pod-cidr",
           "--service-cidr", "--seccomp-default"},
          {"--help", "-h"}};
}

base::Result<AgentOptions> ReadAgentOptions(const Arguments& arguments) {
  AgentOptions options;
  options.data_dir = arguments.Get("--data-dir", "/var/lib/plumb-agent");
  options.server = arguments.Get("--server");
  options.token = arguments.Get("--token");
  if (arguments.Has("--token-file")) options.token = ReadToken(arguments.Get("--token-file"));
  options.node = arguments.Get("--node-name", HostName());
  options.containerd = arguments.Get("--containerd");
  options.cni_directory = arguments.Get("--cni-dir", options.cni_directory);
  options.cgroup_parent = arguments.Get("--cgroup-root");
  options.registry_mirrors = arguments.All("--registry-mirror");
  if (arguments.Has("--pod-cidr")) options.cluster.pod_cidr = arguments.Get("--pod-cidr");
  if (arguments.Has("--service-cidr"))
    options.cluster.service_cidr = arguments.Get("--service-cidr");
  const std::string seccomp = arguments.Get("--seccomp-default", "true");
  options.seccomp_default = seccomp == "true";
  if (seccomp != "true" && seccomp != "false") {
    return base::Status(base::Code::kInvalid,
                        "--seccomp-default " + seccomp + ": must be true or false");
  }
  if (options.server.empty())
    return base::Status(base::Code::kInvalid, "--server is needed; see plumb agent --help");
  if (arguments.Has("--node-ip")) {
    options.node_ip = arguments.Get("--node-ip");
  } else {
    const base::Result<std::string> address = AddressTowards(HostOf(options.server));
    if (!address.ok()) {
      return base::Status(address.status().code(), std::string(address.status().message()) +
                                                       "; name this node's address with --node-ip");
    }
    options.node_ip = *address;
  }
  if (geteuid() != 0) {
    return base::Status(base::Code::kForbidden,
                        "an agent runs containers and programs the network: run it as root");
  }
  return options;
}

}  // namespace

int AgentCommand(const Words& words) {
  const base::Result<Arguments> arguments = ParseWithConfig(words, AgentFlags());
  if (!arguments.ok()) return Fail(arguments.status());
  if (arguments->Has("--help") || arguments->Has("-h")) {
    std::fputs(kAgentHelp, stdout);
    return 0;
  }
  const base::Result<AgentOptions> options = ReadAgentOptions(*arguments);
  if (!options.ok()) return Fail(options.status());
  MainLoop main_loop;
  base::RaiseDescriptorLimit();
  base::Result<std::unique_ptr<Agent>> agent = Agent::Start(
      main_loop.loop(), *options, [&](base::Status status) { main_loop.Fail(std::move(status)); });
  if (!agent.ok()) return Fail(agent.status());
  return main_loop.Run();
}

int UpCommand(const Words& words) {
  FlagSet flags = ServerFlags();
  flags.with_value.insert({"--node-name", "--node-ip"});
  const base::Result<Arguments> arguments = ParseWithConfig(words, flags);
  if (!arguments.ok()) return Fail(arguments.status());
  if (arguments->Has("--help") || arguments->Has("-h")) {
    std::printf(
        "usage: plumb up [FLAGS]\n\nA control plane and a node in one process: the appliance on "
        "one machine.\n\n"
        "  --node-name NAME      default: this machine's name\n"
        "  --node-ip ADDRESS     the node's own address (default: that of the default route)\n%s",
        kServerFlagsHelp);
    return 0;
  }
  base::Result<ServerOptions> options = ReadServerOptions(*arguments);
  if (!options.ok()) return Fail(options.status());
  AgentOptions node;
  node.data_dir = options->data_dir + "/node";
  node.server = "https://127.0.0.1:" + std::to_string(options->port);
  node.node = arguments->Get("--node-name", HostName());
  node.cluster = options->cluster;
  node.node_ip = arguments->Get("--node-ip");
  if (node.node_ip.empty()) {
    const base::Result<std::string> address = DefaultAddress();
    if (!address.ok()) {
      return Fail(
          base::Status(base::Code::kUnavailable,
                       "this machine has no default route; name its address with --node-ip"));
    }
    node.node_ip = *address;
  }
  if (options->address == kAnyAddress && !arguments->Has("--advertise"))
    options->cluster.api_address = node.node_ip;
  if (geteuid() != 0) {
    return Fail(base::Status(base::Code::kForbidden,
                             "plumb up runs containers and programs the network: run it as root"));
  }
  options->with_node = true;
  MainLoop main_loop;
  const auto failed = [&](base::Status status) { main_loop.Fail(std::move(status)); };
  base::Result<std::unique_ptr<Server>> server = Server::Start(main_loop.loop(), *options, failed);
  if (!server.ok()) return Fail(server.status());
  const base::Status identity = (*server)->WriteNodeIdentity(node.node, node.data_dir + "/pki");
  if (!identity.ok()) return Fail(identity);
  base::Result<std::unique_ptr<Agent>> agent = Agent::Start(main_loop.loop(), node, failed);
  if (!agent.ok()) return Fail(agent.status());
  std::printf(
      "plumb serves %s\n\n  export KUBECONFIG=%s\n  plumb repo create shop\n  git remote add plumb "
      "https://me:$(plumb token create me --role admin)@127.0.0.1:%d/git/shop.git\n  git config "
      "http.sslCAInfo "
      "%s\n"
      "  git push plumb main\n",
      (*server)->url().c_str(), (*server)->kubeconfig_path().c_str(), options->port,
      DataDirectory(options->data_dir).ca_certificate().c_str());
  std::fflush(stdout);
  return main_loop.Run();
}

}  // namespace plumb
