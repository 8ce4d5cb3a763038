// GitUser: who pushes to one repository, one push at a time, as git does it: the objects into a
// quarantine, the pre-receive hook, the ref, the post-receive hook. A hook fails when the server
// that it talks to ends.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/sim_server.h"
#include "tests/sim/world.h"

namespace tests {

class GitUser {
 public:
  using Files = gitsync::FakeGit::Files;

  GitUser(World& world, SimServer& server, std::string repository);

  // What is to come of a push. A hook that fails, or Git, refuses any.
  enum class Outcome { kAccepted, kRefused, kEither };
  struct Change {
    std::string why;  // for the trace
    Files files;      // the whole tree
    std::vector<std::string> options;
    bool force = false;
    Outcome outcome = Outcome::kAccepted;
  };
  // Not while busy(). `done` may be null.
  void Push(Change change, std::function<void(bool accepted)> done = nullptr);
  bool busy() const { return push_ != nullptr; }
  // The server has ended: nobody answers the hooks that wait for it.
  void ServerEnded();
  // The next accepted push is the last that the server hears nothing of: its hook is lost.
  void LoseHook() { lose_hook_ = true; }

  const std::string& repository() const { return repository_; }
  const Files& head() const { return history_.back(); }
  const std::vector<Files>& history() const { return history_; }  // of accepted trees; never empty
  std::string head_commit() const;
  // Deploys of accepted pushes whose end nobody was told yet.
  size_t waiting() const { return *waiting_; }

 private:
  struct InFlight;
  class Hook;
  void Judged(int exit_code, const std::string& text);
  void End(bool accepted);

  World& world_;
  SimServer& server_;
  const std::string repository_;
  std::vector<Files> history_ = {{}};
  std::shared_ptr<InFlight> push_;
  std::shared_ptr<size_t> waiting_ = std::make_shared<size_t>(0);
  uint64_t pushes_ = 0;
  bool lose_hook_ = false;
};

}  // namespace tests
