// What people have changed by hand on objects that a repository deploys: drift that no manifest
// shows, because no manifest names the field. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "manifests/apply/field_set.h"
#include "state/object.h"

namespace gitsync {

// The manager of what repositories say, see Kubernetes' managedFields.
inline constexpr std::string_view kFieldManager = "plumb-gitsync";

// Whether a field manager is a tool that people type into or click on, rather than a program that
// keeps what it writes.
bool IsPeoplesTool(std::string_view manager);

// The fields of `live` that are only in the hands of people's tools, and not among those that the
// manifest names. Not these: what came through a subresource, and when kubectl restarted a rollout.
manifests::FieldSet ChangedByHand(const state::Object& live, const manifests::FieldSet& named);

// What the repositories' manager applied; null if that is not known.
manifests::FieldSetPtr AppliedFields(const state::Object& live);

// `path`'s elements as FieldsV1 spells them: {"f:metadata", "f:labels", "f:app"}.
manifests::FieldSet OneField(const std::vector<std::string_view>& path);

}  // namespace gitsync
