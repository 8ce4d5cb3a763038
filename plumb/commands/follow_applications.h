// Following applications to an end: one GET of the Kustomizations, then a watch, until each of
// those that a name stands for has come to it. Blocks; one thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/json.h"
#include "base/status.h"
#include "base/time.h"
#include "plumb/commands/client.h"

namespace plumb {

inline constexpr const char* kKustomizationList =
    "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/plumb-system/kustomizations";

// Kustomizations by name.
using Applications = std::map<std::string, base::Json>;

// Those of a list that `name` stands for: all of a repository, or one application. Of several, the
// suspended ones are left out. Empty if there is none.
Applications ChooseApplications(const base::Json& list, const std::string& name);

base::Status NoSuchName(const std::string& name);

// Calls `look` with each of them, and again when it changes, until it returned true for all.
// kNotFound if there is none, or the last was deleted; kTimeout; what else the server says at the
// first call. A server that restarts is waited for.
base::Status FollowApplications(
    Client& client, const std::string& name, base::Duration timeout,
    const std::function<bool(const std::string& application, const base::Json& object)>& look);

}  // namespace plumb
