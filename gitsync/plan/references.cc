// Not missing is: what may be missing; what a controller makes in every namespace (the
// ServiceAccount "default"); what no kind is served for, since nobody could add it.
#include "gitsync/plan/references.h"

#include <algorithm>

#include "manifests/kinds/kind_facts.h"

namespace gitsync {
namespace {

constexpr std::string_view kMadeAccount = "default";

bool MustBeThere(const manifests::Reference& reference, const manifests::Schema& schema) {
  if (reference.optional) return false;
  if (reference.kind == "ServiceAccount" && reference.name == kMadeAccount) return false;
  return schema.FindByResource(reference.resource) != nullptr;
}

// Why it would not resolve; empty if it would.
std::string Unresolved(const manifests::Reference& reference, const std::string& ns,
                       const state::View& view) {
  const state::ObjectPtr object = view.Get(reference.resource, ns, reference.name);
  const std::string what = std::string(reference.kind) + " \"" + std::string(reference.name) + "\"";
  const std::string ways = ", or push with -o allow-missing";
  if (object == nullptr || object->Deleting()) {
    return "namespace " + ns + " would have no " + what + "; add it, correct the name" + ways;
  }
  if (reference.key.empty() || (*object)["data"][reference.key].Exists() ||
      (*object)["binaryData"][reference.key].Exists()) {
    return "";
  }
  return what + " has no entry \"" + std::string(reference.key) + "\"; add it, correct the key" +
         ways;
}

}  // namespace

std::vector<Missing> MissingReferences(std::string_view resource, const std::string& ns,
                                       const base::Json& object, const state::View& view,
                                       const manifests::Schema& schema) {
  std::vector<Missing> missing;
  manifests::ForEachReference(resource, object, [&](const manifests::Reference& reference) {
    if (!MustBeThere(reference, schema)) return;
    std::string message = Unresolved(reference, ns, view);
    if (message.empty()) return;
    missing.push_back({reference.field->ToString(), std::move(message), reference.mark});
  });
  std::stable_sort(missing.begin(), missing.end(),
                   [](const Missing& a, const Missing& b) { return a.mark < b.mark; });
  return missing;
}

}  // namespace gitsync
