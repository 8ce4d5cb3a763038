// Agent: a node, wired: its containerd, the session with the control plane, the pod workers, its
// part of the mesh.
//
// Loop only. Destroying it stops nothing that runs: pods go on, and the next Agent finds them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/edge/real_loop.h"
#include "base/status.h"
#include "state/draft.h"

namespace plumb {

struct AgentOptions {
  std::string data_dir;
  std::string server;                            // "https://10.0.0.1:6443"
  std::string token;                             // needed for the first join only
  std::string node;                              // its name; default: the host's
  std::string node_ip;                           // default: the address that reaches the server
  std::string containerd;                        // socket of one that runs already; empty: our own
  std::string cni_directory = "/etc/cni/net.d";  // which that containerd reads
  std::string cgroup_parent;                  // under which pods run; empty: the runtime's default
  std::vector<std::string> registry_mirrors;  // "name=http://address"
  bool seccomp_default = true;                // as of NodeFacts
  state::ClusterConfig cluster;
};

class Agent {
 public:
  // `failed` is called if it cannot go on: no containerd, refused by the server.
  static base::Result<std::unique_ptr<Agent>> Start(base::RealLoop& loop,
                                                    const AgentOptions& options,
                                                    std::function<void(base::Status)> failed);
  ~Agent();  // ends the loop's works

 private:
  struct Impl;
  explicit Agent(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace plumb
