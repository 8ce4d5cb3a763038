// The rules of metadata that all kinds share.
#pragma once

#include <string_view>

#include "base/json.h"
#include "manifests/rules/report.h"
#include "manifests/schema.h"

namespace manifests {

inline constexpr size_t kMaxAnnotationBytes = 256u << 10;  // keys and values of one object

// Name, generateName, namespace, labels, annotations, owners of a whole object.
void CheckMetadata(const Kind& kind, const base::Json& object, Report& report);
// What may not change: name, namespace, uid, creation and deletion.
void CheckMetadataUpdate(const base::Json& before, const base::Json& after, Report& report);

// Of any metadata, a template's too; `path` is the metadata's.
void CheckLabelsAndAnnotations(const base::Json& metadata, std::string_view path, Report& report);
// A map whose keys are label keys and whose values are label values.
void CheckLabels(const base::Json& labels, std::string_view path, Report& report);

}  // namespace manifests
