// Admission: what the schema cannot say about a change, because it depends on other objects:
// namespaces that end, LimitRange defaults and bounds, quotas, addresses of Services; or on who
// makes it.
//
// Pure functions in one ordered table (all.cc). Each may edit the object, or refuse it with a
// sentence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "manifests/schema.h"
#include "state/draft.h"
#include "state/view.h"

namespace state {

struct AdmissionRequest {
  const View& view;  // before the change, with what the draft staged so far
  const DraftContext& context;
  const manifests::Kind& kind;
  Key key;
  base::Json& object;                  // defaulted, not yet validated
  const Object* old = nullptr;         // null on create
  std::vector<std::string>& warnings;  // for who writes
  QuotaLedger& quotas;
  // Set where the draft is judged at its end: what another has may be taken then, which becomes
  // true. Null: it is refused.
  bool* doubt = nullptr;
  bool staged = false;  // `view` has the object already, as it is asked for
};

using Admission = base::Status (*)(AdmissionRequest& request);

// In order: those that edit come before those that check. Each is a file of this folder, and a line
// of all.cc.
const std::vector<Admission>& AllAdmissions();

// Whether nobody else has what only one may have, and every quota is kept: a second time, of an
// object that is staged.
base::Status CheckExclusive(AdmissionRequest& request);

// Whether the object may be deleted by the context's actor.
base::Status CheckDeletion(const Key& key, const DraftContext& context);

}  // namespace state
