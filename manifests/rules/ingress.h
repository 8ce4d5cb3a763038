// The rules of Ingresses and their classes.
#pragma once

#include "base/json.h"
#include "manifests/rules/report.h"

namespace manifests {

void CheckIngress(const base::Json& object, Report& report);
void CheckIngressClass(const base::Json& object, Report& report);

}  // namespace manifests
