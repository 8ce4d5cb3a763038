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

// Where managedFields belongs in the bytes of `metadata`, which stand in those of the document: in
// front of the first member that comes after it, or of the bracket.
struct Place {
  const char* at = nullptr;
  bool first = true, last = true;
};

Place PlaceIn(base::Value metadata) {
  Place place;
  for (const auto& [key, value] : metadata.Members()) {
    if (key > kManagedFields) {
      place.at = value.MemberBytes().data();
      place.last = false;
      return place;
    }
    place.first = false;
  }
  const std::string_view bytes = metadata.Bytes();
  place.at = bytes.data() + bytes.size() - 1;
  return place;
}

// Appends `bytes`, of the object's metadata or of a value around it, with the list in its place.
void AppendWithManagers(std::string_view bytes, const Object& object, std::string& out,
                        manifests::PrintedEntries* printed) {
  const base::Value metadata = object["metadata"];
  if (object.managers == nullptr || object.managers->empty() || !metadata.IsObject()) {
    out += bytes;
    return;
  }
  const Place place = PlaceIn(metadata);
  const auto before = static_cast<size_t>(place.at - bytes.data());
  out += bytes.substr(0, before);
  if (place.last && !place.first) out += ',';
  base::AppendQuoted(kManagedFields, out);
  out += ':';
  AppendManagedFields(*object.managers, out, printed);
  if (!place.last) out += ',';
  out += bytes.substr(before);
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
  AppendWithManagers(object["metadata"].Bytes(), object, out, printed);
}

void AppendJson(const Object& object, std::string& out, manifests::PrintedEntries* printed) {
  AppendWithManagers(object.document.Bytes(), object, out, printed);
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
