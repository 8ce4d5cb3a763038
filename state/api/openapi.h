// OpenAPI v3: the schema's types and paths in the form that clients read before they write (kubectl
// apply, create, diff, explain; helm). Pure: equal schemas give equal bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "manifests/schema.h"

namespace state {

// /openapi/v3: the index of documents. Each address carries a hash of its document, so that a
// client may keep it until it changes.
std::string OpenApiRoot(const manifests::Schema& schema);

// The OpenAPI 3.0 document of `path`, "api/v1" or "apis/apps/v1"; nothing if no kind is served
// there.
std::optional<std::string> OpenApiDocument(const manifests::Schema& schema, std::string_view path);

}  // namespace state
