#include "manifests/kinds/conditions.h"

#include <algorithm>

namespace manifests {

base::Value ConditionOf(base::Value status, std::string_view type) {
  for (const base::Value condition : status["conditions"].Elements()) {
    if (condition["type"].AsString() == type) return condition;
  }
  return {};
}

const base::Json& ConditionOf(const base::Json& status, std::string_view type) {
  static const base::Json kNone;
  for (const base::Json& condition : status["conditions"].Elements()) {
    if (condition["type"].AsString() == type) return condition;
  }
  return kNone;
}

bool ConditionIs(base::Value status, std::string_view type, std::string_view value) {
  return ConditionOf(status, type)["status"].AsString() == value;
}

bool ConditionIs(const base::Json& status, std::string_view type, std::string_view value) {
  return ConditionOf(status, type)["status"].AsString() == value;
}

std::string SentenceOf(base::Value condition) {
  const std::string reason(condition["reason"].AsString());
  const std::string message(condition["message"].AsString());
  return reason.empty() || message.empty() ? reason + message : reason + ": " + message;
}

base::Json& SetCondition(base::Json& status, std::string_view type, std::string_view value,
                         std::string_view reason, std::string_view message, base::WallTime now) {
  base::Json::Array& conditions = status["conditions"].MutableElements();
  auto it = std::find_if(conditions.begin(), conditions.end(),
                         [&](const base::Json& each) { return each["type"].AsString() == type; });
  if (it == conditions.end()) {
    conditions.push_back(base::Json::MakeObject({{"type", type}}));
    it = conditions.end() - 1;
  }
  const base::Json& old = *it;
  if (old["status"].AsString() != value) it->Set("lastTransitionTime", now.ToString());
  it->Set("status", value);
  it->Set("reason", reason);
  it->Set("message", message);
  return *it;
}

void RemoveCondition(base::Json& status, std::string_view type) {
  base::Json* conditions = status.Find("conditions");
  if (conditions == nullptr) return;
  std::erase_if(conditions->MutableElements(),
                [&](const base::Json& each) { return each["type"].AsString() == type; });
}

base::Json HeldSince(const base::Json& before, std::string_view type, std::string_view value,
                     base::WallTime now) {
  const base::Json& old = ConditionOf(before, type);
  if (old["status"].AsString() == value && old["lastTransitionTime"].IsString()) {
    return old["lastTransitionTime"];
  }
  return now.ToString();
}

}  // namespace manifests
