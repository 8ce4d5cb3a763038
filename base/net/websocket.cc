// Rules, of RFC 6455 by section:
// - A client's frames are masked, a server's are not (5.1); reserved bits and opcodes fail (5.2),
//   as do lengths that are not written in their shortest form.
// - Fragments of one message follow each other; control frames may stand between them, are not
//   fragmented and have at most 125 bytes (5.4, 5.5).
// - Text, and the reason of a close, is UTF-8 (5.6, 8.1); a close's code is one that may be sent
//   (7.4).
// - The first failure, or a close, ends the reading (7.1.7).
#include "base/net/websocket.h"

#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "base/net/big_endian.h"
#include "base/sha1.h"
#include "base/utf8.h"

namespace base {
namespace {

constexpr std::string_view kHandshakeGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr size_t kMaxControlPayload = 125;
constexpr size_t kKeyBytes = 16;

bool IsControl(WebSocketOpcode opcode) { return static_cast<uint8_t>(opcode) >= 8; }

bool IsKnown(uint8_t opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

bool MayBeSent(uint16_t close_code) {
  if (close_code >= 3000 && close_code <= 4999) return true;
  return (close_code >= 1000 && close_code <= 1003) || (close_code >= 1007 && close_code <= 1014);
}

void Mask(uint32_t mask, std::string& payload, size_t from) {
  for (size_t i = from; i < payload.size(); ++i) {
    const auto byte = static_cast<uint8_t>(mask >> (24 - 8 * ((i - from) % 4)));
    payload[i] = static_cast<char>(static_cast<uint8_t>(payload[i]) ^ byte);
  }
}

std::string ClosePayload(uint16_t code, std::string_view reason) {
  std::string payload;
  if (code == kWebSocketNoCode) return payload;
  AppendBigEndian(code, 2, payload);
  for (size_t length; !reason.empty(); reason.remove_prefix(length)) {
    length = Utf8Length(reason);
    if (length == 0 || payload.size() + length > kMaxControlPayload) break;
    payload.append(reason.substr(0, length));
  }
  return payload;
}

}  // namespace

bool WantsWebSocket(const HttpRequest& request) {
  return request.HeaderHas("upgrade", "websocket") && request.HeaderHas("connection", "upgrade");
}

Result<WebSocketHandshake> AcceptWebSocket(const HttpRequest& request,
                                           const std::vector<std::string>& protocols) {
  if (!WantsWebSocket(request) || request.method != "GET") {
    return Status(Code::kBadRequest, "a WebSocket begins with GET and \"Upgrade: websocket\"");
  }
  if (request.Header("sec-websocket-version") != "13") {
    return Status(Code::kBadRequest, "the only version of WebSockets served is 13");
  }
  const std::string key(request.Header("sec-websocket-key"));
  const Result<std::string> nonce = Base64Decode(key);
  if (!nonce.ok() || nonce->size() != kKeyBytes) {
    return Status(Code::kBadRequest, "Sec-WebSocket-Key is not 16 bytes in base64");
  }
  WebSocketHandshake handshake;
  handshake.response.status = 101;
  handshake.response.headers = {
      {"Upgrade", "websocket"},
      {"Sec-WebSocket-Accept", Base64Encode(Sha1Bytes(key + std::string(kHandshakeGuid)))}};
  std::string_view wanted = request.Header("sec-websocket-protocol");
  if (wanted.empty()) return handshake;
  const std::string all(wanted);
  while (!wanted.empty()) {
    const size_t end = std::min(wanted.find(','), wanted.size());
    std::string_view each = wanted.substr(0, end);
    wanted.remove_prefix(std::min(end + 1, wanted.size()));
    each.remove_prefix(std::min(each.find_first_not_of(' '), each.size()));
    each = each.substr(0, each.find_last_not_of(' ') + 1);
    if (std::find(protocols.begin(), protocols.end(), each) == protocols.end()) continue;
    handshake.protocol = each;
    handshake.response.headers.emplace_back("Sec-WebSocket-Protocol", handshake.protocol);
    return handshake;
  }
  return Status(Code::kBadRequest, "none of the WebSocket sub-protocols is served: " + all);
}

void AppendWebSocketFrame(WebSocketOpcode opcode, std::string_view payload, bool final,
                          std::optional<uint32_t> mask, std::string& out) {
  out += static_cast<char>((final ? 0x80 : 0) | static_cast<uint8_t>(opcode));
  const char masked = mask ? static_cast<char>(0x80) : '\0';
  if (payload.size() < 126) {
    out += static_cast<char>(masked | static_cast<char>(payload.size()));
  } else if (payload.size() < 1u << 16) {
    out += static_cast<char>(masked | 126);
    AppendBigEndian(payload.size(), 2, out);
  } else {
    out += static_cast<char>(masked | 127);
    AppendBigEndian(payload.size(), 8, out);
  }
  if (mask) AppendBigEndian(*mask, 4, out);
  const size_t begin = out.size();
  out.append(payload);
  if (mask) Mask(*mask, out, begin);
}

Status WebSocketReader::Fail(uint16_t close_code, std::string_view what) {
  ended_ = true;
  close_code_ = close_code;
  buffer_.clear();
  partial_.reset();
  return Status(Code::kBadRequest, "the WebSocket's peer broke its rules: " + std::string(what));
}

Status WebSocketReader::Feed(std::string_view bytes, std::vector<WebSocketMessage>& messages) {
  if (ended_) return {};
  std::string buffer = std::exchange(buffer_, {});
  buffer.append(bytes);
  std::string_view rest = buffer;
  while (!ended_) {
    ASSIGN_OR_RETURN(const Head head, ReadHead(rest));
    if (head.bytes == 0 || rest.size() - head.bytes < head.length) break;
    std::string payload(rest.substr(head.bytes, head.length));
    rest.remove_prefix(head.bytes + head.length);
    Mask(head.mask, payload, 0);
    RETURN_IF_ERROR(TakeFrame(head, std::move(payload), messages));
  }
  if (!ended_) buffer_ = rest;
  return {};
}

// The head at the front of `rest`; its `bytes` are 0 if it is not whole yet.
Result<WebSocketReader::Head> WebSocketReader::ReadHead(std::string_view rest) {
  Head head;
  if (rest.size() < 2) return head;
  const auto first = static_cast<uint8_t>(rest[0]);
  const auto second = static_cast<uint8_t>(rest[1]);
  if ((first & 0x70) != 0 || !IsKnown(first & 0x0f)) {
    return Fail(kWebSocketProtocolError, "a reserved bit or opcode");
  }
  head.final = (first & 0x80) != 0;
  head.opcode = static_cast<WebSocketOpcode>(first & 0x0f);
  const bool masked = (second & 0x80) != 0;
  if (masked != (sender_ == Sender::kClient)) {
    return Fail(kWebSocketProtocolError, masked ? "a masked frame" : "a frame without a mask");
  }
  head.length = second & 0x7f;
  const size_t length_bytes = head.length == 127 ? 8 : head.length == 126 ? 2 : 0;
  const size_t bytes = 2 + length_bytes + (masked ? 4 : 0);
  if (length_bytes > 0 && rest.size() >= 2 + length_bytes) {
    head.length = ReadBigEndian(rest.substr(2, length_bytes));
    if (head.length < (length_bytes == 2 ? 126u : 1u << 16)) {
      return Fail(kWebSocketProtocolError, "a length that is longer than need be");
    }
  }
  if (IsControl(head.opcode) && (!head.final || head.length > kMaxControlPayload)) {
    return Fail(kWebSocketProtocolError, "a control frame in fragments, or too long");
  }
  if (rest.size() < bytes) return head;
  const size_t before = partial_ ? partial_->payload.size() : 0;
  if (head.length > kMaxWebSocketMessage - before) {
    return Fail(kWebSocketTooBig,
                "a message of more than " + std::to_string(kMaxWebSocketMessage) + " bytes");
  }
  if (masked) head.mask = static_cast<uint32_t>(ReadBigEndian(rest.substr(bytes - 4, 4)));
  head.bytes = bytes;
  return head;
}

Status WebSocketReader::TakeFrame(const Head& head, std::string payload,
                                  std::vector<WebSocketMessage>& messages) {
  if (IsControl(head.opcode)) return TakeControl(head, std::move(payload), messages);
  const bool continues = head.opcode == WebSocketOpcode::kContinuation;
  if (continues != partial_.has_value()) {
    return Fail(kWebSocketProtocolError,
                continues ? "a fragment of no message" : "a message within another");
  }
  if (!continues) partial_ = WebSocketMessage{.opcode = head.opcode};
  partial_->payload.append(payload);
  if (!head.final) return {};
  WebSocketMessage message = *std::exchange(partial_, std::nullopt);
  if (message.opcode == WebSocketOpcode::kText && !IsUtf8(message.payload)) {
    return Fail(kWebSocketBadData, "text that is not UTF-8");
  }
  messages.push_back(std::move(message));
  return {};
}

Status WebSocketReader::TakeControl(const Head& head, std::string payload,
                                    std::vector<WebSocketMessage>& messages) {
  WebSocketMessage message{.opcode = head.opcode};
  if (head.opcode == WebSocketOpcode::kClose) {
    message.close_code = kWebSocketNoCode;
    if (!payload.empty()) {
      if (payload.size() < 2) return Fail(kWebSocketProtocolError, "half a close code");
      message.close_code = static_cast<uint16_t>(ReadBigEndian(payload.substr(0, 2)));
      payload.erase(0, 2);
      if (!MayBeSent(message.close_code)) {
        return Fail(kWebSocketProtocolError, "a close code that means nothing");
      }
      if (!IsUtf8(payload)) return Fail(kWebSocketBadData, "a reason that is not UTF-8");
    }
    ended_ = true;
  }
  message.payload = std::move(payload);
  messages.push_back(std::move(message));
  return {};
}

WebSocket::WebSocket(std::unique_ptr<Duplex> duplex, Events events)
    : duplex_(std::move(duplex)), events_(std::move(events)) {
  duplex_->Listen({.bytes = [this](std::string_view bytes) { Receive(bytes); },
                   .finished = [this](const Status&) { Gone(); },
                   .closed = [this](const Status&) { Gone(); },
                   .drained =
                       [this] {
                         if (events_.drained) events_.drained();
                       }});
}

WebSocket::~WebSocket() { *alive_ = false; }

void WebSocket::SendBinary(std::string_view payload) {
  if (closing_) return;
  std::string frame;
  AppendWebSocketFrame(WebSocketOpcode::kBinary, payload, /*final=*/true, std::nullopt, frame);
  duplex_->Write(frame);
}

void WebSocket::Close(uint16_t code, std::string_view reason) {
  if (std::exchange(closing_, true)) return;
  std::string frame;
  AppendWebSocketFrame(WebSocketOpcode::kClose, ClosePayload(code, reason), /*final=*/true,
                       std::nullopt, frame);
  duplex_->Write(frame);
  duplex_->Finish();
}

void WebSocket::Receive(std::string_view bytes) {
  std::vector<WebSocketMessage> messages;
  const Status status = reader_.Feed(bytes, messages);
  const std::shared_ptr<bool> alive = alive_;  // a message may end this
  for (const WebSocketMessage& message : messages) {
    if (closing_) return;
    switch (message.opcode) {
      case WebSocketOpcode::kPing: Pong(message.payload); break;
      case WebSocketOpcode::kPong: break;
      case WebSocketOpcode::kClose:
        Close(message.close_code, "");
        return End(Status(Code::kCancelled, "the client closed the connection"));
      default:
        if (events_.message) events_.message(message.payload);
        if (!*alive) return;
    }
  }
  if (status.ok()) return;
  Close(reader_.close_code(), status.message());
  End(status);
}

void WebSocket::Pong(std::string_view payload) {
  if (duplex_->Backlog() >= kRefillDuplexBacklog) return;  // who does not read is not there
  std::string frame;
  AppendWebSocketFrame(WebSocketOpcode::kPong, payload, /*final=*/true, std::nullopt, frame);
  duplex_->Write(frame);
}

void WebSocket::Gone() {
  if (std::exchange(closing_, true)) return;
  End(Status(Code::kUnavailable, "the client went away"));
}

void WebSocket::End(const Status& status) {
  const auto closed = std::exchange(events_, {}).closed;
  if (closed) closed(status);
}

}  // namespace base
