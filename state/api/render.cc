// JSON answers are the documents' own bytes with a frame around them: nothing is parsed or printed
// again.
#include "state/api/render.h"

#include <utility>

#include "state/api/tables.h"

namespace state {
namespace {

using base::Json;
using Form = Representation::Form;

std::string PartialOf(const Object& object, const Representation& as) {
  std::string text = "{\"apiVersion\":\"meta.k8s.io/" + as.version +
                     "\",\"kind\":\"PartialObjectMetadata\",\"metadata\":";
  text += object["metadata"].Bytes();
  return text + "}";
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
  table.Set("apiVersion", "meta.k8s.io/" + as.version);
  table.Set("kind", "Table");
  table.Set("metadata", std::move(meta));
  return table.ToString();
}

}  // namespace

std::string RenderObject(const manifests::Kind& kind, const ObjectPtr& object,
                         const Representation& as, base::WallTime now, bool with_headers) {
  switch (as.form) {
    case Form::kJson: break;
    case Form::kPartial: return PartialOf(*object, as);
    case Form::kTable:
      return RenderTable(
          kind, {object},
          Json::MakeObject({{"resourceVersion", object->Meta("resourceVersion").AsString()}}), as,
          now, with_headers);
  }
  return std::string(object->document.Bytes());
}

std::string RenderList(const manifests::Kind& kind, const std::vector<ObjectPtr>& objects,
                       const ListMeta& meta, const Representation& as, base::WallTime now) {
  if (as.form == Form::kTable) return RenderTable(kind, objects, MetaOf(meta), as, now, true);
  const bool partial = as.form == Form::kPartial;
  std::string text = "{\"apiVersion\":\"";
  text += partial ? "meta.k8s.io/" + as.version : kind.ApiVersion();
  text += "\",\"items\":[";
  size_t size = text.size() + 512;
  if (!partial) {
    for (const ObjectPtr& object : objects) size += object->document.Bytes().size() + 1;
  }
  text.reserve(size);  // a large list grown piece by piece is copied several times
  bool first = true;
  for (const ObjectPtr& object : objects) {
    if (!std::exchange(first, false)) text += ',';
    if (partial) {
      text += PartialOf(*object, as);
    } else {
      text += object->document.Bytes();
    }
  }
  text += "],\"kind\":\"";
  text += partial ? "PartialObjectMetadataList" : kind.kind + "List";
  text += "\",\"metadata\":";
  MetaOf(meta).AppendTo(text);
  text += '}';
  return text;
}

std::string RenderBookmark(const manifests::Kind& kind, Revision revision, bool initial_end,
                           const Representation& as) {
  Json metadata = Json::MakeObject({{"resourceVersion", std::to_string(revision)}});
  if (initial_end) {
    metadata.Set("annotations", Json::MakeObject({{"k8s.io/initial-events-end", "true"}}));
  }
  Json object = Json::MakeObject({{"metadata", std::move(metadata)}});
  switch (as.form) {
    case Form::kJson:
      object.Set("apiVersion", kind.ApiVersion());
      object.Set("kind", kind.kind);
      break;
    case Form::kPartial:
      object.Set("apiVersion", "meta.k8s.io/" + as.version);
      object.Set("kind", "PartialObjectMetadata");
      break;
    case Form::kTable:
      // The one row's object is where clients look for the annotation.
      object.Set("apiVersion", "meta.k8s.io/" + as.version);
      object.Set("kind", "PartialObjectMetadata");
      object = Json::MakeObject(
          {{"apiVersion", "meta.k8s.io/" + as.version},
           {"kind", "Table"},
           {"metadata", Json::MakeObject({{"resourceVersion", std::to_string(revision)}})},
           {"columnDefinitions", Json::MakeArray()},
           {"rows", Json::MakeArray(
                        {Json::MakeObject({{"cells", Json::MakeArray()}, {"object", object}})})}});
      break;
  }
  return object.ToString();
}

}  // namespace state
