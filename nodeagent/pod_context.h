// PodContext: what the configuration of a pod's containers is computed from.
//
// Borrowed for one plan: it must not outlive the pod, the View and the facts that it points to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/document.h"
#include "state/view.h"

namespace nodeagent {

// What an agent knows of its own machine, and where it keeps things.
struct NodeFacts {
  std::string name;
  std::string ip;
  std::string log_root;        // of the containers' logs
  std::string volume_root;     // of the pods' volumes
  std::string cgroup_parent;   // "" for the runtime's default
  std::string cluster_dns_ip;  // "" if the cluster serves no names
  std::string cluster_domain = "cluster.local";
  std::string runtime_name = "containerd";  // the scheme of container ids in statuses
  // The machine's own resolv.conf.
  std::vector<std::string> dns_servers, dns_searches, dns_options;
  // Allocatable: what a container without a limit may take.
  int64_t cpu_millis = 0;
  int64_t memory_bytes = 0;
  // A container that names no seccomp profile gets the runtime's default one.
  bool seccomp_default = true;
};

struct PodContext {
  const NodeFacts& node;
  base::Value pod;          // the whole object
  const state::View* view;  // ConfigMaps, Secrets, Services
  bool complete = false;    // what the View lacks does not exist
  std::string ip = {};      // of the pod, once it is known

  std::string_view Meta(std::string_view field) const { return pod["metadata"][field].AsString(); }
  std::string_view Namespace() const { return Meta("namespace"); }
  std::string_view Name() const { return Meta("name"); }
  std::string_view Uid() const { return Meta("uid"); }
  bool HostNetwork() const { return pod["spec"]["hostNetwork"].AsBool(); }
};

// The element of an array whose `name` is that, or a missing value.
inline base::Value Named(base::Value array, std::string_view name) {
  for (base::Value element : array.Elements()) {
    if (element["name"].AsString() == name) return element;
  }
  return {};
}

}  // namespace nodeagent
