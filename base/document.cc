// A Blob is one Node a value, in document order, and the canonical JSON bytes. A node of an
// object's member starts at its key, any other at its value; `end` is the index of the node after
// its subtree, so that skipping a sibling is one step. Nearly all documents are small enough for
// nodes of half that size. Strings with escapes are rare: their decoded forms sit in a side table,
// ordered by node.
//
// Two readers: Indexer takes canonical bytes in one pass (what the store reads back) and says no to
// anything else; JsonReader takes any JSON, with marks and good errors, and builds a Json.
#include "base/document.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

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

// The same where the numbers are small.
struct ShortNode {
  uint16_t start;
  uint16_t type : 3;
  uint16_t member : 1;
  uint16_t escaped : 1;
  uint16_t span : 11;  // end, counted from this node
};
static_assert(sizeof(Node) == 8 && sizeof(ShortNode) == 4, "the header promises so much a value");

constexpr size_t kMaxShortBytes = 1u << 16;
constexpr size_t kMaxShortNodes = (1u << 11) - 1;

bool AreShort(size_t bytes, size_t nodes) {
  return bytes <= kMaxShortBytes && nodes <= kMaxShortNodes;
}

struct Decoded {
  uint32_t node;
  bool key;
  std::string text;
};

uint32_t EndOfSubtree(const Node* nodes, uint32_t node) { return nodes[node].end; }
uint32_t EndOfSubtree(const ShortNode* nodes, uint32_t node) { return node + nodes[node].span; }

void Assign(const Node& value, uint32_t node, Node* nodes) { nodes[node] = value; }
void Assign(const Node& value, uint32_t node, ShortNode* nodes) {
  ShortNode made = {};  // put together in a register
  made.start = static_cast<uint16_t>(value.start);
  made.type = value.type;
  made.member = value.member;
  made.escaped = value.escaped;
  made.span = (value.end - node) & kMaxShortNodes;
  nodes[node] = made;
}

}  // namespace

// One allocation: behind the members stand the nodes, then the text.
struct Value::Blob {
  std::atomic<uint32_t> references{1};
  const uint32_t size;        // of the text
  const uint32_t node_bytes;  // of all nodes
  const bool is_short;
  std::unique_ptr<const std::vector<Decoded>> decoded;  // null: none

  // Nodes and text are the caller's to fill in.
  static Blob* Make(size_t size, size_t node_count) {
    const bool is_short = AreShort(size, node_count);
    const size_t node_bytes = node_count * (is_short ? sizeof(ShortNode) : sizeof(Node));
    return new (node_bytes + size) Blob(size, node_bytes, is_short);
  }

  Blob(size_t text_bytes, size_t bytes_of_nodes, bool fits_short)
      : size(static_cast<uint32_t>(text_bytes)),
        node_bytes(static_cast<uint32_t>(bytes_of_nodes)),
        is_short(fits_short) {}
  static void* operator new(size_t own, size_t behind) { return ::operator new(own + behind); }
  static void operator delete(void* blob) { ::operator delete(blob); }
  static void operator delete(void* blob, size_t /*behind*/) { ::operator delete(blob); }

  char* behind() { return reinterpret_cast<char*>(this + 1); }
  const char* behind() const { return reinterpret_cast<const char*>(this + 1); }
  char* text() { return behind() + node_bytes; }
  const char* text() const { return behind() + node_bytes; }
  std::string_view bytes() const { return std::string_view(text(), size); }

  // Calls `act` with the nodes, whatever their size.
  template <typename Act>
  auto WithNodes(const Act& act) {
    return is_short ? act(reinterpret_cast<ShortNode*>(behind()))
                    : act(reinterpret_cast<Node*>(behind()));
  }
  template <typename Act>
  auto WithNodes(const Act& act) const {
    return is_short ? act(reinterpret_cast<const ShortNode*>(behind()))
                    : act(reinterpret_cast<const Node*>(behind()));
  }
  static Blob* Make(std::string_view text, const std::vector<Node>& nodes,
                    std::vector<Decoded> decoded) {
    Blob* const blob = Make(text.size(), nodes.size());
    blob->WithNodes([&](auto* made) {
      for (uint32_t i = 0; i < nodes.size(); ++i) Assign(nodes[i], i, made);
    });
    std::memcpy(blob->text(), text.data(), text.size());
    if (!decoded.empty())
      blob->decoded = std::make_unique<const std::vector<Decoded>>(std::move(decoded));
    return blob;
  }

  size_t NodeCount() const {
    return WithNodes([&](auto* nodes) { return node_bytes / sizeof(*nodes); });
  }
  uint32_t Start(uint32_t node) const {
    return WithNodes([&](auto* nodes) -> uint32_t { return nodes[node].start; });
  }
  Type TypeOf(uint32_t node) const {
    return WithNodes([&](auto* nodes) { return static_cast<Type>(nodes[node].type + 0); });
  }
  bool IsMember(uint32_t node) const {
    return WithNodes([&](auto* nodes) { return nodes[node].member != 0; });
  }
  bool IsEscaped(uint32_t node) const {
    return WithNodes([&](auto* nodes) { return nodes[node].escaped != 0; });
  }
  uint32_t EndNode(uint32_t node) const {
    return WithNodes([&](auto* nodes) { return EndOfSubtree(nodes, node); });
  }

  std::string_view DecodedText(uint32_t node, bool key) const {
    // In document order: by node, and a node's key before its value.
    CHECK(decoded != nullptr);
    const auto it = std::lower_bound(
        decoded->begin(), decoded->end(), std::pair(node, !key),
        [](const Decoded& d, const auto& wanted) { return std::pair(d.node, !d.key) < wanted; });
    CHECK(it != decoded->end() && it->node == node && it->key == key);
    return it->text;
  }

  // The raw key of a member node, without quotes.
  std::string_view RawKey(uint32_t start) const {
    const char* const first = text() + start + 1;
    const char* end = first;
    while (*end != '"') end += *end == '\\' ? 2 : 1;
    return std::string_view(first, static_cast<size_t>(end - first));
  }

  std::string_view Key(uint32_t node) const {
    const std::string_view raw = RawKey(Start(node));
    return IsEscaped(node) && raw.find('\\') != std::string_view::npos ? DecodedText(node, true)
                                                                       : raw;
  }

  uint32_t ValueStart(uint32_t node) const {
    const uint32_t start = Start(node);
    return IsMember(node) ? start + static_cast<uint32_t>(RawKey(start).size()) + 3 : start;
  }

  // One past the last byte of a node's value: after the last of what is in it only brackets close.
  uint32_t ValueEnd(uint32_t node) const {
    return WithNodes([&](auto* nodes) {
      uint32_t last = node, open = 0;
      for (uint32_t end; (end = EndOfSubtree(nodes, last)) > last + 1; ++open) {
        ++last;
        for (uint32_t next; (next = EndOfSubtree(nodes, last)) < end;) last = next;
      }
      return EndOf(ValueStart(last)) + open;
    });
  }

  // The same of the value that starts at `at`, by reading it.
  uint32_t EndOf(uint32_t at) const {
    const char* const bytes = text();
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
        while (at < size && bytes[at] != ',' && bytes[at] != '}' && bytes[at] != ']') ++at;
      }
    } while (depth > 0);
    return at;
  }
};

namespace {

constexpr uint32_t kMaxNodes = (1u << 27) - 1;
constexpr size_t kBytesAValue = 16;  // in most documents it takes more
constexpr size_t kWrapDepth = 8;     // levels that a program may put around a value that was parsed

// Indexes canonical bytes. Anything else (space, unsorted keys, other escapes, other number forms)
// is a no, not an error: the caller then reads the text as plain JSON.
class Indexer {
 public:
  // `ordered`: the keys are known to be sorted (Json printed them), so that keys with escapes may
  // be indexed.
  Indexer(std::string_view text, bool ordered, std::vector<Node>& nodes,
          std::vector<Decoded>& decoded)
      : text_(text), ordered_(ordered), nodes_(nodes), decoded_(decoded) {
    nodes_.reserve(text.size() / kBytesAValue + 1);
  }

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

Value::Type Value::type() const { return blob_ ? blob_->TypeOf(node_) : Type::kNull; }

bool Value::AsBool(bool fallback) const {
  return type() == Type::kBool ? blob_->text()[blob_->ValueStart(node_)] == 't' : fallback;
}

int64_t Value::AsInt(int64_t fallback) const {
  if (type() == Type::kDouble) return Json(AsDouble()).AsInt(fallback);
  if (type() != Type::kInt) return fallback;
  int64_t value = fallback;
  const std::string_view bytes = blob_->bytes().substr(blob_->ValueStart(node_));
  std::from_chars(bytes.data(), bytes.data() + bytes.size(), value);
  return value;
}

double Value::AsDouble(double fallback) const {
  if (type() != Type::kDouble && type() != Type::kInt) return fallback;
  double value = fallback;
  const std::string_view bytes = blob_->bytes().substr(blob_->ValueStart(node_));
  std::from_chars(bytes.data(), bytes.data() + bytes.size(), value);
  return value;
}

std::string_view Value::AsString(std::string_view fallback) const {
  if (type() != Type::kString) return fallback;
  const char* const first = blob_->text() + blob_->ValueStart(node_) + 1;
  const char* end = first;
  bool escapes = false;
  while (*end != '"') {
    escapes |= *end == '\\';
    end += *end == '\\' ? 2 : 1;
  }
  if (escapes) return blob_->DecodedText(node_, false);
  return std::string_view(first, static_cast<size_t>(end - first));
}

Value Value::operator[](std::string_view key) const {
  if (!IsObject()) return Value();
  const Blob& blob = *blob_;
  // A key with a quote is stored with an escape; compared raw, it could match across a key's end.
  const bool quote = key.find('"') != std::string_view::npos;
  return blob.WithNodes([&](auto* nodes) {
    const char* const text = blob.text();
    const uint32_t end = EndOfSubtree(nodes, node_);
    for (uint32_t i = node_ + 1; i < end; i = EndOfSubtree(nodes, i)) {
      if (nodes[i].escaped != 0) {
        if (blob.Key(i) == key) return Value(blob_, i);
        continue;
      }
      if (quote) continue;
      const char* const at = text + nodes[i].start + 1;
      if (static_cast<size_t>(text + blob.size - at) > key.size() && at[key.size()] == '"' &&
          std::memcmp(at, key.data(), key.size()) == 0) {
        return Value(blob_, i);
      }
    }
    return Value();
  });
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
  const uint32_t end = blob_->EndNode(node_);
  for (uint32_t i = node_ + 1; i < end; i = blob_->EndNode(i)) ++count;
  return count;
}

bool Value::empty() const {
  return (!IsArray() && !IsObject()) || blob_->EndNode(node_) == node_ + 1;
}

Value::MemberRange Value::Members() const {
  return IsObject() ? MemberRange(blob_, node_ + 1, blob_->EndNode(node_))
                    : MemberRange(nullptr, 0, 0);
}

Value::ElementRange Value::Elements() const {
  return IsArray() ? ElementRange(blob_, node_ + 1, blob_->EndNode(node_))
                   : ElementRange(nullptr, 0, 0);
}

Value::Member Value::Iterator::operator*() const {
  return Member{blob_->IsMember(node_) ? blob_->Key(node_) : std::string_view(),
                Value(blob_, node_)};
}

Value::Iterator& Value::Iterator::operator++() {
  node_ = blob_->EndNode(node_);
  return *this;
}

Value Value::ElementRange::ElementIterator::operator*() const { return (*inner_).value; }

std::string_view Value::Bytes() const {
  if (blob_ == nullptr) return "null";
  if (node_ == 0) return blob_->bytes();
  const uint32_t start = blob_->ValueStart(node_);
  return blob_->bytes().substr(start, blob_->ValueEnd(node_) - start);
}

std::string_view Value::MemberBytes() const {
  if (blob_ == nullptr) return "";
  const uint32_t start = blob_->Start(node_);
  return blob_->bytes().substr(start, blob_->ValueEnd(node_) - start);
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
  const std::string text = json.ToString();
  std::vector<Node> nodes;
  std::vector<Decoded> decoded;
  const bool canonical = Indexer(text, true, nodes, decoded).Run();
  CHECK(canonical);  // what Json prints is canonical, and within the limits of what a parser or
                     // program made
  blob_ = Value::Blob::Make(text, nodes, std::move(decoded));
}

Document::Document(const Document& other) noexcept : blob_(other.blob_) {
  if (blob_ != nullptr) blob_->references.fetch_add(1, std::memory_order_relaxed);
}

Document::~Document() {
  if (blob_ != nullptr && blob_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete blob_;
}

Result<Document> Document::Parse(std::string_view text) {
  std::vector<Node> nodes;
  std::vector<Decoded> decoded;
  if (Indexer(text, false, nodes, decoded).Run())
    return Document(Value::Blob::Make(text, nodes, std::move(decoded)));
  ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  // The canonical form of a number can be longer than the text was: 1e9 is 1e+09.
  if (const size_t size = json.ToString().size(); size > kMaxDocumentBytes) {
    return Status(Code::kTooLarge, "a document of " + std::to_string(size) +
                                       " bytes in canonical form; the limit is " +
                                       std::to_string(kMaxDocumentBytes));
  }
  return Document(json);
}

Value Document::root() const { return blob_ ? Value(blob_, 0) : Value(); }

size_t Document::MemoryUsage() const {
  if (!blob_) return 0;
  size_t bytes = sizeof(Value::Blob) + blob_->node_bytes + blob_->size;
  if (blob_->decoded == nullptr) return bytes;
  for (const Decoded& decoded : *blob_->decoded) bytes += sizeof(Decoded) + decoded.text.capacity();
  return bytes;
}

Document Document::WithString(std::string_view object, std::string_view key,
                              std::string_view value) const {
  const Value old = root()[object][key];
  CHECK(old.Exists());
  const std::string_view bytes = blob_->bytes();
  const std::string_view old_bytes = old.Bytes();
  const size_t at = static_cast<size_t>(old_bytes.data() - bytes.data());
  std::string quoted;
  AppendQuoted(value, quoted);
  const size_t size = bytes.size() - old_bytes.size() + quoted.size();
  CHECK(size <= kMaxDocumentBytes);
  const bool plain =
      quoted.find('\\') == std::string::npos && old.IsString() && !blob_->IsEscaped(old.node_);
  const size_t node_count = blob_->NodeCount();
  if (!plain || AreShort(size, node_count) != blob_->is_short) {
    std::string text(bytes.substr(0, at));
    text.append(quoted).append(bytes.substr(at + old_bytes.size()));
    std::vector<Node> nodes;
    std::vector<Decoded> decoded;
    const bool canonical = Indexer(text, true, nodes, decoded).Run();
    CHECK(canonical);
    return Document(Value::Blob::Make(text, nodes, std::move(decoded)));
  }
  // What stands behind it has moved, and nothing else is different.
  Value::Blob* const blob = Value::Blob::Make(size, node_count);
  std::copy_n(blob_->behind(), blob_->node_bytes, blob->behind());
  char* text = std::copy_n(bytes.data(), at, blob->text());
  text = std::copy(quoted.begin(), quoted.end(), text);
  std::copy(old_bytes.data() + old_bytes.size(), bytes.data() + bytes.size(), text);
  blob->WithNodes([&](auto* nodes) {
    const auto moved = static_cast<decltype(nodes->start)>(quoted.size() - old_bytes.size());
    for (size_t i = old.node_ + 1; i < node_count; ++i) nodes[i].start += moved;
  });
  if (blob_->decoded != nullptr)
    blob->decoded = std::make_unique<const std::vector<Decoded>>(*blob_->decoded);
  return Document(blob);
}

bool Document::OverwriteString(std::string_view object, std::string_view key,
                               std::string_view value) {
  const Value old = root()[object][key];
  CHECK(old.IsString() && blob_->references.load(std::memory_order_acquire) == 1);
  const std::string_view old_bytes = old.Bytes();
  std::string quoted;
  AppendQuoted(value, quoted);
  const bool fits = quoted.size() == old_bytes.size() && !blob_->IsEscaped(old.node_) &&
                    quoted.find('\\') == std::string::npos;
  if (fits) quoted.copy(blob_->text() + (old_bytes.data() - blob_->text()), quoted.size());
  return fits;
}

}  // namespace base
