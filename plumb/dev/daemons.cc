#include "plumb/dev/daemons.h"

#include "plumb/data_directory.h"
#include "plumb/dev/forwarder.h"

namespace plumb {
namespace {

std::string MarkOf(const ClusterRecord& record, std::string_view name) {
  return PrefixOf(record.directory) + "/" + std::string(name);
}

std::string ServerEndpoint() {
  return std::string(kServerAddress) + ":" + std::to_string(kServerPort);
}

}  // namespace

Daemon RegistryDaemon(const ClusterRecord& record) {
  Member member = RegistryMember(record);
  Daemon daemon;
  daemon.name = member.name;
  daemon.network_namespace = member.network_namespace;
  daemon.argv = {"docker-registry", "serve", record.directory + "/registry.yml"};
  daemon.mark = MarkOf(record, daemon.name);
  daemon.ready_address = kBridgeAddress;
  daemon.ready_port = kRegistryPort;
  daemon.stop_grace = base::Duration::Seconds(3);
  return daemon;
}

std::string RegistryConfig(const ClusterRecord& record) {
  // The secret only signs upload sessions between several registries on one store.
  return "version: 0.1\nlog:\n  level: warn\n  accesslog:\n    disabled: true\n"
         "storage:\n  delete:\n    enabled: true\n  filesystem:\n    rootdirectory: " +
         RegistryMember(record).data_directory + "\nhttp:\n  addr: " + std::string(kBridgeAddress) +
         ":" + std::to_string(kRegistryPort) + "\n  secret: plumb-dev\n  relativeurls: true\n";
}

Daemon ForwarderDaemon(const ClusterRecord& record, const std::string& binary) {
  Forward api = {record.api_port, ServerMember(record).network_namespace,
                 std::string(kServerAddress), kServerPort};
  Forward registry = {record.registry_port, RegistryMember(record).network_namespace,
                      std::string(kBridgeAddress), kRegistryPort};
  Daemon daemon;
  daemon.name = "forwarder";
  daemon.argv = {binary, "dev-forward", FormatForward(api), FormatForward(registry)};
  daemon.mark = MarkOf(record, daemon.name);
  daemon.ready_address = "127.0.0.1";
  daemon.ready_port = record.registry_port;
  daemon.stop_grace = base::Duration::Seconds(3);
  return daemon;
}

Daemon ServerDaemon(const ClusterRecord& record, const std::string& binary) {
  Member member = ServerMember(record);
  Daemon daemon;
  daemon.name = member.name;
  daemon.network_namespace = member.network_namespace;
  // Webhooks may go to this machine's own networks: there is nothing else to send them to.
  daemon.argv = {
      binary,           "server",          "--data-dir",  member.data_directory, "--listen",
      ServerEndpoint(), "--webhook-allow", "127.0.0.0/8", "--webhook-allow",     "10.77.0.0/16"};
  daemon.mark = MarkOf(record, daemon.name);
  daemon.ready_files = {ServerKubeconfigPath(record), JoinTokenPath(record)};
  daemon.ready_address = member.address;
  daemon.ready_port = kServerPort;
  return daemon;
}

Daemon AgentDaemon(const ClusterRecord& record, const std::string& binary, const Member& node,
                   const std::string& token_file) {
  Daemon daemon;
  daemon.name = node.name;
  daemon.network_namespace = node.network_namespace;
  daemon.argv = {binary,
                 "agent",
                 "--data-dir",
                 node.data_directory,
                 "--server",
                 "https://" + ServerEndpoint(),
                 "--token-file",
                 token_file,
                 "--node-name",
                 node.name,
                 "--node-ip",
                 node.address,
                 "--cgroup-root",
                 CgroupOf(record, node),
                 "--registry-mirror",
                 std::string(kRegistryName) + "=http://" + std::string(kBridgeAddress) + ":" +
                     std::to_string(kRegistryPort)};
  daemon.mark = MarkOf(record, daemon.name);
  daemon.ready_socket = ContainerdSocketPath(node);
  return daemon;
}

std::string ServerKubeconfigPath(const ClusterRecord& record) {
  return DataDirectory(ServerMember(record).data_directory).kubeconfig();
}

std::string JoinTokenPath(const ClusterRecord& record) {
  return DataDirectory(ServerMember(record).data_directory).join_token();
}

std::string ContainerdSocketPath(const Member& node) {
  return node.data_directory + "/containerd/containerd.sock";
}

std::string CgroupRoot(const ClusterRecord& record) { return "/" + PrefixOf(record.directory); }

std::string CgroupOf(const ClusterRecord& record, const Member& node) {
  return CgroupRoot(record) + "/" + node.name;
}

}  // namespace plumb
