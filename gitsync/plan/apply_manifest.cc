// A repository is one manager of fields among others (server-side apply): what its manifest names
// gets the manifest's values, whoever wrote others; what the manifest named last time and no longer
// does is removed, unless another manager holds it too; what people's tools have added is removed;
// what controllers and other programs hold stays.
//
// What only the server writes (status, uid, resourceVersion, ...) is taken off a manifest, so that
// one exported with kubectl can be pushed as it is.
//
// Earlier plumbs remembered in an annotation what they had set. It is taken over and goes.
#include "gitsync/plan/apply_manifest.h"

#include <charconv>
#include <optional>
#include <utility>

#include "gitsync/plan/application.h"
#include "gitsync/plan/by_hand.h"
#include "manifests/apply/structure.h"
#include "manifests/canonical.h"
#include "manifests/patch/patch.h"
#include "manifests/server_metadata.h"
#include "manifests/validate.h"
#include "state/pod_security.h"

namespace gitsync {
namespace {

using base::Json;
using manifests::FieldSet;

constexpr std::string_view kLastApplied = "plumb.dev/last-applied";  // of earlier plumbs

// Flux's: how what others added to an object is dealt with, and when it is left alone.
constexpr std::string_view kApplyMode = "kustomize.toolkit.fluxcd.io/ssa";
constexpr std::string_view kMerge = "Merge", kIfNotPresent = "IfNotPresent", kIgnore = "Ignore";

// The manifest in the server's words, without what plumb adds to it.
Json WantedOf(const Manifest& manifest) {
  Json wanted = *manifest.object;
  wanted.Remove("status");
  manifests::ResolveNulls(*manifest.kind->root, wanted);
  Json& metadata = wanted["metadata"];
  manifests::RemoveServerSetMetadata(metadata);
  if (manifest.kind->namespaced) metadata.Set("namespace", manifest.key.ns);
  if (metadata.Has("annotations") && std::as_const(metadata)["annotations"].IsObject()) {
    metadata["annotations"].Remove(kLastApplied);
  }
  // Folds stringData into data, which is how it will be read back.
  if (manifest.key.resource == "secrets") manifests::ApplyDefaults(*manifest.kind, wanted);
  return wanted;
}

// What tells that the object is the repository's. The manifest's labels were found to be valid.
void Sign(std::string_view repository, Json& wanted) {
  Json& labels = wanted["metadata"]["labels"];
  labels.Set(kOwnerLabel, repository);
  labels.Set(kOwnerNamespaceLabel, kSystemNamespace);
}

// The manifest or the object asks for it in an annotation.
bool Asks(const Manifest& manifest, const state::Object* live, std::string_view annotation,
          std::string_view value) {
  return (*manifest.object)["metadata"]["annotations"][annotation].AsString() == value ||
         (live != nullptr && live->Meta("annotations")[annotation].AsString() == value);
}

bool HasLastApplied(const state::Object& live) {
  return live.Meta("annotations")[kLastApplied].Exists();
}

// What an earlier plumb set. Of an object that has no such word, what is there is nobody's.
FieldSet AppliedBefore(const Manifest& manifest, const state::Object& live) {
  const base::Result<Json> last =
      base::ParseJson(live.Meta("annotations")[kLastApplied].AsString());
  if (!last.ok() || !last->IsObject()) return FieldSet();
  Json all = *last;
  if (!all["metadata"].IsNull() && !all["metadata"].IsObject()) return FieldSet();
  Sign("", all);
  base::Result<FieldSet> fields = manifests::FieldsOf(*manifest.kind->root, all);
  return fields.ok() ? *std::move(fields) : FieldSet();
}

// Of a live object, what is to go although no manifest ever named it.
FieldSet Reclaimed(const Manifest& manifest, const state::Object& live, const FieldSet& named) {
  FieldSet fields;
  if (!Asks(manifest, &live, kApplyMode, kMerge)) fields = ChangedByHand(live, named);
  if (HasLastApplied(live)) {
    fields =
        fields.Union(OneField({"f:metadata", "f:annotations", "f:" + std::string(kLastApplied)}));
  }
  return fields;
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

}  // namespace

void AddErrors(const Manifest& manifest, const base::Status& status,
               std::vector<SourceError>& errors) {
  for (const base::Cause& cause : status.causes()) {
    errors.push_back(
        manifest.Error(MarkOf(*manifest.object, cause.field), cause.field + ": " + cause.message));
  }
  if (!status.causes().empty()) return;
  std::string message(status.message());
  base::Mark mark = manifest.object->mark;
  if (status.code() == base::Code::kNotFound && manifest.kind->namespaced) {
    mark = MarkOf(*manifest.object, "metadata.namespace");
    message = "namespace " + manifest.key.ns +
              " does not exist; add a Namespace manifest, or correct metadata.namespace";
  }
  errors.push_back(manifest.Error(mark, std::move(message)));
}

namespace {

class ManifestApplication {
 public:
  ManifestApplication(state::Draft& draft, const Manifest& manifest, std::string_view repository,
                      std::vector<SourceError>& errors)
      : draft_(draft), manifest_(manifest), repository_(repository), errors_(errors) {}

  Outcome Run(std::vector<SourceError>& warnings) {
    const state::ObjectPtr live = draft_.view().Get(manifest_.key);
    if (LeavesAlone(manifest_, live.get()) || (live != nullptr && live->Deleting()))
      return Outcome::kSkipped;
    if (live != nullptr && IsAsAsked(manifest_, repository_, *live)) return Outcome::kUnchanged;

    Json wanted = WantedOf(manifest_);
    Json complete = wanted;
    manifests::ApplyDefaults(*manifest_.kind, complete);
    const manifests::Findings findings =
        draft_.Validate(*manifest_.kind, complete, manifests::UnknownFields::kError);
    for (const manifests::Problem& problem : findings.errors) Refuse(problem);
    if (!findings.errors.empty()) return Outcome::kFailed;
    for (const manifests::Problem& problem : findings.warnings) {
      warnings.push_back(manifest_.Error(PlaceOf(problem), problem.field + ": " + problem.message));
    }
    if (!IsConfined(complete, live.get(), warnings)) return Outcome::kFailed;
    Sign(repository_, wanted);
    return live == nullptr ? Settled(draft_.Apply(std::move(wanted), {.force = true}).status(),
                                     Outcome::kCreated)
                           : Update(live, std::move(wanted));
  }

 private:
  Outcome Update(const state::ObjectPtr& live, Json wanted) {
    const base::Result<FieldSet> named = manifests::FieldsOf(*manifest_.kind->root, wanted);
    if (!named.ok()) return Settled(named.status(), Outcome::kFailed);
    state::ApplyOptions options{.force = true, .reclaimed = Reclaimed(manifest_, *live, *named)};
    const FieldSet before = AppliedBefore(manifest_, *live);
    if (live->managers == nullptr) options.applied_before = &before;
    base::Result<state::ObjectPtr> applied = draft_.Apply(wanted, options);
    if (!applied.ok() && !options.reclaimed.empty()) {  // what cannot be taken back stays
      options.reclaimed = FieldSet();
      applied = draft_.Apply(std::move(wanted), options);
    }
    const bool same = applied.ok() && state::SameContent(**applied, *live);
    return Settled(applied.status(), same ? Outcome::kUnchanged : Outcome::kConfigured);
  }

  Outcome Settled(const base::Status& status, Outcome done) {
    if (status.ok()) return done;
    AddErrors(manifest_, status, errors_);
    return Outcome::kFailed;
  }

  // False if its pods, or those of its template, would be refused in this namespace.
  bool IsConfined(const Json& complete, const state::Object* live,
                  std::vector<SourceError>& warnings) {
    if (!state::PodPathOf(manifest_.key.resource)) return true;
    const state::PodSecurity security = state::PodSecurityOf(draft_.view(), manifest_.key.ns);
    const auto problems = [&](const manifests::PodSecurityPolicy& policy) {
      return state::PodSecurityProblems(manifest_.key.resource, complete, live, policy);
    };
    const std::vector<manifests::Problem> forbidden = problems(security.enforce);
    for (manifests::Problem problem : forbidden) {
      problem.message += " (Pod Security " + ToString(security.enforce) + "; " +
                         state::HowToAllow(manifest_.key.ns, security) + ")";
      Refuse(problem);
    }
    if (!forbidden.empty()) return false;
    for (const manifests::Problem& problem : problems(security.warn)) {
      warnings.push_back(manifest_.Error(
          PlaceOf(problem), problem.field + ": " + problem.message + " (Pod Security " +
                                ToString(security.warn) + ", of which the namespace warns)"));
    }
    return true;
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
  return ManifestApplication(draft, manifest, repository, errors).Run(warnings);
}

bool LeavesAlone(const Manifest& manifest, const state::Object* live) {
  return Asks(manifest, live, kReconcileAnnotation, "disabled") ||
         Asks(manifest, live, kApplyMode, kIgnore) ||
         (live != nullptr && Asks(manifest, live, kApplyMode, kIfNotPresent));
}

bool IsAsAsked(const Manifest& manifest, std::string_view repository, const state::Object& object) {
  if (HasLastApplied(object)) return false;
  const manifests::FieldSetPtr applied = AppliedFields(object);
  if (applied == nullptr) return false;
  Json wanted = WantedOf(manifest);
  const Json& metadata = std::as_const(wanted)["metadata"];
  for (const char* field : {"labels", "annotations"}) {
    if (!metadata[field].IsNull() && !metadata[field].IsObject()) return false;  // invalid
  }
  Sign(repository, wanted);
  const base::Result<FieldSet> named = manifests::FieldsOf(*manifest.kind->root, wanted);
  return named.ok() && *named == *applied && Reclaimed(manifest, object, *named).empty() &&
         manifests::IsApplied(*manifest.kind->root, Json::MakeObject(), wanted,
                              object.document.ToJson());
}

}  // namespace gitsync
