// ReadMesh: what a node's mesh is computed from, out of the View that its agent holds. Pure.
#pragma once

#include "servicemesh/services.h"
#include "state/view.h"

namespace servicemesh {

// `place` says who and where the node is and what the cluster's ranges are; the rest comes from
// `view`: the revision, the node's range of pod addresses, the services, the pods' host ports.
MeshInput ReadMesh(const state::View& view, MeshInput place);

}  // namespace servicemesh
