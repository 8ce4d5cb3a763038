// OpenAPI v3: the schema's types and paths in the form that clients read before they write (kubectl
// apply, create, diff, explain; helm). Pure: equal schemas give equal bytes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "manifests/schema.h"

namespace state {

// All documents of a schema. Immutable, any thread; it costs some milliseconds to make.
class OpenApi {
 public:
  explicit OpenApi(const manifests::Schema& schema);

  // Whether these are the documents of `schema`.
  bool IsOf(const manifests::Schema& schema) const { return schema.version() == schema_version_; }

  // /openapi/v3: the addresses of the documents. Each carries a hash of its document, so that a
  // client may keep it until it changes.
  const std::string& index() const { return index_; }
  // The OpenAPI 3.0 document of `path`, "api/v1" or "apis/apps/v1"; null if no kind is served
  // there.
  const std::string* Document(std::string_view path) const;

 private:
  uint64_t schema_version_;
  std::map<std::string, std::string, std::less<>> documents_;
  std::string index_;
};

}  // namespace state
