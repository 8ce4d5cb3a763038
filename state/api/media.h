// Which form a client wants its answer in, and which form its body has. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/net/http.h"
#include "base/status.h"

namespace state {

struct Representation {
  enum class Form { kJson, kTable, kPartial /* PartialObjectMetadata(List) */ };
  Form form = Form::kJson;
  std::string version = "v1";               // of meta.k8s.io, for tables and partial objects
  std::string include_object = "Metadata";  // a table's rows: "None", "Metadata", "Object"

  auto operator<=>(const Representation&) const = default;
};

// One entry of an Accept or Content-Type header; parameters in any order.
struct MediaType {
  std::string type;  // "application/json", in lower case
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string_view Parameter(std::string_view name) const;
};
std::vector<MediaType> ParseMediaTypes(std::string_view header);

// The first form in the Accept header that is served; `only_json` for what has no table.
// kNotAcceptable if there is none, kInvalid for a bad includeObject.
base::Result<Representation> Negotiate(const base::HttpRequest& request, bool only_json);

// The body as JSON, read by its Content-Type: JSON (also if none is named) or YAML.
// kUnsupportedMediaType, kBadRequest.
base::Result<base::Json> ParseBody(const base::HttpRequest& request);

}  // namespace state
