// What the quotas of a namespace have used so far, in the middle of a draft: summed up once for
// each quota, then kept by the draft's writes, so that many objects cost one walk.
//
// A value of one draft; pure.
#pragma once

#include <map>
#include <string>

#include "manifests/kinds/pod_resources.h"
#include "state/view.h"

namespace state {

class QuotaLedger {
 public:
  // Of each name in spec.hard of `quota`, which stands in `view`.
  const manifests::ResourceList& UsedOf(const View& view, const Object& quota);

  // The draft has written `after` in the place of `before`; either may be null.
  void Wrote(const View& view, const Object* before, const Object* after);

 private:
  struct Account {
    ObjectPtr quota;
    manifests::ResourceList used;
  };
  std::map<std::string, std::map<std::string, Account>> accounts_;  // by namespace and quota
};

}  // namespace state
