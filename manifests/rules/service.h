// The rules of Services and EndpointSlices.
#pragma once

#include "base/json.h"
#include "manifests/rules/report.h"

namespace manifests {

void CheckService(const base::Json& object, Report& report);
void CheckServiceUpdate(const base::Json& before, const base::Json& after, Report& report);
void DefaultService(base::Json& object);

void CheckEndpointSlice(const base::Json& object, Report& report);

}  // namespace manifests
