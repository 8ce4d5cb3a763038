#include "servicemesh/rules/read_mesh.h"

#include <utility>

#include "servicemesh/rules/host_ports.h"
#include "state/service_range.h"

namespace servicemesh {
namespace {

// A Service with an address that is left to the cluster itself would take what others ask there,
// such as names. Only plumb's own is at one.
void LeaveOutReserved(const base::Cidr& range, std::vector<Service>& services) {
  for (Service& service : services) {
    std::erase_if(service.spec.cluster_ips, [&](Ipv4 ip) {
      return state::IsReservedAddress(range, ip.bits) &&
             !state::IsApiAddress(range, ip.bits, service.spec.ns, service.spec.name);
    });
  }
}

}  // namespace

MeshInput ReadMesh(const state::View& view, MeshInput place) {
  MeshInput input = std::move(place);
  input.revision = view.revision();
  if (const state::ObjectPtr self = view.Get("nodes", "", input.node_name)) {
    const auto range = base::Cidr::Parse((*self)["spec"]["podCIDR"].AsString());
    if (range.ok()) input.pod_cidr = *range;
  }
  std::vector<base::Value> services, slices;
  for (const state::ObjectPtr& service : view.List("services")) {
    services.push_back(service->document.root());
  }
  for (const state::ObjectPtr& slice : view.List("endpointslices.discovery.k8s.io")) {
    slices.push_back(slice->document.root());
  }
  input.services = ServicesFrom(services, slices);
  LeaveOutReserved(input.service_cidr, input.services);
  std::vector<base::Value> pods;
  for (const state::ObjectPtr& pod : view.List("pods")) pods.push_back(pod->document.root());
  input.host_ports = HostPortsFrom(pods, input.node_name);
  return input;
}

}  // namespace servicemesh
