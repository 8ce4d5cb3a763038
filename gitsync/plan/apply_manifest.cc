// An update is a three-way merge: the manifest's fields over the live object, minus the fields that
// the manifest set last time and no longer does. For that, what was set is remembered in an
// annotation, as a shape: the merge looks at members and at the keys of list elements, never at
// other values, so long texts and everything that a Secret holds are left out.
//
// What only the server writes (status, uid, resourceVersion, ...) is taken off a manifest, so that
// one exported with kubectl can be pushed as it is.
#include "gitsync/plan/apply_manifest.h"

#include <charconv>
#include <optional>
#include <utility>

#include "gitsync/plan/repository.h"
#include "manifests/patch/patch.h"
#include "manifests/server_metadata.h"
#include "manifests/validate.h"

namespace gitsync {
namespace {

using base::Json;

Json ShapeOf(const Json& value) {
  if (value.IsString()) {
    return value.AsString().size() > kMaxLastAppliedText ? Json("") : Json(value.AsString());
  }
  if (value.IsArray()) {
    Json list = Json::MakeArray();
    for (const Json& element : value.Elements()) list.Append(ShapeOf(element));
    return list;
  }
  if (!value.IsObject()) return value;
  Json map = Json::MakeObject();
  for (const Json::Member& member : value.Members()) {
    map.MutableMembers().push_back(Json::Member{member.key, ShapeOf(member.value)});
  }
  return map;
}

std::string LastApplied(const Manifest& manifest, const Json& wanted) {
  Json shape = ShapeOf(wanted);
  if (manifest.key.resource == "secrets" && shape["data"].IsObject()) {
    for (Json::Member& member : shape["data"].MutableMembers()) member.value = "";
  }
  return shape.ToString();
}

// The manifest in the server's words, without what plumb adds to it.
Json WantedOf(const Manifest& manifest) {
  Json wanted = *manifest.object;
  wanted.Remove("status");
  Json& metadata = wanted["metadata"];
  manifests::RemoveServerSetMetadata(metadata);
  if (manifest.kind->namespaced) metadata.Set("namespace", manifest.key.ns);
  if (metadata.Has("annotations") && std::as_const(metadata)["annotations"].IsObject()) {
    metadata["annotations"].Remove(kLastAppliedAnnotation);
  }
  // Folds stringData into data, which is how it will be read back.
  if (manifest.key.resource == "secrets") manifests::ApplyDefaults(*manifest.kind, wanted);
  return wanted;
}

// The place of "spec.containers[0].image" or "metadata.labels[app]" in the manifest, or of the
// nearest thing around it that was written.
base::Mark MarkOf(const Json& object, std::string_view field) {
  base::Mark mark = object.mark;
  const Json* at = &object;
  while (!field.empty()) {
    const Json* next = nullptr;
    if (field.front() == '[') {
      const size_t end = std::min(field.find(']'), field.size());
      const std::string_view inside = field.substr(1, end - 1);
      field.remove_prefix(std::min(end + 1, field.size()));
      size_t index = 0;
      if (at->IsArray()) {
        std::from_chars(inside.data(), inside.data() + inside.size(), index);
        next = index < at->size() ? &at->At(index) : nullptr;
      } else {
        next = at->Find(inside);
      }
    } else {
      const size_t end = std::min(field.find_first_of(".["), field.size());
      next = at->Find(field.substr(0, end));
      field.remove_prefix(end);
    }
    if (field.starts_with('.')) field.remove_prefix(1);
    if (next == nullptr) return mark;
    if (next->mark.line != 0) mark = next->mark;
    at = next;
  }
  return mark;
}

class Application {
 public:
  Application(state::Draft& draft, const Manifest& manifest, std::string_view repository,
              std::vector<SourceError>& errors)
      : draft_(draft), manifest_(manifest), repository_(repository), errors_(errors) {}

  Outcome Run(std::vector<SourceError>& warnings) {
    const state::ObjectPtr live = draft_.view().Get(manifest_.key);
    if (live != nullptr && (live->Deleting() || LeaveAlone(*live))) return Outcome::kSkipped;
    if (live != nullptr && IsAsAsked(manifest_, repository_, *live)) return Outcome::kUnchanged;

    Json wanted = WantedOf(manifest_);
    Json complete = wanted;
    manifests::ApplyDefaults(*manifest_.kind, complete);
    const manifests::Findings findings =
        manifests::Validate(*manifest_.kind, complete, manifests::UnknownFields::kError);
    for (const manifests::Problem& problem : findings.errors) Refuse(problem);
    if (!findings.errors.empty()) return Outcome::kFailed;
    for (const manifests::Problem& problem : findings.warnings) {
      warnings.push_back(manifest_.Error(PlaceOf(problem), problem.field + ": " + problem.message));
    }
    if (LastApplied(manifest_, wanted).size() > kMaxLastAppliedBytes) {
      errors_.push_back(manifest_.Error(
          manifest_.object->mark,
          "the object has too many fields: their names alone take more than " +
              std::to_string(kMaxLastAppliedBytes) + " bytes; split it into several objects"));
      return Outcome::kFailed;
    }
    Sign(manifest_, repository_, wanted);
    return live == nullptr ? Create(std::move(wanted)) : Update(*live, wanted);
  }

  // What tells that the object is ours, and what we set. The manifest was found to be valid.
  static void Sign(const Manifest& manifest, std::string_view repository, Json& wanted) {
    const std::string last = LastApplied(manifest, wanted);
    Json& metadata = wanted["metadata"];
    metadata["labels"].Set(kOwnerLabel, repository);
    metadata["labels"].Set(kOwnerNamespaceLabel, kSystemNamespace);
    metadata["annotations"].Set(kLastAppliedAnnotation, last);
  }

  static Json OriginalOf(const state::Object& live) {
    base::Result<Json> original =
        base::ParseJson(live.Meta("annotations")[kLastAppliedAnnotation].AsString("{}"));
    return original.ok() ? *std::move(original) : Json::MakeObject();
  }

 private:
  bool LeaveAlone(const state::Object& live) const {
    return live.Meta("annotations")[kReconcileAnnotation].AsString() == "disabled" ||
           (*manifest_.object)["metadata"]["annotations"][kReconcileAnnotation].AsString() ==
               "disabled";
  }

  Outcome Create(Json wanted) {
    return Settled(draft_.Create(std::move(wanted)).status(), Outcome::kCreated);
  }

  Outcome Update(const state::Object& live, const Json& wanted) {
    Json merged = manifests::ThreeWayMerge(*manifest_.kind->root, OriginalOf(live), wanted,
                                           live.document.ToJson());
    return Settled(draft_.Update(std::move(merged)).status(), Outcome::kConfigured);
  }

  Outcome Settled(const base::Status& status, Outcome done) {
    if (status.ok()) return done;
    for (const base::Cause& cause : status.causes()) {
      errors_.push_back(manifest_.Error(MarkOf(*manifest_.object, cause.field),
                                        cause.field + ": " + cause.message));
    }
    if (!status.causes().empty()) return Outcome::kFailed;
    std::string message(status.message());
    base::Mark mark = manifest_.object->mark;
    if (status.code() == base::Code::kNotFound && manifest_.kind->namespaced) {
      mark = MarkOf(*manifest_.object, "metadata.namespace");
      message = "namespace " + manifest_.key.ns +
                " does not exist; add a Namespace manifest, or correct metadata.namespace";
    }
    errors_.push_back(manifest_.Error(mark, std::move(message)));
    return Outcome::kFailed;
  }

  base::Mark PlaceOf(const manifests::Problem& problem) const {
    return problem.mark.line != 0 ? problem.mark : MarkOf(*manifest_.object, problem.field);
  }

  void Refuse(const manifests::Problem& problem) {
    errors_.push_back(manifest_.Error(PlaceOf(problem), problem.field + ": " + problem.message));
  }

  state::Draft& draft_;
  const Manifest& manifest_;
  const std::string_view repository_;
  std::vector<SourceError>& errors_;
};

}  // namespace

Outcome ApplyManifest(state::Draft& draft, const Manifest& manifest, std::string_view repository,
                      std::vector<SourceError>& errors, std::vector<SourceError>& warnings) {
  return Application(draft, manifest, repository, errors).Run(warnings);
}

bool IsAsAsked(const Manifest& manifest, std::string_view repository, const state::Object& object) {
  const Json live = object.document.ToJson();
  Json wanted = WantedOf(manifest);
  const Json& metadata = std::as_const(wanted)["metadata"];
  for (const char* field : {"labels", "annotations"}) {
    if (!metadata[field].IsNull() && !metadata[field].IsObject()) return false;  // invalid
  }
  Application::Sign(manifest, repository, wanted);
  return manifests::IsApplied(*manifest.kind->root, Application::OriginalOf(object), wanted, live);
}

}  // namespace gitsync
