// What the types generic and generic-hmac share: Flux's own event, as its notification controller
// posts it. Pure.
#pragma once

#include <string>

#include "gitsync/report/notifiers/notifier.h"

namespace gitsync {

std::string FluxEventBody(const DeployEvent& event);

// Its headers, and those of the Secret's key "headers": a mapping in YAML, which may replace them.
base::Status SetFluxHeaders(const Attempt& attempt, state::HttpCall& call);

// In place of one of this name, if there is one.
void SetHeader(state::HttpCall& call, const std::string& name, std::string value);

}  // namespace gitsync
