// Validation and defaulting of one object against its kind.
//
// Pure. Every problem is reported, not only the first; each carries the field's path and, when the
// object came from a text, the line and column.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "manifests/schema.h"

namespace manifests {

struct Problem {
  std::string field;    // "spec.template.spec.containers[0].image"
  std::string reason;   // metav1 cause: "FieldValueInvalid", "FieldValueRequired",
                        // "FieldValueNotSupported", ...
  std::string message;  // what is wrong and what to do: "unknown field; did you mean replicas?"
  base::Mark mark;      // 0:0 if unknown
};

struct Findings {
  std::vector<Problem> errors;
  std::vector<Problem> warnings;  // accepted but not acted on yet, deprecated
};

class Report;

// A rule of a kind whose facts stand in a room above: as the check of KindRules (rules/all.h).
struct KindCheck {
  std::string_view resource;
  void (*check)(const base::Json& object, Report& report);
};

enum class UnknownFields {
  kError,
  kWarn,
  kIgnore
};  // the API's fieldValidation=Strict, Warn, Ignore

// Checks `object` (with its apiVersion and kind) against the schema: unknown and misspelt fields,
// types, required fields, enumerations, ranges, formats, duplicate list keys; then the kind's own
// rules (rules/*.cc), such as that a Deployment's selector matches its template, and what of `more`
// is of this kind.
Findings Validate(const Kind& kind, const base::Json& object, UnknownFields unknown,
                  std::span<const KindCheck> more = {});

// What an update may not do: change what an immutable field means. Both are whole objects, in any
// form (canonical.h).
std::vector<Problem> ValidateUpdate(const Kind& kind, const base::Json& before,
                                    const base::Json& after);

// Brings `object` into the form in which it is stored: canonical (canonical.h), with the schema's
// defaults and the kind's own (a Pod's probes, a Service's targetPort, ...). Idempotent.
void ApplyDefaults(const Kind& kind, base::Json& object);

// Removes what `before` had for the old value of another field (a Service's node ports, once its
// type has none) and `after` has as it was. Both have their defaults.
void DropDependent(const Kind& kind, const base::Json& before, base::Json& after);

// Removes fields the schema does not know; used for fieldValidation=Warn and Ignore.
void DropUnknown(const Kind& kind, base::Json& object);

// kInvalid as the API words it: `Deployment.apps "web" is invalid: spec.replicas: ...`, with one
// cause a problem.
base::Status ToStatus(const Kind& kind, std::string_view name, const std::vector<Problem>& errors);

}  // namespace manifests
