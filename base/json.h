// Json: a JSON value that can be edited, and that remembers where in its source text it stood.
//
// A value type, one owner; deep copies. Objects keep their members sorted by key, so that equal
// values print equal bytes. Parsers (manifests/) fill the marks, validators report them; a default
// Mark means "not from a text". For values that are kept and shared, use Document.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"

namespace base {

// A place in a source text. Lines and columns count from 1, columns in bytes; 0 means unknown.
struct Mark {
  uint32_t line = 0;
  uint32_t column = 0;
  auto operator<=>(const Mark&) const = default;
};

class Json {
 public:
  enum class Type : uint8_t { kNull, kBool, kInt, kDouble, kString, kArray, kObject };
  struct Member;
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;  // sorted by key, keys unique

  // Defined in json.cc, all of them: what every file would make anew takes a tenth of a build.
  Json();                        // null
  Json(std::nullptr_t);          // NOLINT: the constructors are implicit, so that
  Json(bool value);              // NOLINT: literals read like JSON
  Json(int value);               // NOLINT
  Json(int64_t value);           // NOLINT
  Json(double value);            // NOLINT
  Json(const char* value);       // NOLINT
  Json(std::string value);       // NOLINT
  Json(std::string_view value);  // NOLINT
  Json(Array value);             // NOLINT
  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();
  static Json MakeArray(std::initializer_list<Json> elements = {});
  static Json MakeObject(std::initializer_list<std::pair<std::string_view, Json>> members = {});

  Type type() const { return static_cast<Type>(value_.index()); }
  bool IsNull() const { return type() == Type::kNull; }
  bool IsObject() const { return type() == Type::kObject; }
  bool IsArray() const { return type() == Type::kArray; }
  bool IsString() const { return type() == Type::kString; }
  bool IsInt() const { return type() == Type::kInt; }
  bool IsBool() const { return type() == Type::kBool; }

  // The value if it is of that type, else `fallback`. AsInt takes a double with an integral value,
  // AsDouble an int.
  bool AsBool(bool fallback = false) const;
  int64_t AsInt(int64_t fallback = 0) const;
  double AsDouble(double fallback = 0) const;
  std::string_view AsString(std::string_view fallback = {}) const;

  // Reading. A missing member or element, or one of a non-object, is null.
  const Json& operator[](std::string_view key) const;
  const Json& At(size_t index) const;
  const Json* Find(std::string_view key) const;  // nullptr if absent
  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  size_t size() const;  // elements or members; 0 for others
  bool empty() const { return size() == 0; }
  const Array& Elements() const;  // empty for others
  const Object& Members() const;  // empty for others

  // Editing. operator[] turns null into an object and inserts null for a missing key; Append turns
  // null into an array. On a value of another type they are programmer errors.
  Json& operator[](std::string_view key);
  Json* Find(std::string_view key);
  void Set(std::string_view key, Json value) { (*this)[key] = std::move(value); }
  bool Remove(std::string_view key);  // true if it was there
  void Append(Json element);
  Array& MutableElements();  // turns null into an array
  Object& MutableMembers();  // turns null into an object; the caller keeps the order

  // Compact canonical form: members sorted by key bytes, shortest escapes, UTF-8 as it is.
  std::string ToString() const;
  void AppendTo(std::string& out) const;

  // Values only: marks are not compared. 1 and 1.0 differ.
  bool operator==(const Json& other) const;

  Mark mark;      // where the value starts
  Mark key_mark;  // where its key starts, for a member of an object

 private:
  // In the order of Type.
  std::variant<std::nullptr_t, bool, int64_t, double, std::string, Array, Object> value_ = nullptr;
};

struct Json::Member {
  std::string key;
  Json value;
  bool operator==(const Member& other) const { return key == other.key && value == other.value; }
};

// Appends `text` as a quoted JSON string. Bytes that are not UTF-8 are the parser's to refuse.
void AppendQuoted(std::string_view text, std::string& out);
// Appends the shortest form that reads back as the same number; integral doubles keep ".0"-less
// integer form only if they were read as integers.
void AppendNumber(double value, std::string& out);

// Limits of Json and Document parsing.
inline constexpr size_t kMaxJsonDepth = 128;
inline constexpr size_t kMaxDocumentBytes = 64u << 20;

// Parses JSON with marks on every value. kBadRequest "line 3, column 7: ..." on a syntax error, a
// duplicate key, bytes that are not UTF-8, a number outside the range of a double, or more than
// kMaxJsonDepth levels.
Result<Json> ParseJson(std::string_view text);

}  // namespace base
