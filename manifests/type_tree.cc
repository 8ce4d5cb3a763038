// yaml-cpp's events become a tree: a stack of the collections that are open, and for each open map
// the key that waits for its value. Events rather than yaml-cpp's own nodes, because those cost ten
// times as much and the tables are read at every start of the program.
#include "manifests/type_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <utility>

namespace manifests {
namespace {

class TreeBuilder : public YAML::EventHandler {
 public:
  TypeNode Take() { return std::move(root_); }
  // Line and sentence of the first thing that the files may not hold; line 0 if there is none.
  uint32_t error_line() const { return error_line_; }
  const std::string& error() const { return error_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { Scalar(mark, "", false); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Refuse(mark, "an alias; write the value out");
    Scalar(mark, "", false);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    Scalar(mark, value, tag == "!");
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Open(mark, TypeNode::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Open(mark, TypeNode::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    TypeNode node;
    bool expects_value = false;  // of a map: its last key has no value yet
  };

  void Refuse(const YAML::Mark& mark, std::string message) {
    if (error_line_ != 0) return;
    error_line_ = static_cast<uint32_t>(mark.line) + 1;
    error_ = std::move(message);
  }

  void Scalar(const YAML::Mark& mark, const std::string& value, bool quoted) {
    if (!open_.empty() && open_.back().node.kind == TypeNode::Kind::kMap &&
        !open_.back().expects_value) {
      TypeNode& map = open_.back().node;
      if (map.Find(value) != nullptr) Refuse(mark, "the key " + value + " stands here twice");
      map.keys.push_back(value);
      open_.back().expects_value = true;
      return;
    }
    TypeNode node;
    node.line = static_cast<uint32_t>(mark.line) + 1;
    node.text = value;
    node.quoted = quoted;
    Add(std::move(node));
  }

  void Open(const YAML::Mark& mark, TypeNode::Kind kind) {
    if (!open_.empty() && open_.back().node.kind == TypeNode::Kind::kMap &&
        !open_.back().expects_value) {
      Refuse(mark, "a list or map as a key");
      open_.back().node.keys.emplace_back();
      open_.back().expects_value = true;
    }
    Frame frame;
    frame.node.kind = kind;
    frame.node.line = static_cast<uint32_t>(mark.line) + 1;
    open_.push_back(std::move(frame));
  }

  void Close() {
    TypeNode node = std::move(open_.back().node);
    open_.pop_back();
    Add(std::move(node));
  }

  void Add(TypeNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    open_.back().node.children.push_back(std::move(node));
    open_.back().expects_value = false;
  }

  std::vector<Frame> open_;
  TypeNode root_;
  uint32_t error_line_ = 0;
  std::string error_;
};

}  // namespace

const TypeNode* TypeNode::Find(std::string_view key) const {
  for (size_t i = 0; i < keys.size() && i < children.size(); ++i) {
    if (keys[i] == key) return &children[i];
  }
  return nullptr;
}

base::Status TypeFileError(std::string_view name, uint32_t line, std::string_view message) {
  return {base::Code::kInvalid,
          std::string(name) + ":" + std::to_string(line) + ": " + std::string(message)};
}

base::Result<TypeNode> ReadTypeTree(std::string_view name, std::string_view text) {
  std::istringstream stream{std::string(text)};
  TreeBuilder builder;
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return TypeFileError(name, 1, "the file is empty");
  } catch (const YAML::Exception& e) {
    return TypeFileError(name, static_cast<uint32_t>(e.mark.line) + 1, e.msg);
  }
  if (builder.error_line() != 0) {
    return TypeFileError(name, builder.error_line(), builder.error());
  }
  return builder.Take();
}

}  // namespace manifests
