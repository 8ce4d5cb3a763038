// SchemaOf: the schema that the objects of a store follow. Pure; any thread.
#pragma once

#include "manifests/schema.h"
#include "state/view.h"

namespace state {

// The built-in types: no object adds any yet.
manifests::SchemaPtr SchemaOf(const View& objects);

}  // namespace state
