// The rules of ConfigMaps and Secrets.
#pragma once

#include "base/json.h"
#include "manifests/rules/report.h"

namespace manifests {

inline constexpr size_t kMaxConfigBytes = 1u << 20;  // of a ConfigMap's or Secret's values

void CheckConfigMap(const base::Json& object, Report& report);
void CheckSecret(const base::Json& object, Report& report);
// `immutable: true` seals the content, and cannot be taken back.
void CheckSealed(const base::Json& before, const base::Json& after, Report& report);
// Folds stringData into data.
void DefaultSecret(base::Json& object);

}  // namespace manifests
