// A namespaced object needs a namespace, and one that is being deleted takes no new objects:
// otherwise it would never be empty. The namespaces that the cluster itself lives in cannot be
// deleted away under it by accident: Draft::Delete has no say in that, so it is the API's
// authorisation that guards them.
#include "state/admission/admission.h"

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

}  // namespace state
