// Cluster namespaces: those that every cluster has. What the cluster itself lives by is in them, so
// nobody can delete them, as in Kubernetes.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

#include "state/object.h"
#include "state/own_secrets.h"

namespace state {

inline constexpr std::string_view kClusterNamespaces[] = {
    "default", "kube-node-lease", "kube-public", "kube-system", kSystemNamespace};

inline bool IsClusterNamespace(const Key& key) {
  return key.resource == "namespaces" &&
         std::find(std::begin(kClusterNamespaces), std::end(kClusterNamespaces), key.name) !=
             std::end(kClusterNamespaces);
}

}  // namespace state
