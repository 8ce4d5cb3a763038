#include "nodeagent/session/frame.h"

namespace nodeagent {
namespace {

constexpr size_t kFrameOverhead = 64;

size_t KeyBytes(const state::Key& key) {
  return key.resource.size() + key.ns.size() + key.name.size();
}

struct Sizer {
  size_t operator()(const Hello& f) const {
    return f.node.size() + f.version.size() + f.epoch.size();
  }
  size_t operator()(const PodStatus& f) const {
    return KeyBytes(f.key) + f.uid.size() + f.status.Bytes().size();
  }
  size_t operator()(const PodGone& f) const { return KeyBytes(f.key) + f.uid.size(); }
  size_t operator()(const NodeStatus& f) const {
    size_t bytes = f.status.Bytes().size();
    for (const auto& [name, value] : f.labels) bytes += name.size() + value.size();
    return bytes;
  }
  size_t operator()(const PodEvent& f) const {
    return KeyBytes(f.key) + f.uid.size() + f.reason.size() + f.message.size();
  }
  size_t operator()(const StreamChunk& f) const {
    return f.bytes.size() + f.status.message().size();
  }
  size_t operator()(const Objects& f) const {
    size_t bytes = 0;
    for (const state::ObjectPtr& object : f.puts) {
      bytes += KeyBytes(object->key) + object->document.Bytes().size();
    }
    for (const state::Key& key : f.removals) bytes += KeyBytes(key);
    return bytes;
  }
  size_t operator()(const StreamOpen& f) const { return std::visit(*this, f.request); }
  size_t operator()(const state::LogRequest& f) const {
    return KeyBytes(f.pod) + f.container.size();
  }
  size_t operator()(const state::ExecRequest& f) const {
    size_t bytes = KeyBytes(f.pod) + f.container.size();
    for (const std::string& word : f.command) bytes += word.size();
    return bytes;
  }
  size_t operator()(const StreamData& f) const { return f.bytes.size(); }
  size_t operator()(const StreamEnd& f) const { return f.status.message().size(); }
  template <typename Small>
  size_t operator()(const Small&) const {
    return 0;
  }
};

}  // namespace

size_t SizeOf(const Frame& frame) { return kFrameOverhead + std::visit(Sizer(), frame); }

}  // namespace nodeagent
