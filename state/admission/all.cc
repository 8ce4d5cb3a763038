#include "state/admission/admission.h"

// One a file of this folder: Name stands for AdmitName, which that file defines. NamespaceLifecycle
// is first, since nothing else matters in a namespace that ends, and Quota last: it counts what the
// others made of the object.
#define FOR_EACH_ADMISSION(DO) \
  DO(NamespaceLifecycle)       \
  DO(OwnSecret)                \
  DO(NodeRestriction)          \
  DO(PodRange)                 \
  DO(PodDefaults)              \
  DO(ServiceAddress)           \
  DO(LimitRange)               \
  DO(PodSecurity)              \
  DO(QosClass)                 \
  DO(Quota)

namespace state {

#define DECLARE(NAME) base::Status Admit##NAME(AdmissionRequest&);
FOR_EACH_ADMISSION(DECLARE)
#undef DECLARE

const std::vector<Admission>& AllAdmissions() {
#define ADD(NAME) Admit##NAME,
  static const std::vector<Admission> kAll = {FOR_EACH_ADMISSION(ADD)};
#undef ADD
  return kAll;
}

base::Status CheckExclusive(AdmissionRequest& request) {
  RETURN_IF_ERROR(AdmitServiceAddress(request));
  return AdmitQuota(request);
}

base::Status CheckNamespaceDeletion(const Key& key);
base::Status CheckOwnSecretDeletion(const Key& key, const DraftContext& context);

base::Status CheckDeletion(const Key& key, const DraftContext& context) {
  RETURN_IF_ERROR(CheckNamespaceDeletion(key));
  return CheckOwnSecretDeletion(key, context);
}

}  // namespace state
