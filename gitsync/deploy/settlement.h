// Settlement: how the last deploy of an application ended, as its Kustomization says: the condition
// "Settled". Status branch, notes and webhooks follow from it, so that a crash loses none of them.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/time.h"
#include "state/draft.h"
#include "state/object.h"

namespace gitsync {

// How a deploy ended. A superseded one was followed by a newer push before it had ended.
enum class DeployOutcome { kHealthy, kFailed, kSuperseded };

std::string_view OutcomeText(DeployOutcome outcome);  // "healthy"

inline constexpr size_t kMaxSettlementMessageBytes = 2048;  // what is longer ends in "..."

struct Settlement {
  std::string repository;   // that it was pushed to
  std::string application;  // empty: the one of the repository's name
  DeployOutcome outcome = DeployOutcome::kHealthy;
  std::string revision;       // "main@sha1:0123..."
  std::string message;        // one line; empty if it went well
  base::WallTime time;        // to the second
  state::Revision state = 0;  // of the state that says so

  void SetName(const state::Object& kustomization);  // from the application's record
  const std::string& name() const { return application.empty() ? repository : application; }
  std::string branch() const { return revision.substr(0, revision.find('@')); }
  std::string commit() const { return revision.substr(revision.find(':') + 1); }
  // The same end of the same deploy.
  bool SameAs(const Settlement& other) const {
    return outcome == other.outcome && revision == other.revision && time == other.time;
  }
};

// What a Kustomization says; nothing before the first deploy has ended.
std::optional<Settlement> ReadSettlement(const state::Object& kustomization);

// Records it, with the draft's time. False, and nothing is written, if the record says already that
// this revision ended this way, or ended before it was superseded: a restarted server deploys the
// head once more.
base::Result<bool> RecordSettlement(state::Draft& draft, Settlement& settlement);

// One line without control characters, of at most `most` bytes.
std::string OneLine(std::string_view text, size_t most);

}  // namespace gitsync
