// Each member's namespace has `lo` and `eth0`; the other end of its cable is a port of the bridge
// `plumb0` in the registry's namespace, where the bridge itself has the gateway's address. Nodes
// forward. Nothing leads out: the gateway does not forward, and no interface is in the root
// namespace.
//
// Of a step that a crash cut in two, `ip` is asked for everything again in a form that accepts what
// is there ("replace", "set"); only `link add` has none, so it runs when the link is missing.

#include "plumb/dev/network.h"

#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include "base/edge/process.h"
#include "plumb/dev/namespaces.h"

namespace plumb {
namespace {

constexpr std::string_view kBridge = "plumb0";
constexpr std::string_view kPrefixLength = "/24";
// Without an address of its own a bridge takes that of a port, which changes as ports come.
constexpr std::string_view kBridgeMac = "02:70:6c:75:6d:62";

bool HasLink(const std::string& network_namespace, std::string_view link) {
  bool found = false;
  base::Status status = InNamespace(network_namespace, [&]() -> base::Status {
    found = if_nametoindex(std::string(link).c_str()) != 0;
    return {};
  });
  return status.ok() && found;
}

base::Status Ip(const std::string& network_namespace, const std::string& commands) {
  base::Result<std::string> result =
      base::RunChecked({"ip", "-netns", network_namespace, "-batch", "-"}, commands);
  if (result.ok()) return {};
  return result.status().WithContext("network of " + network_namespace);
}

base::Status BuildBridge(const Member& registry) {
  const std::string& space = registry.network_namespace;
  RETURN_IF_ERROR(CreateNamespace(space));
  std::string bridge(kBridge);
  std::string commands = "link set lo up\n";
  if (!HasLink(space, kBridge)) commands += "link add " + bridge + " type bridge\n";
  commands += "link set " + bridge + " address " + std::string(kBridgeMac) + " up\naddr replace " +
              registry.address + std::string(kPrefixLength) + " dev " + bridge + "\n";
  return Ip(space, commands);
}

base::Status EnableForwarding(const Member& member) {
  return InNamespace(member.network_namespace, [&]() -> base::Status {
    constexpr char kPath[] = "/proc/sys/net/ipv4/ip_forward";
    base::UniqueFd file(open(kPath, O_WRONLY | O_CLOEXEC));
    if (!file.valid() || write(file.get(), "1", 1) != 1) return base::ErrnoStatus(kPath, errno);
    return {};
  });
}

base::Status Connect(const Member& registry, const Member& member) {
  const std::string& space = member.network_namespace;
  RETURN_IF_ERROR(CreateNamespace(space));
  std::string commands = "link set lo up\n";
  if (!HasLink(space, "eth0")) {
    commands += "link add eth0 type veth peer name " + member.name + " netns " +
                registry.network_namespace + "\n";
  }
  commands += "addr replace " + member.address + std::string(kPrefixLength) +
              " dev eth0\nlink set eth0 up\nroute replace default via " + registry.address + "\n";
  RETURN_IF_ERROR(Ip(space, commands));
  RETURN_IF_ERROR(Ip(registry.network_namespace,
                     "link set " + member.name + " master " + std::string(kBridge) + " up\n"));
  return EnableForwarding(member);
}

}  // namespace

base::Status BuildNetwork(const ClusterRecord& record) {
  Member registry = RegistryMember(record);
  RETURN_IF_ERROR(BuildBridge(registry));
  for (const Member& member : MembersOf(record)) {
    if (member.name != registry.name) RETURN_IF_ERROR(Connect(registry, member));
  }
  return {};
}

}  // namespace plumb
