#include "base/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/status.h"

namespace base {
namespace {

const Json kNullJson;

struct KeyLess {
  bool operator()(const Json::Member& member, std::string_view key) const {
    return member.key < key;
  }
};

}  // namespace

Json::Json() = default;
Json::Json(std::nullptr_t) {}
Json::Json(bool value) : value_(value) {}
Json::Json(int value) : value_(int64_t{value}) {}
Json::Json(int64_t value) : value_(value) {}
Json::Json(double value) : value_(value) {}
Json::Json(const char* value) : value_(std::string(value)) {}
Json::Json(std::string value) : value_(std::move(value)) {}
Json::Json(std::string_view value) : value_(std::string(value)) {}
Json::Json(Array value) : value_(std::move(value)) {}
Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) = default;
Json& Json::operator=(Json&& other) noexcept = default;
Json::~Json() = default;

Json Json::MakeArray(std::initializer_list<Json> elements) { return Json(Array(elements)); }

Json Json::MakeObject(std::initializer_list<std::pair<std::string_view, Json>> members) {
  Json object;
  object.value_ = Object();
  for (const auto& [key, value] : members) object[key] = value;
  return object;
}

bool Json::AsBool(bool fallback) const {
  const bool* value = std::get_if<bool>(&value_);
  return value ? *value : fallback;
}

int64_t Json::AsInt(int64_t fallback) const {
  if (const int64_t* value = std::get_if<int64_t>(&value_)) return *value;
  const double* value = std::get_if<double>(&value_);
  if (value == nullptr || std::trunc(*value) != *value || std::fabs(*value) >= 9.2e18)
    return fallback;
  return static_cast<int64_t>(*value);
}

double Json::AsDouble(double fallback) const {
  if (const double* value = std::get_if<double>(&value_)) return *value;
  const int64_t* value = std::get_if<int64_t>(&value_);
  return value ? static_cast<double>(*value) : fallback;
}

std::string_view Json::AsString(std::string_view fallback) const {
  const std::string* value = std::get_if<std::string>(&value_);
  return value ? std::string_view(*value) : fallback;
}

const Json* Json::Find(std::string_view key) const {
  const Object* object = std::get_if<Object>(&value_);
  if (object == nullptr) return nullptr;
  const auto it = std::lower_bound(object->begin(), object->end(), key, KeyLess());
  return it != object->end() && it->key == key ? &it->value : nullptr;
}

Json* Json::Find(std::string_view key) { return const_cast<Json*>(std::as_const(*this).Find(key)); }

const Json& Json::operator[](std::string_view key) const {
  const Json* found = Find(key);
  return found ? *found : kNullJson;
}

const Json& Json::At(size_t index) const {
  const Array* array = std::get_if<Array>(&value_);
  return array != nullptr && index < array->size() ? (*array)[index] : kNullJson;
}

size_t Json::size() const {
  if (const Array* array = std::get_if<Array>(&value_)) return array->size();
  const Object* object = std::get_if<Object>(&value_);
  return object ? object->size() : 0;
}

const Json::Array& Json::Elements() const {
  static const Array kNone;
  const Array* array = std::get_if<Array>(&value_);
  return array ? *array : kNone;
}

const Json::Object& Json::Members() const {
  static const Object kNone;
  const Object* object = std::get_if<Object>(&value_);
  return object ? *object : kNone;
}

Json& Json::operator[](std::string_view key) {
  Object& object = MutableMembers();
  const auto it = std::lower_bound(object.begin(), object.end(), key, KeyLess());
  if (it != object.end() && it->key == key) return it->value;
  return object.insert(it, Member{std::string(key), Json()})->value;
}

bool Json::Remove(std::string_view key) {
  Object* object = std::get_if<Object>(&value_);
  if (object == nullptr) return false;
  const auto it = std::lower_bound(object->begin(), object->end(), key, KeyLess());
  if (it == object->end() || it->key != key) return false;
  object->erase(it);
  return true;
}

void Json::Append(Json element) { MutableElements().push_back(std::move(element)); }

Json::Array& Json::MutableElements() {
  if (IsNull()) value_ = Array();
  CHECK(IsArray());
  return std::get<Array>(value_);
}

Json::Object& Json::MutableMembers() {
  if (IsNull()) value_ = Object();
  CHECK(IsObject());
  return std::get<Object>(value_);
}

bool Json::operator==(const Json& other) const { return value_ == other.value_; }

std::string Json::ToString() const {
  std::string out;
  AppendTo(out);
  return out;
}

void Json::AppendTo(std::string& out) const {
  switch (type()) {
    case Type::kNull: out += "null"; return;
    case Type::kBool: out += std::get<bool>(value_) ? "true" : "false"; return;
    case Type::kInt: out += std::to_string(std::get<int64_t>(value_)); return;
    case Type::kDouble: AppendNumber(std::get<double>(value_), out); return;
    case Type::kString: AppendQuoted(std::get<std::string>(value_), out); return;
    case Type::kArray: {
      out += '[';
      bool first = true;
      for (const Json& element : std::get<Array>(value_)) {
        if (!first) out += ',';
        first = false;
        element.AppendTo(out);
      }
      out += ']';
      return;
    }
    case Type::kObject: {
      out += '{';
      bool first = true;
      for (const Member& member : std::get<Object>(value_)) {
        if (!first) out += ',';
        first = false;
        AppendQuoted(member.key, out);
        out += ':';
        member.value.AppendTo(out);
      }
      out += '}';
      return;
    }
  }
}

void AppendQuoted(std::string_view text, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  size_t plain = 0;  // start of the run that is copied as it is
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      default:
        out += "\\u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text, plain, text.size() - plain);
  out += '"';
}

void AppendNumber(double value, std::string& out) {
  if (!std::isfinite(value)) {
    out += "null";  // JSON has no other word for it
    return;
  }
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  CHECK(error == std::errc());
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));
  out += text;
  // Keep a double a double when it is read back.
  if (text.find_first_of(".en") == std::string_view::npos) out += ".0";
}

}  // namespace base
