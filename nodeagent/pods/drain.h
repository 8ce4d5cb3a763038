// Drain: when a pod that goes away gets no new connections any more.
//
// Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "state/view.h"

namespace nodeagent {

// The uids of the pods that a slice has as ready endpoints.
std::set<std::string> ServedBy(const state::Object& slice);

// True while an EndpointSlice names the pod as a ready endpoint, so that some node may still send
// it connections once it has programmed this View.
bool IsServed(const state::View& view, std::string_view ns, std::string_view pod_uid);

}  // namespace nodeagent
