// One walk over the object with the schema beside it, then the rules of metadata and of the kind.
//
// - A member that is null counts as left out, as in the Kubernetes API.
// - A field that plumb does not act on yet is warned of, unless it says what its default says, or
//   stands in the status, which is no wish.
// - A list with keys may not hold two elements of the same keys; a key field that is left out has
//   its default. A few lists, where Kubernetes takes the last of equals, only get a warning.
// - Problems come in the order of the text.
#include "manifests/validate.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "manifests/canonical.h"
#include "manifests/rules/all.h"
#include "manifests/rules/metadata.h"
#include "manifests/scalar_check.h"
#include "manifests/suggest.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

constexpr std::string_view kIgnoredWarning = "accepted, but plumb does not act on this field yet";
constexpr std::string_view kIgnoredKind = "accepted, but plumb does not act on this kind yet";
constexpr std::string_view kPartlyWarning = "plumb does not act on all of this yet: ";

// Lists whose equals Kubernetes accepts.
constexpr std::pair<std::string_view, std::string_view> kLenientLists[] = {
    {"Container", "env"},
    {"Container", "ports"},
    {"PodSpec", "hostAliases"},
    {"PodSpec", "imagePullSecrets"},
    {"ServiceAccount", "secrets"}};

bool IsLenient(const Message& message, const Field& field) {
  return std::find(std::begin(kLenientLists), std::end(kLenientLists),
                   std::pair<std::string_view, std::string_view>(message.name, field.name)) !=
         std::end(kLenientLists);
}

bool IsActedOnInPart(const Field& field, const Json& value) {
  if (field.partly.empty()) return false;
  const auto& values = field.partly_for;
  return values.empty() ||
         std::find(values.begin(), values.end(), value.AsString()) != values.end();
}

// One step from a value to a value inside it.
struct Step {
  std::string_view key;  // of an object; empty for an element of a list
  size_t index = 0;
};

struct IgnoredField {
  std::vector<Step> steps;
  Problem warning;
};

class Walker {
 public:
  explicit Walker(UnknownFields unknown) : unknown_(unknown) {}

  void WalkRoot(const Kind& kind, const Json& object) {
    CheckHeader("apiVersion", kind.ApiVersion(), object);
    CheckHeader("kind", kind.kind, object);
    WalkObject(*kind.root, object, true);
    const auto in_status = [](const IgnoredField& field) {
      return field.steps.front().key == "status";
    };
    ignored_.erase(std::remove_if(ignored_.begin(), ignored_.end(), in_status), ignored_.end());
  }

  Findings& findings() { return findings_; }
  std::vector<IgnoredField>& ignored() { return ignored_; }

 private:
  void Error(std::string reason, std::string message, base::Mark mark) {
    findings_.errors.push_back({path_, std::move(reason), std::move(message), mark});
  }

  // Runs `walk` with the path longer by one step.
  template <typename Walk>
  void Inside(std::string path, Step step, Walk walk) {
    std::swap(path_, path);
    steps_.push_back(step);
    walk();
    steps_.pop_back();
    std::swap(path_, path);
  }

  void CheckHeader(std::string_view name, std::string_view wanted, const Json& object) {
    const Json& value = object[name];
    if (value.IsNull() || value.AsString() == wanted) return;
    findings_.errors.push_back({std::string(name), "FieldValueInvalid",
                                "must be " + std::string(wanted) + " here, not " + Describe(value),
                                value.mark});
  }

  void WalkObject(const Message& message, const Json& object, bool is_root = false) {
    if (!object.IsObject()) {
      Error("FieldValueTypeInvalid", "must be an object, not " + Describe(object), object.mark);
      return;
    }
    for (const auto& [name, value] : object.Members()) {
      if (is_root && (name == "apiVersion" || name == "kind")) continue;
      const Field* field = message.Find(name);
      if (field == nullptr) {
        if (!message.preserve_unknown) ReportUnknown(message, name, value);
      } else if (!value.IsNull()) {
        Inside(Join(path_, name), {name},
               [&, &member = value] { WalkField(message, *field, member); });
      }
    }
    CheckRequired(message, object);
  }

  void ReportUnknown(const Message& message, std::string_view name, const Json& value) {
    if (unknown_ == UnknownFields::kIgnore) return;
    std::vector<std::string_view> known;
    ForEachField(message, [&](const Field& field) { known.push_back(field.name); });
    const std::string_view meant = Closest(name, known);
    std::string text = "unknown field";
    if (!meant.empty()) text += "; did you mean " + std::string(meant) + "?";
    auto& problems = unknown_ == UnknownFields::kError ? findings_.errors : findings_.warnings;
    problems.push_back({Join(path_, name), "UnknownField", std::move(text), value.key_mark});
  }

  void CheckRequired(const Message& message, const Json& object) {
    for (const Field& field : message.fields) {
      if (field.inlined) {
        CheckRequired(*field.message, object);
        continue;
      }
      if (!field.required) continue;
      const Json* value = object.Find(field.name);
      const bool is_empty = !IsAbsent(value) && ((value->IsString() && value->AsString().empty()) ||
                                                 (value->IsArray() && value->empty()));
      if (!IsAbsent(value) && !is_empty) continue;
      findings_.errors.push_back({Join(path_, field.name), "FieldValueRequired",
                                  is_empty ? "must not be empty" : "is required; add it",
                                  is_empty ? value->mark : object.mark});
    }
  }

  void WalkField(const Message& message, const Field& field, const Json& value) {
    const bool warn = field.ignored && !inside_ignored_;
    if (warn) {
      ignored_.push_back({steps_, {path_, "", std::string(kIgnoredWarning), value.key_mark}});
      inside_ignored_ = true;
    } else if (!inside_ignored_ && IsActedOnInPart(field, value)) {
      ignored_.push_back(
          {steps_, {path_, "", std::string(kPartlyWarning) + field.partly, value.key_mark}});
    }
    switch (field.shape) {
      case Shape::kSingle: WalkValue(field, value); break;
      case Shape::kList: WalkList(message, field, value); break;
      case Shape::kMap: WalkMap(field, value); break;
    }
    if (warn) inside_ignored_ = false;
  }

  void WalkValue(const Field& field, const Json& value) {
    if (field.scalar == Scalar::kMessage) {
      WalkObject(*field.message, value);
      return;
    }
    Complaint complaint = CheckScalar(field, value);
    if (!complaint.message.empty()) {
      Error(std::move(complaint.reason), std::move(complaint.message), value.mark);
    }
  }

  void WalkList(const Message& message, const Field& field, const Json& list) {
    if (!list.IsArray()) {
      Error("FieldValueTypeInvalid", "must be a list, not " + Describe(list), list.mark);
      return;
    }
    if (field.max_length && static_cast<int64_t>(list.size()) > *field.max_length) {
      Error("FieldValueTooMany",
            "must have at most " + std::to_string(*field.max_length) + " elements", list.mark);
    }
    size_t index = 0;
    for (const Json& element : list.Elements()) {
      Inside(Join(path_, index), {{}, index}, [&] {
        if (element.IsNull()) {
          Error("FieldValueRequired", "an element of a list must not be null", element.mark);
        } else {
          WalkValue(field, element);
        }
      });
      ++index;
    }
    CheckDuplicates(message, field, list);
  }

  void WalkMap(const Field& field, const Json& map) {
    if (!map.IsObject()) {
      Error("FieldValueTypeInvalid", "must be an object of names and values, not " + Describe(map),
            map.mark);
      return;
    }
    for (const auto& [key, value] : map.Members()) {
      if (value.IsNull()) continue;
      Inside(JoinKey(path_, key), {key}, [&, &member = value] { WalkValue(field, member); });
    }
  }

  // What identifies an element, as text; empty if it has no identity.
  static std::string IdentityOf(const Field& field, const Json& element) {
    if (field.list_type == ListType::kSet) return element.ToString();
    std::string identity;
    for (const std::string& key : field.list_keys) {
      const Json* value = element.Find(key);
      const Field* key_field = field.message->Find(key);
      std::string part;
      if (!IsAbsent(value)) {
        part = value->IsString() ? std::string(value->AsString()) : value->ToString();
      } else if (key_field->default_value) {
        part = key_field->default_value->AsString();
      }
      if (!identity.empty()) identity += ", ";
      identity += key + " " + part;
      if (part.empty()) return {};
    }
    return identity;
  }

  void CheckDuplicates(const Message& message, const Field& field, const Json& list) {
    if (field.list_type == ListType::kAtomic || list.size() < 2) return;
    std::set<std::string> seen;
    size_t index = 0;
    for (const Json& element : list.Elements()) {
      std::string identity = IdentityOf(field, element);
      const std::string at = Join(path_, index++);
      if (identity.empty() || seen.insert(identity).second) continue;
      Problem problem{at, "FieldValueDuplicate", identity + " stands in the list twice",
                      element.mark};
      if (IsLenient(message, field)) {
        problem.message += "; the last one counts";
        findings_.warnings.push_back(std::move(problem));
      } else {
        findings_.errors.push_back(std::move(problem));
      }
    }
  }

  const UnknownFields unknown_;
  Findings findings_;
  std::vector<IgnoredField> ignored_;
  bool inside_ignored_ = false;
  std::string path_;
  std::vector<Step> steps_;
};

const Json* Follow(const Json& object, const std::vector<Step>& steps) {
  const Json* at = &object;
  for (const Step& step : steps) {
    at = step.key.empty() ? &at->At(step.index) : at->Find(step.key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

void RemoveAt(Json& object, const std::vector<Step>& steps) {
  Json* at = &object;
  for (size_t i = 0; i + 1 < steps.size(); ++i) {
    if (steps[i].key.empty()) {
      if (!at->IsArray() || steps[i].index >= at->size()) return;
      at = &at->MutableElements()[steps[i].index];
    } else {
      at = at->Find(steps[i].key);
      if (at == nullptr) return;
    }
  }
  at->Remove(steps.back().key);
}

// An ignored field whose value the defaults would have given anyway surprises nobody: so an object
// that was read back from plumb causes no warnings.
void WarnOfIgnored(const Kind& kind, const Json& object, std::vector<IgnoredField>& ignored,
                   std::vector<Problem>& warnings) {
  if (ignored.empty()) return;
  Json defaulted = object;
  for (const IgnoredField& field : ignored) RemoveAt(defaulted, field.steps);
  ApplyDefaults(kind, defaulted);
  for (IgnoredField& field : ignored) {
    const Json* by_default = Follow(defaulted, field.steps);
    const Json* value = Follow(object, field.steps);
    if (by_default != nullptr && value != nullptr && *by_default == *value) continue;
    warnings.push_back(std::move(field.warning));
  }
}

void SortByMark(std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.mark, a.field) < std::tie(b.mark, b.field);
  });
}

void DropUnknownIn(const Message& message, Json& object, bool is_root);

void DropUnknownFrom(const Field& field, Json& value) {
  if (field.scalar != Scalar::kMessage) return;
  if (field.shape == Shape::kSingle) {
    DropUnknownIn(*field.message, value, false);
  } else if (field.shape == Shape::kList && value.IsArray()) {
    for (Json& element : value.MutableElements()) DropUnknownIn(*field.message, element, false);
  } else if (field.shape == Shape::kMap && value.IsObject()) {
    for (Json::Member& member : value.MutableMembers()) {
      DropUnknownIn(*field.message, member.value, false);
    }
  }
}

void DropUnknownIn(const Message& message, Json& object, bool is_root) {
  if (!object.IsObject()) return;
  Json::Object& members = object.MutableMembers();
  const auto is_unknown = [&](const Json::Member& member) {
    if (is_root && (member.key == "apiVersion" || member.key == "kind")) return false;
    return !message.preserve_unknown && message.Find(member.key) == nullptr;
  };
  members.erase(std::remove_if(members.begin(), members.end(), is_unknown), members.end());
  for (Json::Member& member : members) {
    if (const Field* field = message.Find(member.key)) DropUnknownFrom(*field, member.value);
  }
}

// Fields marked immutable, wherever single objects lead to them.
void CheckImmutable(const Message& message, const Json& before, const Json& after,
                    const std::string& path, const Kind& kind, Report& report) {
  ForEachField(message, [&](const Field& field) {
    const Json* was = before.Find(field.name);
    if (IsAbsent(was)) return;
    const Json& is = after[field.name];
    if (field.immutable) {
      if (*was == is) return;
      report.Invalid(
          Join(path, field.name),
          "field is immutable; delete the " + kind.kind + " and create it anew to change it",
          is.IsNull() ? after : is);
    } else if (field.scalar == Scalar::kMessage && field.shape == Shape::kSingle &&
               was->IsObject()) {
      CheckImmutable(*field.message, *was, is, Join(path, field.name), kind, report);
    }
  });
}

}  // namespace

Findings Validate(const Kind& kind, const Json& object, UnknownFields unknown,
                  std::span<const KindCheck> more) {
  Walker walker(unknown);
  walker.WalkRoot(kind, object);
  Findings findings = std::move(walker.findings());
  Report report(findings.errors, findings.warnings);
  CheckMetadata(kind, object, report);
  const KindRules* rules = FindRules(kind.Resource());
  if (rules != nullptr && rules->check != nullptr) rules->check(object, report);
  for (const KindCheck& each : more) {
    if (each.resource == kind.Resource()) each.check(object, report);
  }
  WarnOfIgnored(kind, object, walker.ignored(), findings.warnings);
  if (kind.ignored) report.Warn("kind", std::string(kIgnoredKind), object["kind"].mark);
  SortByMark(findings.errors);
  SortByMark(findings.warnings);
  return findings;
}

std::vector<Problem> ValidateUpdate(const Kind& kind, const Json& was, const Json& is) {
  const Json before = Comparable(*kind.root, was), after = Comparable(*kind.root, is);
  Findings findings;
  Report report(findings.errors, findings.warnings);
  CheckMetadataUpdate(before, after, report);
  CheckImmutable(*kind.root, before, after, "", kind, report);
  const KindRules* rules = FindRules(kind.Resource());
  if (rules != nullptr && rules->check_update != nullptr) {
    rules->check_update(before, after, report);
  }
  SortByMark(findings.errors);
  return std::move(findings.errors);
}

void DropUnknown(const Kind& kind, Json& object) { DropUnknownIn(*kind.root, object, true); }

base::Status ToStatus(const Kind& kind, std::string_view name, const std::vector<Problem>& errors) {
  if (errors.empty()) return {};
  std::string message = kind.kind + (kind.group.empty() ? "" : "." + kind.group) + " \"" +
                        std::string(name) + "\" is invalid: ";
  std::vector<base::Cause> causes;
  if (errors.size() > 1) message += '[';
  for (const Problem& problem : errors) {
    if (!causes.empty()) message += ", ";
    message += problem.field + ": " + problem.message;
    causes.push_back({problem.reason, problem.message, problem.field});
  }
  if (errors.size() > 1) message += ']';
  return {base::Code::kInvalid, std::move(message), std::move(causes)};
}

}  // namespace manifests
