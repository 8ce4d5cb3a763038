// Document: an immutable JSON value as it is stored, sent and compared: its canonical bytes, plus a
// small index that makes fields reachable without parsing.
//
// Immutable; copying shares; any thread. The index costs 4 bytes a value (scalar, array or object),
// and 8 in a document of more than 64 KiB or 2,047 values: a Pod of 2.4 KB of JSON costs 2.9 KB, in
// one allocation. A Value is a view into a Document and must not outlive it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/status.h"

namespace base {

class Document;

// One value inside a Document. Missing members are a null Value, so that chains need no checks:
//   doc["spec"]["template"]["metadata"]["labels"]
class Value {
 public:
  using Type = Json::Type;
  Value() = default;  // missing

  Type type() const;
  bool Exists() const { return blob_ != nullptr; }  // an explicit null exists
  bool IsNull() const { return type() == Type::kNull; }
  bool IsObject() const { return type() == Type::kObject; }
  bool IsArray() const { return type() == Type::kArray; }
  bool IsString() const { return type() == Type::kString; }

  // The value if it is of that type, else `fallback`; as Json's.
  bool AsBool(bool fallback = false) const;
  int64_t AsInt(int64_t fallback = 0) const;
  double AsDouble(double fallback = 0) const;
  std::string_view AsString(std::string_view fallback = {}) const;

  Value operator[](std::string_view key) const;
  Value At(size_t index) const;  // linear in `index`: to visit all, iterate
  size_t size() const;           // linear
  bool empty() const;

  // for (const auto& [key, value] : v.Members()), for (Value v : v.Elements()). Empty for other
  // types.
  struct Member;
  class Iterator;
  class MemberRange;
  class ElementRange;
  MemberRange Members() const;
  ElementRange Elements() const;

  std::string_view Bytes() const;  // canonical JSON; "null" when missing
  // Of an object's member with its key before it, as it stands in the document: "app":"web".
  std::string_view MemberBytes() const;
  Json ToJson() const;
  bool operator==(const Value& other) const { return Bytes() == other.Bytes(); }

 private:
  friend class Document;
  struct Blob;
  Value(const Blob* blob, uint32_t node) : blob_(blob), node_(node) {}
  const Blob* blob_ = nullptr;
  uint32_t node_ = 0;
};

class Document {
 public:
  Document() = default;  // null
  explicit Document(const Json& json);
  Document(const Document& other) noexcept;
  Document(Document&& other) noexcept : blob_(std::exchange(other.blob_, nullptr)) {}
  Document& operator=(Document other) noexcept {
    std::swap(blob_, other.blob_);
    return *this;
  }
  ~Document();

  // `text` is any JSON; the Document holds its canonical form. kBadRequest with line and column if
  // it is none.
  static Result<Document> Parse(std::string_view text);

  Value root() const;
  Value operator[](std::string_view key) const { return root()[key]; }
  std::string_view Bytes() const { return root().Bytes(); }
  Json ToJson() const { return root().ToJson(); }
  size_t MemoryUsage() const;  // bytes of heap held

  // The same document with the string member `object`.`key` (both must exist at the root) replaced;
  // cheaper than a round trip through Json. The store stamps resourceVersion this way.
  Document WithString(std::string_view object, std::string_view key, std::string_view value) const;
  // The same in place; false, and nothing has changed, unless `value` is as long as what is there.
  // For whoever made this document and has given it to nobody.
  bool OverwriteString(std::string_view object, std::string_view key, std::string_view value);

  bool operator==(const Document& other) const { return Bytes() == other.Bytes(); }

 private:
  explicit Document(Value::Blob* blob) : blob_(blob) {}
  Value::Blob* blob_ = nullptr;  // counted: this is one of its references; unchanged once shared
};

struct Value::Member {
  std::string_view key;
  Value value;
};

class Value::Iterator {
 public:
  Member operator*() const;
  Iterator& operator++();
  bool operator!=(const Iterator& other) const { return node_ != other.node_; }

 private:
  friend class MemberRange;
  friend class ElementRange;
  Iterator(const Blob* blob, uint32_t node) : blob_(blob), node_(node) {}
  const Blob* blob_;
  uint32_t node_;
};

class Value::MemberRange {
 public:
  Iterator begin() const { return Iterator(blob_, first_); }
  Iterator end() const { return Iterator(blob_, last_); }

 protected:
  friend class Value;
  MemberRange(const Blob* blob, uint32_t first, uint32_t last)
      : blob_(blob), first_(first), last_(last) {}
  const Blob* blob_;
  uint32_t first_;
  uint32_t last_;
};

class Value::ElementRange {
 public:
  class ElementIterator {
   public:
    explicit ElementIterator(Iterator inner) : inner_(inner) {}
    Value operator*() const;
    ElementIterator& operator++() {
      ++inner_;
      return *this;
    }
    bool operator!=(const ElementIterator& other) const { return inner_ != other.inner_; }

   private:
    Iterator inner_;
  };
  ElementIterator begin() const { return ElementIterator(Iterator(blob_, first_)); }
  ElementIterator end() const { return ElementIterator(Iterator(blob_, last_)); }

 private:
  friend class Value;
  ElementRange(const Blob* blob, uint32_t first, uint32_t last)
      : blob_(blob), first_(first), last_(last) {}
  const Blob* blob_;
  uint32_t first_;
  uint32_t last_;
};

}  // namespace base
