// JSON answers are the documents' own bytes with a frame around them, and with who manages which
// fields put in between: nothing is parsed or printed again. Protobuf is encoded from the documents
// straight into the answer.
#include "state/api/render.h"

#include <algorithm>
#include <utility>

#include "manifests/versions.h"
#include "manifests/wire/protobuf.h"
#include "state/api/tables.h"

namespace state {
namespace {

using base::Json;
using Form = Representation::Form;
using Wire = Representation::Wire;
using manifests::PrintedEntries;

Body JsonBody(std::string bytes) { return {"application/json", std::move(bytes)}; }
Body ProtobufBody(std::string bytes) {
  return {std::string(manifests::kProtobufType), std::move(bytes)};
}

std::string MetaVersion(const Representation& as) { return "meta.k8s.io/" + as.version; }

constexpr size_t kManagedBytes = 1536;  // of an object's managedFields, about

// An object is stored in one version of its kind, and served in the one that was asked for.
void AppendAs(const manifests::Kind& kind, const Object& object, std::string& text,
              PrintedEntries* printed = nullptr) {
  if (object["apiVersion"].AsString() == kind.ApiVersion())
    return AppendJson(object, text, printed);
  Object converted = object;
  converted.document = base::Document(manifests::Convert(object.document.ToJson(), kind));
  AppendJson(converted, text, printed);
}

void AppendPartial(const Object& object, const Representation& as, std::string& text,
                   PrintedEntries* printed = nullptr) {
  text += "{\"apiVersion\":\"" + MetaVersion(as) +
          "\",\"kind\":\"PartialObjectMetadata\",\"metadata\":";
  AppendMetadata(object, text, printed);
  text += '}';
}

Json MetaOf(const ListMeta& meta) {
  Json json = Json::MakeObject({{"resourceVersion", std::to_string(meta.revision)}});
  if (!meta.continue_token.empty()) json.Set("continue", meta.continue_token);
  if (meta.remaining) json.Set("remainingItemCount", *meta.remaining);
  return json;
}

std::string RenderTable(const manifests::Kind& kind, const std::vector<ObjectPtr>& objects,
                        Json meta, const Representation& as, base::WallTime now,
                        bool with_headers) {
  Json table = MakeTable(kind, objects, as.include_object, now, with_headers);
  table.Set("apiVersion", MetaVersion(as));
  table.Set("kind", "Table");
  table.Set("metadata", std::move(meta));
  return table.ToString();
}

// The apiVersion and kind of an answer of one object, or the item kind of a list.
struct TypeOf {
  TypeOf(const manifests::Kind& kind, const Representation& as)
      : api_version(as.form == Form::kWhole ? kind.ApiVersion() : MetaVersion(as)),
        name(as.form == Form::kWhole ? kind.kind : "PartialObjectMetadata"),
        message(as.form == Form::kWhole ? *kind.root : MetaMessage("PartialObjectMetadata")) {}
  std::string api_version;
  std::string name;
  const manifests::Message& message;
};

// About what clients get of an object.
size_t BytesOf(const Object& object) {
  return object.document.Bytes().size() + (object.managers ? kManagedBytes : 1);
}

// The same of all, by a sample: to look at each is a good part of the work. One large object among
// the samples counts no more than the others.
size_t BytesOf(const std::vector<ObjectPtr>& objects) {
  constexpr size_t kFrame = 512, kSamples = 64;
  const size_t step = objects.size() / kSamples + 1;
  std::vector<size_t> samples;
  for (size_t i = 0; i < objects.size(); i += step) samples.push_back(BytesOf(*objects[i]));
  if (samples.empty()) return kFrame;
  const auto middle = samples.begin() + static_cast<ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  size_t bytes = 0;
  for (const size_t sample : samples) bytes += std::min(sample, 4 * *middle);
  return kFrame + bytes * objects.size() / samples.size() * 17 / 16;
}

// As AppendAs.
base::Document DocumentAs(const manifests::Kind& kind, const Object& object) {
  const bool stored = object["apiVersion"].AsString() == kind.ApiVersion();
  if (stored && object.managers == nullptr) return object.document;
  Json json = ToClientJson(object);
  return base::Document(stored ? std::move(json) : manifests::Convert(std::move(json), kind));
}

std::string ProtobufListOf(const manifests::Kind& kind, const TypeOf& type,
                           const std::vector<ObjectPtr>& objects, Json meta, size_t expected) {
  manifests::ProtobufList list(type.api_version, type.name + "List", expected);
  list.SetMetadata(MetaMessage("ListMeta"), meta);
  for (const ObjectPtr& object : objects) list.Add(type.message, DocumentAs(kind, *object).root());
  return std::move(list).Finish();
}

std::string JsonListOf(const manifests::Kind& kind, const TypeOf& type,
                       const std::vector<ObjectPtr>& objects, Json meta, const Representation& as,
                       size_t expected) {
  std::string text = "{\"apiVersion\":\"" + type.api_version + "\",\"items\":[";
  text.reserve(expected);  // a large list grown piece by piece is copied several times
  PrintedEntries printed;
  bool first = true;
  for (const ObjectPtr& object : objects) {
    if (!std::exchange(first, false)) text += ',';
    if (as.form == Form::kPartial) {
      AppendPartial(*object, as, text, &printed);
    } else {
      AppendAs(kind, *object, text, &printed);
    }
  }
  text += "],\"kind\":\"" + type.name + "List\",\"metadata\":";
  meta.AppendTo(text);
  text += '}';
  return text;
}

}  // namespace

Body RenderObject(const manifests::Kind& kind, const ObjectPtr& object, const Representation& as,
                  base::WallTime now) {
  if (as.form == Form::kTable) {
    Json meta = Json::MakeObject({{"resourceVersion", object->Meta("resourceVersion").AsString()}});
    return JsonBody(RenderTable(kind, {object}, std::move(meta), as, now, true));
  }
  if (as.wire == Wire::kProtobuf) {
    const TypeOf type(kind, as);
    return ProtobufBody(manifests::EncodeBody(type.api_version, type.name, type.message,
                                              DocumentAs(kind, *object).root()));
  }
  std::string text;
  text.reserve(BytesOf(*object));
  if (as.form == Form::kPartial) {
    AppendPartial(*object, as, text);
  } else {
    AppendAs(kind, *object, text);
  }
  return JsonBody(std::move(text));
}

Body RenderMessage(const manifests::Message& message, const Json& object,
                   const Representation& as) {
  if (as.wire == Wire::kJson) return JsonBody(object.ToString());
  return ProtobufBody(manifests::EncodeBody(object["apiVersion"].AsString(),
                                            object["kind"].AsString(), message,
                                            base::Document(object).root()));
}

Body RenderList(const manifests::Kind& kind, const std::vector<ObjectPtr>& objects,
                const ListMeta& meta, const Representation& as, base::WallTime now) {
  if (as.form == Form::kTable)
    return JsonBody(RenderTable(kind, objects, MetaOf(meta), as, now, true));
  const TypeOf type(kind, as);
  const size_t expected = as.form == Form::kWhole ? BytesOf(objects) : 0;
  if (as.wire == Wire::kProtobuf)
    return ProtobufBody(ProtobufListOf(kind, type, objects, MetaOf(meta), expected));
  return JsonBody(JsonListOf(kind, type, objects, MetaOf(meta), as, expected));
}

Body RenderBookmark(const manifests::Kind& kind, Revision revision, bool initial_end,
                    const Representation& as) {
  const std::string version = std::to_string(revision);
  Json metadata = Json::MakeObject({{"resourceVersion", version}});
  if (initial_end) {
    metadata.Set("annotations", Json::MakeObject({{"k8s.io/initial-events-end", "true"}}));
  }
  const TypeOf type(kind, as);
  Json object = Json::MakeObject(
      {{"apiVersion", type.api_version}, {"kind", type.name}, {"metadata", std::move(metadata)}});
  if (as.form != Form::kTable) return RenderMessage(type.message, object, as);
  // The one row's object is where clients look for the annotation.
  Json row = Json::MakeObject({{"cells", Json::MakeArray()}, {"object", std::move(object)}});
  return JsonBody(Json::MakeObject({{"apiVersion", type.api_version},
                                    {"kind", "Table"},
                                    {"metadata", Json::MakeObject({{"resourceVersion", version}})},
                                    {"columnDefinitions", Json::MakeArray()},
                                    {"rows", Json::MakeArray({std::move(row)})}})
                      .ToString());
}

const manifests::Message& MetaMessage(std::string_view name) {
  const manifests::Message* message = manifests::Schema::BuiltIn()->FindMessage("meta/v1", name);
  CHECK(message != nullptr);
  return *message;
}

base::HttpResponse Responding(Body body, int http_status) {
  base::HttpResponse response;
  response.status = http_status;
  response.content_type = std::move(body.type);
  response.body = std::move(body.bytes);
  return response;
}

}  // namespace state
