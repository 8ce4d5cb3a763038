// Calls over real sockets, on loopback: the contract, and what a hostile server cannot do.
#include "state/errands/edge/http_caller.h"

#include <gtest/gtest.h>

#include <cctype>
#include <future>
#include <thread>

#include "base/edge/files.h"
#include "base/edge/testing/real_runner.h"
#include "base/net/edge/http_test_support.h"
#include "state/errands/testing/http_caller_contract.h"

namespace state {
namespace {

using base::Duration;

AddressGuard Loopback() { return AddressGuard({*base::Cidr::Parse("127.0.0.0/8")}); }

// A port of loopback, without TLS. All who ask get the same bytes, or none.
class Port {
 public:
  using Taken = std::function<void(HttpCall)>;

  // `answer` empty: it takes calls and says nothing.
  Port(std::string answer, Taken taken)
      : answer_(std::move(answer)),
        taken_(std::move(taken)),
        socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    CHECK(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    CHECK(listen(socket_.get(), 100) == 0);
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    number_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~Port() {
    shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::string Url() const { return "http://127.0.0.1:" + std::to_string(number_) + "/hook"; }

 private:
  void Serve() {
    std::vector<base::UniqueFd> held;
    for (;;) {
      base::UniqueFd peer(accept(socket_.get(), nullptr, nullptr));
      if (!peer.valid()) return;
      taken_(Read(peer.get()));
      send(peer.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
      if (answer_.empty()) held.push_back(std::move(peer));
    }
  }
  static HttpCall Read(int peer) {
    std::string text;
    char block[4096];
    size_t head = std::string::npos, length = 0;
    while (head == std::string::npos || text.size() < head + 4 + length) {
      const ssize_t count = recv(peer, block, sizeof block, 0);
      if (count <= 0) break;
      text.append(block, static_cast<size_t>(count));
      head = text.find("\r\n\r\n");
      const size_t at = text.find("Content-Length: ");
      if (at != std::string::npos && at < head) length = std::stoul(text.substr(at + 16));
    }
    HttpCall call{.method = text.substr(0, text.find(' '))};
    for (size_t at = text.find("\r\n"); at < head; at = text.find("\r\n", at + 2)) {
      const std::string line = text.substr(at + 2, text.find("\r\n", at + 2) - at - 2);
      std::string name = line.substr(0, line.find(':'));
      for (char& c : name) c = static_cast<char>(tolower(c));
      if (name.starts_with("x-")) call.headers.emplace_back(name, line.substr(name.size() + 2));
    }
    call.body = text.substr(std::min(head + 4, text.size()));
    return call;
  }

  const std::string answer_;
  const Taken taken_;
  base::UniqueFd socket_;
  int number_ = 0;
  std::thread thread_;
};

class SocketWorld final : public HttpCallerWorld {
 public:
  base::LoopRunner& runner() override { return runner_; }
  HttpCaller& caller() override { return *caller_; }
  void EndCaller() override { caller_.reset(); }
  std::string Answers(const HttpAnswer& answer) override {
    std::string text = "HTTP/1.1 " + std::to_string(answer.code) + " So\r\nConnection: close\r\n";
    for (const auto& [name, value] : answer.headers) text += name + ": " + value + "\r\n";
    if (answer.code != 204) {
      text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
    }
    return Open(text + "\r\n" + answer.body);
  }
  std::string IsSilent() override { return Open(""); }
  std::string Refuses() override {
    return Port("", [](const HttpCall&) {}).Url();
  }
  HttpCall Taken() override {
    const std::lock_guard lock(mutex_);
    return taken_;
  }

 private:
  std::string Open(std::string answer) {
    ports_.push_back(std::make_unique<Port>(std::move(answer), [this](HttpCall call) {
      const std::lock_guard lock(mutex_);
      taken_ = std::move(call);
    }));
    return ports_.back()->Url();
  }

  base::RealRunner runner_;
  std::mutex mutex_;
  HttpCall taken_;  // guarded by mutex_
  std::vector<std::unique_ptr<Port>> ports_;
  std::unique_ptr<HttpCaller> caller_ = NewHttpCaller(runner_.loop(), Loopback());
};

std::unique_ptr<HttpCallerWorld> MakeSockets() { return std::make_unique<SocketWorld>(); }

INSTANTIATE_TEST_SUITE_P(HttpCallers, HttpCallerContract,
                         testing::Values(HttpCallerUnderTest{"Sockets", &MakeSockets}),
                         HttpCallerName);

// A server over HTTPS; one over plain sockets for what no server would send.
class HostileServerTest : public base::HttpFixture {
 protected:
  void OpenCaller(AddressGuard guard = Loopback()) {
    OnLoop([&] { caller_ = NewHttpCaller(loop_, std::move(guard)); });
  }
  ~HostileServerTest() override {
    OnLoop([&] { caller_.reset(); });
  }

  void StartServer() {
    Make().AddLoopHandler("/hook",
                          [this](base::IncomingRequest, std::unique_ptr<base::Reply> reply) {
                            ++received_;
                            reply->Send({});
                          });
    Start();
  }
  std::string Url(const std::string& host = "localhost") {
    return "https://" + host + ":" + std::to_string(port()) + "/hook";
  }

  HttpAnswer Call(HttpCall call) {
    auto promise = std::make_shared<std::promise<HttpAnswer>>();
    auto future = promise->get_future();
    OnLoop([&] {
      caller_->Call(std::move(call), [promise](HttpAnswer answer) { promise->set_value(answer); });
    });
    if (future.wait_for(base::kTestWait) == std::future_status::ready) return future.get();
    ADD_FAILURE() << "no answer";
    return {};
  }

  // Serves one connection: reads a request's head, sends `answer`, then waits for the hang-up. Its
  // URL.
  std::string ServeOnce(std::string answer) {
    listener_ = base::UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(listen(listener_.get(), 1), 0);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    hung_up_ = std::async(std::launch::async, [this, answer = std::move(answer)] {
      base::UniqueFd peer(accept(listener_.get(), nullptr, nullptr));
      connected_.set_value();
      send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      for (char bytes[4096]; recv(peer.get(), bytes, sizeof bytes, 0) > 0;) {
      }
    });
    return "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  }

  int received_ = 0;  // on the loop
  std::unique_ptr<HttpCaller> caller_;
  base::UniqueFd listener_;
  std::promise<void> connected_;
  std::future<void> hung_up_;
};

TEST_F(HostileServerTest, AServerWithoutItsCertificateIsNotTold) {
  OpenCaller();
  StartServer();
  EXPECT_EQ(Call({.url = Url()}).status.code(), base::Code::kUnauthorized);
  EXPECT_EQ(OnLoop([&] { return received_; }), 0);
  EXPECT_EQ(Call({.url = Url(), .ca_pem = ca_.cert_pem}).code, 200);
}

TEST_F(HostileServerTest, InternalAddressesAreRefusedAfterTheNameWasLookedUp) {
  OpenCaller(AddressGuard());
  StartServer();
  for (const std::string host : {"localhost", "127.0.0.1", "[::1]", "0.0.0.0", "2130706433"}) {
    EXPECT_EQ(Call({.url = Url(host), .ca_pem = ca_.cert_pem}).status.code(),
              base::Code::kForbidden)
        << host;
  }
  EXPECT_EQ(Call({.url = "http://169.254.169.254/latest/meta-data"}).status.code(),
            base::Code::kForbidden);
  EXPECT_EQ(OnLoop([&] { return received_; }), 0);
}

TEST_F(HostileServerTest, WhoStallsInTheMiddleIsHungUpOn) {
  OpenCaller();
  const HttpAnswer answer =
      Call({.url = ServeOnce("HTTP/1.1 200 OK\r\nA"), .time_limit = Duration::Millis(200)});
  EXPECT_EQ(answer.status.code(), base::Code::kUnavailable);
  hung_up_.get();
}

TEST_F(HostileServerTest, WhoPromisesMuchIsHungUpOnAfterTheFirstBytes) {
  OpenCaller();
  const HttpAnswer answer =
      Call({.url = ServeOnce("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" +
                             std::string(2 * kMaxHttpAnswerBytes, 'x'))});
  EXPECT_EQ(answer.status.ToString() + " " + std::to_string(answer.code), "OK 200");
  hung_up_.get();
}

TEST_F(HostileServerTest, EndingItHangsUpOnThoseUnderWay) {
  OpenCaller();
  const HttpCall call{.url = ServeOnce("HTTP/1.1 200")};
  bool answered = false;
  OnLoop([&] { caller_->Call(call, [&](const HttpAnswer&) { answered = true; }); });
  connected_.get_future().get();
  OnLoop([&] { caller_.reset(); });
  hung_up_.get();
  EXPECT_FALSE(OnLoop([&] { return answered; }));
}

}  // namespace
}  // namespace state
