// Tables: objects as rows of text, the form `kubectl get` prints. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "manifests/schema.h"
#include "state/object.h"

namespace state {

// A meta.k8s.io/v1 Table: columnDefinitions (if `with_headers`) and one row for each object.
// `include_object` is "Metadata" (also if empty), "Object" or "None": what a row carries beside its
// cells. Ages are as of `now`.
base::Json MakeTable(const manifests::Kind& kind, const std::vector<ObjectPtr>& objects,
                     std::string_view include_object, base::WallTime now, bool with_headers);

}  // namespace state
