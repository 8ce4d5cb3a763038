// Credentials of registries: from a pod's imagePullSecrets to what a pull is given.
//
// Pure.
#pragma once

#include <optional>
#include <string>

#include "nodeagent/pod_context.h"
#include "nodeagent/pods/runtime.h"

namespace nodeagent {

// The first credentials among the pod's imagePullSecrets that are meant for the image's registry;
// a secret that is missing or cannot be read is passed over, as Kubernetes does.
std::optional<ImageCredentials> CredentialsFor(const PodContext& context,
                                               const std::string& reference);

// "registry.example:5000" of "registry.example:5000/team/app:1"; Docker Hub for a bare name.
std::string RegistryOf(const std::string& reference);

// The reference with ":latest" if it names neither tag nor digest.
std::string WithTag(const std::string& reference);

}  // namespace nodeagent
