// Health: has an object become what it was asked to be? As it says itself; what its pods say is
// gitsync's to add. Pure.
//
// The rules are kstatus' and Argo CD's where they agree; reference: Kubernetes API conventions for
// conditions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/document.h"
#include "base/time.h"

namespace manifests {

struct Health {
  enum class Level { kHealthy, kProgressing, kFailed };
  Level level = Level::kHealthy;
  std::string reason;  // a phrase for people: "2/3 ready"
  // Of a failure that is the end of a wait: when it ended, and how long it may last.
  std::optional<base::WallTime> since = std::nullopt;
  base::Duration patience = {};
};

// Of an object of this resource ("deployments.apps"), by what is known of its kind.
Health HealthOf(std::string_view resource, base::Value object);

// Its controller has looked at it as it is now, as far as it reports that.
bool IsObserved(std::string_view resource, base::Value object);

// By the conditions Stalled, Reconciling and Ready; healthy without them. What kinds have that know
// no better.
Health HealthByConditions(base::Value object);

// "2/3 available"
std::string Share(int64_t part, int64_t whole, std::string_view what);

}  // namespace manifests
