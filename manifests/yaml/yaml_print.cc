// How a string is written, as kubectl does: unquoted if it reads back as itself; in double quotes
// if it would read as another type, or has characters that need escapes; else in single quotes. A
// text of several lines is a literal block, unless a line ends in a space or holds a control
// character. A list stands at the column of its key. A key of more than 128 bytes is written with
// '?'.
#include <string>

#include "base/printable.h"
#include "base/utf8.h"
#include "manifests/yaml/yaml.h"
#include "manifests/yaml/yaml_scalar.h"

namespace manifests {
namespace {

using base::Json;

constexpr size_t kMaxSimpleKey = 128;
constexpr size_t kStep = 2;  // columns a level

// What YAML or its readers take for a line break, or what cannot be seen. A byte that is not UTF-8
// stands for itself.
bool NeedsEscape(std::string_view sequence) {
  if (sequence.size() == 1 && static_cast<unsigned char>(sequence[0]) >= 0x80) return false;
  return !base::IsPrintable(base::DecodeUtf8(sequence));
}

// The sequence at `at`. A byte that is not UTF-8 stands for itself.
std::string_view SequenceAt(std::string_view text, size_t at) {
  const size_t length = base::Utf8Length(text.substr(at));
  return text.substr(at, length == 0 ? 1 : length);
}

// True if a character other than those of `allowed` needs an escape.
bool HasSpecial(std::string_view text, std::string_view allowed) {
  for (size_t i = 0; i < text.size();) {
    const std::string_view sequence = SequenceAt(text, i);
    if (NeedsEscape(sequence) && allowed.find(sequence) == std::string_view::npos) return true;
    i += sequence.size();
  }
  return false;
}

// True if no character of `text` means something to YAML where it stands.
bool CanBePlain(std::string_view text) {
  constexpr std::string_view kNeverFirst = "#,[]{}&*!|>'\"%@`";
  const auto ends_at = [&](size_t i) { return i >= text.size() || text[i] == ' '; };
  if (text.empty() || text.front() == ' ' || text.back() == ' ') return false;
  if (text.starts_with("---") || text.starts_with("...")) return false;
  if (kNeverFirst.find(text[0]) != std::string_view::npos) return false;
  if ((text[0] == '-' || text[0] == '?') && ends_at(1)) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':' && ends_at(i + 1)) return false;
    if (text[i] == '#' && text[i - 1] == ' ') return false;
  }
  return true;
}

bool CanBeBlock(std::string_view text) {
  return text.find('\n') != std::string_view::npos &&
         text.find_first_not_of('\n') != std::string_view::npos &&
         text.find(" \n") == std::string_view::npos && text.back() != ' ' &&
         !HasSpecial(text, "\n\t");
}

void AppendDoubleQuoted(std::string_view text, std::string& out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  out += '"';
  for (size_t i = 0; i < text.size();) {
    const std::string_view sequence = SequenceAt(text, i);
    i += sequence.size();
    if (sequence == "\n") {
      out += "\\n";
    } else if (sequence == "\t") {
      out += "\\t";
    } else if (sequence == "\r") {
      out += "\\r";
    } else if (sequence == "\"" || sequence == "\\") {
      (out += '\\') += sequence;
    } else if (!NeedsEscape(sequence)) {
      out += sequence;
    } else {
      const uint32_t code = base::DecodeUtf8(sequence);
      out += code > 0xFFFF ? "\\U" : "\\u";
      for (int shift = code > 0xFFFF ? 28 : 12; shift >= 0; shift -= 4) {
        out += kHex[code >> shift & 15];
      }
    }
  }
  out += '"';
}

void AppendSingleQuoted(std::string_view text, std::string& out) {
  out += '\'';
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  out += '\'';
}

// On one line.
void AppendString(std::string_view text, std::string& out) {
  if (HasSpecial(text, "") || !ReadsAsString(text)) {
    AppendDoubleQuoted(text, out);
  } else if (CanBePlain(text)) {
    out += text;
  } else {
    AppendSingleQuoted(text, out);
  }
}

// A literal block whose lines start at column `indent`.
void AppendBlock(std::string_view text, size_t indent, std::string& out) {
  out += '|';
  if (text[0] == ' ' || text[0] == '\n' || text[0] == '\t') out += std::to_string(kStep);
  if (text.back() != '\n') {
    out += '-';
  } else {
    const bool more = text.ends_with("\n\n");
    text.remove_suffix(1);
    if (more) out += '+';
  }
  while (true) {
    const size_t end = text.find('\n');
    out += '\n';
    if (end != 0 && !text.empty()) out.append(indent, ' ') += text.substr(0, end);
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

class Printer {
 public:
  // After "key:" or "? key\n:", and ends the line.
  void MemberValue(const Json& value, size_t indent) {
    if (value.empty() || value.IsString()) {
      out_ += ' ';
      Scalar(value, indent + kStep);
      return;
    }
    out_ += '\n';
    if (value.IsObject()) {
      Map(value, indent + kStep, true);
    } else {
      List(value, indent, true);
    }
  }

  // `fresh`: at the start of a line; else the first member or element goes on where the line
  // stands, at column `indent`.
  void Value(const Json& value, size_t indent, bool fresh) {
    if (value.empty()) {
      Scalar(value, indent);
    } else if (value.IsObject()) {
      Map(value, indent, fresh);
    } else {
      List(value, indent, fresh);
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  // A scalar or an empty collection, and the end of the line.
  void Scalar(const Json& value, size_t indent) {
    switch (value.type()) {
      case Json::Type::kString:
        if (CanBeBlock(value.AsString())) {
          AppendBlock(value.AsString(), indent, out_);
        } else {
          AppendString(value.AsString(), out_);
        }
        break;
      case Json::Type::kDouble: WithIntegralAsInt(value.AsDouble()).AppendTo(out_); break;
      default: value.AppendTo(out_);
    }
    out_ += '\n';
  }

  void Map(const Json& map, size_t indent, bool fresh) {
    for (const Json::Member& member : map.Members()) {
      if (fresh) out_.append(indent, ' ');
      fresh = true;
      if (member.key.size() > kMaxSimpleKey) {
        out_ += "? ";
        AppendString(member.key, out_);
        out_ += '\n';
        out_.append(indent, ' ') += ':';
      } else {
        AppendString(member.key, out_);
        out_ += ':';
      }
      MemberValue(member.value, indent);
    }
  }

  void List(const Json& list, size_t indent, bool fresh) {
    for (const Json& element : list.Elements()) {
      if (fresh) out_.append(indent, ' ');
      fresh = true;
      out_ += "- ";
      Value(element, indent + kStep, false);
    }
  }

  std::string out_;
};

}  // namespace

std::string ToYaml(const Json& json) {
  Printer printer;
  // A block of the document's own level is indented, too.
  printer.Value(json, json.IsString() ? kStep : 0, true);
  return printer.Take();
}

}  // namespace manifests
