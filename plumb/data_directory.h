// DataDirectory: what stands where below a server's --data-dir. Immutable; any thread.
#pragma once

#include <string>
#include <utility>

namespace plumb {

class DataDirectory {
 public:
  explicit DataDirectory(std::string root) : root_(std::move(root)) {}

  const std::string& root() const { return root_; }
  std::string store() const { return root_ + "/store"; }  // LevelDB's
  std::string pki() const { return root_ + "/pki"; }      // certificates, keys, tokens
  std::string git() const { return root_ + "/git"; }      // the bare repositories
  // How the hooks of a push reach the server, and the program that they are.
  std::string git_hook_socket() const { return root_ + "/git-hook.sock"; }
  std::string git_hook_program() const { return root_ + "/git-hook"; }
  std::string join_token() const { return root_ + "/join-token"; }
  std::string kubeconfig() const { return root_ + "/kubeconfig"; }

 private:
  std::string root_;
};

}  // namespace plumb
