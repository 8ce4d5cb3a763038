// A Blob is canonical JSON bytes and one Node a value, in document order. A node of an object's
// member starts at its key, any other at its value; `end` is the index of the node after its
// subtree, so that skipping a sibling is one step. Strings with escapes are rare: their decoded
// forms sit in a side table, ordered by node.
//
// Two readers: Indexer takes canonical bytes in one pass (what the store reads back) and says no to
// anything else; JsonReader takes any JSON, with marks and good errors, and builds a Json.
#include "base/document.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/utf8.h"

namespace base {

namespace {

struct Node {
  uint32_t start;
  uint32_t type : 3;
  uint32_t member : 1;   // starts at a key
  uint32_t escaped : 1;  // the key or the value has a backslash: see Blob::decoded
  uint32_t end : 27;     // the next node after this subtree
};
static_assert(sizeof(Node) == 8, "the header promises 8 bytes a value");

struct Decoded {
  uint32_t node;
  bool key;
  std::string text;
};

}  // namespace

struct Value::Blob {
  std::string bytes;
  std::vector<Node> nodes;
  std::vector<Decoded> decoded;

  std::string_view DecodedText(uint32_t node, bool key) const {
    // In document order: by node, and a node's key before its value.
    const auto it = std::lower_bound(
        decoded.begin(), decoded.end(), std::pair(node, !key),
        [](const Decoded& d, const auto& wanted) { return std::pair(d.node, !d.key) < wanted; });
    CHECK(it != decoded.end() && it->node == node && it->key == key);
    return it->text;
  }

  // The raw key of a member node, without quotes.
  std::string_view RawKey(uint32_t node) const {
    const uint32_t start = nodes[node].start + 1;
    uint32_t end = start;
    while (bytes[end] != '"') end += bytes[end] == '\\' ? 2 : 1;
    return std::string_view(bytes).substr(start, end - start);
  }

  std::string_view Key(uint32_t node) const {
    const std::string_view raw = RawKey(node);
    return nodes[node].escaped && raw.find('\\') != std::string_view::npos ? DecodedText(node, true)
                                                                           : raw;
  }

  uint32_t ValueStart(uint32_t node) const {
    const uint32_t start = nodes[node].start;
    return nodes[node].member ? start + static_cast<uint32_t>(RawKey(node).size()) + 3 : start;
  }

  // One past the last byte of a node's value: after the last of what is in it only brackets close.
  uint32_t ValueEnd(uint32_t node) const {
    uint32_t open = 0;
    for (; nodes[node].end > node + 1; ++open) {
      const uint32_t end = nodes[node].end;
      ++node;
      while (nodes[node].end < end) node = nodes[node].end;
    }
    return EndOf(ValueStart(node)) + open;
  }

  // The same of the value that starts at `at`, by reading it.
  uint32_t EndOf(uint32_t at) const {
    int depth = 0;
    do {
      const char c = bytes[at];
      if (c == '"') {
        ++at;
        while (bytes[at] != '"') at += bytes[at] == '\\' ? 2 : 1;
        ++at;
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at;
      } else if (c == '}' || c == ']') {
        --depth;
        ++at;
      } else if (c == ',' || c == ':') {
        ++at;
      } else {
        while (at < bytes.size() && bytes[at] != ',' && bytes[at] != '}' && bytes[at] != ']') ++at;
      }
    } while (depth > 0);
    return at;
  }
};

namespace {

constexpr uint32_t kMaxNodes = (1u << 27) - 1;
constexpr size_t kWrapDepth = 8;  // levels that a program may put around a value that was parsed

// Indexes canonical bytes. Anything else (space, unsorted keys, other escapes, other number forms)
// is a no, not an error: the caller then reads the text as plain JSON.
class Indexer {
 public:
  // `ordered`: the keys are known to be sorted (Json printed them), so that keys with escapes may
  // be indexed.
  Indexer(std::string_view text, bool ordered, std::vector<Node>& nodes,
          std::vector<Decoded>& decoded)
      : text_(text), ordered_(ordered), nodes_(nodes), decoded_(decoded) {}

  bool Run() {
    return text_.size() <= kMaxDocumentBytes && Value(0, false, 0) && at_ == text_.size();
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool Value(uint32_t start, bool member, size_t depth) {
    if (depth > kMaxJsonDepth + (ordered_ ? kWrapDepth : 0) || nodes_.size() >= kMaxNodes)
      return false;
    const uint32_t self = static_cast<uint32_t>(nodes_.size() - (member ? 1 : 0));
    if (!member) nodes_.push_back(Node{start, 0, 0, 0, 0});
    const char c = Peek();
    bool ok = true;
    Json::Type type = Json::Type::kNull;
    if (c == '{') {
      type = Json::Type::kObject;
      ok = Members(depth);
    } else if (c == '[') {
      type = Json::Type::kArray;
      ok = Elements(depth);
    } else if (c == '"') {
      type = Json::Type::kString;
      std::string_view raw;
      ok = String(raw) && Remember(raw, self, false);
    } else if (c == 't' || c == 'f') {
      type = Json::Type::kBool;
      ok = Word(c == 't' ? "true" : "false");
    } else if (c == 'n') {
      ok = Word("null");
    } else {
      ok = Number(type);
    }
    nodes_[self].type = static_cast<uint32_t>(type) & 7;
    nodes_[self].end = static_cast<uint32_t>(nodes_.size()) & kMaxNodes;
    return ok;
  }

  bool Members(size_t depth) {
    ++at_;
    if (Peek() == '}') return ++at_, true;
    std::string_view previous;
    for (bool first = true;; first = false) {
      const uint32_t start = static_cast<uint32_t>(at_);
      std::string_view raw;
      if (Peek() != '"' || !String(raw) || Peek() != ':') return false;
      ++at_;
      const uint32_t self = static_cast<uint32_t>(nodes_.size());
      nodes_.push_back(Node{start, 0, 1, 0, 0});
      if (!Remember(raw, self, true)) return false;
      if (!ordered_) {
        if (raw.find('\\') != std::string_view::npos || (!first && previous >= raw)) return false;
        previous = raw;
      }
      if (!Value(start, true, depth + 1)) return false;
      if (Peek() == '}') return ++at_, true;
      if (Peek() != ',') return false;
      ++at_;
    }
  }

  bool Elements(size_t depth) {
    ++at_;
    if (Peek() == ']') return ++at_, true;
    while (true) {
      if (!Value(static_cast<uint32_t>(at_), false, depth + 1)) return false;
      if (Peek() == ']') return ++at_, true;
      if (Peek() != ',') return false;
      ++at_;
    }
  }

  // Sets `raw` to what stands between the quotes.
  bool String(std::string_view& raw) {
    const size_t start = ++at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      const unsigned char c = static_cast<unsigned char>(text_[at_]);
      if (c < 0x20) return false;
      if (c == '\\') {
        at_ += 2;
      } else if (c < 0x80) {
        ++at_;
      } else {
        const size_t length = Utf8Length(text_.substr(at_));
        if (length == 0) return false;
        at_ += length;
      }
    }
    if (at_ >= text_.size()) return false;
    raw = text_.substr(start, at_ - start);
    ++at_;
    return true;
  }

  // Keeps the decoded form of a string with escapes; false if they are not in canonical form.
  bool Remember(std::string_view raw, uint32_t node, bool key) {
    if (raw.find('\\') == std::string_view::npos) return true;
    const std::string quoted = '"' + std::string(raw) + '"';
    const Result<Json> json = ParseJson(quoted);
    if (!json.ok()) return false;
    std::string canonical;
    AppendQuoted(json->AsString(), canonical);
    if (canonical != quoted) return false;
    nodes_[node].escaped = 1;
    decoded_.push_back(Decoded{node, key, std::string(json->AsString())});
    return true;
  }

  bool Word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool Number(Json::Type& type) {
    const char* first = text_.data() + at_;
    const char* last = text_.data() + text_.size();
    int64_t integer;
    const auto [end, error] = std::from_chars(first, last, integer);
    if (error == std::errc() && (end == last || *end == ',' || *end == '}' || *end == ']')) {
      const bool leading_zero = *first == '0' ? end - first > 1 : *first == '-' && first[1] == '0';
      if (leading_zero) return false;
      type = Json::Type::kInt;
      at_ += static_cast<size_t>(end - first);
      return true;
    }
    double value;
    const auto [double_end, double_error] = std::from_chars(first, last, value);
    if (double_error != std::errc()) return false;
    std::string canonical;
    AppendNumber(value, canonical);
    if (canonical != std::string_view(first, static_cast<size_t>(double_end - first))) return false;
    type = Json::Type::kDouble;
    at_ += canonical.size();
    return true;
  }

  const std::string_view text_;
  const bool ordered_;
  std::vector<Node>& nodes_;
  std::vector<Decoded>& decoded_;
  size_t at_ = 0;
};

}  // namespace

// Value

Value::Type Value::type() const {
  return blob_ ? static_cast<Type>(static_cast<uint8_t>(blob_->nodes[node_].type)) : Type::kNull;
}

bool Value::AsBool(bool fallback) const {
  return type() == Type::kBool ? blob_->bytes[blob_->ValueStart(node_)] == 't' : fallback;
}

int64_t Value::AsInt(int64_t fallback) const {
  if (type() == Type::kDouble) return Json(AsDouble()).AsInt(fallback);
  if (type() != Type::kInt) return fallback;
  int64_t value = fallback;
  const char* first = blob_->bytes.data() + blob_->ValueStart(node_);
  std::from_chars(first, blob_->bytes.data() + blob_->bytes.size(), value);
  return value;
}

double Value::AsDouble(double fallback) const {
  if (type() != Type::kDouble && type() != Type::kInt) return fallback;
  double value = fallback;
  const char* first = blob_->bytes.data() + blob_->ValueStart(node_);
  std::from_chars(first, blob_->bytes.data() + blob_->bytes.size(), value);
  return value;
}

std::string_view Value::AsString(std::string_view fallback) const {
  if (type() != Type::kString) return fallback;
  const uint32_t start = blob_->ValueStart(node_) + 1;
  uint32_t end = start;
  bool escapes = false;
  while (blob_->bytes[end] != '"') {
    escapes |= blob_->bytes[end] == '\\';
    end += blob_->bytes[end] == '\\' ? 2 : 1;
  }
  if (escapes) return blob_->DecodedText(node_, false);
  return std::string_view(blob_->bytes).substr(start, end - start);
}

Value Value::operator[](std::string_view key) const {
  if (!IsObject()) return Value();
  const Blob& blob = *blob_;
  // A key with a quote is stored with an escape; compared raw, it could match across a key's end.
  const bool quote = key.find('"') != std::string_view::npos;
  for (uint32_t i = node_ + 1; i < blob.nodes[node_].end; i = blob.nodes[i].end) {
    if (blob.nodes[i].escaped) {
      if (blob.Key(i) == key) return Value(blob_, i);
      continue;
    }
    if (quote) continue;
    const char* at = blob.bytes.data() + blob.nodes[i].start + 1;
    if (static_cast<size_t>(blob.bytes.data() + blob.bytes.size() - at) > key.size() &&
        at[key.size()] == '"' && std::memcmp(at, key.data(), key.size()) == 0) {
      return Value(blob_, i);
    }
  }
  return Value();
}

Value Value::At(size_t index) const {
  for (Value element : Elements()) {
    if (index-- == 0) return element;
  }
  return Value();
}

size_t Value::size() const {
  if (!IsArray() && !IsObject()) return 0;
  size_t count = 0;
  for (uint32_t i = node_ + 1; i < blob_->nodes[node_].end; i = blob_->nodes[i].end) ++count;
  return count;
}

bool Value::empty() const {
  return (!IsArray() && !IsObject()) || blob_->nodes[node_].end == node_ + 1;
}

Value::MemberRange Value::Members() const {
  return IsObject() ? MemberRange(blob_, node_ + 1, blob_->nodes[node_].end)
                    : MemberRange(nullptr, 0, 0);
}

Value::ElementRange Value::Elements() const {
  return IsArray() ? ElementRange(blob_, node_ + 1, blob_->nodes[node_].end)
                   : ElementRange(nullptr, 0, 0);
}

Value::Member Value::Iterator::operator*() const {
  return Member{blob_->nodes[node_].member ? blob_->Key(node_) : std::string_view(),
                Value(blob_, node_)};
}

Value::Iterator& Value::Iterator::operator++() {
  node_ = blob_->nodes[node_].end;
  return *this;
}

Value Value::ElementRange::ElementIterator::operator*() const { return (*inner_).value; }

std::string_view Value::Bytes() const {
  if (blob_ == nullptr) return "null";
  if (node_ == 0) return blob_->bytes;
  const uint32_t start = blob_->ValueStart(node_);
  return std::string_view(blob_->bytes).substr(start, blob_->ValueEnd(node_) - start);
}

Json Value::ToJson() const {
  switch (type()) {
    case Type::kNull: return Json();
    case Type::kBool: return Json(AsBool());
    case Type::kInt: return Json(AsInt());
    case Type::kDouble: return Json(AsDouble());
    case Type::kString: return Json(AsString());
    case Type::kArray: {
      Json array = Json::MakeArray();
      for (Value element : Elements()) array.Append(element.ToJson());
      return array;
    }
    case Type::kObject: {
      Json object = Json::MakeObject();
      for (const auto& [key, value] : Members()) object.Set(key, value.ToJson());
      return object;
    }
  }
  return Json();
}

// Document

Document::Document(const Json& json) {
  auto blob = std::make_shared<Value::Blob>();
  json.AppendTo(blob->bytes);
  blob->bytes.shrink_to_fit();
  const bool canonical = Indexer(blob->bytes, true, blob->nodes, blob->decoded).Run();
  CHECK(canonical);  // what Json prints is canonical, and within the limits of what a parser or
                     // program made
  blob->nodes.shrink_to_fit();
  blob_ = std::move(blob);
}

Result<Document> Document::Parse(std::string_view text) {
  auto blob = std::make_shared<Value::Blob>();
  if (Indexer(text, false, blob->nodes, blob->decoded).Run()) {
    blob->bytes = std::string(text);
    blob->nodes.shrink_to_fit();
    Document document;
    document.blob_ = std::move(blob);
    return document;
  }
  ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  // The canonical form of a number can be longer than the text was: 1e9 is 1e+09.
  if (const size_t size = json.ToString().size(); size > kMaxDocumentBytes) {
    return Status(Code::kTooLarge, "a document of " + std::to_string(size) +
                                       " bytes in canonical form; the limit is " +
                                       std::to_string(kMaxDocumentBytes));
  }
  return Document(json);
}

Value Document::root() const { return blob_ ? Value(blob_.get(), 0) : Value(); }

size_t Document::MemoryUsage() const {
  if (!blob_) return 0;
  size_t bytes = sizeof(Value::Blob) + 16 + blob_->bytes.capacity() + 1 +
                 blob_->nodes.capacity() * sizeof(Node);
  for (const Decoded& decoded : blob_->decoded) bytes += sizeof(Decoded) + decoded.text.capacity();
  return bytes;
}

Document Document::WithString(std::string_view object, std::string_view key,
                              std::string_view value) const {
  const Value old = root()[object][key];
  CHECK(old.Exists());
  const std::string_view old_bytes = old.Bytes();
  const size_t at = static_cast<size_t>(old_bytes.data() - blob_->bytes.data());
  std::string text;
  text.reserve(blob_->bytes.size() + value.size() + 2);
  text.append(blob_->bytes, 0, at);
  AppendQuoted(value, text);
  text.append(blob_->bytes, at + old_bytes.size());
  CHECK(text.size() <= kMaxDocumentBytes);
  auto blob = std::make_shared<Value::Blob>();
  const size_t new_size = text.size() - (blob_->bytes.size() - old_bytes.size());
  const bool plain = std::string_view(text).substr(at, new_size).find('\\') == std::string::npos;
  blob->bytes = std::move(text);
  if (plain && old.IsString() && !blob_->nodes[old.node_].escaped) {
    // What stands behind it has moved, and nothing else is different.
    blob->nodes = blob_->nodes;
    blob->decoded = blob_->decoded;
    for (size_t node = old.node_ + 1; node < blob->nodes.size(); ++node) {
      blob->nodes[node].start += static_cast<uint32_t>(new_size - old_bytes.size());
    }
  } else {
    blob->nodes.reserve(blob_->nodes.size());
    const bool canonical = Indexer(blob->bytes, true, blob->nodes, blob->decoded).Run();
    CHECK(canonical);
  }
  Document document;
  document.blob_ = std::move(blob);
  return document;
}

}  // namespace base
