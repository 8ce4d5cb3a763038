// The phase is Flux's lastReconciledStatus; the revision, the placement and the message are in the
// entry's metadata, which Flux leaves to others.
#include "gitsync/plan/history.h"

#include <algorithm>
#include <utility>

#include "gitsync/plan/application.h"

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

// A phase that goes on began when it began, whatever is said of it now.
void SetPhase(Json& entry, DeployPhase phase, const std::string& message, base::WallTime now) {
  const Json& old = std::as_const(entry);
  const std::string_view status = WordsOf(phase).status;
  if (old["metadata"]["message"].AsString() != message) {
    entry["metadata"].Remove("message");
    if (!message.empty()) entry["metadata"].Set("message", message);
  }
  if (old["lastReconciledStatus"].AsString() == status) return;
  const auto began = base::WallTime::Parse(old["lastReconciled"].AsString());
  if (IsProgressing(old) && began.ok() && *began <= now) {
    entry.Set("lastReconciledDuration",
              base::Duration::Seconds(now.seconds() - began->seconds()).ToString());
  }
  entry.Set("lastReconciledStatus", status);
  entry.Set("lastReconciled", now.ToString());
}

void ShortenMessage(Json& entry) {
  const std::string_view message = std::as_const(entry)["metadata"]["message"].AsString();
  if (message.size() <= kMaxHistoryMessageBytes) return;
  std::string shorter = OneLine(message, kMaxHistoryMessageBytes);
  entry["metadata"].Set("message", std::move(shorter));
}

}  // namespace

std::string_view PhaseName(DeployPhase phase) { return WordsOf(phase).name; }

Json WithDeploy(const Json& history, const Deploy& deploy, base::WallTime now) {
  Json::Array entries = history.Elements();
  const bool begins = deploy.phase == DeployPhase::kProgressing;
  auto at = std::find_if(entries.begin(), entries.end(),
                         [&](const Json& each) { return RevisionOf(each) == deploy.revision; });
  const bool known = at != entries.end();
  if (!known) {
    const Json metadata = Json::MakeObject({{"revision", deploy.revision}});
    at = entries.insert(at, Json::MakeObject({{"firstReconciled", now.ToString()},
                                              {"totalReconciliations", 0},
                                              {"metadata", metadata}}));
  }
  if (!known || begins) {
    for (Json& other : entries) {
      if (&other != &*at && IsProgressing(other)) {
        SetPhase(other, DeployPhase::kSuperseded, "by " + deploy.revision, now);
      }
    }
    std::rotate(entries.begin(), at, at + 1);
    at = entries.begin();
  }
  SetPhase(*at, deploy.phase, OneLine(deploy.message, kMaxDeployMessageBytes), now);
  if (!deploy.placement.empty()) (*at)["metadata"].Set("placement", deploy.placement);
  if (begins && !deploy.tree.empty()) {
    at->Set("digest", deploy.tree);
    at->Set("totalReconciliations", std::as_const(*at)["totalReconciliations"].AsInt() + 1);
  }
  for (size_t i = 1; i < entries.size(); ++i) ShortenMessage(entries[i]);
  if (entries.size() > kMaxHistory) entries.resize(kMaxHistory);
  return Json(std::move(entries));
}

std::vector<Deploy> HistoryOf(base::Value status) {
  std::vector<Deploy> deploys;
  for (const base::Value entry : status["history"].Elements()) {
    const base::Value metadata = entry["metadata"];
    Deploy deploy;
    deploy.revision = OneLine(metadata["revision"].AsString());
    deploy.phase = PhaseOf(entry["lastReconciledStatus"].AsString());
    // It goes into commits, and may be of an earlier plumb, or of a person.
    deploy.message = OneLine(metadata["message"].AsString());
    const auto since = base::WallTime::Parse(entry["lastReconciled"].AsString());
    if (since.ok()) deploy.since = *since;
    deploy.tree = entry["digest"].AsString();
    deploy.placement = metadata["placement"].AsString();
    deploys.push_back(std::move(deploy));
  }
  return deploys;
}

std::vector<Deploy> DeploysOf(const state::Object& kustomization) {
  std::vector<Deploy> deploys = HistoryOf(kustomization["status"]);
  for (Deploy& deploy : deploys) {
    deploy.repository = SourceOf(kustomization);
    deploy.application = kustomization.key.name;
    deploy.state = kustomization.revision;
  }
  return deploys;
}

std::vector<Deploy> EndedBetween(const state::Object* before, const state::Object& now) {
  std::vector<Deploy> known, ended;
  if (before != nullptr) {
    if ((*before)["status"]["history"] == now["status"]["history"]) return ended;
    known = HistoryOf((*before)["status"]);
  }
  for (Deploy& deploy : DeploysOf(now)) {
    const bool same = std::any_of(known.begin(), known.end(),
                                  [&](const Deploy& each) { return each.SameAs(deploy); });
    if (deploy.ended() && !same) ended.push_back(std::move(deploy));
  }
  std::reverse(ended.begin(), ended.end());
  return ended;
}

}  // namespace gitsync
