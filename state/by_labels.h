// Who carries labels, and whose selector wants them: found by the View's indexes, at the cost of
// what is found. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "state/view.h"

namespace state {

// The objects of `resource` in `ns` that carry all of `labels` (a map; empty or missing: any), by
// key; only those, if it is given, that `also` finds. The kind is selectable
// (manifests::KindFacts).
std::vector<ObjectPtr> CarriersOf(const View& view, std::string_view resource, std::string_view ns,
                                  base::Value labels, std::optional<View::Term> also = {});

// The objects of `resource` in `ns` whose spec.selector wants no label to be equal that is not
// among `labels`. What its matchExpressions want, and whether an empty one selects all or nothing,
// is the caller's to ask.
std::vector<ObjectPtr> SelectorsOf(const View& view, std::string_view resource, std::string_view ns,
                                   base::Value labels);

}  // namespace state
