// Rules:
// - Each side may have kStreamWindowBytes on their way or unread at the other. Credit comes back
//   when the reader has taken half a window, so that few frames carry it.
// - The end follows what was written. Who sends beyond its credit, or a frame of another kind, is
//   hung up on.
#include "nodeagent/session/node_stream.h"

#include <algorithm>
#include <utility>

namespace nodeagent {

NodeStream::NodeStream(base::Loop& loop, Side side) : loop_(loop), side_(side) {
  inbox_.OnTaken([this](size_t bytes) { ReturnCredit(bytes); });
}

NodeStream::~NodeStream() {
  if (gone_) gone_();
}

void NodeStream::Attach(std::unique_ptr<FrameChannel> channel) {
  CHECK(channel_ == nullptr);
  channel_ = std::move(channel);
  channel_->OnFrame([this](Frame frame) { Receive(std::move(frame)); });
  channel_->OnClosed([this](const base::Status& why) {
    const bool in_order = finished_ && inbox_.finished();
    inbox_.Closed(in_order ? base::Status() : why);
  });
  channel_->OnDrained([] {});
  Pump();
}

void NodeStream::Fail(const base::Status& why) { inbox_.Closed(why); }

bool NodeStream::Put(std::string_view bytes) {
  if (inbox_.waiting() + bytes.size() > base::kMaxDuplexBacklog) return false;
  inbox_.Put(bytes);
  return true;
}

void NodeStream::Write(std::string_view bytes) {
  if (finish_ || finished_ || inbox_.closed()) return;
  if (Backlog() + bytes.size() > base::kMaxDuplexBacklog) {
    finished_ = true;
    loop_.Post(lifeline_.Wrap(
        [this] { Fail(base::Status(base::Code::kTooLarge, "the peer does not read")); }));
    return;
  }
  outbox_.append(bytes);
  Pump();
}

void NodeStream::Finish(base::Status status) {
  if (finish_ || finished_) return;
  finish_ = std::move(status);
  Pump();
  loop_.Post(lifeline_.Wrap([this] { CloseIfDone(); }));
}

void NodeStream::Receive(Frame frame) {
  if (auto* data = std::get_if<StreamData>(&frame)) {
    if (data->bytes.size() > granted_) {
      return Fail(base::Status(base::Code::kTooLarge, "the peer sent more than it may"));
    }
    granted_ -= data->bytes.size();
    inbox_.Put(data->bytes);
  } else if (const auto* credit = std::get_if<StreamCredit>(&frame)) {
    const bool was_full = Backlog() >= base::kRefillDuplexBacklog;
    credit_ = std::min<uint64_t>(credit_ + credit->bytes, kStreamWindowBytes);
    Pump();
    if (was_full && Backlog() < base::kRefillDuplexBacklog) inbox_.Drained();
  } else if (const auto* end = std::get_if<StreamEnd>(&frame)) {
    const base::Lifeline::Tie tie = lifeline_.tie();
    inbox_.Finished(end->status);
    if (tie.holds()) CloseIfDone();
  } else {
    Fail(base::Status(base::Code::kBadRequest, "the peer sent what is no part of a stream"));
  }
}

void NodeStream::Pump() {
  if (channel_ == nullptr || finished_) return;
  while (Backlog() > 0 && credit_ > 0) {
    const size_t size = std::min({Backlog(), static_cast<size_t>(credit_), kMaxStreamChunkBytes});
    channel_->Send(StreamData{outbox_.substr(sent_, size)});
    sent_ += size;
    credit_ -= size;
  }
  if (sent_ == outbox_.size() || sent_ > outbox_.size() / 2) {
    outbox_.erase(0, sent_);
    sent_ = 0;
  }
  if (!finish_ || Backlog() > 0) return;
  finished_ = true;
  channel_->Send(StreamEnd{*finish_});
}

void NodeStream::ReturnCredit(size_t bytes) {
  taken_ += bytes;
  if (channel_ == nullptr || taken_ < kStreamWindowBytes / 2) return;
  granted_ += taken_;
  channel_->Send(StreamCredit{std::exchange(taken_, 0)});
}

void NodeStream::CloseIfDone() {
  if (side_ == Side::kControlPlane && finished_ && inbox_.finished()) {
    inbox_.Closed(base::Status());
  }
}

}  // namespace nodeagent
