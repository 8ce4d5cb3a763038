// A namespaced object needs a namespace, and one that is being deleted takes no new objects:
// otherwise it would never be empty. Those that every cluster has are not deleted at all.
#include "state/admission/admission.h"
#include "state/cluster_namespaces.h"

namespace state {

base::Status AdmitNamespaceLifecycle(AdmissionRequest& request) {
  if (!request.kind.namespaced || request.old != nullptr) return base::Status();
  if (request.key.ns.empty()) {
    return base::Status(base::Code::kInvalid,
                        request.kind.kind + " \"" + request.key.name +
                            "\" needs a metadata.namespace: it is a namespaced kind");
  }
  const ObjectPtr ns = request.view.Get("namespaces", "", request.key.ns);
  if (ns == nullptr) {
    return base::Status(base::Code::kNotFound, "namespaces \"" + request.key.ns + "\" not found");
  }
  if (ns->Deleting()) {
    return base::Status(base::Code::kForbidden,
                        request.kind.Resource() + " \"" + request.key.name +
                            "\" is forbidden: unable to create new content in namespace " +
                            request.key.ns + " because it is being terminated");
  }
  return base::Status();
}

base::Status CheckNamespaceDeletion(const Key& key) {
  if (!IsClusterNamespace(key)) return base::Status();
  return base::Status(base::Code::kForbidden, "namespaces \"" + key.name +
                                                  "\" is forbidden: this namespace may not be "
                                                  "deleted");
}

}  // namespace state
