// First what means nothing goes (canonical.h), then come the schema's defaults, then the kind's
// rules: a rule may rely on what the schema fills in.
// A default is filled in only where the object around it exists; a default that is an object ({})
// makes one, and is filled in turn. An empty string counts as left out, as in the Kubernetes API.
// An amount that is written as a number becomes its text ("0.5" is "500m"): readers know one form.
#include "manifests/canonical.h"
#include "manifests/quantity.h"
#include "manifests/rules/all.h"
#include "manifests/validate.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

void DefaultObject(const Message& message, Json& object);

void DefaultValues(const Field& field, Json& value) {
  if (field.shape == Shape::kSingle) {
    DefaultObject(*field.message, value);
  } else if (field.shape == Shape::kList && value.IsArray()) {
    for (Json& element : value.MutableElements()) DefaultObject(*field.message, element);
  } else if (field.shape == Shape::kMap && value.IsObject()) {
    for (Json::Member& member : value.MutableMembers()) {
      DefaultObject(*field.message, member.value);
    }
  }
}

void AmountAsText(Json& value) {
  if (!value.IsInt() && value.type() != Json::Type::kDouble) return;
  const base::Result<Quantity> amount = Quantity::Parse(value.ToString());
  if (!amount.ok()) return;  // validation will say so
  Json text = amount->ToString();
  text.mark = value.mark;
  text.key_mark = value.key_mark;
  value = std::move(text);
}

void AmountsAsText(Json& value) {
  if (value.IsObject()) {
    for (Json::Member& member : value.MutableMembers()) AmountAsText(member.value);
  } else {
    AmountAsText(value);
  }
}

void DefaultObject(const Message& message, Json& object) {
  if (!object.IsObject()) return;
  for (const Field& field : message.fields) {
    if (field.inlined) {
      DefaultObject(*field.message, object);
      continue;
    }
    Json* value = object.Find(field.name);
    if (field.default_value) {
      const bool is_left_out = IsAbsent(value) || (value->IsString() && value->AsString().empty());
      if (is_left_out) {
        object.Set(field.name, *field.default_value);
        value = object.Find(field.name);
      }
    }
    if (value == nullptr) continue;
    if (field.scalar == Scalar::kMessage) DefaultValues(field, *value);
    if (field.scalar == Scalar::kQuantity) AmountsAsText(*value);
  }
}

}  // namespace

void ApplyDefaults(const Kind& kind, Json& object) {
  if (!object.IsObject()) return;
  Canonicalize(*kind.root, object);
  DefaultObject(*kind.root, object);
  const KindRules* rules = FindRules(kind.Resource());
  if (rules != nullptr && rules->apply_defaults != nullptr) rules->apply_defaults(object);
}

}  // namespace manifests
