#include "servicemesh/rules/read_mesh.h"

#include <utility>

#include "servicemesh/rules/host_ports.h"

namespace servicemesh {

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
  std::vector<base::Value> pods;
  for (const state::ObjectPtr& pod : view.List("pods")) pods.push_back(pod->document.root());
  input.host_ports = HostPortsFrom(pods, input.node_name);
  return input;
}

}  // namespace servicemesh
