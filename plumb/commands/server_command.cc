#include "plumb/commands/server_command.h"

#include <charconv>
#include <cstdio>

#include "base/ip.h"
#include "manifests/rules/pod_security.h"
#include "plumb/commands/client.h"
#include "plumb/commands/commands.h"
#include "plumb/commands/config_file.h"
#include "plumb/commands/main_loop.h"
#include "plumb/commands/own_address.h"

namespace plumb {

const char* const kServerFlagsHelp =
    "  --data-dir DIR        where everything is kept (default /var/lib/plumb)\n"
    "  --listen ADDR[:PORT]  where to serve (default 0.0.0.0:6443); agents connect to PORT + 1 as "
    "well\n"
    "  --advertise ADDRESS   where pods reach this server (default: as it listens, or the default "
    "route's)\n"
    "  --name NAME           a further DNS name or address of this server, for its certificate; "
    "may be repeated\n"
    "  --pod-cidr CIDR       addresses of pods (default 10.88.0.0/13)\n"
    "  --service-cidr CIDR   addresses of services (default 10.96.0.0/16)\n"
    "  --webhook-allow CIDR  internal addresses that webhooks may go to (default none); may be "
    "repeated\n"
    "  --pod-security-default LEVEL\n"
    "                        what pods may ask of nodes in namespaces without a label of their "
    "own:\n"
    "                        privileged, baseline or restricted; kept until it is given again "
    "(new\n"
    "                        data: baseline)\n"
    "  --last-words HOW      what a crashed container said last, told to who pushed, in notes, "
    "the\n"
    "                        status branch and webhooks: masked (default; without the values of "
    "the\n"
    "                        Secrets that its pod names) or none\n"
    "  --config FILE         these flags in YAML, without the dashes; the command line wins:\n"
    "                          data-dir: /srv/plumb\n"
    "                          listen: 0.0.0.0:6443\n"
    "                          name: [cluster.example.org, 192.0.2.7]\n"
    "\nExit codes: 0 stopped by a signal, 1 failed, 2 wrong usage or configuration, 5 not "
    "permitted,\n6 the port is taken, the data is in use or of a newer plumb.\n";

namespace {

// Where pods reach a server that listens at `address`; empty if that is not known.
std::string AddressForPods(const std::string& address) {
  const bool any = address == kAnyAddress;
  const base::Result<std::string> own = any ? DefaultAddress() : base::Result<std::string>(address);
  const bool reachable = own.ok() && base::ParseIpv4(*own).ok() && !own->starts_with("127.");
  return reachable ? *own : "";
}

}  // namespace

FlagSet ServerFlags() {
  return {{"--data-dir", "--listen", "--advertise", "--name", "--pod-cidr", "--service-cidr",
           "--webhook-allow", "--pod-security-default", "--last-words"},
          {"--help", "-h"}};
}

base::Result<ServerOptions> ReadServerOptions(const Arguments& arguments) {
  ServerOptions options;
  options.data_dir = arguments.Get("--data-dir", kDefaultDataDir);
  options.names = arguments.All("--name");
  const std::string listen = arguments.Get("--listen", options.address);
  const size_t colon = listen.rfind(':');
  options.address = listen.substr(0, colon);
  if (colon != std::string::npos) {
    const char* end = listen.data() + listen.size();
    if (std::from_chars(listen.data() + colon + 1, end, options.port).ptr != end ||
        options.port < 1 || options.port > 65534) {
      return base::Status(base::Code::kInvalid,
                          "--listen " + listen + ": the port must be between 1 and 65534");
    }
  }
  if (arguments.Has("--advertise")) {
    options.cluster.api_address = arguments.Get("--advertise");
    RETURN_IF_ERROR(
        base::ParseIpv4(options.cluster.api_address).status().WithContext("--advertise"));
  } else {
    options.cluster.api_address = AddressForPods(options.address);
  }
  if (arguments.Has("--pod-cidr")) options.cluster.pod_cidr = arguments.Get("--pod-cidr");
  if (arguments.Has("--service-cidr"))
    options.cluster.service_cidr = arguments.Get("--service-cidr");
  for (const std::string& cidr : {options.cluster.pod_cidr, options.cluster.service_cidr}) {
    const base::Result<base::Cidr> parsed = base::Cidr::Parse(cidr);
    if (!parsed.ok()) return parsed.status();
  }
  if (arguments.Has("--pod-security-default")) {
    const std::string level = arguments.Get("--pod-security-default");
    options.pod_security_default = manifests::ParsePodSecurityLevel(level);
    if (!options.pod_security_default) {
      return base::Status(base::Code::kInvalid, "--pod-security-default " + level +
                                                    ": must be privileged, baseline or restricted");
    }
  }
  const std::string last_words = arguments.Get("--last-words", "masked");
  if (last_words != "masked" && last_words != "none") {
    return base::Status(base::Code::kInvalid,
                        "--last-words " + last_words + ": it is masked or none");
  }
  options.last_words = last_words == "masked";
  for (const std::string& range : arguments.All("--webhook-allow")) {
    ASSIGN_OR_RETURN(const base::Cidr parsed, base::Cidr::Parse(range));
    options.webhook_allow.push_back(parsed);
  }
  return options;
}

int ServerCommand(const Words& words) {
  const base::Result<Arguments> arguments = ParseWithConfig(words, ServerFlags());
  if (!arguments.ok()) return Fail(arguments.status());
  if (arguments->Has("--help") || arguments->Has("-h")) {
    std::printf(
        "usage: plumb server [FLAGS]\n\nThe control plane: store, API (HTTPS), Git host, "
        "controllers, scheduler.\n\n%s",
        kServerFlagsHelp);
    return 0;
  }
  const base::Result<ServerOptions> options = ReadServerOptions(*arguments);
  if (!options.ok()) return Fail(options.status());
  MainLoop main_loop;
  base::Result<std::unique_ptr<Server>> server = Server::Start(
      main_loop.loop(), *options, [&](base::Status status) { main_loop.Fail(std::move(status)); });
  if (!server.ok()) return Fail(server.status());
  std::printf(
      "plumb serves %s\n  kubeconfig  %s\n  join        plumb agent --server %s --token-file FILE, "
      "with a copy of %s, or what plumb token create --join prints\n",
      (*server)->url().c_str(), (*server)->kubeconfig_path().c_str(), (*server)->url().c_str(),
      (*server)->join_token_path().c_str());
  std::fflush(stdout);
  return main_loop.Run();
}

}  // namespace plumb
