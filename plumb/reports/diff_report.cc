#include "plumb/reports/diff_report.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "gitsync/plan/apply_manifest.h"
#include "manifests/apply/apply.h"
#include "manifests/server_metadata.h"
#include "manifests/yaml/yaml.h"
#include "plumb/reports/text_diff.h"

namespace plumb {
namespace {

using base::Json;
using gitsync::Action;

struct ActionWords {
  Action action;
  std::string_view name;
  bool differs;
};
constexpr ActionWords kActions[] = {
    {Action::kCreated, "created", true},  {Action::kConfigured, "configured", true},
    {Action::kPruned, "pruned", true},    {Action::kHandedOver, "handed over", true},
    {Action::kSkipped, "skipped", false}, {Action::kUnchanged, "unchanged", false},
};

const ActionWords& WordsOf(Action action) {
  return *std::find_if(std::begin(kActions), std::end(kActions),
                       [&](const ActionWords& words) { return words.action == action; });
}

// Numbers values in the order in which they come up.
class Masks {
 public:
  void Cover(Json& secret) {
    for (const std::string_view field : {"data", "stringData"}) {
      if (!std::as_const(secret)[field].IsObject()) continue;
      for (Json::Member& member : secret[field].MutableMembers()) {
        // A manifest may say in plain text what the server keeps encoded.
        const std::string_view value = member.value.AsString();
        member.value = MaskOf(field == "data" ? std::string(value) : base::Base64Encode(value));
      }
    }
  }

 private:
  std::string MaskOf(const std::string& value) {
    const auto [at, fresh] = numbers_.emplace(value, numbers_.size() + 1);
    return "(secret " + std::to_string(at->second) + ")";
  }

  std::map<std::string, size_t> numbers_;
};

void RemoveIfEmpty(Json& object, std::string_view field) {
  const Json* value = std::as_const(object).Find(field);
  if (value != nullptr && value->empty() && !value->IsString()) object.Remove(field);
}

// What a push can change of an object, for people to read.
Json Shown(Json object, Masks& masks) {
  object.Remove("status");
  Json& metadata = object["metadata"];
  manifests::RemoveServerSetMetadata(metadata);
  if (metadata["labels"].IsObject()) {
    metadata["labels"].Remove(gitsync::kOwnerLabel);
    metadata["labels"].Remove(gitsync::kOwnerNamespaceLabel);
  }
  if (metadata["annotations"].IsObject()) {
    // kubectl's own; it repeats all of an object, Secrets included.
    metadata["annotations"].Remove(manifests::kLastAppliedAnnotation);
  }
  RemoveIfEmpty(metadata, "labels");
  RemoveIfEmpty(metadata, "annotations");
  if (metadata["labels"].IsNull()) metadata.Remove("labels");
  if (metadata["annotations"].IsNull()) metadata.Remove("annotations");
  if (std::as_const(object)["kind"].AsString() == "Secret") masks.Cover(object);
  return object;
}

void AddLines(const std::vector<gitsync::SourceError>& errors, const std::string& prefix,
              Json& list) {
  for (const std::string& line : gitsync::LinesOf(errors)) list.Append(prefix + line);
}

Json ObjectReport(const gitsync::ObjectResult& result, const state::View& before,
                  const gitsync::SyncPlan& plan, const gitsync::ManifestSet& set, Masks& masks) {
  Json report = Json::MakeObject(
      {{"action", WordsOf(result.action).name}, {"object", result.key.ToString()}});
  if (!result.note.empty()) report.Set("note", result.note);
  if (result.action == Action::kSkipped) return report;
  const state::ObjectPtr old = before.Get(result.key);
  if (old != nullptr) report.Set("before", Shown(old->document.ToJson(), masks));
  if (result.action == Action::kPruned) return report;
  const gitsync::Manifest* manifest = set.Find(result.key);
  const state::ObjectPtr fresh = plan.after.Get(result.key);
  if (old == nullptr && manifest != nullptr) {
    report.Set("after", Shown(*manifest->object, masks));
  } else if (fresh != nullptr) {
    report.Set("after", Shown(fresh->document.ToJson(), masks));
  }
  return report;
}

std::string_view Sign(std::string_view action) {
  if (action == "created") return "+";
  if (action == "pruned") return "-";
  return action == "skipped" ? "=" : "~";
}

std::string Painted(std::string_view action, const std::string& text, const Style& style) {
  if (action == "created") return style.Good(text);
  if (action == "pruned") return style.Bad(text);
  return style.Strong(text);
}

void AppendChange(const Json& object, const Style& style, std::string& out) {
  const bool created = !object.Has("before");
  const std::string before = created ? "" : manifests::ToYaml(object["before"]);
  const std::vector<DiffLine> lines = DiffYaml(before, manifests::ToYaml(object["after"]));
  if (lines.empty() && !object.Has("note")) {
    out += style.Faint("    only plumb's own labels and annotations change") + "\n";
  }
  for (const DiffLine& line : lines) {
    switch (line.kind) {
      case DiffLine::Kind::kPlace:
        out += style.Faint(line.text.empty() ? "    @" : "    @ " + line.text) + "\n";
        break;
      case DiffLine::Kind::kSame: out += "      " + line.text + "\n"; break;
      case DiffLine::Kind::kRemoved: out += style.Bad("    - " + line.text) + "\n"; break;
      case DiffLine::Kind::kAdded: out += style.Good("    + " + line.text) + "\n"; break;
    }
  }
}

}  // namespace

base::Result<Json> DiffReport(const state::View& before,
                              const std::vector<ApplicationPlan>& plans) {
  Masks masks;
  Json objects = Json::MakeArray(), errors = Json::MakeArray(), warnings = Json::MakeArray();
  int64_t unchanged = 0;
  size_t bytes = 0;
  for (const ApplicationPlan& each : plans) {
    const bool several = plans.size() > 1;
    const std::string prefix = several ? each.application + ": " : "";
    AddLines(each.plan->errors, prefix, errors);
    AddLines(each.plan->warnings, prefix, warnings);
    unchanged += static_cast<int64_t>(each.plan->untouched);
    for (const gitsync::ObjectResult& result : each.plan->results) {
      if (result.action == Action::kUnchanged) {
        ++unchanged;
        continue;
      }
      Json object = ObjectReport(result, before, *each.plan, *each.set, masks);
      if (several) object.Set("application", each.application);
      bytes += object.ToString().size();
      if (bytes > kMaxDiffReportBytes) {
        return base::Status(base::Code::kTooLarge,
                            "the differences take more than " +
                                std::to_string(kMaxDiffReportBytes >> 20) +
                                " MiB; git push -o dry-run names the objects");
      }
      objects.Append(std::move(object));
    }
  }
  return Json::MakeObject({{"commit", plans.empty() ? "" : plans.front().set->commit},
                           {"errors", std::move(errors)},
                           {"warnings", std::move(warnings)},
                           {"objects", std::move(objects)},
                           {"unchanged", unchanged}});
}

bool WouldBeRefused(const Json& report) { return !report["errors"].empty(); }

bool HasDifferences(const Json& report) {
  const Json::Array& objects = report["objects"].Elements();
  return std::any_of(objects.begin(), objects.end(),
                     [](const Json& object) { return object["action"].AsString() != "skipped"; });
}

std::string DiffText(const Json& report, const Style& style) {
  std::string out, application;
  std::map<std::string, int64_t> counts;
  for (const Json& object : report["objects"].Elements()) {
    if (object["application"].AsString() != application) {
      application = object["application"].AsString();
      out += style.Strong("application " + application) + "\n";
    }
    const std::string_view action = object["action"].AsString();
    ++counts[std::string(action)];
    std::string head(Sign(action));
    head += " " + std::string(action);
    head.append(head.size() < 13 ? 13 - head.size() : 1, ' ');
    head += object["object"].AsString();
    out += Painted(action, head, style);
    if (object.Has("note")) out += "  " + std::string(object["note"].AsString());
    out += "\n";
    if (action != "pruned" && object.Has("after")) AppendChange(object, style, out);
  }
  if (counts.empty()) {
    return "no difference: " + std::to_string(report["unchanged"].AsInt()) +
           " objects are as the commit asks\n";
  }
  std::string summary;
  counts["unchanged"] = report["unchanged"].AsInt();
  for (const ActionWords& words : kActions) {
    const int64_t count = counts[std::string(words.name)];
    if (count == 0) continue;
    summary +=
        (summary.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(words.name);
  }
  return out + "\n" + summary + "\n";
}

}  // namespace plumb
