// Own secrets: the Secrets that plumb keeps its credentials in, such as the key of its certificate
// authority: those of plumb-system whose names begin with "plumb.".
//
// plumb writes them itself: admission refuses everybody else, Git and administrators too. No node
// gets them, whatever a pod names, and no webhook. Of people only administrators read them.
#pragma once

#include <string_view>

#include "state/actor.h"
#include "state/object.h"

namespace state {

inline constexpr std::string_view kSystemNamespace = "plumb-system";
inline constexpr std::string_view kOwnSecretPrefix = "plumb.";
inline constexpr std::string_view kVaultManager = "plumb-vault";

inline bool IsOwnSecret(const Key& key) {
  return key.resource == "secrets" && key.ns == kSystemNamespace &&
         key.name.starts_with(kOwnSecretPrefix);
}

// Who writes them.
inline ActorPtr VaultActor() { return ProgramActor(kVaultManager); }
inline bool IsVault(const ActorPtr& actor) {
  return actor != nullptr && actor->program && actor->manager == kVaultManager;
}

}  // namespace state
