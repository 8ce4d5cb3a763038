// The life of a connection:
//   handshake → head → (body →) serving → head → ... → lingering → closed
// A request for a loop handler is served when its whole body is here; one for a worker handler at
// its head, and the worker draws the body through the channel. Who sent it is asked at its head: of
// who is not known kMaxUnknownBody is kept, and no worker runs. The connection waits
//   - for a handshake and the first head: header_timeout from its beginning, all in all;
//   - for a further head: header_timeout, from its first byte of who is known, else from the end of
//     the answer before;
//   - for the next request of who is known: idle_timeout;
//   - for a whole body: kBodyTimeout, and for kLeastBytesPerSecond of it in each body_stretch;
//   - for a peer to send a body that a worker waits for, or to take a response: for as many in each
//     worker_body_stretch, answer_stretch. Streams are exempt: their backlog is the limit.
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

Connection::Connection(ConnectionHost& host, Poller& poller, Poller::Id id, uint64_t number,
                       UniqueFd fd, Owned<SSL> ssl, std::string peer_address)
    : host_(host),
      poller_(poller),
      id_(id),
      number_(number),
      fd_(std::move(fd)),
      ssl_(std::move(ssl)),
      peer_address_(std::move(peer_address)),
      entered_at_(poller.now()) {}

Connection::~Connection() {
  Close();
  ReleaseBody();
  host_.ConnectionClosed(number_);
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
  // A body that is too slow is late before its last moment.
  const bool late = !rate_.KeepsUp(poller_.now()) || rate_.deadline() == MonotonicTime() ||
                    Deadline() <= poller_.now();
  if (!late) return Advance();
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
    Measure();
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

void Connection::Measure() {
  const HttpServerOptions& options = host_.options();
  const bool serving = state_ == State::kServing;
  if (state_ == State::kBody) {
    rate_.Begin(poller_.now(), options.body_stretch);
  } else if (serving && !out_.empty() && !channel_->patient()) {
    rate_.Begin(poller_.now(), options.answer_stretch);
  } else if (serving && decoder_ && channel_->BodyRoom() > 0) {
    rate_.Begin(poller_.now(), options.worker_body_stretch);
  } else {
    rate_.End();
  }
}

MonotonicTime Connection::Deadline() const {
  const HttpServerOptions& options = host_.options();
  switch (state_) {
    case State::kHandshake: return entered_at_ + options.header_timeout;
    case State::kHead:
      return entered_at_ + (known_ && in_.empty() ? options.idle_timeout : options.header_timeout);
    case State::kBody: return std::min(entered_at_ + kBodyTimeout, rate_.deadline());
    case State::kServing: return rate_.deadline();
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
    state_ = State::kHead;  // its time runs from the beginning
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
  SkipBlankLines();
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
    SkipBlankLines();
    if (known_ && was_idle && !in_.empty()) entered_at_ = poller_.now();
    return true;
  }
  if (peer_closed_) Close();
  return false;
}

// RFC 9112, 2.2: stray lines between requests. They are no beginning of one.
void Connection::SkipBlankLines() {
  while (in_.starts_with("\r\n")) in_.erase(0, 2);
}

bool Connection::BeginRequest(std::string_view text) {
  incoming_ = IncomingRequest();
  HttpRequest& request = incoming_.request;
  decoder_.reset();
  head_ = RequestHead();
  Result<RequestHead> head = ParseRequestHead(text);
  if (!head.ok()) return Refuse(FailureResponse(head.status()));
  head_ = *std::move(head);
  if (Status status = ParseTarget(head_.target, request); !status.ok()) {
    return Refuse(FailureResponse(status));
  }
  request.method = head_.method;
  request.headers = std::move(head_.headers);
  if (head_.body.kind != BodyFraming::Kind::kNone) decoder_.emplace(head_.body);
  route_ = host_.RouteOf(request);
  if (!route_) {
    return Refuse(FailureResponse(
        Status(Code::kNotFound, "the server could not find the requested resource")));
  }
  std::string_view encoding = request.Header("content-encoding");
  if (decoder_ && !encoding.empty() && encoding != "gzip" && encoding != "x-gzip" &&
      encoding != "identity") {
    return Refuse(FailureResponse(
        Status(Code::kUnsupportedMediaType, "the only Content-Encoding served is gzip")));
  }
  max_body_ = host_.options().max_body_bytes;
  if (const Status who = Authenticate(); user_.empty() && host_.options().authenticate) {
    if (route_->worker) return RefuseUnknown(who);
    max_body_ = std::min(max_body_, kMaxUnknownBody);
    if (head_.body.length > max_body_) return RefuseUnknown(who);
  } else if (!known_) {
    if (!host_.ConnectionKnown(number_, user_)) return RefuseOneMore();
    known_ = true;
  }
  return route_->loop ? BeginLoopRequest() : BeginWorkerRequest();
}

// Fills user_. What a wrong credential is told is the handler's, if it comes so far.
Status Connection::Authenticate() {
  user_.clear();
  incoming_.peer_address = peer_address_;
  if (certificate_) incoming_.certificate = std::make_unique<PeerCertificate>(*certificate_);
  if (!host_.options().authenticate) return {};
  Result<Identity> identity = host_.options().authenticate(incoming_);
  if (!identity.ok()) return identity.status();
  user_ = std::move(identity->user);
  return {};
}

bool Connection::RefuseOneMore() {
  HttpResponse response = FailureResponse(Status(
      Code::kTooManyRequests, "\"" + user_ + "\" has too many connections; close some of them"));
  response.headers.emplace_back("Retry-After", "5");
  return Refuse(std::move(response));
}

// For what only those with a credential may do: send much, or hold a worker.
bool Connection::RefuseUnknown(const Status& who) {
  HttpResponse response = FailureResponse(
      who.ok() ? Status(Code::kUnauthorized, "a token is needed; see 'plumb token create'") : who);
  // git asks for a password only when it is told that one is missing.
  response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"plumb\"");
  return Refuse(std::move(response));
}

bool Connection::BeginLoopRequest() {
  if (head_.body.length > max_body_) return Refuse(TooLarge(max_body_));
  if (decoder_ && head_.expects_continue) out_.append(kContinue);
  Enter(State::kBody);
  return true;
}

bool Connection::BeginWorkerRequest() {
  channel_ = NewChannel(Rules(head_.keep_alive, head_.minor_version == 1), decoder_.has_value());
  Dispatch();
  return true;
}

bool Connection::ReceiveBody() {
  if (!out_.empty()) Flush();  // "100 Continue"
  if (!decoder_) return EndLoopBody();
  std::string& body = incoming_.request.body;
  size_t before = body.size();
  Result<size_t> used = decoder_->Feed(in_, max_body_ + 1 - before, body);
  if (!used.ok()) return Refuse(FailureResponse(used.status()));
  in_.erase(0, *used);
  size_t gained = body.size() - before;
  if (body.size() > max_body_) {
    return user_.empty() && host_.options().authenticate ? RefuseUnknown({})
                                                         : Refuse(TooLarge(max_body_));
  }
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
  HttpRequest& request = incoming_.request;
  if (request.Header("content-encoding").ends_with("gzip")) {
    Result<std::string> content = Inflate(request.body, max_body_);
    if (!content.ok() && content.status().code() == Code::kTooLarge)
      return Refuse(TooLarge(max_body_));
    if (!content.ok()) return Refuse(FailureResponse(content.status()));
    request.body = *std::move(content);
    request.headers.erase("content-encoding");
  }
  channel_ = NewChannel(Rules(head_.keep_alive, head_.minor_version == 1), /*has_body=*/false);
  Dispatch();
  return true;
}

void Connection::Dispatch() {
  Enter(State::kServing);
  host_.Serve(std::move(route_), std::move(incoming_), user_, channel_);
}

std::shared_ptr<Channel> Connection::NewChannel(ResponseRules rules, bool has_body) {
  return std::make_shared<Channel>(poller_.WakerOf(id_), rules, has_body, host_.unsent());
}

ResponseRules Connection::Rules(bool keep_alive, bool chunks) const {
  const bool head = head_.method == "HEAD";
  return {keep_alive, head, chunks, head || head_.method == "GET"};
}

// Answers without a handler. The connection goes on only if the next request's place is known.
bool Connection::Refuse(HttpResponse response) {
  ReleaseBody();
  bool at_boundary =
      state_ == State::kHead && !decoder_ && (response.status == 404 || response.status == 401);
  decoder_.reset();
  channel_ = NewChannel(Rules(at_boundary && head_.keep_alive, true), /*has_body=*/false);
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
    rate_.Moved(static_cast<size_t>(count));
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
      rate_.Moved(static_cast<size_t>(count));
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
  rate_.End();
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
