// Key, Object, Revision: what the store holds.
//
// An Object is immutable and shared; any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/document.h"
#include "manifests/apply/managed_fields.h"

namespace state {

// Every changed object takes the next one. 0 is before all. Clients see it as
// metadata.resourceVersion.
using Revision = uint64_t;

struct Key {
  std::string resource;  // "pods", "deployments.apps"
  std::string ns;        // "" for cluster-scoped kinds
  std::string name;

  auto operator<=>(const Key&) const = default;
  std::string ToString() const;  // "pods default/web", "nodes n1"
};

struct Object {
  Key key;
  Revision revision = 0;  // of its last change
  base::Document document;
  // Who owns which fields: metadata.managedFields, which `document` leaves out; null: nobody is
  // known.
  manifests::ManagedFieldsPtr managers = nullptr;

  base::Value operator[](std::string_view field) const { return document[field]; }
  base::Value Meta(std::string_view field) const { return document["metadata"][field]; }
  std::string_view Uid() const { return Meta("uid").AsString(); }
  base::Value Labels() const { return Meta("labels"); }
  int64_t Generation() const { return Meta("generation").AsInt(); }
  bool Deleting() const { return Meta("deletionTimestamp").IsString(); }
  // The ownerReference with controller: true, or a missing value.
  base::Value ControllerRef() const;
  bool IsControlledBy(std::string_view uid) const {
    return ControllerRef()["uid"].AsString() == uid;
  }
  // Bytes that go when it goes. Managers and their sets of fields are others', too.
  size_t MemoryUsage() const;
};

using ObjectPtr = std::shared_ptr<const Object>;

// True if a write that turns one into the other changes nothing; the times of managers do not
// count.
bool SameContent(const Object& a, const Object& b);

// The object as clients see it, and its metadata alone: with metadata.managedFields, in canonical
// form. `printed`: of `out`, where many objects are printed into one text.
void AppendJson(const Object& object, std::string& out,
                manifests::PrintedEntries* printed = nullptr);
void AppendMetadata(const Object& object, std::string& out,
                    manifests::PrintedEntries* printed = nullptr);
base::Json ToClientJson(const Object& object);

// Orders objects by key, and against a key.
struct ObjectLess {
  bool operator()(const ObjectPtr& a, const ObjectPtr& b) const { return a->key < b->key; }
  bool operator()(const ObjectPtr& a, const Key& b) const { return a->key < b; }
  bool operator()(const Key& a, const ObjectPtr& b) const { return a < b->key; }
};

}  // namespace state
