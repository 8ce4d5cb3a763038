// WaitVerdict and SyncVerdict: how the deploy of a commit ended, and how what was asked for, by its
// application's Kustomization. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "gitsync/plan/history.h"

namespace plumb {

struct WaitVerdict {
  bool known = false;  // the server has seen the commit
  std::string commit;  // as far as it is known: 40 digits, or what was asked for
  gitsync::DeployPhase phase = gitsync::DeployPhase::kProgressing;
  std::string message;  // why it failed, what it waits for
};

// `commit`: its id or the beginning of it; empty for the newest deploy, whichever that is.
// `contains(newer)` says whether the commit is part of `newer`, which was deployed: then it never
// will be on its own. Where nothing more is done for the Kustomization as it is, what has not ended
// has failed, and so has the newest deploy: what was pushed since was not applied for it.
WaitVerdict JudgeDeploy(const base::Json& kustomization, const std::string& commit,
                        const std::function<bool(const std::string& newer)>& contains);

struct SyncVerdict {
  bool ended = false;
  bool healthy = false;
  std::string message;
};

// How the request `value` ended, in a state that has it: by a deploy that began at it, or at one
// that came after it in its place.
SyncVerdict JudgeSync(const base::Json& kustomization, std::string_view value);

// Exit code of an end: 0 healthy, 1 failed, 2 superseded.
int ExitCodeOf(gitsync::DeployPhase phase);

}  // namespace plumb
