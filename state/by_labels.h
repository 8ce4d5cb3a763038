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
// (manifests::KindFacts). For each object that carries the rarest of them, and once more, it looks
// at one object a label at most.
std::vector<ObjectPtr> CarriersOf(const View& view, std::string_view resource, std::string_view ns,
                                  base::Value labels, std::optional<View::Term> also = {});

// The objects of `resource` in `ns` whose spec.selector wants no label to be equal that is not
// among `labels`. What its matchExpressions want, and whether an empty one selects all or nothing,
// is the caller's to ask. By the texts of their equal labels.
//
// Looks at each that it finds, and at one object, whatever its kind and namespace, of each distinct
// text that it passes: those that are carried, and of those that begin with the same carried labels
// and go on with another no more than there are labels carried. Never at more than there are
// distinct texts. A look costs what the text has that is carried, times a logarithm of the labels'
// number, or of the index's.
std::vector<ObjectPtr> SelectorsOf(const View& view, std::string_view resource, std::string_view ns,
                                   base::Value labels);

}  // namespace state
