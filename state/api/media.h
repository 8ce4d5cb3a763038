// Which form a client wants its answer in, which form its body has, and bodies that say what they
// are. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/net/http.h"
#include "base/status.h"
#include "manifests/schema.h"

namespace state {

struct Representation {
  enum class Form { kWhole, kTable, kPartial /* PartialObjectMetadata(List) */ };
  enum class Wire { kJson, kProtobuf };
  Form form = Form::kWhole;
  Wire wire = Wire::kJson;                  // tables are JSON only
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

// Bytes that say what they are.
struct Body {
  std::string type;  // as Content-Type says it
  std::string bytes;
};

// What a path can be answered in.
struct Offer {
  bool forms = true;     // tables and metadata only, too
  bool protobuf = true;  // the kind has such a wire form
  bool watch = false;    // a stream
};
std::vector<MediaType> ParseMediaTypes(std::string_view header);

// What the Accept header wants most of what is served. kNotAcceptable if that is nothing,
// kBadRequest for a bad includeObject.
base::Result<Representation> Negotiate(const base::HttpRequest& request, const Offer& offer);

// The body as JSON, read by its Content-Type: JSON (also if none is named), YAML, or protobuf of
// `message`. kUnsupportedMediaType, kBadRequest.
base::Result<base::Json> ParseBody(const base::HttpRequest& request,
                                   const manifests::Message& message);

}  // namespace state
