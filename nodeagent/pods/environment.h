// Environment: the variables of a container, and $(NAME) in what refers to them.
//
// Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "nodeagent/pod_context.h"

namespace nodeagent {

using Variables = std::map<std::string, std::string, std::less<>>;

// All variables of a container. kNotFound or kUnavailable for a reference that is missing or not
// known yet, kInvalid for one that cannot be served.
base::Result<Variables> BuildEnvironment(const PodContext& context, base::Value container);

// The variables that tell of services, as Kubernetes names them: WEB_SERVICE_HOST, WEB_PORT, ...
Variables ServiceVariables(const PodContext& context);

// "$(NAME)" becomes its value if there is one and stays as it is if not; "$$" is "$".
std::string Expand(std::string_view text, const Variables& variables);

}  // namespace nodeagent
