// Kubernetes reads an object into Go structs and writes it back, and so forgets how it was written:
// - A null is no value. In a map of texts, bytes, amounts or messages it is the empty one.
// - "", 0, false, [] and {} (of a list or map) are no value, unless the field has presence: then it
//   is a pointer there, which keeps its zero. A message is a value even if it is empty: an emptyDir
//   of {} is one, and securityContext: {} is not left out.
// - What is required is for the validation to see, and where there is a default, what is written
//   counts: neither goes.
// - Elements of lists, and entries of maps, keep their zero.
// - Amounts are equal by their size: 1000m and 1, 1Gi and 1024Mi.
//
// A kind without a wire form (Flux's, our own) is no Go struct to Kubernetes, but kept as it is
// written: of it only the nulls go.
#include "manifests/canonical.h"

#include <algorithm>
#include <string>
#include <utility>

#include "manifests/quantity.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

// What an entry of a map holds whose value is null; null if that is for the validation to refuse.
Json EmptyEntry(const Field& field) {
  switch (field.scalar) {
    case Scalar::kString:
    case Scalar::kBytes: return "";
    case Scalar::kQuantity: return "0";
    case Scalar::kMessage: return Json::MakeObject();
    default: return nullptr;
  }
}

void OneText(Json& amount) {
  if (!amount.IsString() && !amount.IsInt() && amount.type() != Json::Type::kDouble) return;
  const base::Result<Quantity> read =
      Quantity::Parse(amount.IsString() ? std::string(amount.AsString()) : amount.ToString());
  if (!read.ok()) return;
  Json text = read->ToString();
  text.mark = amount.mark;
  text.key_mark = amount.key_mark;
  amount = std::move(text);
}

struct Rewriting {
  bool drops_empty;   // what MeansAbsent, not only nulls
  bool same_amounts;  // amounts of one size get one text
};

class Rewriter {
 public:
  explicit Rewriter(Rewriting form) : form_(form) {}

  void Object(const Message& message, Json& object) const {
    if (!object.IsObject()) return;
    std::erase_if(object.MutableMembers(), [&](Json::Member& member) {
      const Field* field = message.Find(member.key);
      return field != nullptr && IsGone(*field, member.value);
    });
  }

 private:
  bool IsGone(const Field& field, Json& value) const {
    if (field.shape == Shape::kList && value.IsArray()) {
      for (Json& element : value.MutableElements()) One(field, element);
    } else if (field.shape == Shape::kMap && value.IsObject()) {
      for (Json::Member& member : value.MutableMembers()) Entry(field, member.value);
    } else if (field.shape == Shape::kSingle) {
      One(field, value);
    }
    return form_.drops_empty ? MeansAbsent(field, value) : value.IsNull();
  }

  void Entry(const Field& field, Json& value) const {
    if (!value.IsNull()) return One(field, value);
    Json empty = EmptyEntry(field);
    empty.mark = value.mark;
    empty.key_mark = value.key_mark;
    value = std::move(empty);
  }

  void One(const Field& field, Json& value) const {
    if (field.scalar == Scalar::kMessage) Object(*field.message, value);
    if (field.scalar == Scalar::kQuantity && form_.same_amounts) OneText(value);
  }

  const Rewriting form_;
};

}  // namespace

bool MeansAbsent(const Field& field, const Json& value) {
  if (value.IsNull()) return true;
  if (field.number == 0 || field.presence || field.required || field.default_value) return false;
  if (field.shape == Shape::kList) return value.IsArray() && value.empty();
  if (field.shape == Shape::kMap) return value.IsObject() && value.empty();
  switch (field.scalar) {
    case Scalar::kString:
    case Scalar::kBytes: return value.IsString() && value.AsString().empty();
    case Scalar::kBool: return value.IsBool() && !value.AsBool();
    case Scalar::kInt32:
    case Scalar::kInt64: return value.IsInt() && value.AsInt() == 0;
    case Scalar::kDouble:
      return (value.IsInt() || value.type() == Json::Type::kDouble) && value.AsDouble() == 0;
    default: return false;
  }
}

void ResolveNulls(const Message& message, Json& object) {
  Rewriter({.drops_empty = false, .same_amounts = false}).Object(message, object);
}

void Canonicalize(const Message& root, Json& object) {
  if (!object.IsObject()) return;
  // An empty revision holds the place of the one that the store will give.
  const bool has_place = std::as_const(object)["metadata"]["resourceVersion"].IsString();
  Json status;
  Json* kept = object.Find("status");
  if (kept != nullptr) std::swap(status, *kept);
  const bool has_status = kept != nullptr;
  Rewriter({.drops_empty = true, .same_amounts = false}).Object(root, object);
  if (has_status) object.Set("status", std::move(status));
  if (has_place && !std::as_const(object)["metadata"].Has("resourceVersion"))
    object["metadata"].Set("resourceVersion", "");
}

Json Comparable(const Message& message, Json object) {
  Rewriter({.drops_empty = true, .same_amounts = true}).Object(message, object);
  return object;
}

bool SameMeaning(const Message& message, const Json& a, const Json& b) {
  return a == b || Comparable(message, a) == Comparable(message, b);
}

}  // namespace manifests
