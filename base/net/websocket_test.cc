#include "base/net/websocket.h"

#include <gtest/gtest.h>

#include "base/net/testing/memory_duplex.h"
#include "base/rng.h"
#include "base/testing/sim_loop.h"

namespace base {
namespace {

constexpr uint32_t kMask = 0x01020304;

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) {
    hex += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
    hex += "0123456789abcdef"[static_cast<uint8_t>(c) & 15];
  }
  return hex;
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string Frame(WebSocketOpcode opcode, std::string_view payload, bool final = true,
                  std::optional<uint32_t> mask = kMask) {
  std::string out;
  AppendWebSocketFrame(opcode, payload, final, mask, out);
  return out;
}

std::string Name(const WebSocketMessage& message) {
  switch (message.opcode) {
    case WebSocketOpcode::kText: return "text " + message.payload;
    case WebSocketOpcode::kBinary: return "binary " + message.payload;
    case WebSocketOpcode::kPing: return "ping " + message.payload;
    case WebSocketOpcode::kPong: return "pong " + message.payload;
    case WebSocketOpcode::kClose:
      return "close " + std::to_string(message.close_code) + " " + message.payload;
    case WebSocketOpcode::kContinuation: break;
  }
  return "continuation";
}

// What a reader makes of `bytes`, given all at once or in pieces of `piece`.
std::string Read(std::string_view bytes, size_t piece = std::string::npos,
                 WebSocketReader::Sender sender = WebSocketReader::Sender::kClient) {
  WebSocketReader reader(sender);
  std::vector<WebSocketMessage> messages;
  std::string text;
  Status status;
  for (size_t at = 0; at < bytes.size() && status.ok(); at += std::min(piece, bytes.size())) {
    status = reader.Feed(bytes.substr(at, piece), messages);
  }
  for (const WebSocketMessage& message : messages) text += Name(message) + "; ";
  if (!status.ok()) text += "failed " + std::to_string(reader.close_code());
  return text;
}

TEST(WebSocketFrame, IsThatOfTheRfc) {  // RFC 6455, 5.7
  EXPECT_EQ(Hex(Frame(WebSocketOpcode::kText, "Hello", true, std::nullopt)), "810548656c6c6f");
  EXPECT_EQ(Hex(Frame(WebSocketOpcode::kText, "Hello", true, 0x37fa213d)),
            "818537fa213d7f9f4d5158");
  EXPECT_EQ(Read(FromHex("818537fa213d7f9f4d5158")), "text Hello; ");
  EXPECT_EQ(
      Hex(Frame(WebSocketOpcode::kBinary, std::string(256, 'x'), true, std::nullopt)).substr(0, 8),
      "827e0100");
  EXPECT_EQ(Hex(Frame(WebSocketOpcode::kBinary, std::string(65536, 'x'), true, std::nullopt))
                .substr(0, 20),
            "827f0000000000010000");
}

TEST(WebSocketReader, TakesEachFormOfMessage) {
  struct Case {
    std::string what;
    std::string bytes;
    std::string expected;
  };
  const auto frame = [](WebSocketOpcode opcode, std::string_view payload, bool final = true) {
    return Frame(opcode, payload, final);
  };
  using enum WebSocketOpcode;
  const std::string big(kMaxWebSocketMessage, 'x');
  const std::vector<Case> cases = {
      {"nothing", "", ""},
      {"empty", frame(kBinary, ""), "binary ; "},
      {"two", frame(kBinary, "a") + frame(kText, "b"), "binary a; text b; "},
      {"fragments",
       frame(kText, "a", false) + frame(kContinuation, "b", false) + frame(kContinuation, "c"),
       "text abc; "},
      {"ping between fragments",
       frame(kBinary, "a", false) + frame(kPing, "p") + frame(kContinuation, "b"),
       "ping p; binary ab; "},
      {"text cut inside a character", frame(kText, "\xc3", false) + frame(kContinuation, "\xbc"),
       "text \xc3\xbc; "},
      {"pong", frame(kPong, "x"), "pong x; "},
      {"close without a code", frame(kClose, ""), "close 1005 ; "},
      {"close",
       frame(kClose,
             "\x03\xe8"
             "bye"),
       "close 1000 bye; "},
      {"nothing after a close", frame(kClose, "") + frame(kText, "x"), "close 1005 ; "},
      {"126 bytes", frame(kBinary, std::string(126, 'y')),
       "binary " + std::string(126, 'y') + "; "},
      {"the largest", frame(kBinary, big), "binary " + big + "; "},
      {"half a frame", frame(kBinary, "abc").substr(0, 7), ""},
      // What breaks the rules, with the code that it is closed with.
      {"too large", frame(kBinary, big + "x"), "failed 1009"},
      {"too large in fragments", frame(kBinary, big, false) + frame(kContinuation, "x"),
       "failed 1009"},
      {"too large, told by its head alone", FromHex("82ff7fffffffffffffff00000000"), "failed 1009"},
      {"no mask", Frame(kBinary, "a", true, std::nullopt), "failed 1002"},
      {"reserved bit", FromHex("c28000000000"), "failed 1002"},
      {"unknown opcode", FromHex("838000000000"), "failed 1002"},
      {"unknown control opcode", FromHex("8b8000000000"), "failed 1002"},
      {"fragmented ping", frame(kPing, "a", false), "failed 1002"},
      {"long ping", frame(kPing, std::string(126, 'a')), "failed 1002"},
      {"length not shortest", FromHex("82fe0005") + "1234abcde", "failed 1002"},
      {"continuation of nothing", frame(kContinuation, "a"), "failed 1002"},
      {"message within another", frame(kText, "a", false) + frame(kText, "b"), "failed 1002"},
      {"text that is not UTF-8", frame(kText, "\xff"), "failed 1007"},
      {"half a close code", frame(kClose, "\x03"), "failed 1002"},
      {"close code that may not be sent", frame(kClose, "\x03\xed"), "failed 1002"},
      {"reason that is not UTF-8", frame(kClose, "\x03\xe8\xff"), "failed 1007"},
      {"what came before a failure", frame(kText, "a") + frame(kText, "\xff"),
       "text a; failed 1007"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(Read(each.bytes), each.expected) << each.what;
    if (each.bytes.size() > 1000) continue;
    EXPECT_EQ(Read(each.bytes, 1), each.expected) << each.what << ", byte by byte";
  }
  EXPECT_EQ(Read(Frame(kText, "a"), std::string::npos, WebSocketReader::Sender::kServer),
            "failed 1002");
  EXPECT_EQ(Read(Frame(kText, "a", true, std::nullopt), std::string::npos,
                 WebSocketReader::Sender::kServer),
            "text a; ");
}

// Whatever the bytes and however they are cut, the reader ends in the same way and keeps within its
// limits.
TEST(WebSocketReader, MutatedBytesMeanTheSameHoweverTheyAreCut) {
  using enum WebSocketOpcode;
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    Rng rng(seed);
    std::string bytes = Frame(kText, "some text", false) + Frame(kPing, "p") +
                        Frame(kContinuation, "\xc3\xa4") + Frame(kBinary, std::string(300, 'b')) +
                        Frame(kClose,
                              "\x03\xe8"
                              "end");
    for (uint64_t i = 0; i <= rng.Below(4); ++i) {
      const size_t at = rng.Below(bytes.size());
      switch (rng.Below(3)) {
        case 0: bytes[at] = static_cast<char>(rng.Below(256)); break;
        case 1: bytes.erase(at, 1 + rng.Below(3)); break;
        case 2: bytes.insert(at, 1, static_cast<char>(rng.Below(256))); break;
      }
    }
    const std::string whole = Read(bytes);
    ASSERT_EQ(Read(bytes, 1), whole) << "seed " << seed;
    ASSERT_EQ(Read(bytes, 1 + rng.Below(40)), whole) << "seed " << seed;
  }
}

HttpRequest Upgrading() {
  HttpRequest request;
  request.method = "GET";
  request.headers = {{"connection", "keep-alive, Upgrade"},
                     {"upgrade", "websocket"},
                     {"sec-websocket-version", "13"},
                     {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="},
                     {"sec-websocket-protocol", "chat, superchat"}};
  return request;
}

std::string Handshake(const HttpRequest& request, const std::vector<std::string>& protocols) {
  const Result<WebSocketHandshake> handshake = AcceptWebSocket(request, protocols);
  if (!handshake.ok()) return std::string(handshake.status().message());
  std::string text = std::to_string(handshake->response.status);
  for (const auto& [name, value] : handshake->response.headers) text += "; " + name + ": " + value;
  return text;
}

TEST(WebSocketHandshake, IsThatOfTheRfc) {  // RFC 6455, 1.3
  EXPECT_EQ(Handshake(Upgrading(), {"superchat"}),
            "101; Upgrade: websocket; Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=; "
            "Sec-WebSocket-Protocol: superchat");
}

TEST(WebSocketHandshake, TakesTheClientsFirstChoice) {
  const Result<WebSocketHandshake> handshake = AcceptWebSocket(Upgrading(), {"superchat", "chat"});
  ASSERT_TRUE(handshake.ok());
  EXPECT_EQ(handshake->protocol, "chat");
}

TEST(WebSocketHandshake, RefusesWhatIsNone) {
  EXPECT_EQ(Handshake(Upgrading(), {"other"}),
            "none of the WebSocket sub-protocols is served: chat, superchat");
  HttpRequest request = Upgrading();
  request.method = "POST";
  EXPECT_EQ(Handshake(request, {"chat"}), "a WebSocket begins with GET and \"Upgrade: websocket\"");
  request = Upgrading();
  request.headers["upgrade"] = "SPDY/3.1";
  EXPECT_FALSE(WantsWebSocket(request));
  request = Upgrading();
  request.headers["sec-websocket-version"] = "8";
  EXPECT_EQ(Handshake(request, {"chat"}), "the only version of WebSockets served is 13");
  request = Upgrading();
  request.headers["sec-websocket-key"] = "c2hvcnQ=";
  EXPECT_EQ(Handshake(request, {"chat"}), "Sec-WebSocket-Key is not 16 bytes in base64");
}

// A server's WebSocket over memory, and the client's raw end.
class WebSocketTest : public testing::Test {
 protected:
  WebSocketTest() {
    auto [server, client] = MemoryDuplexPair(loop_);
    client_ = std::move(client);
    client_->Listen({.bytes = [this](std::string_view bytes) { received_.append(bytes); },
                     .finished = [this](const Status&) { received_ += "|finished"; }});
    socket_ = std::make_unique<WebSocket>(
        std::move(server), WebSocket::Events{.message =
                                                 [this](std::string_view payload) {
                                                   log_ += "message " + std::string(payload) + "; ";
                                                 },
                                             .closed =
                                                 [this](const Status& status) {
                                                   log_ += "closed " + status.ToString() + "; ";
                                                 }});
  }
  std::string Sent(WebSocketOpcode opcode, std::string_view payload) {
    return Frame(opcode, payload, true, std::nullopt);
  }

  SimLoop loop_{1};
  std::unique_ptr<Duplex> client_;
  std::string received_;
  std::unique_ptr<WebSocket> socket_;
  std::string log_;
};

TEST_F(WebSocketTest, PassesMessagesAndAnswersPings) {
  client_->Write(Frame(WebSocketOpcode::kPing, "are you there"));
  client_->Write(Frame(WebSocketOpcode::kBinary, "in"));
  socket_->SendBinary("out");
  loop_.RunReady();
  EXPECT_EQ(log_, "message in; ");
  EXPECT_EQ(received_,
            Sent(WebSocketOpcode::kBinary, "out") + Sent(WebSocketOpcode::kPong, "are you there"));
}

TEST_F(WebSocketTest, AnswersAClose) {
  client_->Write(Frame(WebSocketOpcode::kClose, "\x03\xe8"));
  loop_.RunReady();
  EXPECT_EQ(received_, Sent(WebSocketOpcode::kClose, "\x03\xe8") + "|finished");
  EXPECT_TRUE(log_.starts_with("closed ")) << log_;
}

TEST_F(WebSocketTest, ClosesWithTheCodeOfWhatWentWrong) {
  client_->Write(Frame(WebSocketOpcode::kBinary, "fine") +
                 Frame(WebSocketOpcode::kBinary, "no mask", true, std::nullopt));
  loop_.RunReady();
  EXPECT_TRUE(log_.starts_with("message fine; closed ")) << log_;
  EXPECT_EQ(received_, Sent(WebSocketOpcode::kClose,
                            "\x03\xea"
                            "the WebSocket's peer broke its rules: a frame without a mask") +
                           "|finished");
}

TEST_F(WebSocketTest, ToldOnceThatTheClientIsGone) {
  client_.reset();
  loop_.RunReady();
  EXPECT_EQ(log_.find("closed "), log_.rfind("closed "));
  EXPECT_TRUE(log_.starts_with("closed ")) << log_;
}

}  // namespace
}  // namespace base
