#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/status.h"
#include "base/utf8.h"

namespace base {
namespace {

// Reads any JSON text into a Json with marks. RFC 8259; duplicate keys are errors.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  Result<Json> Read() {
    if (text_.size() > kMaxDocumentBytes) {
      return Status(Code::kTooLarge, "a document of " + std::to_string(text_.size()) +
                                         " bytes; the limit is " +
                                         std::to_string(kMaxDocumentBytes));
    }
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = line_start_ = 3;
    Json json;
    SkipSpace();
    if (!ReadValue(json, 0)) return std::move(error_);
    SkipSpace();
    if (at_ != text_.size()) {
      Fail("something follows the end of the value");
      return std::move(error_);
    }
    return json;
  }

 private:
  bool Fail(const std::string& what) { return FailAt(MarkHere(), what); }

  bool FailAt(Mark mark, const std::string& what) {
    error_ = Status(Code::kBadRequest, "line " + std::to_string(mark.line) + ", column " +
                                           std::to_string(mark.column) + ": " + what);
    return false;
  }

  Mark MarkHere() const { return Mark{line_, static_cast<uint32_t>(at_ - line_start_ + 1)}; }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void SkipSpace() {
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      } else if (c != ' ' && c != '\t' && c != '\r') {
        return;
      }
    }
  }

  bool ReadValue(Json& out, size_t depth) {
    if (depth > kMaxJsonDepth)
      return Fail("nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    const Mark mark = MarkHere();
    bool ok;
    switch (Peek()) {
      case '{': ok = ReadObject(out, depth); break;
      case '[': ok = ReadArray(out, depth); break;
      case '"': {
        std::string text;
        ok = ReadString(text);
        out = Json(std::move(text));
        break;
      }
      case 't': out = Json(true), ok = ReadWord("true"); break;
      case 'f': out = Json(false), ok = ReadWord("false"); break;
      case 'n': out = Json(), ok = ReadWord("null"); break;
      case '\0':
        return Fail(at_ < text_.size() ? "a NUL byte" : "the text ends where a value should be");
      default: ok = ReadNumber(out);
    }
    out.mark = mark;
    return ok;
  }

  bool ReadWord(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return Fail("no JSON value starts like this");
    at_ += word.size();
    return true;
  }

  // Members are sorted once at the end: inserting each at its place would make a large object's
  // cost quadratic.
  bool ReadObject(Json& out, size_t depth) {
    Json::Object members;
    ++at_;
    SkipSpace();
    for (bool first = true; !(first && Peek() == '}'); first = false) {
      if (Peek() != '"') return Fail("a key in double quotes should be here");
      const Mark key_mark = MarkHere();
      Json::Member member;
      if (!ReadString(member.key)) return false;
      SkipSpace();
      if (Peek() != ':') return Fail("':' should follow the key \"" + member.key + "\"");
      ++at_;
      SkipSpace();
      if (!ReadValue(member.value, depth + 1)) return false;
      member.value.key_mark = key_mark;
      members.push_back(std::move(member));
      SkipSpace();
      if (Peek() == '}') break;
      if (Peek() != ',') return Fail("',' or '}' should be here");
      ++at_;
      SkipSpace();
    }
    ++at_;
    if (!SortMembers(members)) return false;
    out = Json::MakeObject();
    out.MutableMembers() = std::move(members);
    return true;
  }

  bool SortMembers(Json::Object& members) {
    const auto by_key = [](const Json::Member& a, const Json::Member& b) { return a.key < b.key; };
    std::stable_sort(members.begin(), members.end(), by_key);
    const auto twice =
        std::adjacent_find(members.begin(), members.end(),
                           [](const auto& a, const auto& b) { return a.key == b.key; });
    if (twice == members.end()) return true;
    return FailAt(
        (twice + 1)->value.key_mark,
        "the key \"" + twice->key + "\" stands twice in this object; remove one of the two");
  }

  bool ReadArray(Json& out, size_t depth) {
    out = Json::MakeArray();
    ++at_;
    SkipSpace();
    if (Peek() == ']') return ++at_, true;
    while (true) {
      Json element;
      if (!ReadValue(element, depth + 1)) return false;
      out.Append(std::move(element));
      SkipSpace();
      if (Peek() == ']') return ++at_, true;
      if (Peek() != ',') return Fail("',' or ']' should be here");
      ++at_;
      SkipSpace();
    }
  }

  bool ReadString(std::string& out) {
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') return ++at_, true;
      if (static_cast<unsigned char>(c) < 0x20) return Fail("a control character inside a string");
      if (c == '\\') {
        if (!ReadEscape(out)) return false;
        continue;
      }
      const size_t length = Utf8Length(text_.substr(at_));
      if (length == 0) return Fail("bytes that are not UTF-8");
      out.append(text_, at_, length);
      at_ += length;
    }
    return Fail("a string without its closing quote");
  }

  bool ReadEscape(std::string& out) {
    const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    at_ += 2;
    switch (c) {
      case '"':
      case '\\':
      case '/': out += c; return true;
      case 'b': out += '\b'; return true;
      case 'f': out += '\f'; return true;
      case 'n': out += '\n'; return true;
      case 'r': out += '\r'; return true;
      case 't': out += '\t'; return true;
      case 'u': break;
      default: at_ -= 2; return Fail("an unknown escape");
    }
    uint32_t code;
    if (!ReadHex4(code)) return false;
    if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_).starts_with("\\u")) {
      const size_t before = at_;
      at_ += 2;
      uint32_t low;
      if (!ReadHex4(low)) return false;
      if (low >= 0xDC00 && low < 0xE000) {
        AppendUtf8(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00), out);
        return true;
      }
      at_ = before;
    }
    AppendUtf8(code >= 0xD800 && code < 0xE000 ? 0xFFFD : code,
               out);  // a lone surrogate is no character
    return true;
  }

  bool ReadHex4(uint32_t& code) {
    if (at_ + 4 > text_.size()) return Fail("\\u needs four hexadecimal digits");
    const char* first = text_.data() + at_;
    const auto [end, error] = std::from_chars(first, first + 4, code, 16);
    if (error != std::errc() || end != first + 4) return Fail("\\u needs four hexadecimal digits");
    at_ += 4;
    return true;
  }

  bool ReadNumber(Json& out) {
    const size_t start = at_;
    const auto digits = [&] {
      const size_t first = at_;
      while (Peek() >= '0' && Peek() <= '9') ++at_;
      return at_ - first;
    };
    if (Peek() == '-') ++at_;
    const bool zero = Peek() == '0';
    const size_t whole = digits();
    if (whole == 0) return at_ = start, Fail("no JSON value starts like this");
    if (zero && whole > 1) return at_ = start, Fail("a number with a leading zero");
    bool integral = true;
    if (Peek() == '.') {
      integral = false;
      ++at_;
      if (digits() == 0) return Fail("a number's fraction needs digits");
    }
    if (Peek() == 'e' || Peek() == 'E') {
      integral = false;
      ++at_;
      if (Peek() == '+' || Peek() == '-') ++at_;
      if (digits() == 0) return Fail("a number's exponent needs digits");
    }
    const char* first = text_.data() + start;
    const char* last = text_.data() + at_;
    if (integral) {
      int64_t value;
      if (std::from_chars(first, last, value).ec == std::errc()) return out = Json(value), true;
    }
    double value;
    if (std::from_chars(first, last, value).ec != std::errc())
      return at_ = start, Fail("a number out of range");
    out = Json(value);
    return true;
  }

  const std::string_view text_;
  size_t at_ = 0;
  uint32_t line_ = 1;
  size_t line_start_ = 0;
  Status error_;
};

}  // namespace

Result<Json> ParseJson(std::string_view text) { return JsonReader(text).Read(); }

}  // namespace base
