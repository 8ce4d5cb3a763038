// Delivery: one webhook on its way, as an errand: what is next for it, and what an attempt leaves
// behind. Pure.
//
// Attempts follow each other after 5 s, 15 s, 45 s and so on, at most 4 h, a fifth more or less:
// kMaxAttempts take about 16 hours. An answer of 2xx ends them, and 410, the receiver's way to say
// that it wants no more; Retry-After makes a wait longer. A Provider is sent one at a time.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "state/errands/errand.h"

namespace gitsync {

inline constexpr std::string_view kAlerts = "alerts.notification.toolkit.fluxcd.io";
inline constexpr std::string_view kProviders = "providers.notification.toolkit.fluxcd.io";
inline constexpr std::string_view kDeliveries = "deliveries.plumb.dev";

inline constexpr int64_t kMaxAttempts = 12;
inline constexpr base::Duration kKeepDelivered = base::Duration::Hours(1);
inline constexpr base::Duration kKeepGivenUp = base::Duration::Hours(24);
inline constexpr base::Duration kAttemptLimit =
    base::Duration::Seconds(15);  // Provider.timeout's default
inline constexpr base::Duration kMaxAttemptLimit = base::Duration::Seconds(30);

extern const state::ErrandKind kDeliveryErrands;

// It has arrived, or was given up.
bool IsFinished(const state::Object& delivery);
// The type of Provider that it was made for.
std::string_view NotifierType(const state::Object& delivery);

}  // namespace gitsync
