// The rules of Flux's kinds.
#pragma once

#include "base/json.h"
#include "manifests/rules/report.h"

namespace manifests {

void CheckGitRepository(const base::Json& object, Report& report);
void CheckAlert(const base::Json& object, Report& report);

}  // namespace manifests
