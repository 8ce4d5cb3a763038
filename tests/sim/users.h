// Users: two repositories and those who push to them, and people who change things by hand.
//
// What the repositories deploy is made of units: an application, a ConfigMap, a Secret, a namespace
// with what is in it. A unit is in one repository at most, or moves between the two. Each has an
// anchor that stays for ever. The first repository has a second application, for another directory.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/git_user.h"
#include "tests/sim/sim_server.h"
#include "tests/sim/world.h"

namespace tests {

class Users {
 public:
  Users(World& world, SimServer& server);

  // Makes the repositories, with a first push.
  void Begin();
  // One of them does something.
  void Act();
  // A last push to each repository, one after the other, of what becomes healthy; repeated until it
  // is accepted.
  void WishWell();
  // Some things are changed by hand, once everything was well: nobody pushes after it.
  void Meddle();
  bool satisfied() const { return wishes_ == 0; }
  void ServerEnded();

  std::vector<std::unique_ptr<GitUser>>& git() { return git_; }
  // What was made by hand and acknowledged, by name.
  const std::set<std::string>& hand_made() const { return hand_made_; }

 private:
  using Files = GitUser::Files;
  using Change = GitUser::Change;

  void CreateRepository(GitUser& user);
  void PushSomething(GitUser& user);
  Change GoodChange(GitUser& user);
  Change BadChange(const GitUser& user);
  void Add(GitUser& user, Change& change);
  void TakeOver(GitUser& user, Change& change);
  void GoBack(const GitUser& user, Change& change);
  void ChangeSide(Change& change);
  void Wish(size_t user);
  void ChangeByHand();
  void MakeByHand();

  GitUser& Other(const GitUser& user) { return *git_[&user == git_[0].get() ? 1 : 0]; }
  bool MayExist(const std::string& unit);
  std::string UnitText(const std::string& unit, bool sick);

  World& world_;
  SimServer& server_;
  base::Rng rng_;
  std::vector<std::unique_ptr<GitUser>> git_;
  std::map<std::string, std::set<std::string>> lost_;  // units that the other has taken over
  std::set<std::string> wandering_;                    // units that have been in both
  std::set<std::string> hand_made_;
  int version_ = 0;
  size_t wishes_ = 0;  // that are still to be accepted
};

}  // namespace tests
