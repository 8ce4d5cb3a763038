// StatusPublisher: brings how deploys ended back to Git: the branch plumb/status and a note on the
// commit (status_branch.h).
//
// Loop only; Git is written by workers. Level-triggered: at the start, and whenever the record of
// an application says that a deploy has ended, it compares with what Git holds and writes what is
// missing. The Store, GitStore and Loop outlive it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/status.h"
#include "base/subscription.h"
#include "gitsync/plan/history.h"
#include "gitsync/report/status_branch.h"
#include "gitsync/source/git.h"
#include "state/store.h"

namespace gitsync {

// Ends that wait while Git is slow; of more, the oldest is left out.
inline constexpr size_t kMaxWaitingDeploys = 32;  // of one application

// What the branch holds, as far as this process wrote it.
struct Published {
  std::string commit;  // empty: not known
  std::shared_ptr<const Rendered> rendered;
};

class StatusPublisher {
 public:
  StatusPublisher(base::Loop& loop, state::Store& store, GitStore& git);

  // Nothing waits to be written.
  bool Idle() const;

 private:
  struct Waiting {
    Deploy deploy;
    state::View view;            // as it was then
    std::vector<Deploy> missed;  // earlier ends that a crash may have kept from Git
  };
  struct Application {
    std::deque<Waiting> waiting;
    Published published;
    bool busy = false;
    uint32_t failures = 0;
  };
  using ApplicationPtr = std::shared_ptr<Application>;

  void TakeUp(const state::Object& kustomization);
  void Take(Deploy end, std::vector<Deploy> missed = {});
  void Pump(const std::string& name, const ApplicationPtr& application);
  void Written(const std::string& name, const ApplicationPtr& application,
               const base::Result<Published>& published);

  base::Loop& loop_;
  state::Store& store_;
  GitStore& git_;
  std::map<std::string, ApplicationPtr> applications_;
  base::Subscription on_commit_;
  base::Lifeline lifeline_;
};

// What a worker does: writes the branch and the note, or leaves them as they are if they say so
// already. A superseded deploy gets a note only. What the branch holds then.
base::Result<Published> PublishStatus(GitStore& git, const state::View& view, const Deploy& deploy,
                                      const Published& last);

// Notes on earlier deploys, where there is no note yet.
base::Status NoteMissed(GitStore& git, const std::vector<Deploy>& missed);

}  // namespace gitsync
