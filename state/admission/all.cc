#include "state/admission/admission.h"

namespace state {

const std::vector<Admission>& AllAdmissions() {
  static const std::vector<Admission> kAll = {
      AdmitNamespace,       // first: nothing else matters in a namespace that ends
      AdmitPodDefaults,     // edits
      AdmitServiceAddress,  // edits
      AdmitLimitRange,      // edits, then checks
      AdmitQuota,           // last: counts what the others made of it
  };
  return kAll;
}

}  // namespace state
