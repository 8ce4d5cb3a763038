// NodeRestriction: what a node may write of itself, by whatever door it comes: REST and frames ask
// the same. Pure.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/status.h"
#include "state/actor.h"
#include "state/object.h"

namespace state {

// Not labels that say what a node is trusted with, or that only the cluster gives.
bool MayLabelItself(std::string_view label);

// The node that acts; empty if it is none, or plumb writes for it.
std::string_view ActingNode(const ActorPtr& actor);

// A node makes its own Node and Lease only. Before it is told that there is one of the name.
base::Status CheckNodeCreates(const ActorPtr& actor, const Key& key);

// Absent, false and empty are the same, as a field is left out or written in either way.
bool SameField(const base::Json& before, const base::Json& after);

}  // namespace state
