// DataDirectory: what stands where below a server's --data-dir. Immutable; any thread.
//
// The truth is in store() and git(). The rest is made anew at each start: copies for people, and
// what Git's hooks need.
#pragma once

#include <string>
#include <utility>

namespace plumb {

class DataDirectory {
 public:
  explicit DataDirectory(std::string root) : root_(std::move(root)) {}

  const std::string& root() const { return root_; }
  std::string store() const { return root_ + "/store"; }  // LevelDB's
  std::string git() const { return root_ + "/git"; }      // the bare repositories

  // For people: how an administrator, Git and a new node get in.
  std::string kubeconfig() const { return root_ + "/kubeconfig"; }
  std::string join_token() const { return root_ + "/join-token"; }
  std::string pki() const { return root_ + "/pki"; }
  std::string ca_certificate() const { return pki() + "/ca.crt"; }
  std::string admin_certificate() const { return pki() + "/admin.crt"; }  // as in the kubeconfig
  std::string admin_key() const { return pki() + "/admin.key"; }

  // Where an earlier plumb kept what is in the store now.
  std::string old_ca_key() const { return pki() + "/ca.key"; }
  std::string old_join_secret() const { return pki() + "/join"; }
  std::string old_tokens() const { return pki() + "/tokens.json"; }

  // How the hooks of a push reach the server, and the program that they are.
  std::string git_hook_socket() const { return root_ + "/git-hook.sock"; }
  std::string git_hook_program() const { return root_ + "/git-hook"; }
  // Is there while a restore fills the directory.
  std::string restore_marker() const { return root_ + "/restore-unfinished"; }

 private:
  std::string root_;
};

}  // namespace plumb
