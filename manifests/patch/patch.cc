// JSON patch (RFC 6902) with JSON pointers (RFC 6901), and JSON merge patch (RFC 7386).
//
// A JSON patch is all or nothing: it works on a copy. What could make an object grow without end is
// limited: the operations, the bytes that they copy or move, and the depth of what is put in; and
// so is what else they cost: the elements and members that make room, or close up. A failure says
// which operation it was, its path, and what stands there, as a cause: kubectl prints only those.
#include "manifests/patch/patch.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/utf8.h"
#include "manifests/member_changes.h"

namespace manifests {
namespace {

using base::Code;
using base::Json;
using base::Result;
using base::Status;

constexpr size_t kMaxPatchOperations = 10'000;
constexpr size_t kMaxCopiedBytes = 3u << 20;  // by all "copy" and "move" operations of one patch
// Elements and members that stand behind what a patch puts in or takes out, all operations
// together: a quarter of a second.
constexpr size_t kMaxShifted = 20'000'000;
constexpr size_t kMaxShownBytes = 100;  // of a value that a message quotes

using Pointer = std::vector<std::string>;

std::string Quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

size_t Height(const Json& json) {
  size_t height = 0;
  for (const Json& element : json.Elements()) height = std::max(height, Height(element));
  for (const Json::Member& member : json.Members()) height = std::max(height, Height(member.value));
  return json.IsArray() || json.IsObject() ? height + 1 : 0;
}

bool IsNumber(const Json& json) { return json.IsInt() || json.type() == Json::Type::kDouble; }

// RFC 6902: numbers are equal if they are so numerically.
bool Equal(const Json& a, const Json& b) {
  if (IsNumber(a) && IsNumber(b) && a.type() != b.type()) return a.AsDouble() == b.AsDouble();
  if (a.IsArray() && b.IsArray()) {
    return std::equal(a.Elements().begin(), a.Elements().end(), b.Elements().begin(),
                      b.Elements().end(), Equal);
  }
  if (a.IsObject() && b.IsObject()) {
    return std::equal(a.Members().begin(), a.Members().end(), b.Members().begin(),
                      b.Members().end(), [](const Json::Member& x, const Json::Member& y) {
                        return x.key == y.key && Equal(x.value, y.value);
                      });
  }
  return a == b;
}

Result<Pointer> ReadPointer(std::string_view text) {
  const Status bad(Code::kBadRequest,
                   Quoted(text) +
                       " is no JSON pointer; write it like /spec/containers/0, with ~1 "
                       "for '/' and ~0 for '~' in a name");
  Pointer pointer;
  if (!text.empty() && text[0] != '/') return bad;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      pointer.emplace_back();
    } else if (text[i] != '~') {
      pointer.back() += text[i];
    } else if (++i < text.size() && (text[i] == '0' || text[i] == '1')) {
      pointer.back() += text[i] == '0' ? '~' : '/';
    } else {
      return bad;
    }
  }
  return pointer;
}

// An index of at most `limit`; nothing if `token` is none.
std::optional<size_t> ReadIndex(std::string_view token, size_t limit) {
  size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool plain = !token.empty() && (token == "0" || token[0] != '0');
  if (!plain || error != std::errc() || end != token.data() + token.size() || index > limit)
    return std::nullopt;
  return index;
}

Json* Step(Json& json, const std::string& token) {
  if (json.IsObject()) return json.Find(token);
  const std::optional<size_t> index =
      json.IsArray() && !json.empty() ? ReadIndex(token, json.size() - 1) : std::nullopt;
  return index ? &json.MutableElements()[*index] : nullptr;
}

// The value that the first `count` tokens lead to; null if there is none.
Json* Walk(Json& root, const Pointer& pointer, size_t count) {
  Json* at = &root;
  for (size_t i = 0; i < count && at != nullptr; ++i) at = Step(*at, pointer[i]);
  return at;
}

class JsonPatcher {
 public:
  explicit JsonPatcher(const Json& object) : object_(object) {}

  Result<Json> Apply(const Json& patch) {
    if (!patch.IsArray()) {
      return Status(Code::kBadRequest,
                    "a JSON patch is a list of operations, like [{\"op\": \"remove\", \"path\": "
                    "\"/spec/paused\"}]");
    }
    if (patch.size() > kMaxPatchOperations) {
      return Status(Code::kTooLarge, "a JSON patch of " + std::to_string(patch.size()) +
                                         " operations; the limit is " +
                                         std::to_string(kMaxPatchOperations));
    }
    for (size_t i = 0; i < patch.size(); ++i) {
      if (Status status = Run(patch.At(i)); !status.ok()) return Told(i, patch.At(i), status);
    }
    return std::move(object_);
  }

 private:
  // With the path, as the patch writes it, for the cause's field.
  static Status Told(size_t index, const Json& operation, const Status& status) {
    const std::string which = "operation " + std::to_string(index) + " of the JSON patch";
    if (status.code() != Code::kInvalid) return status.WithContext(which);
    std::string cause = which + " (" + std::string(operation["op"].AsString()) +
                        "): " + std::string(status.message());
    std::string message = which + ": " + std::string(status.message());
    return Status(
        Code::kInvalid, std::move(message),
        {{"FieldValueInvalid", std::move(cause), std::string(operation["path"].AsString())}});
  }

  Status Run(const Json& operation) {
    const std::string_view op = operation["op"].AsString();
    if (!operation["path"].IsString())
      return Status(Code::kBadRequest, "it has no path; add \"path\": \"/...\"");
    ASSIGN_OR_RETURN(const Pointer path, ReadPointer(operation["path"].AsString()));
    if (op == "remove") return Remove(path);
    if (op == "move" || op == "copy") {
      if (!operation["from"].IsString())
        return Status(Code::kBadRequest, "it has no from; add \"from\": \"/...\"");
      ASSIGN_OR_RETURN(const Pointer from, ReadPointer(operation["from"].AsString()));
      return op == "move" ? Move(from, path) : Copy(from, path);
    }
    if (op != "add" && op != "replace" && op != "test") {
      return Status(Code::kBadRequest, Quoted(op) +
                                           " is no operation; write add, remove, replace, "
                                           "move, copy or test");
    }
    const Json* value = operation.Find("value");
    if (value == nullptr) return Status(Code::kBadRequest, "it has no value; add one");
    if (op == "add") return Add(path, *value);
    return op == "replace" ? Replace(path, *value) : Test(path, *value);
  }

  static std::string Text(const Pointer& path) {
    std::string text;
    for (const std::string& token : path) text += "/" + token;
    return text;
  }

  static Status Missing(const Pointer& path) {
    return Status(Code::kInvalid,
                  "the path " + Quoted(Text(path)) + " does not exist in the object");
  }

  static Status CheckDepth(const Pointer& path, const Json& value) {
    if (path.size() + Height(value) <= base::kMaxJsonDepth) return Status();
    return Status(Code::kInvalid, "the object would be nested deeper than " +
                                      std::to_string(base::kMaxJsonDepth) + " levels");
  }

  Status Add(const Pointer& path, Json value) {
    RETURN_IF_ERROR(CheckDepth(path, value));
    if (path.empty()) return object_ = std::move(value), Status();
    Json* parent = Walk(object_, path, path.size() - 1);
    if (parent != nullptr && parent->IsObject()) {
      if (!parent->Has(path.back())) RETURN_IF_ERROR(Shift(*parent));
      parent->Set(path.back(), std::move(value));
      return Status();
    }
    if (parent == nullptr || !parent->IsArray()) return Missing(path);
    const std::optional<size_t> index =
        path.back() == "-" ? parent->size() : ReadIndex(path.back(), parent->size());
    if (!index) return Missing(path);
    RETURN_IF_ERROR(Shift(parent->size() - *index));
    Json::Array& elements = parent->MutableElements();
    elements.insert(elements.begin() + static_cast<ptrdiff_t>(*index), std::move(value));
    return Status();
  }

  Status Remove(const Pointer& path) {
    if (path.empty())
      return Status(Code::kInvalid, "the whole object cannot be removed; delete it instead");
    Json* parent = Walk(object_, path, path.size() - 1);
    if (parent == nullptr || Step(*parent, path.back()) == nullptr) return Missing(path);
    if (parent->IsObject()) {
      RETURN_IF_ERROR(Shift(*parent));
      parent->Remove(path.back());
    } else {
      const size_t index = *ReadIndex(path.back(), parent->size());
      RETURN_IF_ERROR(Shift(parent->size() - index));
      Json::Array& elements = parent->MutableElements();
      elements.erase(elements.begin() + static_cast<ptrdiff_t>(index));
    }
    return Status();
  }

  Status Replace(const Pointer& path, const Json& value) {
    RETURN_IF_ERROR(CheckDepth(path, value));
    Json* target = Walk(object_, path, path.size());
    if (target == nullptr) return Missing(path);
    *target = value;
    return Status();
  }

  Status Move(const Pointer& from, const Pointer& path) {
    if (path.size() > from.size() && std::equal(from.begin(), from.end(), path.begin()))
      return Status(Code::kInvalid, "a value cannot move into itself; use copy");
    Json* source = Walk(object_, from, from.size());
    if (source == nullptr) return Missing(from);
    if (from == path) return Status();
    RETURN_IF_ERROR(Charge(*source));
    Json value = std::move(*source);
    RETURN_IF_ERROR(Remove(from));
    return Add(path, std::move(value));
  }

  Status Copy(const Pointer& from, const Pointer& path) {
    const Json* source = Walk(object_, from, from.size());
    if (source == nullptr) return Missing(from);
    RETURN_IF_ERROR(Charge(*source));
    return Add(path, *source);
  }

  Status Charge(const Json& value) {
    copied_bytes_ += value.ToString().size();
    if (copied_bytes_ <= kMaxCopiedBytes) return Status();
    return Status(Code::kTooLarge, "the patch copies or moves more than " +
                                       std::to_string(kMaxCopiedBytes) + " bytes");
  }

  // Of a member all may move.
  Status Shift(const Json& object) { return Shift(object.size()); }
  Status Shift(size_t behind) {
    shifted_ += behind;
    if (shifted_ <= kMaxShifted) return Status();
    return Status(Code::kTooLarge,
                  "the patch puts in or takes out too much before others: more than " +
                      std::to_string(kMaxShifted) +
                      " elements would move; replace the list as a whole");
  }

  Status Test(const Pointer& path, const Json& value) {
    const Json* target = Walk(object_, path, path.size());
    if (target == nullptr) return Missing(path);
    if (Equal(*target, value)) return Status();
    const bool secret = std::as_const(object_)["kind"].AsString() == "Secret";
    return Status(Code::kInvalid, "the test fails: " + Quoted(Text(path)) +
                                      (secret ? std::string(" has another value")
                                              : " is " + Shown(*target) + ", not " + Shown(value)));
  }

  static std::string Shown(const Json& value) {
    const std::string text = value.ToString();
    if (text.size() <= kMaxShownBytes) return text;
    return base::ToUtf8(std::string_view(text).substr(0, kMaxShownBytes)) + "...";
  }

  Json object_;
  size_t copied_bytes_ = 0;
  size_t shifted_ = 0;
};

void MergeInto(Json& target, const Json& patch) {
  if (!patch.IsObject()) {
    target = patch;
    return;
  }
  if (!target.IsObject()) target = Json::MakeObject();
  MemberChanges changes(target);
  for (const Json::Member& member : patch.Members()) {
    Json* known = target.Find(member.key);
    if (member.value.IsNull()) {
      if (known != nullptr) changes.Remove(member.key);
    } else if (known != nullptr) {
      MergeInto(*known, member.value);
    } else {
      Json value;
      MergeInto(value, member.value);
      changes.Add(member.key, std::move(value));
    }
  }
  changes.Finish();
}

}  // namespace

Result<Json> JsonPatch(const Json& object, const Json& patch) {
  return JsonPatcher(object).Apply(patch);
}

Json MergePatch(const Json& object, const Json& patch) {
  Json result = object;
  MergeInto(result, patch);
  return result;
}

}  // namespace manifests
