#include "base/net/testing/memory_duplex.h"

#include <array>

namespace base {
namespace {

class MemoryEnd;

struct Wire {
  explicit Wire(Loop& on) : loop(on) {}
  Loop& loop;
  std::array<MemoryEnd*, 2> ends = {};
  std::array<size_t, 2> unread = {};  // on its way to this end, or waiting there
  std::array<bool, 2> finished = {};
};

class MemoryEnd final : public Duplex {
 public:
  MemoryEnd(std::shared_ptr<Wire> wire, size_t side) : wire_(std::move(wire)), side_(side) {
    wire_->ends[side_] = this;
    inbox_.OnTaken([wire = wire_, side](size_t bytes) { Taken(*wire, side, bytes); });
  }
  ~MemoryEnd() override {
    wire_->ends[side_] = nullptr;
    const bool in_order = wire_->finished[0] && wire_->finished[1];
    ToOther([status = in_order ? Status() : Status(Code::kUnavailable, "the peer hung up")](
                MemoryEnd& other) { other.inbox_.Closed(status); });
  }

  void Listen(Events events) override { inbox_.Listen(std::move(events)); }
  void Write(std::string_view bytes) override {
    if (wire_->finished[side_] || wire_->ends[1 - side_] == nullptr || bytes.empty()) return;
    wire_->unread[1 - side_] += bytes.size();
    if (Backlog() > kMaxDuplexBacklog) return Break();
    ToOther([text = std::string(bytes)](MemoryEnd& other) { other.inbox_.Put(text); });
  }
  size_t Backlog() const override { return wire_->unread[1 - side_]; }
  void Finish(Status status) override {
    if (std::exchange(wire_->finished[side_], true)) return;
    ToOther([status](MemoryEnd& other) { other.inbox_.Finished(status); });
    if (!wire_->finished[1 - side_]) return;
    for (const size_t side : {size_t{0}, size_t{1}}) {
      To(side, [](MemoryEnd& end) { end.inbox_.Closed(Status()); });
    }
  }
  void SetPaused(bool paused) override { inbox_.SetPaused(paused); }

 private:
  void To(size_t side, std::function<void(MemoryEnd&)> act) {
    wire_->loop.Post([wire = wire_, side, act = std::move(act)] {
      if (wire->ends[side] != nullptr) act(*wire->ends[side]);
    });
  }
  void ToOther(std::function<void(MemoryEnd&)> act) { To(1 - side_, std::move(act)); }
  void Break() {
    for (const size_t side : {size_t{0}, size_t{1}}) {
      To(side, [](MemoryEnd& end) {
        end.inbox_.Closed(Status(Code::kTooLarge, "the peer does not read"));
      });
    }
  }
  static void Taken(Wire& wire, size_t side, size_t bytes) {
    const size_t before = wire.unread[side];
    wire.unread[side] -= bytes;
    MemoryEnd* writer = wire.ends[1 - side];
    const bool drained = before >= kRefillDuplexBacklog && wire.unread[side] < kRefillDuplexBacklog;
    if (drained && writer != nullptr) {
      writer->To(1 - side, [](MemoryEnd& end) { end.inbox_.Drained(); });
    }
  }

  const std::shared_ptr<Wire> wire_;
  const size_t side_;
  DuplexInbox inbox_;
};

}  // namespace

std::pair<std::unique_ptr<Duplex>, std::unique_ptr<Duplex>> MemoryDuplexPair(Loop& loop) {
  auto wire = std::make_shared<Wire>(loop);
  auto first = std::make_unique<MemoryEnd>(wire, 0);
  return {std::move(first), std::make_unique<MemoryEnd>(wire, 1)};
}

}  // namespace base
