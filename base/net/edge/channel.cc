// A response keeps the connection alive only if its head said so, and its head can say so only if
// the request's body had ended by then: otherwise the next request would be read out of the middle
// of a body. Bodies of HEAD, 204 and 304 are taken from the handler and not sent.
#include "base/net/edge/channel.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>

namespace base {
namespace {

constexpr size_t kMaxInbox = 256u << 10;
constexpr size_t kSmallAnswer = 64u << 10;  // is sent however many bytes wait

HttpResponse TooManyUnsent() {
  HttpResponse busy = FailureResponse(
      Status(Code::kTooManyRequests,
             "too many answers wait for their clients to read them; read yours, or try again in a "
             "moment, with pages (?limit=) of a large collection"));
  busy.headers.emplace_back("Retry-After", "2");
  return busy;
}

}  // namespace

Channel::Channel(Poller::Waker waker, ResponseRules rules, bool has_body,
                 std::shared_ptr<ByteBudget> unsent)
    : waker_(std::move(waker)),
      rules_(rules),
      unsent_(std::move(unsent)),
      body_(has_body ? Body::kOpen : Body::kEnded) {}

Channel::~Channel() { DropPieces(); }

void Channel::DropPieces() {
  for (const Piece& piece : pieces_) {
    if (piece.own) unsent_->Return(piece.bytes->size());
  }
  pieces_.clear();
  waiting_ = 0;
}

void Channel::Send(HttpResponse response) {
  std::lock_guard lock(mutex_);
  if (begun_) return;
  if (rules_.is_read && response.body.size() > kSmallAnswer && !unsent_->has_room())
    response = TooManyUnsent();
  BeginLocked(response, ResponseBody::kWhole);
  if (framing_ == Framing::kPlain && !response.body.empty()) {
    QueueLocked(std::make_shared<const std::string>(std::move(response.body)));
  }
  finished_ = true;
  WakeLocked();
}

void Channel::Begin(const HttpResponse& head, bool patient) {
  std::lock_guard lock(mutex_);
  if (begun_) return;
  patient_ = patient;
  BeginLocked(head, rules_.chunks ? ResponseBody::kChunked : ResponseBody::kUntilClose);
  WakeLocked();
}

void Channel::BeginLocked(const HttpResponse& head, ResponseBody body) {
  begun_ = true;
  keep_alive_ = rules_.keep_alive && body_ == Body::kEnded && body != ResponseBody::kUntilClose;
  head_ = FormatResponseHead(head, body, keep_alive_, std::time(nullptr));
  if (!rules_.no_body && !IsBodyless(head.status)) {
    framing_ = body == ResponseBody::kChunked ? Framing::kChunks : Framing::kPlain;
  }
}

void Channel::Upgrade(const HttpResponse* head, std::function<void()> on_inbox) {
  std::lock_guard lock(mutex_);
  if (begun_) return;
  begun_ = true;
  patient_ = true;
  upgraded_ = true;
  body_wanted_ = true;
  body_ = Body::kOpen;
  on_inbox_ = std::move(on_inbox);
  framing_ = Framing::kPlain;
  // Not kept alive as HTTP knows it, but its head must not say "close" either.
  if (head != nullptr) {
    head_ = FormatResponseHead(*head, ResponseBody::kUntilClose, /*keep_alive=*/true,
                               std::time(nullptr));
  }
  WakeLocked();
}

std::string Channel::TakeInbox(bool* ended) {
  std::lock_guard lock(mutex_);
  *ended = body_ == Body::kEnded;
  if (inbox_.size() >= kMaxInbox) waker_.Wake();  // there is room again
  return std::exchange(inbox_, {});
}

bool Channel::begun() const {
  std::lock_guard lock(mutex_);
  return begun_;
}

bool Channel::Write(Bytes bytes, size_t limit) {
  std::lock_guard lock(mutex_);
  if (gone_ || dropped_ || finished_) return false;
  const bool reads = upgraded_ || waiting_ <= kMaxPatientBacklog || unsent_->has_room();
  if (!reads || waiting_ + bytes->size() > limit) {
    dropped_ = true;
    WakeLocked();
    return false;
  }
  return QueueLocked(std::move(bytes));
}

bool Channel::WriteBlocking(Bytes bytes, size_t limit) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return gone_ || waiting_ < limit; });
  if (gone_ || finished_) return false;
  return QueueLocked(std::move(bytes));
}

bool Channel::QueueLocked(Bytes bytes) {
  if (framing_ == Framing::kNone || bytes->empty()) return true;
  waiting_ += bytes->size();
  const bool own = bytes.use_count() == 1;
  if (own) unsent_->Take(bytes->size());
  pieces_.push_back({std::move(bytes), own});
  WakeLocked();
  return true;
}

void Channel::WakeLocked() {
  if (awake_ || gone_) return;
  awake_ = true;
  waker_.Wake();
}

void Channel::Finish() {
  std::lock_guard lock(mutex_);
  finished_ = true;
  patient_ = false;
  // Woken or not: from now on the peer has to keep up.
  if (!gone_) waker_.Wake();
}

size_t Channel::Backlog() const {
  std::lock_guard lock(mutex_);
  return waiting_;
}

void Channel::OnDrained(size_t size, std::function<void()> drained) {
  std::lock_guard lock(mutex_);
  drained_size_ = size;
  on_drained_ = std::move(drained);
}

void Channel::OnGone(std::function<void()> gone) {
  {
    std::lock_guard lock(mutex_);
    if (!gone_) {
      on_gone_ = std::move(gone);
      return;
    }
  }
  gone();
}

Result<std::string> Channel::ReadBody() {
  std::unique_lock lock(mutex_);
  if (!body_wanted_) {
    body_wanted_ = true;
    waker_.Wake();
  }
  changed_.wait(lock, [&] { return gone_ || !inbox_.empty() || body_ != Body::kOpen; });
  if (!inbox_.empty()) {
    std::string piece = std::exchange(inbox_, {});
    waker_.Wake();  // there is room again; also when the response is stuck and awake_ is set
    return piece;
  }
  if (body_ == Body::kEnded) return std::string();
  if (body_ == Body::kFailed) return body_status_;
  return Status(Code::kUnavailable, "the client went away while it sent its request");
}

Channel::Progress Channel::Take(size_t size, std::string& out) {
  std::unique_lock lock(mutex_);
  if (dropped_) return Progress::kDropped;
  if (!head_.empty()) {
    out.append(head_);
    head_.clear();
  }
  if (waiting_ > 0) {
    bool drained = waiting_ >= drained_size_ && waiting_ - std::min(size, waiting_) < drained_size_;
    AppendContent(std::min(size, waiting_), out);
    changed_.notify_all();
    if (drained && on_drained_) {
      const auto on_drained = on_drained_;
      lock.unlock();
      on_drained();
      lock.lock();
    }
    if (waiting_ > 0) return Progress::kMore;
  }
  awake_ = false;
  if (!finished_) return Progress::kMore;
  if (framing_ == Framing::kChunks) out.append(kLastChunk);
  return Progress::kFinished;
}

void Channel::AppendContent(size_t size, std::string& out) {
  if (framing_ == Framing::kChunks) {
    char line[20];
    int length = std::snprintf(line, sizeof(line), "%zx\r\n", size);
    out.append(line, static_cast<size_t>(length));
  }
  waiting_ -= size;
  while (size > 0) {
    const std::string& piece = *pieces_.front().bytes;
    size_t count = std::min(size, piece.size() - first_offset_);
    out.append(piece, first_offset_, count);
    size -= count;
    first_offset_ += count;
    if (first_offset_ < piece.size()) break;
    if (pieces_.front().own) unsent_->Return(piece.size());
    pieces_.pop_front();
    first_offset_ = 0;
  }
  if (framing_ == Framing::kChunks) out.append("\r\n");
}

bool Channel::patient() const {
  std::lock_guard lock(mutex_);
  return patient_;
}

bool Channel::keep_alive() const {
  std::lock_guard lock(mutex_);
  return keep_alive_;
}

bool Channel::upgraded() const {
  std::lock_guard lock(mutex_);
  return upgraded_;
}

size_t Channel::BodyRoom() const {
  std::lock_guard lock(mutex_);
  return body_wanted_ && inbox_.size() < kMaxInbox ? kMaxInbox - inbox_.size() : 0;
}

void Channel::PutBody(std::string_view piece) {
  bool first;
  {
    std::lock_guard lock(mutex_);
    first = inbox_.empty();
    inbox_.append(piece);
  }
  changed_.notify_all();
  if (first && on_inbox_) on_inbox_();
}

void Channel::EndBody(Status status) {
  {
    std::lock_guard lock(mutex_);
    body_ = status.ok() ? Body::kEnded : Body::kFailed;
    body_status_ = std::move(status);
  }
  changed_.notify_all();
  if (on_inbox_) on_inbox_();
}

void Channel::PeerGone() {
  std::function<void()> on_gone;
  {
    std::lock_guard lock(mutex_);
    if (gone_) return;
    gone_ = true;
    DropPieces();
    on_gone = std::exchange(on_gone_, nullptr);
  }
  changed_.notify_all();
  if (on_gone) on_gone();
}

}  // namespace base
