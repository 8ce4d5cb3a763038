// All three operations of sets are one merge of two sorted sequences: they differ only in which
// members stay. What has neither a member nor anything below it is not kept.
#include "manifests/apply/field_set.h"

#include <algorithm>

namespace manifests {
namespace {

using base::Code;
using base::Json;
using base::Result;
using base::Status;

constexpr int kMaxDepth = 128;         // as that of JSON
constexpr size_t kMaxDifference = 15;  // bytes that a std::string holds in itself

void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void AppendEntry(std::string_view element, bool member, std::string_view below, std::string& out) {
  AppendVarint(element.size(), out);
  out += element;
  AppendVarint(below.size() * 2 + (member ? 1 : 0), out);
  out += below;
}

// Reads one level, entry by entry.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) { Next(); }

  bool done() const { return done_; }
  bool broken() const { return broken_; }
  std::string_view element() const { return element_; }
  bool member() const { return member_; }
  std::string_view below() const { return below_; }

  void Next() {
    done_ = rest_.empty();
    if (done_) return;
    uint64_t length = 0;
    element_ = TakeVarint(length) ? Take(length) : std::string_view();
    below_ = TakeVarint(length) ? Take(length / 2) : std::string_view();
    member_ = length % 2 == 1;
    done_ = broken_;
  }

 private:
  bool TakeVarint(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift <= 28 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return !(broken_ = true);
  }
  std::string_view Take(size_t length) {
    broken_ = broken_ || length > rest_.size();
    const std::string_view taken = rest_.substr(0, broken_ ? 0 : length);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_, element_, below_;
  bool member_ = false, done_ = false, broken_ = false;
};

// `keep` says whether a member stays that stands in a, in b.
template <typename Keep>
std::string Merge(std::string_view a, std::string_view b, const Keep& keep) {
  std::string merged;
  Reader left(a), right(b);
  while (!left.done() || !right.done()) {
    const int order = left.done() ? 1 : right.done() ? -1 : left.element().compare(right.element());
    const bool in_a = order <= 0, in_b = order >= 0;
    const bool member = keep(in_a && left.member(), in_b && right.member());
    const std::string below = Merge(in_a ? left.below() : std::string_view(),
                                    in_b ? right.below() : std::string_view(), keep);
    if (member || !below.empty())
      AppendEntry(in_a ? left.element() : right.element(), member, below, merged);
    if (in_a) left.Next();
    if (in_b) right.Next();
  }
  return merged;
}

bool IsWellFormed(std::string_view bytes, int depth) {
  if (depth > kMaxDepth) return false;
  std::string_view last;
  Reader reader(bytes);
  for (; !reader.done(); reader.Next()) {
    const bool holds = reader.member() || !reader.below().empty();
    if (!holds || reader.element().size() < 2 || reader.element() <= last) return false;
    if (!IsWellFormed(reader.below(), depth + 1)) return false;
    last = reader.element();
  }
  return !reader.broken();
}

void AppendLevel(std::string_view bytes, bool member, std::string& out) {
  out += '{';
  bool first = true;
  if (member && !bytes.empty()) {
    out += "\".\":{}";
    first = false;
  }
  for (Reader reader(bytes); !reader.done(); reader.Next()) {
    if (!first) out += ',';
    first = false;
    base::AppendQuoted(reader.element(), out);
    out += ':';
    AppendLevel(reader.below(), reader.member(), out);
  }
  out += '}';
}

// As Kubernetes prints one in a path.
std::string PathOf(std::string_view element) {
  const std::string_view text = element.substr(2);
  if (element[0] == 'f') return "." + std::string(text);
  if (element[0] == 'v') return "[=" + std::string(text) + "]";
  if (element[0] == 'i') return "[" + std::string(text) + "]";
  std::string keys;
  const Result<Json> key = base::ParseJson(text);
  for (const Json::Member& part : key.ok() ? key->Members() : Json::Object()) {
    keys += (keys.empty() ? "" : ",") + part.key + "=" + part.value.ToString();
  }
  return "[" + keys + "]";
}

void AppendPaths(std::string_view bytes, const std::string& prefix,
                 std::vector<std::string>& paths) {
  for (Reader reader(bytes); !reader.done(); reader.Next()) {
    if (reader.member()) paths.push_back(prefix + PathOf(reader.element()));
  }
  for (Reader reader(bytes); !reader.done(); reader.Next()) {
    if (!reader.below().empty())
      AppendPaths(reader.below(), prefix + PathOf(reader.element()), paths);
  }
}

// The element in canonical form.
Result<std::string> ParseElement(const std::string& text) {
  const std::string kind = text.substr(0, 2);
  if (kind == "f:" && text.size() > 2) return text;
  if (kind == "k:" || kind == "v:" || kind == "i:") {
    const Result<Json> value = base::ParseJson(std::string_view(text).substr(2));
    const bool fits = value.ok() && (kind == "k:"   ? value->IsObject() && !value->empty()
                                     : kind == "i:" ? value->IsInt()
                                                    : true);
    if (fits) return kind + value->ToString();
  }
  return Status(Code::kInvalid, "\"" + text + "\" is no path element of FieldsV1");
}

}  // namespace

Result<FieldSet> FieldSet::FromJson(const Json& fields_v1) {
  if (!fields_v1.IsObject()) return Status(Code::kInvalid, "FieldsV1 must be an object");
  Builder builder;
  for (const Json::Member& entry : fields_v1.Members()) {
    if (entry.key == ".") continue;
    ASSIGN_OR_RETURN(std::string element, ParseElement(entry.key));
    ASSIGN_OR_RETURN(FieldSet below, FromJson(entry.value));
    const bool member = below.empty() || entry.value.Has(".");
    builder.Add(std::move(element), member, std::move(below));
  }
  return builder.Build();
}

Result<FieldSet> FieldSet::FromBytes(std::string bytes) {
  if (!IsWellFormed(bytes, 0)) return Status(Code::kCorruption, "the bytes are no set of fields");
  return FieldSet(std::move(bytes));
}

std::string_view FieldSet::Bytes(std::string& buffer) const {
  if (base_ == nullptr) return bytes_;
  const std::string& base = base_->bytes_;
  buffer.reserve(head_ + bytes_.size() + tail_);
  buffer.assign(base, 0, head_).append(bytes_).append(base, base.size() - tail_);
  return buffer;
}

FieldSetPtr FieldSet::AsDifferenceFrom(const FieldSetPtr& base) const {
  std::string buffer;
  const std::string_view all = Bytes(buffer), other = base->bytes_;
  const size_t both = std::min(all.size(), other.size());
  const auto head = static_cast<size_t>(
      std::mismatch(all.begin(), all.begin() + static_cast<ptrdiff_t>(both), other.begin()).first -
      all.begin());
  const auto tail = static_cast<size_t>(
      std::mismatch(all.rbegin(), all.rbegin() + static_cast<ptrdiff_t>(both - head),
                    other.rbegin())
          .first -
      all.rbegin());
  const size_t own = all.size() - head - tail;
  if (own > kMaxDifference || head + tail <= sizeof(FieldSet)) return nullptr;
  FieldSet difference(std::string(all.substr(head, own)));
  difference.base_ = base;
  difference.head_ = static_cast<uint32_t>(head);
  difference.tail_ = static_cast<uint32_t>(tail);
  return std::make_shared<const FieldSet>(std::move(difference));
}

bool FieldSet::operator==(const FieldSet& other) const {
  std::string mine, others;
  return Bytes(mine) == other.Bytes(others);
}

std::vector<FieldSet::Element> FieldSet::Elements() const {
  std::vector<Element> elements;
  std::string buffer;
  for (Reader reader(Bytes(buffer)); !reader.done(); reader.Next()) {
    elements.push_back(
        {std::string(reader.element()), reader.member(), FieldSet(std::string(reader.below()))});
  }
  return elements;
}

FieldSet FieldSet::Union(const FieldSet& other) const {
  std::string mine, others;
  const std::string_view a = Bytes(mine), b = other.Bytes(others);
  if (a.empty() || a == b) return other;
  if (b.empty()) return *this;
  return FieldSet(Merge(a, b, [](bool in_a, bool in_b) { return in_a || in_b; }));
}

FieldSet FieldSet::Intersection(const FieldSet& other) const {
  if (empty() || other.empty()) return FieldSet();
  std::string mine, others;
  return FieldSet(Merge(Bytes(mine), other.Bytes(others), [](bool a, bool b) { return a && b; }));
}

FieldSet FieldSet::Difference(const FieldSet& other) const {
  if (empty() || other.empty()) return *this;
  std::string mine, others;
  return FieldSet(Merge(Bytes(mine), other.Bytes(others), [](bool a, bool b) { return a && !b; }));
}

FieldSet FieldSet::Below(std::string_view element) const {
  std::string buffer;
  Reader reader(Bytes(buffer));
  while (!reader.done() && reader.element() < element) reader.Next();
  const bool found = !reader.done() && reader.element() == element;
  return found ? FieldSet(std::string(reader.below())) : FieldSet();
}

bool FieldSet::HasMember(std::string_view element) const {
  std::string buffer;
  Reader reader(Bytes(buffer));
  while (!reader.done() && reader.element() < element) reader.Next();
  return !reader.done() && reader.element() == element && reader.member();
}

std::vector<std::string> FieldSet::Paths() const {
  std::vector<std::string> paths;
  std::string buffer;
  AppendPaths(Bytes(buffer), "", paths);
  return paths;
}

void FieldSet::AppendJson(std::string& out) const {
  std::string buffer;
  AppendLevel(Bytes(buffer), false, out);
}

void FieldSet::Builder::Add(std::string element, bool member, FieldSet below) {
  if (!member && below.empty()) return;
  elements_.push_back({std::move(element), member, std::move(below)});
}

FieldSet FieldSet::Builder::Build() {
  std::stable_sort(elements_.begin(), elements_.end(),
                   [](const Element& a, const Element& b) { return a.text < b.text; });
  std::string bytes;
  for (size_t i = 0; i < elements_.size();) {
    Element& first = elements_[i];
    for (++i; i < elements_.size() && elements_[i].text == first.text; ++i) {
      first.member = first.member || elements_[i].member;
      first.below = first.below.Union(elements_[i].below);
    }
    std::string below;
    AppendEntry(first.text, first.member, first.below.Bytes(below), bytes);
  }
  return FieldSet(std::move(bytes));
}

}  // namespace manifests
