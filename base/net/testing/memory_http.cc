#include "base/net/testing/memory_http.h"

namespace base {
namespace {

class NoBody final : public Stream {
 public:
  bool Write(std::string_view) override { return true; }
  size_t Backlog() const override { return 0; }
  void OnDrained(size_t, std::function<void()>) override {}
  void OnClosed(std::function<void()>) override {}
};

class AskerReply final : public Reply {
 public:
  explicit AskerReply(MemoryHttp::Asker asker) : asker_(std::move(asker)) {}
  void Send(HttpResponse response) override { asker_.answered(std::move(response)); }
  std::unique_ptr<Stream> Start(HttpResponse head) override {
    if (asker_.started) return asker_.started(std::move(head));
    asker_.answered(std::move(head));
    return std::make_unique<NoBody>();
  }
  std::unique_ptr<Duplex> Upgrade(HttpResponse head) override {
    CHECK(asker_.upgraded != nullptr);
    return asker_.upgraded(std::move(head));
  }
  void OnGone(std::function<void()>) override {}  // an asker in memory waits for its answer

 private:
  const MemoryHttp::Asker asker_;
};

}  // namespace

void MemoryHttp::Ask(IncomingRequest incoming, Asker asker) {
  const std::string& path = incoming.request.path;
  const LoopHandler* handler = nullptr;  // of the longest prefix
  for (const auto& [prefix, each] : handlers_) {
    const bool matches =
        path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
    if (matches) handler = &each;  // longer prefixes of one path come later in the map
  }
  if (handler == nullptr) {
    return asker.answered(FailureResponse(Status(Code::kNotFound, "nothing is served at " + path)));
  }
  (*handler)(std::move(incoming), std::make_unique<AskerReply>(std::move(asker)));
}

}  // namespace base
