// Would the pods of a namespace's workloads fit into its quotas? An estimate for a push: replicas
// times what the template requests, since the pods themselves are made later. Pure.
#pragma once

#include <string>

#include "state/view.h"

namespace gitsync {

// Why the workloads of `ns` as they are in `after` break a ResourceQuota there that they did not
// break as much in `before`: "quota q allows requests.cpu 2, and the workloads of namespace shop
// would request 3". Empty if they do not.
std::string QuotaExcess(const state::View& before, const state::View& after, const std::string& ns);

}  // namespace gitsync
