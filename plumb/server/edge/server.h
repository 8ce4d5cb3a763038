// Server: the control plane, wired: the store over LevelDB, the API and the Git host on one HTTPS
// port, the agents' endpoint on the next, controllers, scheduler, sync engine.
//
// Loop only, but for what its HTTP workers and hooks run.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/edge/real_loop.h"
#include "base/ip.h"
#include "base/status.h"
#include "manifests/rules/pod_security.h"
#include "state/draft.h"

namespace plumb {

inline constexpr int kDefaultPort = 6443;
inline constexpr const char* kAnyAddress = "0.0.0.0";

struct ServerOptions {
  std::string data_dir;
  std::string address = kAnyAddress;
  int port = kDefaultPort;
  std::vector<std::string> names;         // further DNS names and addresses, for the certificate
  std::vector<base::Cidr> webhook_allow;  // internal addresses that webhooks may go to
  bool with_node = false;                 // an agent is in the same process
  bool last_words = true;                 // of crashed containers, with their deploys
  state::ClusterConfig cluster;           // but for api_port, which is `port`
  std::optional<manifests::PodSecurityLevel> pod_security_default = {};  // as of a ControlPlane
};

class Server {
 public:
  // Errors are one sentence with what to do. `failed` is called once if the store can write no
  // more.
  static base::Result<std::unique_ptr<Server>> Start(base::RealLoop& loop,
                                                     const ServerOptions& options,
                                                     std::function<void(base::Status)> failed);
  ~Server();  // stops serving, and ends the loop's works; what is durable stays

  std::string url() const;  // "https://10.0.0.1:6443"
  std::string kubeconfig_path() const;
  std::string join_token_path() const;  // a file with what the first nodes join by
  // Writes an identity for the node `node` into `directory`, as a join over the network would: for
  // a node in the same process, which cannot wait for its own loop.
  base::Status WriteNodeIdentity(const std::string& node, const std::string& directory) const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace plumb
