// The metadata that only the server sets: what a client sends there is not taken, and what reads an
// object as it was written leaves it out. This is the one list of it.
#pragma once

#include <string_view>

#include "base/json.h"

namespace manifests {

inline constexpr std::string_view kServerSetMetadata[] = {"uid",
                                                          "resourceVersion",
                                                          "generation",
                                                          "creationTimestamp",
                                                          "deletionTimestamp",
                                                          "deletionGracePeriodSeconds",
                                                          "selfLink",
                                                          "managedFields"};

inline void RemoveServerSetMetadata(base::Json& metadata) {
  for (const std::string_view field : kServerSetMetadata) metadata.Remove(field);
}

}  // namespace manifests
