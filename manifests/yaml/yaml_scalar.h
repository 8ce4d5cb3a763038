// YAML scalars as sigs.k8s.io/yaml reads them: YAML 1.1's words and numbers. Pure; any thread.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/status.h"

namespace manifests {

// What an unquoted scalar means: null, a bool, an int, a double or a string. kInvalid for what JSON
// cannot hold (.inf, .nan).
base::Result<base::Json> ReadPlainScalar(std::string_view text);

// What a scalar with an explicit tag means; `tag` is the part after "tag:yaml.org,2002:" ("str",
// "int", "float", "bool", "null", "timestamp"). kInvalid if the text does not fit the tag, or the
// tag is another.
base::Result<base::Json> ReadTaggedScalar(std::string_view tag, std::string_view text);

// True if `text`, unquoted, is the string itself for this and for other YAML 1.1 readers (which
// read 1:20 in base 60).
bool ReadsAsString(std::string_view text);

// An integral double below 2^63 as an int, as it leaves sigs.k8s.io/yaml (3.0 is 3).
base::Json WithIntegralAsInt(double value);

}  // namespace manifests
