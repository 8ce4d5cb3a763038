// Ports of containers and of init containers that stay (restartPolicy Always) count. A pod on the
// host's network listens there itself; one that ended has nobody who listens.
#include "servicemesh/rules/host_ports.h"

#include <algorithm>
#include <tuple>

#include "manifests/kinds/pod.h"

namespace servicemesh {
namespace {

void AddPorts(base::Value container, const HostPort& of_pod, std::vector<HostPort>& out) {
  for (base::Value value : container["ports"].Elements()) {
    HostPort port = of_pod;
    port.port = PortOf(value["hostPort"]);
    port.target_port = PortOf(value["containerPort"]);
    port.protocol = ProtocolOf(value["protocol"]);
    if (port.port == 0 || port.target_port == 0) continue;
    if (const std::string_view ip = value["hostIP"].AsString(); !ip.empty()) {
      const auto parsed = Ipv4::Parse(ip);
      if (!parsed) continue;
      port.host_ip = *parsed;
    }
    out.push_back(std::move(port));
  }
}

}  // namespace

std::vector<HostPort> HostPortsFrom(const std::vector<base::Value>& pods, std::string_view node) {
  std::vector<HostPort> ports;
  for (base::Value pod : pods) {
    const base::Value spec = pod["spec"];
    const auto ip = Ipv4::Parse(pod["status"]["podIP"].AsString());
    if (!ip || spec["nodeName"].AsString() != node || spec["hostNetwork"].AsBool()) continue;
    if (manifests::HasEnded(pod)) continue;
    HostPort of_pod;
    of_pod.pod = std::string(pod["metadata"]["namespace"].AsString()) + "/" +
                 std::string(pod["metadata"]["name"].AsString());
    of_pod.target_ip = *ip;
    for (base::Value container : spec["initContainers"].Elements()) {
      if (container["restartPolicy"].AsString() == "Always") AddPorts(container, of_pod, ports);
    }
    for (base::Value container : spec["containers"].Elements()) AddPorts(container, of_pod, ports);
  }
  std::stable_sort(ports.begin(), ports.end(), [](const HostPort& a, const HostPort& b) {
    return std::tie(a.pod, a.protocol, a.port) < std::tie(b.pod, b.protocol, b.port);
  });
  return ports;
}

}  // namespace servicemesh
