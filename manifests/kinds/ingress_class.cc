// Nothing acts on it yet, so it is what it was asked to be as soon as it is stored.
#include "manifests/kinds/cells.h"
#include "manifests/kinds/kind_facts.h"

namespace manifests {
namespace {

base::Json Parameters(base::Value ingress_class, base::WallTime) {
  const base::Value parameters = ingress_class["spec"]["parameters"];
  if (!parameters.IsObject()) return kNoneCell;
  std::string text(parameters["kind"].AsString());
  const std::string_view group = parameters["apiGroup"].AsString();
  if (!group.empty()) text += "." + std::string(group);
  return text + "/" + std::string(parameters["name"].AsString());
}

constexpr NamedCell kCells[] = {{"ingressClassParameters", Parameters}};

}  // namespace

extern constinit const KindFacts kIngressClassFacts = {
    .resource = "ingressclasses.networking.k8s.io",
    .settled = true,
    .cells = kCells,
};

}  // namespace manifests
