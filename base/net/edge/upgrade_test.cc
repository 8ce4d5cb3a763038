// Upgraded connections of the real server: what is written on one side comes out on the other, a
// side that does not read holds the other back, and no connection holds a thread.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/net/edge/http_test_support.h"
#include "base/net/websocket.h"

namespace base {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);
constexpr std::string_view kUpgrade =
    "GET /shell HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

class UpgradeTest : public HttpFixture {
 protected:
  // Answers each upgrade by keeping the Duplex in `ends_`, with `events` for it.
  void Serve(std::function<Duplex::Events(Duplex&)> events) {
    Make().AddLoopHandler("/shell", [this, events](IncomingRequest, std::unique_ptr<Reply> reply) {
      HttpResponse head;
      head.headers.emplace_back("Upgrade", "echo");
      ends_.push_back(reply->Upgrade(std::move(head)));
      ends_.back()->Listen(events(*ends_.back()));
    });
    server_->AddLoopHandler("/hello", Says("hello"));
    Start();
  }
  ~UpgradeTest() override {
    server_->Stop();
    OnLoop([this] { return ends_.clear(), true; });
  }
  // Waits until `done` is true on the loop.
  void Await(const std::function<bool()>& done) {
    for (const auto end = std::chrono::steady_clock::now() + kPatience; !OnLoop(done);) {
      ASSERT_LT(std::chrono::steady_clock::now(), end);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::vector<std::unique_ptr<Duplex>> ends_;  // loop only, as is what events write
  std::string log_;
};

TEST_F(UpgradeTest, BytesPassBothWaysUntilTheHandlerFinishes) {
  Serve([](Duplex& end) {
    return Duplex::Events{.bytes = [&end](std::string_view bytes) {
      end.Write("<" + std::string(bytes) + ">");
      if (bytes.find("bye") != std::string::npos) end.Finish();
    }};
  });
  RawClient client(port());
  client.Send(std::string(kUpgrade) + "early");
  const std::string head = client.ReadUntil("\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n")) << head;
  EXPECT_NE(head.find("Connection: Upgrade\r\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("Content-Length"), std::string::npos) << head;
  EXPECT_EQ(head.find("close"), std::string::npos) << head;
  EXPECT_EQ(client.ReadUntil(">"), "<early>");
  client.Send("more");
  EXPECT_EQ(client.ReadUntil(">"), "<more>");
  client.Send("bye");
  EXPECT_EQ(client.ReadAll(), "<bye>");
}

TEST_F(UpgradeTest, TheHandlerIsToldThatTheClientIsGone) {
  Serve([this](Duplex&) {
    return Duplex::Events{
        .bytes = [this](std::string_view bytes) { log_ += std::string(bytes) + "; "; },
        .closed = [this](const Status& status) { log_ += std::string(status.message()); }};
  });
  {
    RawClient client(port());
    client.Send(kUpgrade);
    client.ReadUntil("\r\n\r\n");
    client.Send("last words");
  }
  Await([this] { return log_ == "last words; the peer went away"; });
}

TEST_F(UpgradeTest, AHandlerThatHasNotAnsweredYetIsToldThatTheClientIsGone) {
  std::unique_ptr<Reply> waiting;
  Make().AddLoopHandler("/log", [&](IncomingRequest, std::unique_ptr<Reply> reply) {
    waiting = std::move(reply);
    waiting->OnGone([&] {
      waiting.reset();
      log_ = "gone";
    });
  });
  Start();
  {
    RawClient client(port());
    client.Send("GET /log HTTP/1.1\r\nHost: h\r\n\r\n");
    Await([&] { return waiting != nullptr; });
    EXPECT_EQ(OnLoop([this] { return log_; }), "");
  }
  Await([&] { return log_ == "gone" && waiting == nullptr; });
}

TEST_F(UpgradeTest, AHandlerThatPausesHoldsTheClientBack) {
  constexpr size_t kMuch = 64u << 20;
  size_t received = 0;
  Serve([&](Duplex&) {
    return Duplex::Events{.bytes = [&](std::string_view bytes) { received += bytes.size(); }};
  });
  RawClient client(port());
  client.Send(kUpgrade);
  client.ReadUntil("\r\n\r\n");
  OnLoop([this] { return ends_.front()->SetPaused(true), true; });
  std::thread sender([&] { EXPECT_TRUE(client.Send(std::string(kMuch, 'x'))); });
  RawClient other(port());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(other.Get("/hello"), "200 hello");
  EXPECT_EQ(OnLoop([&] { return received; }), 0u);
  OnLoop([this] { return ends_.front()->SetPaused(false), true; });
  sender.join();
  Await([&] { return received == kMuch; });
}

TEST_F(UpgradeTest, AClientThatDoesNotReadIsTheBacklogAndThenToldDrained) {
  int drained = 0;
  Serve([&](Duplex&) { return Duplex::Events{.drained = [&] { ++drained; }}; });
  RawClient::Options slow;
  slow.receive_buffer = 4096;
  RawClient client(port(), slow);
  client.Send(kUpgrade);
  client.ReadUntil("\r\n\r\n");
  OnLoop([this] { return ends_.front()->Write(std::string(kMaxDuplexBacklog, 'x')), true; });
  EXPECT_EQ(client.ReadBytes(kMaxDuplexBacklog).size(), kMaxDuplexBacklog);
  Await([&] { return drained == 1 && ends_.front()->Backlog() == 0; });
}

TEST_F(UpgradeTest, MoreThanTheBacklogBreaksIt) {
  Serve([this](Duplex&) {
    return Duplex::Events{.closed = [this](const Status&) { log_ += "closed"; }};
  });
  RawClient client(port());
  client.Send(kUpgrade);
  client.ReadUntil("\r\n\r\n");
  OnLoop([this] { return ends_.front()->Write(std::string(kMaxDuplexBacklog + 1, 'x')), true; });
  client.ReadAll();
  Await([this] { return log_ == "closed"; });
}

TEST_F(UpgradeTest, NoConnectionHoldsAThread) {
  Serve([](Duplex&) { return Duplex::Events(); });
  std::vector<std::unique_ptr<RawClient>> clients;
  const size_t before = CountThreads();
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->Send(kUpgrade);
    clients.back()->ReadUntil("\r\n\r\n");
  }
  EXPECT_EQ(CountThreads(), before);
}

}  // namespace
}  // namespace base
