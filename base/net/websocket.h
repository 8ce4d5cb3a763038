// WebSocket (RFC 6455): the handshake, the framing as a codec, and a connection over a Duplex. No
// extensions.
//
// The codec is values and pure functions; a WebSocket is loop only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/net/duplex.h"
#include "base/net/http.h"
#include "base/status.h"

namespace base {

// Of a message, put together from its fragments.
inline constexpr size_t kMaxWebSocketMessage = 1u << 20;

// Close codes (RFC 6455, 7.4.1) that this side sends.
inline constexpr uint16_t kWebSocketNormal = 1000;
inline constexpr uint16_t kWebSocketProtocolError = 1002;
inline constexpr uint16_t kWebSocketNoCode = 1005;  // never on the wire: a close without a code
inline constexpr uint16_t kWebSocketBadData = 1007;
inline constexpr uint16_t kWebSocketTooBig = 1009;
inline constexpr uint16_t kWebSocketInternalError = 1011;

// True if the request asks to become a WebSocket, well or badly.
bool WantsWebSocket(const HttpRequest& request);

struct WebSocketHandshake {
  std::string protocol;   // the one that was chosen; "" if the client named none
  HttpResponse response;  // for Reply::Upgrade
};
// Chooses the first of the client's sub-protocols that is among `protocols`. kBadRequest if the
// request is malformed or names only others.
Result<WebSocketHandshake> AcceptWebSocket(const HttpRequest& request,
                                           const std::vector<std::string>& protocols);

enum class WebSocketOpcode : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

struct WebSocketMessage {
  WebSocketOpcode opcode = WebSocketOpcode::kBinary;  // never kContinuation
  std::string payload;                                // of a close: the reason, in UTF-8
  uint16_t close_code = 0;
};

// Appends one frame. A client's must have a mask, a server's must not.
void AppendWebSocketFrame(WebSocketOpcode opcode, std::string_view payload, bool final,
                          std::optional<uint32_t> mask, std::string& out);

// Takes messages out of the bytes that one end sent.
class WebSocketReader {
 public:
  enum class Sender { kClient, kServer };
  explicit WebSocketReader(Sender sender) : sender_(sender) {}

  // Appends what is whole to `messages`. After a failure, whose close code is close_code(), nothing
  // can be read any more. Nothing is read after a close.
  Status Feed(std::string_view bytes, std::vector<WebSocketMessage>& messages);
  uint16_t close_code() const { return close_code_; }

 private:
  struct Head {
    bool final = false;
    WebSocketOpcode opcode = WebSocketOpcode::kContinuation;
    uint64_t length = 0;
    size_t bytes = 0;  // of the head itself; 0: it is not whole yet
    uint32_t mask = 0;
  };

  Status Fail(uint16_t close_code, std::string_view what);
  Result<Head> ReadHead(std::string_view rest);
  Status TakeFrame(const Head& head, std::string payload, std::vector<WebSocketMessage>& messages);
  Status TakeControl(const Head& head, std::string payload,
                     std::vector<WebSocketMessage>& messages);

  const Sender sender_;
  std::string buffer_;  // not used yet
  std::optional<WebSocketMessage> partial_;
  bool ended_ = false;
  uint16_t close_code_ = 0;
};

// The server's end of a connection that was upgraded. It answers pings and closes by itself.
class WebSocket {
 public:
  struct Events {
    std::function<void(std::string_view payload)> message;  // text or binary
    // Once, as the last: kCancelled if the client closed it in good order.
    std::function<void(Status)> closed;
    std::function<void()> drained;  // as Duplex's
  };

  WebSocket(std::unique_ptr<Duplex> duplex, Events events);
  ~WebSocket();

  void SendBinary(std::string_view payload);
  size_t Backlog() const { return duplex_->Backlog(); }
  void SetPaused(bool paused) { duplex_->SetPaused(paused); }
  // Says why, and ends the connection in good order; what was sent still leaves. No event comes
  // after it.
  void Close(uint16_t code, std::string_view reason);

 private:
  void Receive(std::string_view bytes);
  void Pong(std::string_view payload);
  void Gone();
  void End(const Status& status);

  std::unique_ptr<Duplex> duplex_;
  Events events_;
  WebSocketReader reader_{WebSocketReader::Sender::kClient};
  bool closing_ = false;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace base
