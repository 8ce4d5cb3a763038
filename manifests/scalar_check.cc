// The rules of single values:
// - An integer may be written 3 or 3.0, but never "3"; the message tells how to write it.
// - A quantity or an int-or-string may be a number or a string.
// - An enumeration, format or range of an optional text says nothing about the empty text: in the
//   Kubernetes API that is the same as leaving the field out.
#include "manifests/scalar_check.h"

#include <algorithm>
#include <limits>

#include "base/time.h"
#include "base/timestamp.h"
#include "manifests/quantity.h"
#include "manifests/syntax.h"

namespace manifests {
namespace {

using base::Json;

constexpr size_t kMaxShownText = 60;  // bytes of a bad value that a message repeats

Complaint Fits() { return {}; }

Complaint WrongType(const char* wanted, const Json& value) {
  return {"FieldValueTypeInvalid", std::string("must be ") + wanted + ", not " + Describe(value)};
}

Complaint Invalid(std::string message) { return {"FieldValueInvalid", std::move(message)}; }

std::string Quote(std::string_view text) { return '"' + std::string(text) + '"'; }

Complaint CheckRange(const Field& field, double value, const Json& json) {
  const bool low = field.minimum && value < static_cast<double>(*field.minimum);
  const bool high = field.maximum && value > static_cast<double>(*field.maximum);
  if (!low && !high) return Fits();
  std::string wanted = field.minimum && field.maximum
                           ? "must be between " + std::to_string(*field.minimum) + " and " +
                                 std::to_string(*field.maximum)
                       : low ? "must be at least " + std::to_string(*field.minimum)
                             : "must be at most " + std::to_string(*field.maximum);
  return Invalid(wanted + ", not " + json.ToString());
}

bool IsInteger(const Json& value) {
  constexpr int64_t kNone = std::numeric_limits<int64_t>::min();
  return value.IsInt() || (value.type() == Json::Type::kDouble && value.AsInt(kNone) != kNone);
}

Complaint CheckInteger(const Field& field, const Json& value) {
  if (!IsInteger(value)) {
    if (value.type() == Json::Type::kDouble) {
      return {"FieldValueTypeInvalid", "must be a whole number, not " + value.ToString()};
    }
    return WrongType("an integer", value);
  }
  const int64_t integer = value.AsInt();
  const bool is_int32 = field.scalar == Scalar::kInt32;
  if (is_int32 && (integer < std::numeric_limits<int32_t>::min() ||
                   integer > std::numeric_limits<int32_t>::max())) {
    return Invalid("must fit in 32 bits, which " + value.ToString() + " does not");
  }
  return CheckRange(field, static_cast<double>(integer), value);
}

Complaint CheckEnum(const Field& field, std::string_view text) {
  const auto& values = field.enum_values;
  if (std::find(values.begin(), values.end(), text) != values.end()) return Fits();
  std::string list;
  for (const std::string& value : values) {
    if (!list.empty()) list += ", ";
    list += value.empty() ? "\"\"" : value;
  }
  return {"FieldValueNotSupported", "must be one of " + list + ", not " + Quote(text)};
}

Complaint CheckText(const Field& field, const Json& value) {
  if (!value.IsString()) {
    Complaint complaint = WrongType("a string", value);
    if (!value.IsObject() && !value.IsArray()) {
      complaint.message += "; put it in quotes";
    }
    return complaint;
  }
  const std::string_view text = value.AsString();
  if (field.max_length && static_cast<int64_t>(text.size()) > *field.max_length) {
    return {"FieldValueTooLong",
            "must have at most " + std::to_string(*field.max_length) + " bytes"};
  }
  if (text.empty() && field.shape == Shape::kSingle && !field.required) return Fits();
  if (!field.enum_values.empty()) return CheckEnum(field, text);
  if (field.format.empty()) return Fits();
  if (auto complaint = CheckFormat(field.format, text)) return Invalid(*complaint);
  return Fits();
}

Complaint CheckQuantity(const Json& value) {
  const bool is_number = value.IsInt() || value.type() == Json::Type::kDouble;
  if (!is_number && !value.IsString()) return WrongType("a quantity like 500m or 1Gi", value);
  const std::string text = is_number ? value.ToString() : std::string(value.AsString());
  if (Quantity::Parse(text).ok()) return Fits();
  return Invalid(Quote(text) +
                 " is not a quantity: write a number and, if you like, a unit: 500m, " +
                 "2, 128Mi, 1Gi");
}

Complaint CheckTime(const Json& value) {
  if (!value.IsString()) return WrongType("a time like 2026-01-31T12:00:00Z", value);
  if (base::Timestamp::Parse(value.AsString()).ok()) return Fits();
  return Invalid(Quote(value.AsString()) +
                 " is not a time: write it as RFC 3339 has it: 2026-01-31T12:00:00Z");
}

Complaint CheckDuration(const Json& value) {
  if (!value.IsString()) return WrongType("a duration like 1m30s", value);
  const auto duration = base::Duration::Parse(value.AsString());
  if (!duration.ok()) {
    return Invalid(Quote(value.AsString()) +
                   " is not a duration: write numbers with units: 300ms, 1m30s, 2h");
  }
  if (*duration < base::Duration()) return Invalid("must not be negative");
  return Fits();
}

// RFC 4648 with padding; line breaks are allowed, as in Go's decoder.
bool IsBase64(std::string_view text) {
  size_t digits = 0;
  size_t padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const bool digit = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '+' || c == '/';
    if (!digit || padding != 0) return false;
    ++digits;
  }
  return padding <= 2 && (digits + padding) % 4 == 0;
}

Complaint CheckBytes(const Json& value) {
  if (!value.IsString()) return WrongType("a string in base64", value);
  if (IsBase64(value.AsString())) return Fits();
  return Invalid("is not base64: encode the bytes (base64 -w0), or use a field for plain text");
}

}  // namespace

std::string Describe(const Json& value) {
  switch (value.type()) {
    case Json::Type::kNull: return "nothing";
    case Json::Type::kBool: return value.ToString();
    case Json::Type::kInt:
    case Json::Type::kDouble: return "the number " + value.ToString();
    case Json::Type::kArray: return "a list";
    case Json::Type::kObject: return "an object";
    case Json::Type::kString: break;
  }
  const std::string_view text = value.AsString();
  if (text.size() > kMaxShownText) return "a long string";
  return "the string " + Quote(text);
}

Complaint CheckScalar(const Field& field, const Json& value) {
  switch (field.scalar) {
    case Scalar::kString: return CheckText(field, value);
    case Scalar::kBool: return value.IsBool() ? Fits() : WrongType("true or false", value);
    case Scalar::kInt32:
    case Scalar::kInt64: return CheckInteger(field, value);
    case Scalar::kDouble:
      if (!value.IsInt() && value.type() != Json::Type::kDouble)
        return WrongType("a number", value);
      return CheckRange(field, value.AsDouble(), value);
    case Scalar::kBytes: return CheckBytes(value);
    case Scalar::kQuantity: return CheckQuantity(value);
    case Scalar::kTime:
    case Scalar::kMicroTime: return CheckTime(value);
    case Scalar::kDuration: return CheckDuration(value);
    case Scalar::kIntOrString:
      if (value.IsString()) return CheckText(field, value);
      if (!IsInteger(value)) return WrongType("an integer or a string", value);
      return CheckInteger(field, value);
    case Scalar::kAny:
    case Scalar::kMessage: break;
  }
  return Fits();
}

}  // namespace manifests
