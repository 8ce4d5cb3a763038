// Nothing acts on an Ingress yet, so it is what it was asked to be as soon as it is stored.
// It names the Services behind it, and the Secrets with its certificates. Those may come later than
// it does, from an issuer.
// The cells are kubectl's: the hosts that the rules name, "*" if none does; the addresses that a
// gateway reports; port 443 beside 80 as soon as there is TLS.
#include <utility>

#include "manifests/kinds/cells.h"
#include "manifests/kinds/kind_facts.h"

namespace manifests {
namespace {

using base::Json;
using base::Value;
using base::WallTime;

template <typename V>
void Backend(const V& backend, const ReferenceVisitor& visit, const FieldPath& path) {
  Refer(visit, {"services", "Service"}, backend["service"]["name"], {path, "service.name"});
}

template <typename V>
void IngressReferences(const V& ingress, const ReferenceVisitor& visit) {
  const auto& of_ingress = ingress["spec"];
  const FieldPath root, spec(root, "spec"), rules(spec, "rules"), tls(spec, "tls");
  Backend<V>(of_ingress["defaultBackend"], visit, {spec, "defaultBackend"});
  size_t index = 0;
  for (const V& rule : of_ingress["rules"].Elements()) {
    const FieldPath at(rules, index++), paths(at, "http.paths");
    size_t number = 0;
    for (const V& path : rule["http"]["paths"].Elements()) {
      const FieldPath in(paths, number++);
      Backend<V>(path["backend"], visit, {in, "backend"});
    }
  }
  index = 0;
  for (const V& certificate : of_ingress["tls"].Elements()) {
    const FieldPath at(tls, index++);
    Refer(visit, {.resource = "secrets", .kind = "Secret", .optional = true},
          certificate["secretName"], {at, "secretName"});
  }
}

Json IngressHosts(Value ingress, WallTime) {
  std::vector<std::string> hosts;
  for (const Value rule : ingress["spec"]["rules"].Elements()) {
    if (!rule["host"].AsString().empty()) hosts.emplace_back(rule["host"].AsString());
  }
  return hosts.empty() ? "*" : FirstOfCell(std::move(hosts));
}

Json IngressAddress(Value ingress, WallTime) { return JoinCell(LoadBalancerAddresses(ingress)); }

Json IngressPorts(Value ingress, WallTime) {
  return ingress["spec"]["tls"].empty() ? "80" : "80, 443";
}

constexpr NamedCell kCells[] = {
    {"ingressAddress", IngressAddress},
    {"ingressHosts", IngressHosts},
    {"ingressPorts", IngressPorts},
};

}  // namespace

extern constinit const KindFacts kIngressFacts = {
    .resource = "ingresses.networking.k8s.io",
    .settled = true,
    .references = {IngressReferences<Value>, IngressReferences<Json>},
    .cells = kCells,
};

}  // namespace manifests
