// The phase is Flux's lastReconciledStatus; the revision and the message are in the entry's
// metadata, which Flux leaves to others.
#include "gitsync/plan/history.h"

#include <algorithm>
#include <utility>

namespace gitsync {
namespace {

using base::Json;

struct PhaseWords {
  DeployPhase phase;
  std::string_view name;
  std::string_view status;  // as Flux's conditions put it
};
constexpr PhaseWords kPhases[] = {
    {DeployPhase::kProgressing, "progressing", "Progressing"},
    {DeployPhase::kHealthy, "healthy", "ReconciliationSucceeded"},
    {DeployPhase::kFailed, "failed", "HealthCheckFailed"},
    {DeployPhase::kSuperseded, "superseded", "Superseded"},
};

const PhaseWords& WordsOf(DeployPhase phase) { return kPhases[static_cast<size_t>(phase)]; }

std::string_view RevisionOf(const Json& entry) { return entry["metadata"]["revision"].AsString(); }

DeployPhase PhaseOf(std::string_view status) {
  for (const PhaseWords& words : kPhases) {
    if (words.status == status) return words.phase;
  }
  return DeployPhase::kHealthy;
}

bool IsProgressing(const Json& entry) {
  return entry["lastReconciledStatus"].AsString() == WordsOf(DeployPhase::kProgressing).status;
}

void SetPhase(Json& entry, DeployPhase phase, const std::string& message, base::WallTime now) {
  const Json& old = std::as_const(entry);
  const std::string_view status = WordsOf(phase).status;
  if (old["lastReconciledStatus"].AsString() == status &&
      old["metadata"]["message"].AsString() == message) {
    return;
  }
  const auto began = base::WallTime::Parse(old["lastReconciled"].AsString());
  if (IsProgressing(old) && began.ok() && *began <= now) {
    entry.Set("lastReconciledDuration",
              base::Duration::Seconds(now.seconds() - began->seconds()).ToString());
  }
  entry.Set("lastReconciledStatus", status);
  entry.Set("lastReconciled", now.ToString());
  entry["metadata"].Remove("message");
  if (!message.empty()) entry["metadata"].Set("message", message);
}

}  // namespace

std::string_view PhaseName(DeployPhase phase) { return WordsOf(phase).name; }

Json WithDeploy(const Json& history, const DeployRecord& record, base::WallTime now) {
  Json::Array entries = history.Elements();
  const bool begins = record.phase == DeployPhase::kProgressing;
  auto at = std::find_if(entries.begin(), entries.end(),
                         [&](const Json& each) { return RevisionOf(each) == record.revision; });
  const bool known = at != entries.end();
  if (!known) {
    const Json metadata = Json::MakeObject({{"revision", record.revision}});
    at = entries.insert(at, Json::MakeObject({{"firstReconciled", now.ToString()},
                                              {"totalReconciliations", 0},
                                              {"metadata", metadata}}));
  }
  if (!known || begins) {
    for (Json& other : entries) {
      if (&other != &*at && IsProgressing(other)) {
        SetPhase(other, DeployPhase::kSuperseded, "by " + record.revision, now);
      }
    }
    std::rotate(entries.begin(), at, at + 1);
    at = entries.begin();
  }
  SetPhase(*at, record.phase, record.message, now);
  if (begins && !record.tree.empty()) {
    at->Set("digest", record.tree);
    at->Set("totalReconciliations", std::as_const(*at)["totalReconciliations"].AsInt() + 1);
  }
  if (entries.size() > kMaxHistory) entries.resize(kMaxHistory);
  return Json(std::move(entries));
}

std::vector<DeployRecord> HistoryOf(base::Value status) {
  std::vector<DeployRecord> records;
  for (const base::Value entry : status["history"].Elements()) {
    const base::Value metadata = entry["metadata"];
    records.push_back({std::string(metadata["revision"].AsString()),
                       std::string(entry["digest"].AsString()),
                       PhaseOf(entry["lastReconciledStatus"].AsString()),
                       std::string(metadata["message"].AsString()),
                       std::string(entry["lastReconciled"].AsString())});
  }
  return records;
}

}  // namespace gitsync
