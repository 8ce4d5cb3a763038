// A new Pod's status says its quality of service: its node reports the same later. It follows from
// what its containers ask for once the namespace's LimitRanges have had their say.
#include "manifests/kinds/pod_resources.h"
#include "state/admission/admission.h"

namespace state {

base::Status AdmitQosClass(AdmissionRequest& request) {
  if (request.key.resource != "pods" || request.old != nullptr) return base::Status();
  const base::Json& spec = std::as_const(request.object)["spec"];
  if (spec.IsObject()) request.object["status"].Set("qosClass", manifests::QosClass(spec));
  return base::Status();
}

}  // namespace state
