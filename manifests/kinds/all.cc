// One line a kind, in the order that a push applies them in (Helm's and Argo CD's): what others
// need comes first.
#include <algorithm>

#include "manifests/kinds/cells.h"
#include "manifests/kinds/kind_facts.h"
#include "manifests/kinds/pod.h"

// One a file of this folder: Name stands for kNameFacts, which that file defines. The second half:
// what Git holds of these waits for nothing of the first, or is plumb's own.
#define FOR_EACH_KIND(DO)   \
  DO(Namespace)             \
  DO(ResourceQuota)         \
  DO(LimitRange)            \
  DO(ServiceAccount)        \
  DO(Secret)                \
  DO(ConfigMap)             \
  DO(Service)               \
  DO(DaemonSet)             \
  DO(Pod)                   \
  DO(ReplicationController) \
  DO(ReplicaSet)            \
  DO(Deployment)            \
  DO(IngressClass)          \
  DO(Ingress)               \
  DO(ControllerRevision)    \
  DO(EndpointSlice)         \
  DO(Event)                 \
  DO(GitRepository)         \
  DO(Inventory)             \
  DO(Kustomization)         \
  DO(Lease)                 \
  DO(Node)

namespace manifests {

#define DECLARE(NAME) extern const KindFacts k##NAME##Facts;
FOR_EACH_KIND(DECLARE)
#undef DECLARE

namespace {

#define ADDRESS(NAME) &k##NAME##Facts,
constexpr const KindFacts* kKinds[] = {FOR_EACH_KIND(ADDRESS)};
#undef ADDRESS

constexpr KindFacts kUnknown;

template <typename V>
void Visit(std::string_view resource, const V& object, const ReferenceVisitor& visit) {
  const KindFacts& facts = FactsOf(resource);
  if (facts.references) {
    facts.references(object, visit);
  } else {
    TemplateReferences(object, visit);
  }
}

}  // namespace

std::span<const KindFacts* const> AllKinds() { return kKinds; }

size_t RankOf(std::string_view resource) {
  return static_cast<size_t>(
      std::find_if(std::begin(kKinds), std::end(kKinds),
                   [&](const KindFacts* facts) { return facts->resource == resource; }) -
      std::begin(kKinds));
}

const KindFacts& FactsOf(std::string_view resource) {
  const size_t rank = RankOf(resource);
  return rank < std::size(kKinds) ? *kKinds[rank] : kUnknown;
}

void ForEachReference(std::string_view resource, const base::Value& object,
                      const ReferenceVisitor& visit) {
  Visit(resource, object, visit);
}

void ForEachReference(std::string_view resource, const base::Json& object,
                      const ReferenceVisitor& visit) {
  Visit(resource, object, visit);
}

const NamedCell* FindCell(std::string_view resource, std::string_view name) {
  for (const std::span<const NamedCell> cells : {FactsOf(resource).cells, SharedCells()}) {
    for (const NamedCell& cell : cells) {
      if (cell.name == name) return &cell;
    }
  }
  return nullptr;
}

std::vector<std::string> NotesOf(std::string_view resource, base::Value object) {
  const KindFacts& facts = FactsOf(resource);
  if (facts.notes != nullptr) return facts.notes(object);
  std::vector<std::string> images;
  for (const base::Value container : PodSpecOf(object)["containers"].Elements()) {
    images.emplace_back(container["image"].AsString());
  }
  return images;
}

}  // namespace manifests
