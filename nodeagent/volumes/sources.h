// Sources: the ConfigMaps and Secrets that a pod takes values from.
//
// Pure. Not knowing is not absence: what an incomplete View lacks is kUnavailable, and only what a
// complete one lacks is kNotFound.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/status.h"
#include "nodeagent/pod_context.h"

namespace nodeagent {

using Entries = std::map<std::string, std::string, std::less<>>;  // bytes by key

// All that the object holds. An `optional` object that does not exist is empty.
base::Result<Entries> ConfigMapEntries(const PodContext& context, std::string_view name,
                                       bool optional);
base::Result<Entries> SecretEntries(const PodContext& context, std::string_view name,
                                    bool optional);

// "configmap \"web\" has no key \"color\"; ..."
base::Status MissingKey(std::string_view kind, std::string_view name, std::string_view key);

base::Result<std::string> DecodeBase64(std::string_view text);

}  // namespace nodeagent
