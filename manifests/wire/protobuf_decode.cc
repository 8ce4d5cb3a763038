// Bytes of protobuf to JSON.
//
// - A field may come in any order and more than once: of a single value the last counts, messages
//   are merged, lists and maps grow. Numbers of a list may also come packed into one piece.
// - Clients in Go write every field that is no pointer, zeros included; JSON's omitempty leaves
//   those out. So a zero without presence is no value, unless the field is required: then its zero
//   is what the validation shall see. A time of no bytes is no time.
// - How deep a message nests is counted in levels of the JSON that becomes of it.
// - Map entries are collected as they come and put in order at the end, in one pass: sorting them
//   in one by one would cost a hostile sender's square.
#include <algorithm>
#include <bit>
#include <vector>

#include "base/base64.h"
#include "base/time.h"
#include "base/timestamp.h"
#include "base/utf8.h"
#include "manifests/wire/protobuf.h"
#include "manifests/wire/wire_format.h"

namespace manifests {
namespace {

using base::Code;
using base::Json;
using base::Result;
using base::Status;

Status Bad(std::string message) { return Status(Code::kBadRequest, std::move(message)); }

Result<std::string_view> Text(std::string_view bytes) {
  if (!base::IsUtf8(bytes)) return Bad("the text is not UTF-8");
  return bytes;
}

int DepthOf(const Json& value) {
  int deepest = 0;
  for (const Json& element : value.Elements()) deepest = std::max(deepest, DepthOf(element));
  for (const Json::Member& member : value.Members()) {
    deepest = std::max(deepest, DepthOf(member.value));
  }
  return deepest + 1;
}

WireType WireTypeOf(Scalar scalar) {
  switch (scalar) {
    case Scalar::kBool:
    case Scalar::kInt32:
    case Scalar::kInt64: return WireType::kVarint;
    case Scalar::kDouble: return WireType::kFixed64;
    default: return WireType::kBytes;
  }
}

bool IsZero(const Json& value) {
  switch (value.type()) {
    case Json::Type::kBool: return !value.AsBool();
    case Json::Type::kInt: return value.AsInt() == 0;
    case Json::Type::kDouble: return value.AsDouble() == 0;
    case Json::Type::kString: return value.AsString().empty();
    default: return false;
  }
}

// The fields of a scalar that is a message on the wire: {1: a number or bytes, 2: ..., 3: ...}.
struct Parts {
  int64_t numbers[4] = {};
  std::string_view texts[4];
};
Result<Parts> ReadParts(std::string_view bytes) {
  Parts parts;
  for (WireReader reader(bytes); !reader.AtEnd();) {
    ASSIGN_OR_RETURN(const WireField field, reader.Next());
    if (field.number > 3) continue;
    if (field.type == WireType::kBytes) parts.texts[field.number] = field.bytes;
    if (field.type == WireType::kVarint) {
      parts.numbers[field.number] = static_cast<int64_t>(field.value);
    }
  }
  return parts;
}

Result<Json> ReadTime(Scalar scalar, const Parts& parts) {
  const base::Timestamp time{parts.numbers[1], parts.numbers[2]};
  if (!time.IsInRange()) return Bad("the time is not of the years 1 to 9999");
  return Json(scalar == Scalar::kTime ? time.ToString() : time.ToMicroString());
}

class Decoder {
 public:
  Status Fields(const Message& message, std::string_view bytes, int depth, Json& object) {
    if (depth > kMaxProtobufDepth) {
      return Bad("more than " + std::to_string(kMaxProtobufDepth) + " levels");
    }
    for (WireReader reader(bytes); !reader.AtEnd();) {
      ASSIGN_OR_RETURN(const WireField wire, reader.Next());
      const auto field =
          std::find_if(message.fields.begin(), message.fields.end(),
                       [&](const Field& each) { return each.number == wire.number; });
      if (field == message.fields.end()) continue;
      path_.push_back(field->name);
      RETURN_IF_ERROR(One(*field, wire, depth, object));
      path_.pop_back();
    }
    return Status();
  }

  // "spec.template.spec.containers.image", where the failure was.
  std::string Path() const {
    std::string path;
    for (const std::string_view name : path_) {
      if (!path.empty()) path += '.';
      path += name;
    }
    return path;
  }

 private:
  Status One(const Field& field, const WireField& wire, int depth, Json& object) {
    if (field.inlined) return Nested(field, wire, depth, object);
    switch (field.shape) {
      case Shape::kSingle: return Single(field, wire, depth + 1, object);
      case Shape::kList: return Element(field, wire, depth + 2, object[field.name]);
      case Shape::kMap: break;
    }
    return Entry(field, wire, depth + 2, object[field.name]);
  }

  // Merges the message into `target`, which stands at `depth`.
  Status Nested(const Field& field, const WireField& wire, int depth, Json& target) {
    if (wire.type != WireType::kBytes) return WrongType(wire);
    target.MutableMembers();  // an empty message is an empty object
    return Fields(*field.message, wire.bytes, depth, target);
  }

  Status Single(const Field& field, const WireField& wire, int depth, Json& object) {
    if (field.scalar == Scalar::kMessage) {
      return Nested(field, wire, depth, object[field.name]);
    }
    ASSIGN_OR_RETURN(Json value, ReadValue(field, wire, depth));
    const bool zero = field.scalar != Scalar::kAny && IsZero(value);
    if (value.IsNull() || (zero && !field.presence && !field.required)) {
      object.Remove(field.name);
    } else {
      object.Set(field.name, std::move(value));
    }
    return Status();
  }

  Status Element(const Field& field, const WireField& wire, int depth, Json& list) {
    if (field.scalar == Scalar::kMessage) {
      list.Append(Json::MakeObject());
      return Nested(field, wire, depth, list.MutableElements().back());
    }
    const WireType expected = WireTypeOf(field.scalar);
    if (wire.type != WireType::kBytes || expected == WireType::kBytes) {
      ASSIGN_OR_RETURN(Json value, ReadValue(field, wire, depth));
      list.Append(std::move(value));
      return Status();
    }
    for (WireReader packed(wire.bytes); !packed.AtEnd();) {
      WireField number{wire.number, expected, 0, {}};
      ASSIGN_OR_RETURN(number.value,
                       expected == WireType::kVarint ? packed.Varint() : packed.Fixed(8));
      ASSIGN_OR_RETURN(Json value, ReadValue(field, number, depth));
      list.Append(std::move(value));
    }
    return Status();
  }

  Status Entry(const Field& field, const WireField& wire, int depth, Json& map) {
    if (wire.type != WireType::kBytes) return WrongType(wire);
    std::string_view key;
    Json value = field.scalar == Scalar::kMessage ? Json::MakeObject() : ZeroOf(field.scalar);
    for (WireReader reader(wire.bytes); !reader.AtEnd();) {
      ASSIGN_OR_RETURN(const WireField part, reader.Next());
      if (part.number == 1) {
        if (part.type != WireType::kBytes) return WrongType(part);
        ASSIGN_OR_RETURN(key, Text(part.bytes));
      } else if (part.number == 2 && field.scalar == Scalar::kMessage) {
        RETURN_IF_ERROR(Nested(field, part, depth, value));
      } else if (part.number == 2) {
        ASSIGN_OR_RETURN(value, ReadValue(field, part, depth));
      }
    }
    map.MutableMembers().push_back({std::string(key), std::move(value)});
    return Status();
  }

  // What an entry without a value holds.
  static Json ZeroOf(Scalar scalar) {
    switch (scalar) {
      case Scalar::kBool: return false;
      case Scalar::kInt32:
      case Scalar::kInt64:
      case Scalar::kIntOrString: return 0;
      case Scalar::kDouble: return 0.0;
      case Scalar::kQuantity: return "0";
      case Scalar::kAny: return nullptr;
      default: return "";
    }
  }

  Result<Json> ReadValue(const Field& field, const WireField& wire, int depth) {
    if (wire.type != WireTypeOf(field.scalar)) return WrongType(wire);
    switch (field.scalar) {
      case Scalar::kBool: return Json(wire.value != 0);
      case Scalar::kInt32: return Json(int64_t{static_cast<int32_t>(wire.value)});
      case Scalar::kInt64: return Json(static_cast<int64_t>(wire.value));
      case Scalar::kDouble: return Double(std::bit_cast<double>(wire.value));
      case Scalar::kBytes: return Json(base::Base64Encode(wire.bytes));
      case Scalar::kString: {
        ASSIGN_OR_RETURN(const std::string_view text, Text(wire.bytes));
        return Json(text);
      }
      default: break;
    }
    ASSIGN_OR_RETURN(const Parts parts, ReadParts(wire.bytes));
    switch (field.scalar) {
      case Scalar::kTime:
      case Scalar::kMicroTime:
        return wire.bytes.empty() ? Result<Json>(Json()) : ReadTime(field.scalar, parts);
      case Scalar::kDuration: return Json(base::Duration::Nanos(parts.numbers[1]).ToString());
      case Scalar::kAny: return Any(parts.texts[1], depth);
      default: break;
    }
    const bool quantity = field.scalar == Scalar::kQuantity;
    if (!quantity && parts.numbers[1] == 0) {
      return Json(int64_t{static_cast<int32_t>(parts.numbers[2])});
    }
    ASSIGN_OR_RETURN(const std::string_view text, Text(parts.texts[quantity ? 1 : 3]));
    return Json(quantity && text.empty() ? std::string_view("0") : text);
  }

  static Result<Json> Double(double value) {
    if (value - value != 0) return Bad("the number is not finite");
    return Json(value);
  }

  static Result<Json> Any(std::string_view text, int depth) {
    if (text.empty()) return Json();
    Result<Json> value = base::ParseJson(text);
    if (!value.ok()) return value.status().WithContext("the raw bytes are no JSON");
    // It is stored as a part of the whole, which must read back.
    if (DepthOf(*value) + depth > kMaxProtobufDepth) {
      return Bad("more than " + std::to_string(kMaxProtobufDepth) + " levels");
    }
    return value;
  }

  static Status WrongType(const WireField& wire) {
    return Bad("wire type " + std::to_string(static_cast<int>(wire.type)) +
               " does not fit the field");
  }

  std::vector<std::string_view> path_;
};

// Puts the entries of all maps in order; the last of a key counts.
void SortMaps(const Message& message, Json& object) {
  for (const Field& field : message.fields) {
    if (field.inlined) SortMaps(*field.message, object);
    Json* value = field.inlined ? nullptr : object.Find(field.name);
    if (value == nullptr) continue;
    if (field.shape == Shape::kMap) {
      Json::Object& members = value->MutableMembers();
      std::stable_sort(members.begin(), members.end(),
                       [](const auto& a, const auto& b) { return a.key < b.key; });
      const auto last = std::unique(members.rbegin(), members.rend(),
                                    [](const auto& a, const auto& b) { return a.key == b.key; });
      members.erase(members.begin(), last.base());
    }
    if (field.scalar != Scalar::kMessage) continue;
    if (field.shape == Shape::kSingle) {
      SortMaps(*field.message, *value);
    } else if (field.shape == Shape::kList) {
      for (Json& element : value->MutableElements()) SortMaps(*field.message, element);
    } else {
      for (Json::Member& member : value->MutableMembers()) SortMaps(*field.message, member.value);
    }
  }
}

}  // namespace

Result<Json> DecodeMessage(const Message& message, std::string_view bytes) {
  Json object = Json::MakeObject();
  Decoder decoder;
  if (const Status status = decoder.Fields(message, bytes, 1, object); !status.ok()) {
    const std::string path = decoder.Path();
    return path.empty() ? status : status.WithContext(path);
  }
  SortMaps(message, object);
  return object;
}

}  // namespace manifests
