// ApplyManifest: one object made as its manifest says, in a draft. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gitsync/render/manifest_set.h"
#include "gitsync/source/source_error.h"
#include "state/draft.h"

namespace gitsync {

// On a manifest or an object, "disabled": plumb leaves the object as it is (Flux).
inline constexpr std::string_view kReconcileAnnotation = "kustomize.toolkit.fluxcd.io/reconcile";

enum class Outcome {
  kCreated,
  kConfigured,
  kUnchanged,
  kSkipped,  // asked to be left alone, or being deleted: made anew when it is gone
  kFailed,
};

// Creates or updates the object of `manifest` for `repository`. Every mistake is appended to
// `errors` (the draft is then as it was), what is accepted but not acted on yet to `warnings`.
Outcome ApplyManifest(state::Draft& draft, const Manifest& manifest, std::string_view repository,
                      std::vector<SourceError>& errors, std::vector<SourceError>& warnings);

// True if the manifest, or the object (null if there is none), asks for nothing to be done.
bool LeavesAlone(const Manifest& manifest, const state::Object* live);

// What a write of the manifest was refused for, each at its place.
void AddErrors(const Manifest& manifest, const base::Status& status,
               std::vector<SourceError>& errors);

// True if the object is there and as the manifest asks.
bool IsAsAsked(const Manifest& manifest, std::string_view repository, const state::Object& object);

}  // namespace gitsync
