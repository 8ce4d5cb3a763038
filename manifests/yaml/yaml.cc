// A file is cut into documents at the lines "---" and "..." (no YAML value can hold one at the
// start of a line), and each is read on its own: JSON by the JSON parser, all else by yaml-cpp's
// event parser, whose events a Builder turns into a Json.
//
// Two kinds of mistakes. Those of syntax throw inside the Builder or yaml-cpp, end the file and
// lose its document. Those of content (a duplicate key, a bad tag, ...) are noted, and the document
// is kept without the bad part, so that its other mistakes can be reported in the same go.
//
// Aliases are copied where they stand. Each copy counts against the limits, so a small file cannot
// grow large.
#include "manifests/yaml/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <map>
#include <optional>
#include <streambuf>
#include <utility>

#include "manifests/yaml/yaml_messages.h"
#include "manifests/yaml/yaml_scalar.h"
#include "manifests/yaml/yaml_text.h"

namespace manifests {
namespace {

using base::Json;
using base::Mark;

constexpr size_t kMaxYamlErrors = 1000;  // reported for one file
constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";
constexpr std::string_view kIndicators = "[]{},:?&*!\"'";

// A mistake of syntax: thrown and caught in this file only.
struct SyntaxError {
  Mark mark;
  std::string message;
  bool exceeded = false;  // the file costs too much
};

// What a file has cost so far, and may cost.
struct Budget {
  const YamlCost most;
  YamlCost cost;

  void CheckAt(Mark mark) const {
    if (cost.values > most.values || cost.copied_values > most.copied_values) {
      throw SyntaxError{mark,
                        "more than " + std::to_string(most.values) + " values in the file" +
                            (cost.copied_values > 0 ? ", aliases written out" : "") +
                            "; split the file",
                        true};
    }
    if (cost.copied_bytes > most.copied_bytes) {
      throw SyntaxError{mark,
                        "the file's aliases stand for more than " +
                            std::to_string(most.copied_bytes) + " bytes; use fewer of them",
                        true};
    }
  }
};

// A finished node and what it costs.
struct Node {
  Json value;
  size_t nodes = 1;
  size_t bytes = 0;   // of its scalars
  size_t height = 0;  // levels of collections
};

// Turns the events of one document into a Json.
class Builder : public YAML::EventHandler {
 public:
  // `text` is what the marks of the events count in; `budget` is the file's.
  Builder(std::string_view text, uint32_t first_line, Budget& budget,
          std::vector<TextError>& errors)
      : text_(text), first_line_(first_line), budget_(budget), errors_(errors) {}

  Json& document() { return document_; }
  Mark At(const YAML::Mark& mark) const {
    return Mark{first_line_ + static_cast<uint32_t>(mark.line),
                static_cast<uint32_t>(mark.column) + 1};
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (std::exchange(started_, true)) {
      throw SyntaxError{At(mark),
                        "this does not belong to what stands before it; check the indentation, put "
                        "a space after ':', and \"---\" between documents"};
    }
  }
  void OnDocumentEnd() override { CheckClosed(); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (!frames_.empty() && !AwaitsKey()) CheckNull(mark);
    AddScalar(At(mark), Json(), 0, anchor, false);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    last_scalar_ = mark;
    const bool merge = (tag == "?" && text == "<<") || tag == std::string(kTagPrefix) + "merge";
    base::Result<Json> value = Read(tag, text);
    if (!value.ok()) {
      Note(At(mark), std::string(value.status().message()));
      value = Json(text);
    }
    if (AwaitsKey() && !merge && tag == "?" && value->type() == Json::Type::kDouble)
      value = NumberKey(At(mark), text, *value);
    AddScalar(At(mark), *std::move(value), text.size(), anchor, merge);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end())
      throw SyntaxError{At(mark), "an alias inside what it stands for; write the value out"};
    Node node = it->second;
    if (frames_.size() + node.height > kMaxYamlDepth) TooDeep(At(mark));
    CountCopy(At(mark), node);
    node.value.mark = At(mark);
    if (AwaitsKey()) {
      SetKey(node.value, false);
    } else {
      Add(std::move(node), 0);
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Open(mark, tag, "seq", anchor, style, Json::MakeArray());
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Open(mark, tag, "map", anchor, style, Json::MakeObject());
  }
  void OnMapEnd() override {
    SortMembers(frames_.back());
    Close();
  }

 private:
  // A collection that is not closed yet.
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    bool flow = false;
    std::vector<Json> merged;  // the maps that "<<" names, the strongest first
    bool has_key = false;
    bool drop = false;   // the key cannot be used: neither can its value
    bool merge = false;  // the key is "<<"
    std::string key;
    Mark key_mark;
  };

  bool AwaitsKey() const {
    return !frames_.empty() && frames_.back().node.value.IsObject() && !frames_.back().has_key;
  }

  void Note(Mark mark, std::string message) {
    if (errors_.size() < kMaxYamlErrors) errors_.push_back(TextError{mark, std::move(message)});
  }

  [[noreturn]] void TooDeep(Mark mark) const {
    throw SyntaxError{mark, "nested deeper than " + std::to_string(kMaxYamlDepth) +
                                " levels; make the structure flatter"};
  }

  void Count(Mark mark) {
    ++budget_.cost.values;
    budget_.CheckAt(mark);
  }
  void CountCopy(Mark mark, const Node& node) {
    budget_.cost.values += node.nodes;
    budget_.cost.copied_values += node.nodes;
    budget_.cost.copied_bytes += node.bytes;
    budget_.CheckAt(mark);
  }

  // yaml-cpp also takes a null for what is missing: a ':' or an element.
  void CheckNull(const YAML::Mark& mark) const {
    const Frame& frame = frames_.back();
    if (frame.node.value.IsObject() && !frame.flow && frame.key_mark == At(mark)) {
      throw SyntaxError{At(mark), "\": \" and a value should follow \"" + frame.key +
                                      "\"; add them, or check the indentation"};
    }
    const size_t at = static_cast<size_t>(mark.pos);
    if (frame.node.value.IsArray() && frame.flow && at < text_.size() && text_[at] == ',')
      throw SyntaxError{At(mark), "an element is missing before ','; add it or remove the ','"};
  }

  // yaml-cpp takes the file's end for a closing quote, if it follows a line's end.
  void CheckClosed() const {
    size_t at = static_cast<size_t>(last_scalar_.pos);
    while (at < text_.size() && (text_[at] == '!' || text_[at] == '&')) {  // its tag and anchor
      at = std::min(text_.find_first_of(" \t\r\n", at), text_.size());
      at = std::min(text_.find_first_not_of(" \t\r\n", at), text_.size());
    }
    if (at >= text_.size() || (text_[at] != '"' && text_[at] != '\'')) return;
    const char quote = text_[at];
    const char escape = quote == '"' ? '\\' : quote;  // a quote is doubled, or has a backslash
    for (++at; at < text_.size(); ++at) {
      const bool escaped =
          text_[at] == escape && at + 1 < text_.size() && (quote == '"' || text_[at + 1] == quote);
      if (!escaped && text_[at] == quote) return;
      if (escaped) ++at;
    }
    throw SyntaxError{At(last_scalar_), "a text in quotes is not closed; add the closing quote"};
  }

  static base::Result<Json> Read(std::string_view tag, const std::string& text) {
    if (tag == "?") return ReadPlainScalar(text);
    if (tag == "!" || tag == std::string(kTagPrefix) + "merge") return Json(text);
    if (tag.starts_with(kTagPrefix)) return ReadTaggedScalar(tag.substr(kTagPrefix.size()), text);
    return base::Status(base::Code::kInvalid,
                        "the tag " + std::string(tag) + " means nothing here; remove it");
  }

  void AddScalar(Mark mark, Json value, size_t bytes, YAML::anchor_t anchor, bool merge) {
    Count(mark);
    Node node{std::move(value), 1, bytes, 0};
    node.value.mark = mark;
    if (!AwaitsKey()) {
      Add(std::move(node), anchor);
      return;
    }
    SetKey(node.value, merge);
    Remember(std::move(node), anchor);
  }

  // A key that reads as a fraction: sigs.k8s.io/yaml makes it a string again, which may differ.
  Json NumberKey(Mark mark, const std::string& text, const Json& value) {
    if (value.ToString() != text) {
      Note(mark,
           "the key " + text + " reads as the number " + value.ToString() + "; put it in quotes");
    }
    return Json(text);
  }

  void SetKey(const Json& key, bool merge) {
    Frame& frame = frames_.back();
    frame.has_key = true;
    frame.merge = merge;
    frame.drop = false;
    frame.key_mark = key.mark;
    if (key.IsString()) {
      frame.key = key.AsString();
    } else if (key.IsInt() || key.IsBool()) {
      frame.key = key.ToString();
    } else {
      frame.drop = true;
      frame.key = key.IsNull() ? "null" : "?";
      Note(key.mark, std::string("a key cannot be ") +
                         (key.IsNull()                        ? "null"
                          : key.type() == Json::Type::kDouble ? "a fraction"
                                                              : "a map or a list") +
                         "; write a string, in quotes if need be");
    }
  }

  void Remember(Node node, YAML::anchor_t anchor) {
    if (anchor == 0) return;
    CountCopy(node.value.mark, node);
    anchors_.insert_or_assign(anchor, std::move(node));
  }

  void Add(Node node, YAML::anchor_t anchor) {
    if (anchor != 0) Remember(node, anchor);
    if (frames_.empty()) {
      document_ = std::move(node.value);
      return;
    }
    Frame& frame = frames_.back();
    frame.node.nodes += node.nodes;
    frame.node.bytes += node.bytes;
    frame.node.height = std::max(frame.node.height, node.height + 1);
    if (frame.node.value.IsArray()) {
      frame.node.value.Append(std::move(node.value));
      return;
    }
    if (!frame.has_key) {  // a collection as a key
      SetKey(node.value, false);
      return;
    }
    frame.has_key = false;
    if (frame.drop) return;
    if (frame.merge) {
      Merge(frame, std::move(node.value));
      return;
    }
    node.value.key_mark = frame.key_mark;
    frame.node.value.MutableMembers().push_back(Json::Member{frame.key, std::move(node.value)});
  }

  void Merge(Frame& frame, Json value) {
    Json::Array maps = value.IsArray() ? value.Elements() : Json::Array{value};
    for (Json& map : maps) {
      if (map.IsObject()) {
        frame.merged.push_back(std::move(map));
      } else {
        Note(map.mark, "\"<<\" takes a map or a list of maps, mostly an alias");
      }
    }
  }

  // Orders the members, finds duplicate keys, and adds what is merged in for the keys that lack.
  // The first of equal keys stays, so what is stronger comes first.
  void SortMembers(Frame& frame) {
    Json::Object& members = frame.node.value.MutableMembers();
    const auto by_key = [](const auto& a, const auto& b) { return a.key < b.key; };
    const auto same_key = [](const auto& a, const auto& b) { return a.key == b.key; };
    std::stable_sort(members.begin(), members.end(), by_key);
    for (size_t i = 1; i < members.size(); ++i) {
      if (members[i].key != members[i - 1].key) continue;
      Note(members[i].value.key_mark,
           "the key \"" + members[i].key + "\" stands twice in this map; remove one of the two");
    }
    for (Json& map : frame.merged) {
      Json::Object& more = map.MutableMembers();
      members.insert(members.end(), std::make_move_iterator(more.begin()),
                     std::make_move_iterator(more.end()));
    }
    if (!frame.merged.empty()) std::stable_sort(members.begin(), members.end(), by_key);
    members.erase(std::unique(members.begin(), members.end(), same_key), members.end());
  }

  void Open(const YAML::Mark& mark, const std::string& tag, std::string_view wanted,
            YAML::anchor_t anchor, YAML::EmitterStyle::value style, Json value) {
    if (frames_.size() >= kMaxYamlDepth) TooDeep(At(mark));
    Count(At(mark));
    if (tag != "?" && tag != "!" && tag != std::string(kTagPrefix).append(wanted)) {
      Note(At(mark), "the tag " + tag + " means nothing for a map or a list; remove it");
    }
    Frame frame;
    frame.node.value = std::move(value);
    frame.node.value.mark = At(mark);
    frame.node.height = 1;
    frame.anchor = anchor;
    frame.flow = style == YAML::EmitterStyle::Flow;
    frames_.push_back(std::move(frame));
  }

  void Close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    Add(std::move(frame.node), frame.anchor);
  }

  const std::string_view text_;
  const uint32_t first_line_;
  Budget& budget_;
  std::vector<TextError>& errors_;
  bool started_ = false;
  YAML::Mark last_scalar_;
  Json document_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Node> anchors_;
};

// A stream over text that is not copied.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* first = const_cast<char*>(text.data());  // only read: there is no put area
    setg(first, first, first + text.size());
  }
};

// JSON goes the short way. Gives a JSON document the file's lines and YAML's limits and integers.
class JsonAdopter {
 public:
  JsonAdopter(uint32_t first_line, Budget& budget) : first_line_(first_line), budget_(budget) {}

  void Adopt(Json& json, size_t depth) {
    Shift(json.mark);
    Shift(json.key_mark);
    const bool collection = json.IsArray() || json.IsObject();
    if (collection && depth >= kMaxYamlDepth) {
      throw SyntaxError{json.mark, "nested deeper than " + std::to_string(kMaxYamlDepth) +
                                       " levels; make the structure flatter"};
    }
    ++budget_.cost.values;
    budget_.CheckAt(json.mark);
    if (json.type() == Json::Type::kDouble) {
      Json number = WithIntegralAsInt(json.AsDouble());
      number.mark = json.mark;
      number.key_mark = json.key_mark;
      json = std::move(number);
    }
    if (json.IsArray()) {
      for (Json& element : json.MutableElements()) Adopt(element, depth + 1);
    } else if (json.IsObject()) {
      for (Json::Member& member : json.MutableMembers()) Adopt(member.value, depth + 1);
    }
  }

 private:
  void Shift(Mark& mark) const {
    if (mark.line != 0) mark.line += first_line_ - 1;
  }
  const uint32_t first_line_;
  Budget& budget_;
};

class FileReader {
 public:
  explicit FileReader(const YamlCost& most) : budget_{most, {}} {}

  YamlFile Read(std::string_view text) {
    ReadAll(text);
    file_.cost = budget_.cost;
    return std::move(file_);
  }

 private:
  void ReadAll(std::string_view text) {
    const std::optional<BadText> bad = FindBadText(text);
    for (const Chunk& chunk : CutDocuments(text)) {
      if (bad && bad->at < chunk.start + chunk.text.size()) break;
      if (++documents_ > kMaxYamlDocuments) {
        AddError(Mark{chunk.first_line, 1}, "more than " + std::to_string(kMaxYamlDocuments) +
                                                " documents in one file; split the file");
        return;
      }
      if (!ReadDocument(chunk)) return;
    }
    if (bad) file_.errors.push_back(bad->error);
  }

  void AddError(Mark mark, std::string message) {
    file_.errors.push_back(TextError{mark, std::move(message)});
  }

  // False if the syntax is broken: the file ends here.
  bool ReadDocument(const Chunk& chunk) {
    try {
      Json document;
      if (!ReadJson(chunk, document)) ReadYaml(chunk, document);
      if (!document.IsNull()) file_.documents.push_back(std::move(document));
      return true;
    } catch (const SyntaxError& error) {
      file_.exceeded = error.exceeded;
      AddSyntaxError(chunk, error.mark, error.message);
    } catch (const YAML::Exception& error) {
      const Mark mark = error.mark.is_null()
                            ? Mark{chunk.first_line, 1}
                            : Mark{chunk.first_line + static_cast<uint32_t>(error.mark.line),
                                   static_cast<uint32_t>(error.mark.column) + 1};
      AddSyntaxError(chunk, mark, SentenceFor(error.msg));
    }
    return false;
  }

  bool ReadJson(const Chunk& chunk, Json& document) {
    // With "---" before it on a line of its own, at most.
    std::string_view text = chunk.text;
    uint32_t first_line = chunk.first_line;
    while (!text.empty()) {
      const size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      const bool blank = line.find_first_not_of(" \t\r") == std::string_view::npos;
      if (end == std::string_view::npos || (!blank && line != "---" && line != "---\r")) break;
      text.remove_prefix(end + 1);
      ++first_line;
    }
    const size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[')) return false;
    base::Result<Json> json = base::ParseJson(text);
    if (!json.ok()) return false;  // a YAML flow, or an error that the YAML reader words
    document = *std::move(json);
    JsonAdopter(first_line, budget_).Adopt(document, 0);
    return true;
  }

  void ReadYaml(const Chunk& chunk, Json& document) {
    // The parser looks ahead to the end of a bracket, so what it may hold at once is bounded here.
    const auto is_indicator = [](char c) { return kIndicators.find(c) != std::string_view::npos; };
    const auto indicators = std::count_if(chunk.text.begin(), chunk.text.end(), is_indicator);
    if (static_cast<size_t>(indicators) > kMaxYamlNodes) {
      throw SyntaxError{Mark{chunk.first_line, 1},
                        "more than " + std::to_string(kMaxYamlNodes) + " of the characters " +
                            std::string(kIndicators) + " in one document; split it"};
    }
    if (chunk.stray_directive != 0) {
      throw SyntaxError{Mark{chunk.stray_directive, 1},
                        "a line that starts with '%' can only stand before \"---\"; indent it, or "
                        "put the value in quotes"};
    }
    ViewBuffer buffer(chunk.text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    Builder builder(chunk.text, chunk.first_line, budget_, file_.errors);
    while (parser.HandleNextDocument(builder)) {
    }
    document = std::move(builder.document());
  }

  // A tab in the indentation misleads the parser; then it is what is wrong with the line.
  void AddSyntaxError(const Chunk& chunk, Mark mark, std::string message) {
    std::string_view rest = chunk.text;
    for (uint32_t line = chunk.first_line; line < mark.line; ++line) {
      const size_t end = rest.find('\n');
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    const size_t first = std::min(rest.find_first_not_of(" \t"), rest.size());
    const size_t tab = rest.substr(0, first).find('\t');
    if (tab != std::string_view::npos) {
      mark.column = static_cast<uint32_t>(tab) + 1;
      message = "a tab in the indentation; use spaces";
    }
    AddError(mark, std::move(message));
  }

  YamlFile file_;
  size_t documents_ = 0;
  Budget budget_;
};

}  // namespace

YamlFile ParseYaml(std::string_view text, const YamlCost& most) {
  if (text.size() > kMaxYamlBytes) {
    YamlFile file;
    file.errors.push_back(TextError{
        Mark{1, 1}, "the file has " + std::to_string(text.size()) + " bytes; the limit is " +
                        std::to_string(kMaxYamlBytes) + ": split the file"});
    return file;
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  YamlFile file = FileReader(most).Read(text);
  std::stable_sort(file.errors.begin(), file.errors.end(),
                   [](const auto& a, const auto& b) { return a.mark < b.mark; });
  return file;
}

}  // namespace manifests
