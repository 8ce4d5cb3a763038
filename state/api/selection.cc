// Fields are compared as text: a boolean is "true" or "false", and a missing one what its type has
// for nothing: "false", "0" or "". A watch or list of a single object's path is a selection by its
// name.
#include "state/api/selection.h"

namespace state {
namespace {

// The first step of a path like "spec.nodeName", which is taken off it.
std::string_view TakeStep(std::string_view& path) {
  const std::string_view step = path.substr(0, path.find('.'));
  path.remove_prefix(std::min(step.size() + 1, path.size()));
  return step;
}

std::string_view ZeroAt(const manifests::Kind& kind, std::string_view path) {
  const manifests::Message* message = kind.root;
  const manifests::Field* field = nullptr;
  while (!path.empty() && message != nullptr) {
    field = message->Find(TakeStep(path));
    message = field != nullptr ? field->message : nullptr;
  }
  if (field == nullptr || field->shape != manifests::Shape::kSingle) return "";
  switch (field->scalar) {
    case manifests::Scalar::kBool: return "false";
    case manifests::Scalar::kInt32:
    case manifests::Scalar::kInt64: return "0";
    default: return "";
  }
}

std::string TextAt(const Object& object, std::string_view path, std::string_view zero) {
  base::Value value = object.document.root();
  while (!path.empty()) value = value[TakeStep(path)];
  if (!value.Exists() || value.IsNull()) return std::string(zero);
  return value.IsString() ? std::string(value.AsString()) : std::string(value.Bytes());
}

// Where the field stands; empty if one cannot select by it.
std::string PathOf(const manifests::Kind& kind, const std::string& field) {
  if (field == "metadata.name" || field == "metadata.namespace") return field;
  const auto found = kind.field_selectors.find(field);
  if (found == kind.field_selectors.end()) return "";
  return found->second.starts_with('.') ? found->second.substr(1) : found->second;
}

}  // namespace

base::Result<Selection> Selection::Parse(const base::HttpRequest& request, const ApiRoute& route,
                                         manifests::KindPtr held_kind) {
  const manifests::Kind& kind = *held_kind;
  Selection selection;
  selection.kind_ = std::move(held_kind);
  selection.ns_ = route.ns;
  auto labels = manifests::LabelSelector::Parse(request.Query("labelSelector"));
  if (!labels.ok())
    return base::Status(base::Code::kBadRequest, std::string(labels.status().message()));
  selection.labels_ = *labels;
  auto fields = manifests::FieldSelector::Parse(request.Query("fieldSelector"));
  if (!fields.ok())
    return base::Status(base::Code::kBadRequest, std::string(fields.status().message()));
  for (const auto& requirement : fields->requirements()) {
    std::string path = PathOf(kind, requirement.path);
    if (path.empty()) {
      return base::Status(base::Code::kBadRequest, "Unable to find " + kind.Resource() +
                                                       " by field selector: field label not "
                                                       "supported: " +
                                                       requirement.path);
    }
    const std::string_view zero = ZeroAt(kind, path);
    selection.fields_.push_back(
        {requirement.path, std::move(path), requirement.equal, requirement.value, zero});
  }
  if (!route.name.empty())
    selection.fields_.push_back({"metadata.name", "metadata.name", true, route.name, ""});
  return selection;
}

bool Selection::Matches(const Object& object) const {
  if (!ns_.empty() && object.key.ns != ns_) return false;
  for (const FieldRequirement& each : fields_) {
    if ((TextAt(object, each.path, each.zero) == each.value) != each.equal) return false;
  }
  return labels_.IsEverything() || labels_.Matches(object.Labels());
}

const std::string* Selection::Wanted(std::string_view field) const {
  for (const FieldRequirement& each : fields_) {
    if (each.equal && each.field == field) return &each.value;
  }
  return nullptr;
}

void Selection::Visit(const View& view, const Key& from,
                      const std::function<bool(const ObjectPtr&)>& visit) const {
  const auto visit_range = [&](const auto& range) {
    for (const ObjectPtr& object : range) {
      if (object->key.resource != from.resource || object->key < from || !Matches(*object))
        continue;
      if (!visit(object)) return;
    }
  };
  const std::string* name = Wanted("metadata.name");
  if (name != nullptr && (!ns_.empty() || !kind_->namespaced)) {
    const ObjectPtr object = view.Get(from.resource, ns_, *name);
    if (object != nullptr && !(object->key < from) && Matches(*object)) visit(object);
  } else if (const std::string* node = Wanted("spec.nodeName");
             node != nullptr && !node->empty() && from.resource == "pods") {
    visit_range(view.Lookup(Index::kNode, *node));
  } else if (const std::string* uid = Wanted("involvedObject.uid");
             uid != nullptr && !uid->empty() && from.resource == "events") {
    visit_range(view.Lookup(Index::kAbout, *uid));
  } else {
    visit_range(view.ListFrom(from, ns_));
  }
}

}  // namespace state
