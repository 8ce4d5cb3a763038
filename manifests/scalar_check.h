// Whether one JSON value fits a field's scalar, limits, enumeration and format. Pure.
#pragma once

#include <string>

#include "base/json.h"
#include "manifests/schema.h"

namespace manifests {

struct Complaint {
  std::string reason;   // as Problem::reason; empty if the value fits
  std::string message;  // a sentence without the field's name
};

// Looks at one value as the field holds it, an element of its list or a value of its map; not for
// Scalar::kMessage and Scalar::kAny. The value is not null.
Complaint CheckScalar(const Field& field, const base::Json& value);

// For messages: "the string \"3\"", "the number 3", "a list", "an object".
std::string Describe(const base::Json& value);

}  // namespace manifests
