#include "base/net/edge/channel_streams.h"

#include <utility>

namespace base {
namespace {

class ChannelStream final : public Stream {
 public:
  ChannelStream(Loop& loop, std::shared_ptr<Channel> channel)
      : loop_(loop), channel_(std::move(channel)), end_(std::make_shared<End>()) {
    channel_->OnGone([&loop, weak = std::weak_ptr<End>(end_)] {
      loop.Post([weak] {
        if (std::shared_ptr<End> end = weak.lock()) end->Come();
      });
    });
  }
  ~ChannelStream() override { channel_->Finish(); }

  bool Write(std::string_view bytes) override {
    return channel_->Write(std::make_shared<const std::string>(bytes), kMaxStreamBacklog);
  }
  bool Write(std::shared_ptr<const std::string> bytes) override {
    return channel_->Write(std::move(bytes), kMaxStreamBacklog);
  }
  size_t Backlog() const override { return channel_->Backlog(); }

  void OnDrained(size_t size, std::function<void()> drained) override {
    end_->drained = std::move(drained);
    channel_->OnDrained(size, [&loop = loop_, weak = std::weak_ptr<End>(end_)] {
      loop.Post([weak] {
        const std::shared_ptr<End> end = weak.lock();
        if (end == nullptr) return;
        const auto call = end->drained;  // it may destroy the stream
        call();
      });
    });
  }

  void OnClosed(std::function<void()> closed) override {
    end_->closed = std::move(closed);
    if (!end_->came) return;
    loop_.Post([weak = std::weak_ptr<End>(end_)] {
      if (std::shared_ptr<End> end = weak.lock()) end->Come();
    });
  }

 private:
  struct End {  // loop only
    std::function<void()> closed;
    std::function<void()> drained;
    bool came = false;
    void Come() {
      came = true;
      if (auto call = std::exchange(closed, nullptr)) call();
    }
  };

  Loop& loop_;
  std::shared_ptr<Channel> channel_;
  std::shared_ptr<End> end_;
};

class ChannelDuplex final : public Duplex {
 public:
  ChannelDuplex(Loop& loop, std::shared_ptr<Channel> channel, std::optional<HttpResponse> head)
      : loop_(loop), channel_(std::move(channel)) {
    // What came before it has been posted before it.
    channel_->OnGone(Posts([](ChannelDuplex& self) {
      self.inbox_.Closed(Status(Code::kUnavailable, "the peer went away"));
    }));
    if (head) {
      head->status = 101;
      head->headers.emplace_back("Connection", "Upgrade");
    }
    channel_->OnDrained(kRefillDuplexBacklog,
                        Posts([](ChannelDuplex& self) { self.inbox_.Drained(); }));
    channel_->Upgrade(head ? &*head : nullptr,
                      Posts([](ChannelDuplex& self) { self.TakeInbox(); }));
  }
  ~ChannelDuplex() override {
    *self_ = nullptr;
    channel_->Finish();
  }

  void Listen(Events events) override { inbox_.Listen(std::move(events)); }
  void Write(std::string_view bytes) override {
    channel_->Write(std::make_shared<const std::string>(bytes), kMaxDuplexBacklog);
  }
  size_t Backlog() const override { return channel_->Backlog(); }
  void Finish(Status) override {
    channel_->Finish();
    loop_.Post(Posted([](ChannelDuplex& self) { self.inbox_.Closed(Status()); }));
  }
  void SetPaused(bool paused) override {
    paused_ = paused;
    if (!paused) loop_.Post(Posted([](ChannelDuplex& self) { self.TakeInbox(); }));
    inbox_.SetPaused(paused);  // the last: its reader may destroy this
  }

 private:
  using Act = void (*)(ChannelDuplex&);

  // Runs on the loop, unless this is destroyed by then.
  Loop::Task Posted(Act act) {
    return [self = self_, act] {
      if (*self != nullptr) act(**self);
    };
  }
  std::function<void()> Posts(Act act) {
    return [&loop = loop_, task = Posted(act)] { loop.Post(task); };
  }
  void TakeInbox() {
    if (paused_) return;
    bool ended = false;
    const std::shared_ptr<ChannelDuplex*> self = self_;  // the reader may destroy this
    inbox_.Put(channel_->TakeInbox(&ended));
    if (ended && *self != nullptr) inbox_.Finished(Status());
  }

  Loop& loop_;
  const std::shared_ptr<Channel> channel_;
  const std::shared_ptr<ChannelDuplex*> self_ = std::make_shared<ChannelDuplex*>(this);
  DuplexInbox inbox_;
  bool paused_ = false;
};

}  // namespace

std::unique_ptr<Stream> NewChannelStream(Loop& loop, std::shared_ptr<Channel> channel) {
  return std::make_unique<ChannelStream>(loop, std::move(channel));
}

std::unique_ptr<Duplex> NewChannelDuplex(Loop& loop, std::shared_ptr<Channel> channel,
                                         std::optional<HttpResponse> head) {
  return std::make_unique<ChannelDuplex>(loop, std::move(channel), std::move(head));
}

}  // namespace base
