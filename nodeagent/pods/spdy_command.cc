// Rules:
// - The streams that the request names are opened, the status' first; the runtime begins when it
//   has them all.
// - The command has ended when the stream of its status does, or the connection; its output has
//   come before. Without a status there was no command.
#include "nodeagent/pods/spdy_command.h"

#include <algorithm>
#include <utility>

namespace nodeagent {
namespace {

using base::RemoteChannel;

constexpr size_t kMaxHeadBytes = 16u << 10;
constexpr size_t kMaxStatusBytes = 64u << 10;
constexpr size_t kPieceBytes = 64u << 10;  // of output, in one message

}  // namespace

SpdyCommand::SpdyCommand(base::Loop& loop, const state::ExecRequest& request)
    : loop_(loop), request_(request) {}

void SpdyCommand::Start(std::unique_ptr<base::Duplex> connection, const std::string& host,
                        const std::string& path) {
  state_ = State::kUpgrading;
  connection_ = std::move(connection);
  connection_->Listen({.bytes = [this](std::string_view bytes) { Receive(bytes); },
                       .finished = [this](const base::Status&) { HungUp(); },
                       .closed = [this](const base::Status&) { HungUp(); },
                       .drained = [this] { inbox_.Drained(); }});
  connection_->Write("POST " + path + " HTTP/1.1\r\nHost: " + host +
                     "\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
                     "X-Stream-Protocol-Version: v4.channel.k8s.io\r\nContent-Length: 0\r\n\r\n");
}

void SpdyCommand::Write(std::string_view messages) {
  if (state_ == State::kEnded) return;
  if (state_ != State::kOpen) {
    pending_.append(messages);
    return;
  }
  const base::Status read = messages_.Feed(
      messages,
      [this](RemoteChannel channel, std::string_view payload) { Send(channel, payload); });
  if (!read.ok()) {
    loop_.Post(lifeline_.Wrap([this, read] { End(read); }));
  }
}

size_t SpdyCommand::Backlog() const {
  return pending_.size() + (connection_ ? connection_->Backlog() : 0);
}

void SpdyCommand::Finish(base::Status) {
  if (state_ == State::kOpen) return CloseInput();
  pending_ += base::RemoteMessage(RemoteChannel::kClose, std::string(1, '\0'));
}

void SpdyCommand::SetPaused(bool paused) {
  const base::Lifeline::Tie tie = lifeline_.tie();
  if (connection_) connection_->SetPaused(paused);
  if (tie.holds()) inbox_.SetPaused(paused);
}

void SpdyCommand::Receive(std::string_view bytes) {
  std::string after_head;
  if (state_ == State::kUpgrading) {
    head_.append(bytes);
    const size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos && head_.size() <= kMaxHeadBytes) return;
    if (end == std::string::npos || !head_.starts_with("HTTP/1.1 101 ")) {
      return End(base::Status(base::Code::kInternal, "the container runtime refused the command: " +
                                                         head_.substr(0, head_.find('\r'))));
    }
    after_head = head_.substr(end + 4);
    bytes = after_head;
    OpenStreams();
  }
  if (state_ != State::kOpen) return;
  std::vector<base::SpdyFrame> frames;
  const base::Status read = reader_.Feed(bytes, frames);
  const base::Lifeline::Tie tie = lifeline_.tie();
  for (const base::SpdyFrame& frame : frames) {
    TakeFrame(frame);
    if (!tie.holds() || state_ == State::kEnded) return;
  }
  if (!read.ok()) End(read);
}

void SpdyCommand::OpenStreams() {
  state_ = State::kOpen;
  std::string out;
  uint32_t id = 1;
  const auto open = [&](RemoteChannel channel, const char* type) {
    streams_[channel] = id;
    writer_.OpenStream(id, {{"streamtype", type}}, out);
    id += 2;
  };
  open(RemoteChannel::kStatus, "error");
  if (request_.stdin_open) open(RemoteChannel::kStdin, "stdin");
  if (request_.stdout_open) open(RemoteChannel::kStdout, "stdout");
  if (request_.stderr_open && !request_.terminal) open(RemoteChannel::kStderr, "stderr");
  if (request_.terminal) open(RemoteChannel::kResize, "resize");
  connection_->Write(out);
  const bool was_full = pending_.size() >= base::kRefillDuplexBacklog;
  Write(std::exchange(pending_, {}));
  if (was_full && Backlog() < base::kRefillDuplexBacklog) inbox_.Drained();
}

void SpdyCommand::TakeFrame(const base::SpdyFrame& frame) {
  using Type = base::SpdyFrame::Type;
  const uint32_t status = streams_.at(RemoteChannel::kStatus);
  if (frame.type == Type::kPing) {
    std::string pong;
    base::SpdyWriter::Pong(frame, pong);
    connection_->Write(pong);
  } else if (frame.type == Type::kGoAway) {
    End(base::Status(base::Code::kUnavailable, "the container runtime went away"));
  } else if (frame.type == Type::kReset && frame.stream == status) {
    End(base::Status(base::Code::kInternal, "the container runtime did not run the command"));
  } else if (frame.type == Type::kData && frame.stream == status) {
    if (status_.size() + frame.payload.size() <= kMaxStatusBytes) status_ += frame.payload;
    if (frame.final) End(base::Status(base::Code::kInternal, "the command ended without a status"));
  } else if (frame.type == Type::kData && !frame.payload.empty()) {
    for (const RemoteChannel channel : {RemoteChannel::kStdout, RemoteChannel::kStderr}) {
      const auto stream = streams_.find(channel);
      if (stream == streams_.end() || stream->second != frame.stream) continue;
      return PutOutput(channel, frame.payload);
    }
  }
}

void SpdyCommand::PutOutput(RemoteChannel channel, std::string_view payload) {
  std::string messages;
  for (; !payload.empty(); payload.remove_prefix(std::min(payload.size(), kPieceBytes))) {
    base::AppendRemoteMessage(channel, payload.substr(0, kPieceBytes), messages);
  }
  inbox_.Put(messages);
}

void SpdyCommand::Send(RemoteChannel channel, std::string_view payload) {
  if (channel == RemoteChannel::kClose) {
    const bool input = payload == std::string_view("\0", 1);
    if (input) CloseInput();
    return;
  }
  const bool sent = channel == RemoteChannel::kStdin || channel == RemoteChannel::kResize;
  const auto stream = streams_.find(channel);
  if (!sent || stream == streams_.end() || payload.empty()) return;
  if (channel == RemoteChannel::kStdin && input_closed_) return;
  std::string out;
  base::SpdyWriter::Data(stream->second, payload, /*final=*/false, out);
  connection_->Write(out);
}

void SpdyCommand::CloseInput() {
  const auto stream = streams_.find(RemoteChannel::kStdin);
  if (stream == streams_.end() || std::exchange(input_closed_, true)) return;
  std::string out;
  base::SpdyWriter::Data(stream->second, {}, /*final=*/true, out);
  connection_->Write(out);
}

void SpdyCommand::HungUp() {
  End(base::Status(base::Code::kUnavailable, "the container runtime hung up"));
}

void SpdyCommand::End(const base::Status& otherwise) {
  if (std::exchange(state_, State::kEnded) == State::kEnded) return;
  const base::Lifeline::Tie tie = lifeline_.tie();
  const bool known = !status_.empty();
  if (known) inbox_.Put(base::RemoteMessage(RemoteChannel::kStatus, status_));
  if (tie.holds()) inbox_.Finished(known ? base::Status() : otherwise);
  if (tie.holds()) inbox_.Closed(known ? base::Status() : otherwise);
}

}  // namespace nodeagent
