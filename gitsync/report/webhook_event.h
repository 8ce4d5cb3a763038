// Who is to be told that a deploy has ended: Flux's Alerts, and the Deliveries made for them.
//
// Pure. An Alert in plumb-system sees the deploys of every repository, one in another namespace
// those of repositories that may touch that namespace.
#pragma once

#include <string_view>

#include "base/status.h"
#include "gitsync/plan/history.h"
#include "gitsync/report/delivery.h"
#include "state/draft.h"
#include "state/view.h"

namespace gitsync {

inline constexpr size_t kMaxDeliveries = 100;            // of one Provider, those that arrived too
inline constexpr size_t kMaxEventMetadataBytes = 16384;  // of an Alert; more is left out

// On a Provider that an earlier plumb accepted and did not act on: its generation then. Until its
// spec is changed, or this is taken off, nothing is sent by it.
inline constexpr std::string_view kHeldAnnotation = "plumb.dev/held-generation";

// Marks those, all of the types that have come since. At the first start after an upgrade, before
// any deploy ends; again it changes nothing.
void HoldProviders(state::Draft& draft);

// True if the Alert is to hear of it.
bool Hears(const state::Object& alert, const state::View& view, const Deploy& deploy);

// Adds a Delivery to the draft for every Alert that hears of it and has a Provider that is acted
// on. Where a Provider has too many, the oldest makes room: one that arrived before one that waits.
// What cannot be made (a namespace that ends, a quota) is logged and left out.
void StageDeliveries(state::Draft& draft, const Deploy& deploy);

}  // namespace gitsync
