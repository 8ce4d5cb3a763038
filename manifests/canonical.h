// Values that the Kubernetes API does not tell apart are one value here, too: objects are stored in
// one form, and compared by what they mean. Pure; any thread.
#pragma once

#include "base/json.h"
#include "manifests/schema.h"

namespace manifests {

// True if the API does not tell a field of this value from one that is left out.
bool MeansAbsent(const Field& field, const base::Json& value);

// What a null means: an empty value in a map of texts, bytes, amounts or messages; elsewhere, that
// the field is left out. All else stays as it is written: who names "" or false wants that.
void ResolveNulls(const Message& message, base::Json& object);

// The form in which an object of a kind with this root is stored: nulls resolved, and without what
// MeansAbsent. Idempotent. The status stays as its writer has it.
void Canonicalize(const Message& root, base::Json& object);

// True if two values of a message mean the same: their canonical forms are equal, amounts by their
// size. Each may be in any form, such as what an earlier plumb has stored.
bool SameMeaning(const Message& message, const base::Json& a, const base::Json& b);

// The form that SameMeaning compares.
base::Json Comparable(const Message& message, base::Json object);

}  // namespace manifests
