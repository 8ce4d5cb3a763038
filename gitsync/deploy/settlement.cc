// The condition: status is False for a failure, the reason names the outcome, the message is the
// revision and, after a colon, what there is to say; lastTransitionTime is the time of the end.
#include "gitsync/deploy/settlement.h"

#include <utility>

#include "base/utf8.h"
#include "gitsync/plan/application.h"
#include "manifests/kinds/conditions.h"

namespace gitsync {
namespace {

constexpr std::string_view kSettled = "Settled";
constexpr std::pair<DeployOutcome, std::string_view> kReasons[] = {
    {DeployOutcome::kHealthy, "Healthy"},
    {DeployOutcome::kFailed, "Failed"},
    {DeployOutcome::kSuperseded, "Superseded"}};

std::string_view ReasonText(DeployOutcome outcome) {
  for (const auto& [each, text] : kReasons) {
    if (each == outcome) return text;
  }
  return "";
}

}  // namespace

std::string_view OutcomeText(DeployOutcome outcome) {
  switch (outcome) {
    case DeployOutcome::kHealthy: return "healthy";
    case DeployOutcome::kFailed: return "failed";
    case DeployOutcome::kSuperseded: return "superseded";
  }
  return "";
}

std::string OneLine(std::string_view text, size_t most) {
  constexpr std::string_view kMore = "...";
  std::string line;
  while (!text.empty()) {
    const size_t length = base::Utf8Length(text);
    const auto first = static_cast<unsigned char>(text.front());
    // Below 0xa0 the second byte of C2 is a control character as well.
    const bool control =
        first < 0x20 || first == 0x7f ||
        (length == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0);
    const std::string_view piece = length == 0 ? std::string_view("?")
                                   : control   ? std::string_view(" ")
                                               : text.substr(0, length);
    if (line.size() + piece.size() > most) {
      while (line.size() + kMore.size() > most && !line.empty()) {
        // Never the middle of a character.
        while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xc0) == 0x80) {
          line.pop_back();
        }
        if (!line.empty()) line.pop_back();
      }
      return line + std::string(kMore);
    }
    line += piece;
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return line;
}

void Settlement::SetName(const state::Object& kustomization) {
  const std::string& name = kustomization.key.name;
  repository = SourceOf(kustomization);
  application = name == repository ? "" : name;
}

std::optional<Settlement> ReadSettlement(const state::Object& kustomization) {
  const base::Value condition = manifests::ConditionOf(kustomization["status"], kSettled);
  if (!condition.Exists()) return std::nullopt;
  const std::string_view message = condition["message"].AsString();
  const size_t colon = message.find(": ");
  Settlement settlement;
  settlement.SetName(kustomization);
  settlement.revision = message.substr(0, colon);
  if (colon != std::string_view::npos) settlement.message = message.substr(colon + 2);
  const auto time = base::WallTime::Parse(condition["lastTransitionTime"].AsString());
  if (time.ok()) settlement.time = *time;
  settlement.state = kustomization.revision;
  for (const auto& [outcome, text] : kReasons) {
    if (condition["reason"].AsString() != text) continue;
    settlement.outcome = outcome;
    return settlement;
  }
  return std::nullopt;
}

base::Result<bool> RecordSettlement(state::Draft& draft, Settlement& settlement) {
  const state::ObjectPtr object = draft.view().Get(KustomizationKey(settlement.name()));
  if (object == nullptr) return NoRepository(settlement.name());
  const std::optional<Settlement> before = ReadSettlement(*object);
  if (before && before->revision == settlement.revision &&
      (before->outcome == settlement.outcome || settlement.outcome == DeployOutcome::kSuperseded)) {
    return false;
  }
  settlement.message = OneLine(settlement.message, kMaxSettlementMessageBytes);
  settlement.time = base::WallTime::FromSeconds(draft.context().now.seconds());
  base::Json condition = base::Json::MakeObject(
      {{"type", kSettled},
       {"status", settlement.outcome == DeployOutcome::kFailed ? "False" : "True"},
       {"reason", ReasonText(settlement.outcome)},
       {"message", settlement.message.empty() ? settlement.revision
                                              : settlement.revision + ": " + settlement.message},
       {"lastTransitionTime", settlement.time.ToString()},
       {"observedGeneration", object->Generation()}});
  base::Json status = (*object)["status"].ToJson();
  manifests::RemoveCondition(status, kSettled);
  status["conditions"].Append(std::move(condition));
  RETURN_IF_ERROR(draft.UpdateStatus(object->key, std::move(status)).status());
  return true;
}

}  // namespace gitsync
