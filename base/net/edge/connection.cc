// The life of a connection:
//   handshake → head → (body →) serving → head → ... → lingering → closed
// A request for a loop handler is served when its whole body is here; one for a worker handler at
// its head, and the worker draws the body through the channel. The connection waits
//   - for a handshake and for a head, from its first byte: header_timeout;
//   - for the next request: idle_timeout;
//   - for a whole body: kBodyTimeout;
//   - for a peer to take a response or to send a body that a worker waits for: kStallTimeout
//   without
//     a byte. Streams are exempt: their backlog is the limit.
// A connection that ends after a response lingers until the peer closes or kLingerTimeout: closing
// with unread bytes would make the kernel throw the response away. A peer that closes while its
// request is served is gone, also if it only closed its sending half.
#include "base/net/edge/connection.h"

#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/log.h"
#include "base/net/edge/inflate.h"

namespace base {
namespace {

constexpr Duration kBodyTimeout = Duration::Seconds(120);
constexpr Duration kStallTimeout = Duration::Seconds(60);
constexpr Duration kLingerTimeout = Duration::Seconds(1);
constexpr size_t kRecordBytes = 16u << 10;   // of one TLS record: what a read or write moves
constexpr size_t kContentBytes = 16000;      // so that head or chunk framing fit beside it
constexpr size_t kMaxReadAhead = 64u << 10;  // of pipelined requests while one is served

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kPlainHttpAnswer =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    "This port speaks HTTPS: use https:// in the URL.\n";

HttpResponse TooLarge(size_t limit) {
  return FailureResponse(Status(
      Code::kTooLarge, "the request's body is larger than " + std::to_string(limit) + " bytes"));
}

Result<std::string> Inflate(std::string_view packed, size_t limit) {
  GzipReader reader;
  std::string content;
  RETURN_IF_ERROR(reader.Feed(packed, [&](std::string_view piece) {
    content.append(piece);
    return content.size() <= limit;
  }));
  if (content.size() > limit) return Status(Code::kTooLarge, "");
  RETURN_IF_ERROR(reader.Finish());
  return content;
}

}  // namespace

Connection::Connection(ConnectionHost& host, Poller& poller, Poller::Id id, UniqueFd fd,
                       Owned<SSL> ssl, std::string peer_address)
    : host_(host),
      poller_(poller),
      id_(id),
      fd_(std::move(fd)),
      ssl_(std::move(ssl)),
      peer_address_(std::move(peer_address)),
      entered_at_(poller.now()),
      progress_at_(poller.now()) {}

Connection::~Connection() {
  Close();
  ReleaseBody();
  host_.ConnectionClosed();
}

void Connection::OnEvents(uint32_t events) {
  // Room to write may also be what a read of TLS was waiting for.
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLOUT)) readable_ = true;
  if (events & EPOLLOUT) writable_ = true;
  if (events & (EPOLLHUP | EPOLLERR)) broken_ = true;
  Advance();
}

void Connection::OnWake() { Advance(); }

void Connection::OnDeadline() {
  bool half_sent = (state_ == State::kHead && !in_.empty()) || state_ == State::kBody;
  if (half_sent) {
    Refuse(FailureResponse(408, "Timeout", "the request did not arrive in time"));
  } else {
    Close();
  }
  Advance();
}

void Connection::Advance() {
  turn_bytes_ = 0;
  while (Step()) {
    if (turn_bytes_ < Poller::kMaxTurnBytes) continue;
    poller_.Again(id_);
    break;
  }
  if (state_ == State::kClosed) {
    poller_.Remove(id_);
  } else {
    poller_.SetDeadline(id_, Deadline());
  }
}

bool Connection::Step() {
  // A reset connection may be full of unread requests: none of them can be answered.
  if (broken_) Close();
  switch (state_) {
    case State::kHandshake: return Handshake();
    case State::kHead: return ReceiveHead();
    case State::kBody: return ReceiveBody();
    case State::kServing: return Serve();
    case State::kLingering: return Linger();
    case State::kClosed: return false;
  }
  return false;
}

MonotonicTime Connection::Deadline() const {
  const HttpServerOptions& options = host_.options();
  switch (state_) {
    case State::kHandshake: return entered_at_ + options.header_timeout;
    case State::kHead:
      return entered_at_ + (in_.empty() ? options.idle_timeout : options.header_timeout);
    case State::kBody: return entered_at_ + kBodyTimeout;
    case State::kServing: {
      bool sending = !out_.empty() && !channel_->patient();
      bool receiving = decoder_ && channel_->BodyRoom() > 0;
      return sending || receiving ? progress_at_ + kStallTimeout : MonotonicTime();
    }
    case State::kLingering: return entered_at_ + kLingerTimeout;
    case State::kClosed: break;
  }
  return MonotonicTime();
}

bool Connection::Handshake() {
  ERR_clear_error();
  int result = SSL_accept(ssl_.get());
  if (result == 1) {
    certificate_ = PeerCertificateOf(ssl_.get());
    Enter(State::kHead);
    return true;
  }
  int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
  if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) TellPlainHttp();
  LogDebug("TLS handshake failed", {{"peer", peer_address_}, {"reason", TakeOpenSslErrors()}});
  broken_ = true;
  Close();
  return false;
}

void Connection::TellPlainHttp() {
  // Best effort: the socket is fresh, so its buffer has room.
  send(fd_.get(), kPlainHttpAnswer.data(), kPlainHttpAnswer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool Connection::ReceiveHead() {
  while (in_.starts_with("\r\n")) in_.erase(0, 2);  // RFC 9112, 2.2: stray lines between requests
  size_t end = FindHeadEnd(in_, &scanned_);
  if (std::max(end, end == 0 ? in_.size() : 0) > host_.options().max_header_bytes) {
    return Refuse(FailureResponse(431, "RequestHeaderFieldsTooLarge",
                                  "the request's headers are larger than " +
                                      std::to_string(host_.options().max_header_bytes) + " bytes"));
  }
  if (end > 0) {
    std::string head = in_.substr(0, end);
    in_.erase(0, end);
    scanned_ = 0;
    return BeginRequest(head);
  }
  bool was_idle = in_.empty();
  if (Read()) {
    if (was_idle) entered_at_ = poller_.now();
    return true;
  }
  if (peer_closed_) Close();
  return false;
}

bool Connection::BeginRequest(std::string_view text) {
  request_ = HttpRequest();
  decoder_.reset();
  head_ = RequestHead();
  Result<RequestHead> head = ParseRequestHead(text);
  if (!head.ok()) return Refuse(FailureResponse(head.status()));
  head_ = *std::move(head);
  if (Status status = ParseTarget(head_.target, request_); !status.ok()) {
    return Refuse(FailureResponse(status));
  }
  request_.method = head_.method;
  request_.headers = std::move(head_.headers);
  if (head_.body.kind != BodyFraming::Kind::kNone) decoder_.emplace(head_.body);
  route_ = host_.RouteOf(request_);
  if (!route_) {
    return Refuse(FailureResponse(
        Status(Code::kNotFound, "the server could not find the requested resource")));
  }
  std::string_view encoding = request_.Header("content-encoding");
  if (decoder_ && !encoding.empty() && encoding != "gzip" && encoding != "x-gzip" &&
      encoding != "identity") {
    return Refuse(FailureResponse(
        Status(Code::kUnsupportedMediaType, "the only Content-Encoding served is gzip")));
  }
  return route_->loop ? BeginLoopRequest() : BeginWorkerRequest();
}

bool Connection::BeginLoopRequest() {
  size_t limit = host_.options().max_body_bytes;
  if (head_.body.length > limit) return Refuse(TooLarge(limit));
  if (decoder_ && head_.expects_continue) out_.append(kContinue);
  Enter(State::kBody);
  return true;
}

bool Connection::BeginWorkerRequest() {
  ResponseRules rules{head_.keep_alive, head_.method == "HEAD", head_.minor_version == 1};
  channel_ = std::make_shared<Channel>(poller_.WakerOf(id_), rules, decoder_.has_value());
  Dispatch();
  return true;
}

bool Connection::ReceiveBody() {
  if (!out_.empty()) Flush();  // "100 Continue"
  if (!decoder_) return EndLoopBody();
  size_t limit = host_.options().max_body_bytes;
  size_t before = request_.body.size();
  Result<size_t> used = decoder_->Feed(in_, limit + 1 - before, request_.body);
  if (!used.ok()) return Refuse(FailureResponse(used.status()));
  in_.erase(0, *used);
  size_t gained = request_.body.size() - before;
  if (request_.body.size() > limit) return Refuse(TooLarge(limit));
  if (!host_.ReserveBody(gained)) {
    HttpResponse busy = FailureResponse(
        Status(Code::kUnavailable, "too many large requests are being received; try again"));
    busy.headers.emplace_back("Retry-After", "1");
    return Refuse(std::move(busy));
  }
  reserved_ += gained;
  if (decoder_->done()) {
    decoder_.reset();
    return EndLoopBody();
  }
  if (Read()) return true;
  if (peer_closed_) Close();
  return false;
}

bool Connection::EndLoopBody() {
  ReleaseBody();
  if (request_.Header("content-encoding").ends_with("gzip")) {
    size_t limit = host_.options().max_body_bytes;
    Result<std::string> content = Inflate(request_.body, limit);
    if (!content.ok() && content.status().code() == Code::kTooLarge) return Refuse(TooLarge(limit));
    if (!content.ok()) return Refuse(FailureResponse(content.status()));
    request_.body = *std::move(content);
    request_.headers.erase("content-encoding");
  }
  ResponseRules rules{head_.keep_alive, head_.method == "HEAD", head_.minor_version == 1};
  channel_ = std::make_shared<Channel>(poller_.WakerOf(id_), rules, /*has_body=*/false);
  Dispatch();
  return true;
}

void Connection::Dispatch() {
  Enter(State::kServing);
  IncomingRequest incoming;
  incoming.request = std::move(request_);
  incoming.peer_address = peer_address_;
  if (certificate_) incoming.certificate = std::make_unique<PeerCertificate>(*certificate_);
  host_.Serve(std::move(route_), std::move(incoming), channel_);
}

// Answers without a handler. The connection goes on only if the next request's place is known.
bool Connection::Refuse(HttpResponse response) {
  ReleaseBody();
  bool at_boundary = state_ == State::kHead && !decoder_ && response.status == 404;
  decoder_.reset();
  ResponseRules rules{at_boundary && head_.keep_alive, head_.method == "HEAD", true};
  channel_ = std::make_shared<Channel>(poller_.WakerOf(id_), rules, /*has_body=*/false);
  channel_->Send(std::move(response));
  Enter(State::kServing);
  return true;
}

bool Connection::Serve() {
  bool progress = PassBodyOn();
  progress |= PassResponseOn();
  if (state_ != State::kServing) return true;
  if (in_.size() < kMaxReadAhead) progress |= Read();
  if (peer_closed_) Close();
  return progress;
}

// Hands the worker as much of the request's body as it waits for, or whoever upgraded the
// connection what came on it.
bool Connection::PassBodyOn() {
  if (!in_.empty() && channel_->upgraded()) {
    size_t count = std::min(channel_->BodyRoom(), in_.size());
    if (count == 0) return false;
    channel_->PutBody(std::string_view(in_).substr(0, count));
    in_.erase(0, count);
    return true;
  }
  size_t room = decoder_ ? channel_->BodyRoom() : 0;
  if (room == 0) return false;
  if (head_.expects_continue && !channel_->begun()) {
    out_.append(kContinue);
    head_.expects_continue = false;
  }
  std::string content;
  Result<size_t> used = decoder_->Feed(in_, room, content);
  if (used.ok()) in_.erase(0, *used);
  if (!content.empty()) channel_->PutBody(content);
  if (used.ok() && !decoder_->done()) return *used > 0;
  channel_->EndBody(used.status());
  decoder_.reset();
  return true;
}

bool Connection::PassResponseOn() {
  if (out_.empty() && !response_taken_) {
    Channel::Progress progress = channel_->Take(kContentBytes, out_);
    if (progress == Channel::Progress::kDropped) {
      LogWarning("slow reader of a stream dropped", {{"peer", peer_address_}});
      Close();
      return true;
    }
    response_taken_ = progress == Channel::Progress::kFinished;
    if (!out_.empty()) progress_at_ = poller_.now();
  }
  if (out_.empty() && !response_taken_) return false;
  if (!Flush()) return false;
  if (response_taken_) EndResponse();
  return true;
}

void Connection::EndResponse() {
  bool keep_alive = channel_->keep_alive() && !peer_closed_;
  channel_.reset();
  decoder_.reset();
  response_taken_ = false;
  if (keep_alive) {
    Enter(State::kHead);
    return;
  }
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  shutdown(fd_.get(), SHUT_WR);
  Enter(State::kLingering);
}

bool Connection::Linger() {
  std::array<char, kRecordBytes> unread;
  ssize_t count = recv(fd_.get(), unread.data(), unread.size(), MSG_DONTWAIT);
  if (count > 0) {
    turn_bytes_ += static_cast<size_t>(count);
    return true;
  }
  if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    broken_ = true;
    Close();
  }
  return false;
}

// Appends what the socket has, a record at a time, to in_. False if it has nothing now.
bool Connection::Read() {
  if (!readable_ || peer_closed_) return false;
  std::array<char, kRecordBytes> record;
  ERR_clear_error();
  int count = SSL_read(ssl_.get(), record.data(), static_cast<int>(record.size()));
  if (count > 0) {
    in_.append(record.data(), static_cast<size_t>(count));
    turn_bytes_ += static_cast<size_t>(count);
    progress_at_ = poller_.now();
    return true;
  }
  int error = SSL_get_error(ssl_.get(), count);
  readable_ = false;
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
  peer_closed_ = true;
  broken_ = error != SSL_ERROR_ZERO_RETURN;
  return false;
}

// Sends out_; true once it is empty.
bool Connection::Flush() {
  while (out_offset_ < out_.size() && writable_) {
    ERR_clear_error();
    int count = SSL_write(ssl_.get(), out_.data() + out_offset_,
                          static_cast<int>(out_.size() - out_offset_));
    if (count > 0) {
      out_offset_ += static_cast<size_t>(count);
      turn_bytes_ += static_cast<size_t>(count);
      progress_at_ = poller_.now();
      continue;
    }
    int error = SSL_get_error(ssl_.get(), count);
    writable_ = false;
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      broken_ = true;
      peer_closed_ = true;
    }
  }
  if (out_offset_ < out_.size()) return false;
  out_.clear();
  out_offset_ = 0;
  return true;
}

void Connection::Enter(State state) {
  state_ = state;
  entered_at_ = poller_.now();
  progress_at_ = poller_.now();
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  // Without a last chunk, so that a cut response does not look whole.
  if (!broken_ && state_ != State::kHandshake) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  state_ = State::kClosed;
  if (channel_) channel_->PeerGone();
  channel_.reset();
}

void Connection::ReleaseBody() {
  host_.ReleaseBody(reserved_);
  reserved_ = 0;
}

}  // namespace base
