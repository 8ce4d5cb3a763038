// Protobuf: the API's second wire form (application/vnd.kubernetes.protobuf), driven by the schema
// as JSON's is: kubectl and helm send bodies in nothing else, and clients read less of it.
//
// Pure; any thread. A body is an envelope (four bytes, then apiVersion, kind and the message's
// bytes); events of a watch are frames of their own. What a scalar looks like on the wire,
// types/README.md says.
#pragma once

#include <string>
#include <string_view>

#include "base/document.h"
#include "base/json.h"
#include "base/status.h"
#include "manifests/schema.h"

namespace manifests {

inline constexpr std::string_view kProtobufType = "application/vnd.kubernetes.protobuf";
// Of a watch: frames, not one body.
inline constexpr std::string_view kProtobufWatchType =
    "application/vnd.kubernetes.protobuf;stream=watch";

inline constexpr int kMaxProtobufDepth = 100;  // levels of the JSON that a message becomes

// All its fields have numbers. Others (kinds of CustomResourceDefinitions, Flux's) are JSON only.
bool HasWireForm(const Message& message);

// a message, bare

// Appends `object`'s fields. What `message` does not know, null, and values that do not fit their
// field (a validated object has none) are left out.
void EncodeMessage(const Message& message, base::Value object, std::string& out);

// kBadRequest, with the field's path, for bytes that are no such message, text that is not UTF-8,
// times and amounts that do not read, more than kMaxProtobufDepth levels. Fields that the table
// does not know are skipped; a zero without presence is absent (schema.h).
base::Result<base::Json> DecodeMessage(const Message& message, std::string_view bytes);

// bodies

// `object` in an envelope that names its type.
std::string EncodeBody(std::string_view api_version, std::string_view kind, const Message& message,
                       base::Value object);

// A list, item by item, so that each byte is written once.
class ProtobufList {
 public:
  // `kind` is the list's: "PodList".
  ProtobufList(std::string_view api_version, std::string_view kind, size_t expected_bytes);

  // Before the items.
  void SetMetadata(const Message& list_meta, const base::Json& metadata);
  void Add(const Message& message, base::Value object);
  std::string Finish() &&;

 private:
  std::string out_;
  size_t raw_ = 0;
};

struct ProtobufBody {
  std::string api_version;  // either may be empty: the sender left it to the path
  std::string kind;
  std::string_view raw;  // the message, inside the bytes that were opened
};
// kBadRequest for bytes without the envelope's form, or with an encoding inside.
base::Result<ProtobufBody> OpenBody(std::string_view bytes);

// The body as JSON, with the apiVersion and kind that the envelope names.
base::Result<base::Json> DecodeBody(const Message& message, std::string_view bytes);

// watches

// One frame: its length in four bytes, then a WatchEvent whose object is a body (with envelope).
std::string EncodeWatchEvent(std::string_view type, std::string_view body);

}  // namespace manifests
