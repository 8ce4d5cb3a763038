// Logs and commands between a client and a node, both in memory.
#include "state/api/stream_relays.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/net/testing/memory_duplex.h"
#include "base/testing/sim_loop.h"

namespace state {
namespace {

using base::RemoteChannel;

// What a client of a log sees; it takes bytes only when it is told to.
struct LogClient {
  std::string heard;
  size_t backlog = 0;
  bool open = false;
  std::function<void()> closed, drained, gone;

  void TakeAll() {
    backlog = 0;
    if (drained) drained();
  }
};

class LogStream final : public base::Stream {
 public:
  explicit LogStream(LogClient& client) : client_(client) { client_.open = true; }
  ~LogStream() override {
    client_.open = false;
    client_.drained = nullptr;
  }
  bool Write(std::string_view bytes) override {
    client_.heard += bytes;
    client_.backlog += bytes.size();
    return true;
  }
  size_t Backlog() const override { return client_.backlog; }
  void OnDrained(size_t, std::function<void()> drained) override {
    client_.drained = std::move(drained);
  }
  void OnClosed(std::function<void()> closed) override { client_.closed = std::move(closed); }

 private:
  LogClient& client_;
};

class ClientReply final : public base::Reply {
 public:
  ClientReply(LogClient& log, base::Loop& loop, std::unique_ptr<base::Duplex>& socket)
      : log_(log), loop_(loop), socket_(socket) {}
  void Send(base::HttpResponse response) override {
    log_.heard += std::to_string(response.status) + " " + response.body;
  }
  std::unique_ptr<base::Stream> Start(base::HttpResponse head) override {
    log_.heard += std::to_string(head.status) + " ";
    return std::make_unique<LogStream>(log_);
  }
  std::unique_ptr<base::Duplex> Upgrade(base::HttpResponse) override {
    auto [server, client] = base::MemoryDuplexPair(loop_);
    socket_ = std::move(client);
    return std::move(server);
  }
  void OnGone(std::function<void()> gone) override { log_.gone = std::move(gone); }

 private:
  LogClient& log_;
  base::Loop& loop_;
  std::unique_ptr<base::Duplex>& socket_;
};

class StreamRelaysTest : public testing::Test {
 protected:
  void ServeLog() {
    relays_.ServeLog(Node(), std::make_unique<ClientReply>(client_, loop_, socket_));
  }
  void ServeExec() {
    reader_.emplace(base::WebSocketReader::Sender::kServer);
    relays_.ServeExec(Node(), base::WebSocketHandshake(),
                      std::make_unique<ClientReply>(client_, loop_, socket_));
    socket_->Listen({.bytes =
                         [this](std::string_view bytes) {
                           std::vector<base::WebSocketMessage> messages;
                           EXPECT_TRUE(reader_->Feed(bytes, messages).ok());
                           for (const auto& message : messages) Hear(message);
                         },
                     .finished = [this](const base::Status&) { client_.heard += "|end"; }});
  }
  void Hear(const base::WebSocketMessage& message) {
    received_ += message.payload.size();
    if (message.payload.size() > 1000) return;
    client_.heard += message.opcode == base::WebSocketOpcode::kClose
                         ? "|close " + std::to_string(message.close_code)
                         : std::to_string(static_cast<int>(message.payload[0])) + ":" +
                               message.payload.substr(1) + "; ";
  }
  std::unique_ptr<base::Duplex> Node() {
    auto [ours, node] = base::MemoryDuplexPair(loop_);
    node_ = std::move(node);
    node_->Listen({.bytes = [this](std::string_view bytes) { at_node_ += bytes; },
                   .closed = [this](const base::Status&) { at_node_ += "|hung up"; }});
    return std::move(ours);
  }
  void SendInput(RemoteChannel channel, std::string_view payload) {
    std::string frame, message(1, static_cast<char>(channel));
    base::AppendWebSocketFrame(base::WebSocketOpcode::kBinary, message.append(payload), true, 7,
                               frame);
    socket_->Write(frame);
  }
  std::string Heard() {
    loop_.RunReady();
    return std::exchange(client_.heard, {});
  }

  base::SimLoop loop_{1};
  LogClient client_;
  std::unique_ptr<base::Duplex> socket_, node_;
  std::string at_node_;
  size_t received_ = 0;
  std::optional<base::WebSocketReader> reader_;
  StreamRelays relays_;
};

TEST_F(StreamRelaysTest, TheHeadOfALogWaitsForTheNodesFirstWord) {
  ServeLog();
  EXPECT_EQ(Heard(), "");
  node_->Write("line\n");
  EXPECT_EQ(Heard(), "200 line\n");
  EXPECT_TRUE(client_.open);
  node_->Finish();
  loop_.RunReady();
  EXPECT_FALSE(client_.open);
  EXPECT_EQ(at_node_, "|hung up");

  ServeLog();
  node_->Finish(base::Status(base::Code::kNotFound, "no log yet"));
  EXPECT_TRUE(Heard().starts_with("404 "));
  ServeLog();
  node_->Finish();
  EXPECT_EQ(Heard(), "200 ") << "a log that is there, and empty";
}

TEST_F(StreamRelaysTest, ASlowReaderOfALogHoldsTheNodeBack) {
  constexpr size_t kMuch = 4u << 20;
  constexpr size_t kPiece = 64u << 10;
  ServeLog();
  size_t written = 0;
  const auto write = [&] {
    while (written < kMuch && node_->Backlog() < base::kRefillDuplexBacklog) {
      node_->Write(std::string(kPiece, 'x'));
      written += kPiece;
    }
    loop_.RunReady();
  };
  for (int i = 0; i < 100; ++i) write();
  EXPECT_LE(client_.backlog, base::kRefillDuplexBacklog + kPiece) << "what the client may owe";
  EXPECT_LT(written, kMuch / 4);
  for (int i = 0; i < 100 && client_.heard.size() < kMuch; ++i) {
    client_.TakeAll();
    loop_.RunReady();
    write();
  }
  EXPECT_EQ(client_.heard.size(), kMuch + std::string("200 ").size());
}

TEST_F(StreamRelaysTest, AClientOfALogThatGoesAwayHangsUpOnTheNode) {
  ServeLog();
  node_->Write("line\n");
  loop_.RunReady();
  client_.closed();
  loop_.RunReady();
  EXPECT_EQ(at_node_, "|hung up");

  at_node_.clear();
  ServeLog();
  client_.gone();
  loop_.RunReady();
  EXPECT_EQ(at_node_, "|hung up") << "also of a log that has said nothing yet";
}

TEST_F(StreamRelaysTest, ACommandsChannelsPassBothWays) {
  ServeExec();
  SendInput(RemoteChannel::kStdin, "in");
  SendInput(RemoteChannel::kClose, std::string(1, '\0'));
  loop_.RunReady();
  EXPECT_EQ(at_node_, base::RemoteMessage(RemoteChannel::kStdin, "in") +
                          base::RemoteMessage(RemoteChannel::kClose, std::string(1, '\0')));
  node_->Write(base::RemoteMessage(RemoteChannel::kStdout, "out") +
               base::RemoteMessage(RemoteChannel::kStderr, "err") +
               base::RemoteMessage(RemoteChannel::kStatus, "{}"));
  node_->Finish();
  EXPECT_EQ(Heard(), "1:out; 2:err; 3:{}; |close 1000|end");
}

TEST_F(StreamRelaysTest, WhyThereWasNoCommandIsToldOnTheStatusChannel) {
  ServeExec();
  node_->Finish(base::Status(base::Code::kNotFound, "container c does not run"));
  const std::string heard = Heard();
  EXPECT_TRUE(heard.starts_with("3:{")) << heard;
  EXPECT_NE(heard.find(R"("message":"container c does not run")"), std::string::npos) << heard;
  EXPECT_TRUE(heard.ends_with("; |close 1000|end")) << heard;
  ServeExec();
  node_.reset();
  EXPECT_NE(Heard().find("ServiceUnavailable"), std::string::npos);
}

TEST_F(StreamRelaysTest, EachSideOfACommandHoldsTheOtherBack) {
  ServeExec();
  socket_->SetPaused(true);
  const std::string piece(100'000, 'x');
  for (int i = 0; i < 30; ++i) node_->Write(base::RemoteMessage(RemoteChannel::kStdout, piece));
  loop_.RunReady();
  EXPECT_GT(node_->Backlog(), piece.size() * 20);
  socket_->SetPaused(false);
  loop_.RunReady();
  EXPECT_EQ(received_, 30 * (piece.size() + 1));

  node_->SetPaused(true);
  for (int i = 0; i < 30; ++i) SendInput(RemoteChannel::kStdin, piece);
  loop_.RunReady();
  EXPECT_GT(socket_->Backlog(), piece.size() * 20);
  node_->SetPaused(false);
  loop_.RunReady();
  EXPECT_EQ(socket_->Backlog(), 0u);
  EXPECT_GT(at_node_.size(), piece.size() * 30);
}

TEST_F(StreamRelaysTest, AClientThatGoesAwayHangsUpOnTheCommand) {
  ServeExec();
  socket_.reset();
  loop_.RunReady();
  EXPECT_EQ(at_node_, "|hung up");
}

TEST_F(StreamRelaysTest, OtherProtocolsAreRefusedWithASentence) {
  base::HttpRequest request;
  request.method = "POST";
  request.headers = {{"connection", "Upgrade"}, {"upgrade", "SPDY/3.1"}};
  EXPECT_EQ(StreamRelays::Handshake(request).status().ToString(),
            "BadRequest: commands are served over WebSockets (v5.channel.k8s.io), not over SPDY; "
            "kubectl speaks them since 1.31");
}

}  // namespace
}  // namespace state
