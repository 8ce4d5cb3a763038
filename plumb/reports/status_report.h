// StatusReport: how the cluster is, or one object with all that belongs to it, as JSON for `plumb
// status`. It holds times, no ages, so that it changes only when something does.
//
// Pure.
#pragma once

#include <string>

#include "base/json.h"
#include "manifests/schema.h"
#include "state/view.h"

namespace plumb {

inline constexpr size_t kMaxStatusObjects = 200;  // of a list or a tree; more are counted

struct StatusQuery {
  std::string ns;    // empty: all
  std::string kind;  // "deployment", "deploy", "repo", "app", ...; empty: the cluster
  std::string name;
};

// {nodes: [{name, ready, reason, since, address, pods}], more_nodes,
//  repositories: [{name, repository, revision, phase, message, since, objects}], an application
//    each; repository: only if it has another name,
//  unhealthy: [{object, level, reason}], more_unhealthy, healthy,
//  note: a sentence about the whole cluster, if there is something to say}
base::Json ClusterStatus(const state::View& view, const std::string& ns);

// {object, level, reason, notes: [text], warnings: [{reason, message, count, last}],
//  children: [...], more}. kNotFound, kInvalid (an unknown kind, several namespaces).
base::Result<base::Json> ObjectStatus(const state::View& view, const StatusQuery& query);

}  // namespace plumb
