// A Namespace has become what it was asked to be as soon as it exists. Its deletion is held by the
// finalizer "kubernetes" of its specification until it is empty; that it is, the controller says.
#include "manifests/kinds/kind_facts.h"

namespace manifests {
namespace {

Health NamespaceHealth(base::Value) { return {Health::Level::kHealthy, "active"}; }

}  // namespace

extern constinit const KindFacts kNamespaceFacts = {
    .resource = "namespaces",
    .health = NamespaceHealth,
    .lifecycle = {.ending_phase = "Terminating", .spec_finalizers = true},
};

}  // namespace manifests
