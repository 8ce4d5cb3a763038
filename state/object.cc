// managedFields is kept beside the document, as sets that objects share, and put into the metadata
// where an object leaves the house.
#include "state/object.h"

namespace state {
namespace {

constexpr std::string_view kManagedFields = "managedFields";

bool SameManagers(const Object& a, const Object& b) {
  if (a.managers == b.managers) return true;
  return a.managers != nullptr && b.managers != nullptr && SameOwners(*a.managers, *b.managers);
}

// Where managedFields belongs among the members of `metadata`, and whether it is the last.
struct Place {
  size_t offset = 0;
  bool last = false;
};

Place PlaceIn(base::Value metadata) {
  const std::string_view bytes = metadata.Bytes();
  for (const auto& [key, value] : metadata.Members()) {
    if (key < kManagedFields) continue;
    const size_t quoted = key.size() + 3;  // "key":
    return {static_cast<size_t>(value.Bytes().data() - bytes.data()) - quoted, false};
  }
  return {bytes.size() - 1, true};
}

}  // namespace

std::string Key::ToString() const { return resource + " " + (ns.empty() ? name : ns + "/" + name); }

base::Value Object::ControllerRef() const {
  for (base::Value owner : Meta("ownerReferences").Elements()) {
    if (owner["controller"].AsBool()) return owner;
  }
  return base::Value();
}

size_t Object::MemoryUsage() const {
  const size_t entries = managers != nullptr ? managers->size() : 0;
  return sizeof(Object) + key.name.size() + document.MemoryUsage() +
         entries * sizeof(manifests::ManagedEntry);
}

bool SameContent(const Object& a, const Object& b) {
  return a.document == b.document && SameManagers(a, b);
}

void AppendMetadata(const Object& object, std::string& out, manifests::PrintedEntries* printed) {
  const base::Value metadata = object["metadata"];
  const std::string_view bytes = metadata.Bytes();
  if (object.managers == nullptr || object.managers->empty() || !metadata.IsObject()) {
    out += bytes;
    return;
  }
  const Place place = PlaceIn(metadata);
  out += bytes.substr(0, place.offset);
  if (place.last && !metadata.empty()) out += ',';
  base::AppendQuoted(kManagedFields, out);
  out += ':';
  AppendManagedFields(*object.managers, out, printed);
  if (!place.last) out += ',';
  out += bytes.substr(place.offset);
}

void AppendJson(const Object& object, std::string& out, manifests::PrintedEntries* printed) {
  const std::string_view bytes = object.document.Bytes();
  const base::Value metadata = object["metadata"];
  if (object.managers == nullptr || !metadata.IsObject()) {
    out += bytes;
    return;
  }
  const std::string_view inner = metadata.Bytes();
  const auto begin = static_cast<size_t>(inner.data() - bytes.data());
  out += bytes.substr(0, begin);
  AppendMetadata(object, out, printed);
  out += bytes.substr(begin + inner.size());
}

base::Json ToClientJson(const Object& object) {
  base::Json json = object.document.ToJson();
  if (object.managers == nullptr || object.managers->empty()) return json;
  std::string text;
  AppendManagedFields(*object.managers, text);
  base::Result<base::Json> list = base::ParseJson(text);
  CHECK(list.ok());
  json["metadata"].Set(kManagedFields, *std::move(list));
  return json;
}

}  // namespace state
