// What those cost who have shown no credential, and what one of those who have may hold of what all
// share: bounded places, bodies, workers, unsent bytes.
#include <gtest/gtest.h>

#include <atomic>

#include "base/net/edge/http_server.h"
#include "base/net/edge/http_test_support.h"

namespace base {
namespace {

constexpr size_t kLargeAnswer = 32u << 20;  // more than the kernel's buffers take

HttpResponse Saying(std::string body) {
  HttpResponse response;
  response.body = std::move(body);
  return response;
}

class UnknownClientsTest : public HttpFixture {
 protected:
  UnknownClientsTest() {
    // "Bearer NAME" is who says so; "Bearer wrong" nobody.
    options_.authenticate = [](const IncomingRequest& incoming) -> Result<Identity> {
      const std::string_view header = incoming.request.Header("authorization");
      if (header.empty()) return Identity();
      if (header == "Bearer wrong") return Status(Code::kUnauthorized, "the token is wrong");
      return Identity{std::string(header.substr(header.find(' ') + 1)), {}};
    };
  }
  ~UnknownClientsTest() override {
    release_.set_value();
    if (server_ != nullptr) server_->Stop();  // waits for the workers, which use what ends next
  }

  void MakeServer() {
    Make().AddLoopHandler("/echo", [](IncomingRequest incoming, std::unique_ptr<Reply> reply) {
      reply->Send(Saying(std::move(incoming.request.body)));
    });
    server_->AddLoopHandler("/large", [](IncomingRequest, std::unique_ptr<Reply> reply) {
      reply->Send(Saying(std::string(kLargeAnswer, 'x')));
    });
    // /work answers at once; /work/held when the test lets it.
    server_->AddWorkerHandler(
        "/work", [this](Exchange& exchange) { Work(exchange); },
        [](const HttpRequest& request) { return request.Query("writes") == "yes"; });
    Start();
  }
  void Work(Exchange& exchange) {
    ++worked_;
    const HttpRequest& request = exchange.incoming().request;
    if (request.segments.size() > 1) {
      if (++held_ == awaited_held_) all_held_.set_value();
      released_.wait();
    }
    std::string body;
    const Status read = exchange.ReadBody(1 << 20, [&](std::string_view piece) {
      body += piece;
      return true;
    });
    exchange.Send(read.ok() ? Saying("worked " + body) : FailureResponse(read));
  }

  static std::string Request(const std::string& line, const std::string& user,
                             const std::string& more = "\r\n") {
    return line + " HTTP/1.1\r\nHost: h\r\n" +
           (user.empty() ? "" : "Authorization: Bearer " + user + "\r\n") + more;
  }
  std::string Ask(RawClient& client, const std::string& line, const std::string& user,
                  const std::string& more = "\r\n") {
    client.Send(Request(line, user, more));
    return client.ReadResponse();
  }
  // A new connection's status.
  std::string AskAnew(const std::string& line, const std::string& user,
                      const std::string& more = "\r\n") {
    RawClient client(port());
    return Ask(client, line, user, more).substr(0, 3);
  }

  std::atomic<int> worked_{0}, held_{0};
  int awaited_held_ = 1;
  std::promise<void> all_held_, release_;
  std::shared_future<void> released_ = release_.get_future().share();
};

TEST_F(UnknownClientsTest, IdleOnesMakeRoomWhenAllPlacesAreTaken) {
  options_.max_connections = 4;
  MakeServer();
  RawClient known(port());
  EXPECT_EQ(Ask(known, "GET /echo", "ann"), "200 ");
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 12; ++i) {
    idle.push_back(std::make_unique<RawClient>(port()));
    EXPECT_TRUE(idle.back()->connected()) << i;
  }
  EXPECT_EQ(idle.front()->ReadAll(), "");  // it is closed
  EXPECT_EQ(AskAnew("GET /echo", "bob"), "200");
  EXPECT_EQ(Ask(known, "GET /echo", "ann"), "200 ");
}

TEST_F(UnknownClientsTest, AnAddressHasItsShareOfPlaces) {
  options_.max_newcomers_of_address = 2;
  MakeServer();
  RawClient known(port()), first(port());
  EXPECT_EQ(Ask(known, "GET /echo", "ann"), "200 ");
  RawClient second(port()), third(port());
  EXPECT_EQ(first.ReadAll(), "");
  EXPECT_EQ(Ask(second, "GET /echo", ""), "200 ") << "was not the oldest";
  EXPECT_EQ(Ask(known, "GET /echo", "ann"), "200 ");
}

TEST_F(UnknownClientsTest, OneUserHoldsHalfOfThePlaces) {
  options_.max_connections = 4;
  MakeServer();
  RawClient first(port()), second(port());
  EXPECT_EQ(Ask(first, "GET /echo", "ann") + Ask(second, "GET /echo", "ann"), "200 200 ");
  EXPECT_EQ(AskAnew("GET /echo", "ann"), "429");
  EXPECT_EQ(AskAnew("GET /echo", "bob"), "200");
  EXPECT_EQ(Ask(first, "GET /echo", "ann"), "200 ");
}

TEST_F(UnknownClientsTest, TheFirstRequestMustComeSoonAndBlankLinesAreNone) {
  options_.header_timeout = Duration::Millis(200);
  MakeServer();
  RawClient silent(port()), blank(port()), anonymous(port()), known(port());
  EXPECT_EQ(Ask(known, "GET /echo", "ann"), "200 ");
  EXPECT_EQ(Ask(anonymous, "GET /echo", ""), "200 ");
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_EQ(anonymous.ReadAll(), "") << "asked, but is nobody still";
  while (blank.Send("\r\n") && SSL_pending(blank.ssl()) == 0) {
    char byte;
    if (SSL_peek(blank.ssl(), &byte, 1) <= 0) break;  // the end came, in spite of the lines
  }
  EXPECT_EQ(Ask(known, "GET /echo", "ann"), "200 ") << "who is known may idle";
}

TEST_F(UnknownClientsTest, TheirBodiesAreNotKept) {
  MakeServer();
  const std::string large = "Content-Length: " + std::to_string(kMaxUnknownBody + 1) + "\r\n\r\n";
  RawClient told(port());
  EXPECT_EQ(Ask(told, "POST /echo", "", large).substr(0, 3), "401") << "at its head";
  EXPECT_NE(told.last_head().find("WWW-Authenticate: Basic"), std::string::npos);
  EXPECT_EQ(AskAnew("POST /echo", "wrong", large), "401");
  const std::string chunk = std::string(kMaxUnknownBody + 1, 'x');
  EXPECT_EQ(AskAnew("POST /echo", "", "Transfer-Encoding: chunked\r\n\r\n10001\r\n" + chunk),
            "401");
  EXPECT_EQ(AskAnew("POST /echo", "ann", large + chunk), "200");
  EXPECT_EQ(AskAnew("POST /echo", "", "Content-Length: 3\r\n\r\nabc"), "200") << "a join is small";
}

TEST_F(UnknownClientsTest, NoWorkerRunsForThem) {
  MakeServer();
  RawClient client(port());
  EXPECT_EQ(Ask(client, "GET /work", "").substr(0, 3), "401");
  EXPECT_EQ(Ask(client, "GET /work", "wrong").substr(0, 3), "401");
  EXPECT_EQ(worked_, 0);
  EXPECT_EQ(Ask(client, "GET /work", "ann"), "200 worked ") << "on the same connection";
}

TEST_F(UnknownClientsTest, OneUserHoldsHalfOfTheWorkers) {
  options_.workers = 2;
  MakeServer();
  RawClient first(port()), second(port());
  first.Send(Request("GET /work/held", "ann"));
  ASSERT_EQ(all_held_.get_future().wait_for(kTestWait), std::future_status::ready);
  second.Send(Request("GET /work/held", "ann"));
  EXPECT_EQ(AskAnew("GET /work", "bob"), "200");
  EXPECT_EQ(AskAnew("GET /work", "bob"), "200");
  EXPECT_EQ(held_, 1);
}

TEST_F(UnknownClientsTest, WhatReadsAndWhatWritesDoNotWaitForEachOther) {
  options_.workers = 1;
  MakeServer();
  RawClient reads(port());
  reads.Send(Request("GET /work/held", "ann"));
  ASSERT_EQ(all_held_.get_future().wait_for(kTestWait), std::future_status::ready);
  EXPECT_EQ(AskAnew("POST /work?writes=yes", "bob"), "200");
}

TEST_F(UnknownClientsTest, BodiesThatTrickleEnd) {
  options_.body_stretch = options_.worker_body_stretch = Duration::Millis(200);
  MakeServer();
  const std::string half = "Content-Length: 9\r\n\r\nhalf";
  RawClient kept(port()), worked(port());
  EXPECT_EQ(Ask(kept, "POST /echo", "ann", half).substr(0, 3), "408");
  worked.Send(Request("POST /work", "ann", half));
  EXPECT_EQ(worked.ReadAll(), "") << "its worker is free again";
}

TEST_F(UnknownClientsTest, UnreadAnswersHaveOneBudget) {
  options_.max_unsent_bytes = 1 << 20;
  MakeServer();
  RawClient::Options small;
  small.receive_buffer = 4096;
  RawClient slow(port(), small);
  slow.Send(Request("GET /large", "ann"));
  EXPECT_NE(slow.ReadUntil("\r\n\r\n").find("200 OK"), std::string::npos);
  RawClient other(port());
  EXPECT_EQ(Ask(other, "GET /large", "bob").substr(0, 3), "429");
  EXPECT_NE(other.last_head().find("Retry-After: "), std::string::npos);
  EXPECT_EQ(Ask(other, "GET /echo", "bob"), "200 ") << "small ones are sent";
  EXPECT_EQ(Ask(other, "POST /large", "bob").size(), 4 + kLargeAnswer) << "what was done is told";
  slow.ReadBytes(kLargeAnswer);
  EXPECT_EQ(Ask(other, "GET /large", "bob").size(), 4 + kLargeAnswer);
}

// Bytes of a stream's own, that is: what many streams carry is there once.
TEST_F(UnknownClientsTest, StreamsThatAreNotReadEndSoonerWhenTheBudgetIsSpent) {
  options_.max_unsent_bytes = 1 << 20;
  std::unique_ptr<Stream> stream;  // the loop's
  std::promise<void> opened;
  Make().AddLoopHandler("/watch", [&](IncomingRequest, std::unique_ptr<Reply> reply) {
    stream = reply->Start(HttpResponse());
    opened.set_value();
  });
  Start();
  RawClient::Options small;
  small.receive_buffer = 4096;
  RawClient slow(port(), small);
  slow.Send(Request("GET /watch", "ann"));
  ASSERT_EQ(opened.get_future().wait_for(kTestWait), std::future_status::ready);
  const std::string piece(64 << 10, 'x');
  const auto shared = std::make_shared<const std::string>(4 << 20, 'y');
  const size_t accepted = OnLoop([&] {
    EXPECT_TRUE(stream->Write(shared)) << "costs this stream nothing";
    size_t total = 0;
    while (stream->Write(piece)) total += piece.size();
    stream.reset();
    return total;
  });
  EXPECT_GE(accepted, (1u << 20) - piece.size());
  EXPECT_LT(accepted, (1u << 20) + 2 * piece.size());
}

}  // namespace
}  // namespace base
