// A slice is a part of its Service: it is shown there, as a number of endpoints.
#include <utility>

#include "manifests/kinds/cells.h"
#include "manifests/kinds/kind_facts.h"

namespace manifests {
namespace {

using base::Json;
using base::Value;
using base::WallTime;

Json EndpointSlicePorts(Value slice, WallTime) {
  std::vector<std::string> ports;
  for (const Value port : slice["ports"].Elements()) {
    const int64_t number = port["port"].AsInt();
    const std::string_view name = port["name"].AsString();
    ports.push_back(number != 0 ? std::to_string(number) : std::string(name.empty() ? "*" : name));
  }
  return FirstOfCell(std::move(ports));
}

Json EndpointSliceEndpoints(Value slice, WallTime) {
  std::vector<std::string> addresses;
  for (const Value endpoint : slice["endpoints"].Elements()) {
    for (const Value address : endpoint["addresses"].Elements()) {
      addresses.emplace_back(address.AsString());
    }
  }
  return FirstOfCell(std::move(addresses));
}

constexpr NamedCell kCells[] = {
    {"endpointSliceEndpoints", EndpointSliceEndpoints},
    {"endpointSlicePorts", EndpointSlicePorts},
};

}  // namespace

extern constinit const KindFacts kEndpointSliceFacts = {
    .resource = "endpointslices.discovery.k8s.io",
    .selectable = true,
    .held_by = HeldBy::kEveryNode,
    .judged = false,
    .hidden = [](Value) { return true; },
    .cells = kCells,
};

}  // namespace manifests
