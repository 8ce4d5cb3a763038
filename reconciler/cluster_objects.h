// The objects that every cluster has. Pure.
#pragma once

#include "base/status.h"
#include "state/draft.h"

namespace reconciler {

// Makes those that are missing: the namespaces that the cluster itself lives in, and the Service
// default/kubernetes, by which clients inside the cluster name the API. A namespace of these that
// is being deleted, which an earlier plumb allowed, stays. The server calls it once at start,
// before anything else is written; later controllers/cluster_objects.cc keeps them.
base::Status EnsureClusterObjects(state::Draft& draft);

// Has the Service lead to the server: the EndpointSlice default/kubernetes. One that somebody
// applies is theirs.
base::Status EnsureApiEndpoint(state::Draft& draft);

state::Key ApiServiceKey();
state::Key ApiEndpointKey();

// Whether `key` names one of all these.
bool IsClusterObject(const state::Key& key);

}  // namespace reconciler
