#include "tests/sim/git_user.h"

#include <utility>

namespace tests {
namespace {

constexpr char kBranch[] = "refs/heads/main";

}  // namespace

struct GitUser::InFlight {
  Change change;
  gitsync::FakeGit::Staged staged;
  std::function<void(bool)> done;
};

// A hook's run. It may end once.
class GitUser::Hook final : public gitsync::HookSession {
 public:
  Hook(World& world, std::function<void(int, const std::string&)> ended)
      : world_(world), ended_(std::move(ended)) {}

  bool Print(const std::string& line) override {
    text_ += line + "\n";
    return true;
  }
  void Finish(int exit_code) override {
    if (ended_ == nullptr) return world_.Fail("a hook was answered twice: " + text_);
    // The hook is another process.
    world_.loop.Post([ended = std::exchange(ended_, nullptr), exit_code, text = text_] {
      ended(exit_code, text);
    });
  }

 private:
  World& world_;
  std::function<void(int, const std::string&)> ended_;
  std::string text_;
};

GitUser::GitUser(World& world, SimServer& server, std::string repository)
    : world_(world), server_(server), repository_(std::move(repository)) {}

std::string GitUser::head_commit() const {
  const auto refs = world_.git.Refs(repository_);
  const auto head = refs.find(kBranch);
  return head == refs.end() ? "" : head->second;
}

void GitUser::Push(Change change, std::function<void(bool)> done) {
  CHECK(!busy());
  if (!server_.up()) {
    if (done) done(false);
    return;
  }
  push_ = std::make_shared<InFlight>();
  push_->staged = world_.git.Stage(repository_, kBranch, change.files,
                                   change.why + " " + std::to_string(++pushes_) + "\n",
                                   world_.loop.now().wall, change.force);
  push_->change = std::move(change);
  push_->done = std::move(done);
  const auto& staged = push_->staged;
  server_.engine().PreReceive(
      {repository_,
       "ann",
       {{staged.old_oid, staged.new_oid, kBranch}},
       push_->change.options,
       staged.quarantine,
       {"plumb:admin"}},
      std::make_shared<Hook>(world_, [this, push = push_](int exit_code, const std::string& text) {
        if (push == push_) Judged(exit_code, text);
      }));
}

void GitUser::Judged(int exit_code, const std::string& text) {
  const bool accepted = exit_code == 0;
  world_.Trace("push to " + repository_ + " (" + push_->change.why +
               "): " + (accepted ? "accepted" : "refused: " + text));
  const bool git_failed = text.find("could not be read") != std::string::npos;
  if (accepted && push_->change.outcome == Outcome::kRefused) {
    world_.Fail("a bad push (" + push_->change.why + ") was accepted: " + text);
  } else if (!accepted && push_->change.outcome == Outcome::kAccepted && !git_failed) {
    world_.Fail("a good push (" + push_->change.why + ") was refused: " + text);
  }
  if (!accepted) return End(false);
  if (const base::Status moved = world_.git.Accept(push_->staged); !moved.ok()) {
    return world_.Fail("a ref did not move: " + moved.ToString());
  }
  history_.push_back(push_->change.files);
  if (!std::exchange(lose_hook_, false) && server_.up()) {
    ++*waiting_;
    server_.engine().PostReceive(
        {repository_,
         "ann",
         {{push_->staged.old_oid, push_->staged.new_oid, kBranch}},
         push_->change.options,
         {}},
        std::make_shared<Hook>(world_,
                               [waiting = waiting_](int, const std::string&) { --*waiting; }));
  }
  End(true);
}

void GitUser::End(bool accepted) {
  const std::shared_ptr<InFlight> push = std::exchange(push_, nullptr);
  if (!accepted) world_.git.Drop(push->staged);
  if (push->done) push->done(accepted);
}

void GitUser::ServerEnded() {
  waiting_ = std::make_shared<size_t>(0);
  if (busy()) End(false);
}

}  // namespace tests
