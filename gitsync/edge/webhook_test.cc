// Webhooks over real sockets, on loopback: what a receiver gets, checked with openssl's own program
// rather than with the code that signed it, and what a hostile one cannot do.
#include <gtest/gtest.h>

#include <future>

#include "base/base64.h"
#include "base/edge/files.h"
#include "base/edge/process.h"
#include "base/net/edge/http_test_support.h"
#include "gitsync/edge/http_webhook_sender.h"
#include "gitsync/edge/webhook_signature.h"

namespace gitsync {
namespace {

using base::Duration;
using base::WallTime;

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

// The signature as openssl computes it.
std::string SignedByOpenSsl(const std::string& text) {
  const std::string key = *base::Base64Decode(std::string(kSecret).substr(6));
  const auto digest = base::RunChecked(
      {"openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:" + Hex(key), "-binary"},
      text);
  EXPECT_TRUE(digest.ok()) << digest.status().ToString();
  return digest.ok() ? "v1," + base::Base64Encode(*digest) : "";
}

// The example of the specification's own libraries.
TEST(WebhookSignatureTest, SignsAsTheSpecificationsExample) {
  const auto key = ParseSigningSecret(kSecret);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(SignWebhook(*key, "msg_p5jXN8AQM9LWM0D4loKWxJek", WallTime::FromSeconds(1614265330),
                        "{\"test\": 2432232314}"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignatureTest, ASecretHasTwentyFourToSixtyFourBytes) {
  const auto length = [](const std::string& text) {
    const auto key = ParseSigningSecret(text);
    return key.ok() ? std::to_string(key->size()) : "refused";
  };
  EXPECT_EQ(length(base::Base64Encode(std::string(23, 'x'))), "refused");
  EXPECT_EQ(length(base::Base64Encode(std::string(24, 'x'))), "24");
  EXPECT_EQ(length("whsec_" + base::Base64Encode(std::string(64, 'x')) + "\n"), "64");
  EXPECT_EQ(length("whsec_" + base::Base64Encode(std::string(65, 'x'))), "refused");
  EXPECT_EQ(length("whsec_not base64!"), "refused");
  EXPECT_EQ(length(""), "refused");
}

// A receiver over HTTPS; one over plain sockets for what no server would send.
class WebhookTest : public base::HttpFixture {
 protected:
  void OpenSender(std::vector<base::Cidr> allowed = {*base::Cidr::Parse("127.0.0.0/8")}) {
    OnLoop([&] { sender_ = std::make_unique<HttpWebhookSender>(loop_, AddressGuard(allowed)); });
  }
  ~WebhookTest() override {
    OnLoop([&] { sender_.reset(); });
  }

  void StartReceiver(base::HttpResponse response) {
    Make().AddLoopHandler("/hook", [this, response](base::IncomingRequest incoming,
                                                    std::unique_ptr<base::Reply> reply) {
      received_.push_back(std::move(incoming.request));
      reply->Send(response);
    });
    Start();
  }

  WebhookCall Call(const std::string& url) {
    WebhookCall call;
    call.url = url;
    call.id = "0f0e-1";
    call.timestamp = WallTime::FromSeconds(1'790'000'000);
    call.body = "{\"specversion\":\"1.0\"}";
    call.secret = base::Base64Encode(kSecret);
    call.ca = base::Base64Encode(ca_.cert_pem);
    call.time_limit = Duration::Seconds(20);
    return call;
  }
  std::string Url(const std::string& host = "localhost") {
    return "https://" + host + ":" + std::to_string(port()) + "/hook";
  }

  WebhookAnswer Send(WebhookCall call) {
    auto promise = std::make_shared<std::promise<WebhookAnswer>>();
    auto future = promise->get_future();
    OnLoop([&] {
      sender_->Send(std::move(call),
                    [promise](WebhookAnswer answer) { promise->set_value(answer); });
    });
    if (future.wait_for(base::kTestWait) != std::future_status::ready) {
      ADD_FAILURE() << "no answer";
      return {};
    }
    return future.get();
  }

  // Serves one connection: reads a request's head, sends `answer`, then waits for the hang-up.
  // The port.
  int ServeOnce(std::string answer) {
    listener_ = base::UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(listen(listener_.get(), 1), 0);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    raw_ = std::async(std::launch::async, [this, answer = std::move(answer)] {
      base::UniqueFd peer(accept(listener_.get(), nullptr, nullptr));
      connected_.set_value();
      std::string head;
      char bytes[4096];
      for (ssize_t count; head.find("\r\n\r\n") == std::string::npos &&
                          (count = recv(peer.get(), bytes, sizeof bytes, 0)) > 0;) {
        head.append(bytes, static_cast<size_t>(count));
      }
      send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      while (recv(peer.get(), bytes, sizeof bytes, 0) > 0) {
      }
      return head;
    });
    return ntohs(address.sin_port);
  }

  std::vector<base::HttpRequest> received_;  // on the loop
  std::unique_ptr<HttpWebhookSender> sender_;
  base::UniqueFd listener_;
  std::promise<void> connected_;
  std::future<std::string> raw_;
};

TEST_F(WebhookTest, AReceiverCanVerifyWhatItGets) {
  OpenSender();
  base::HttpResponse response;
  response.status = 202;
  StartReceiver(response);
  const WebhookAnswer answer = Send(Call(Url()));
  EXPECT_EQ(answer.status.ToString() + " " + std::to_string(answer.http_status), "OK 202");
  const auto received = OnLoop([&] { return received_; });
  ASSERT_EQ(received.size(), 1u);
  const base::HttpRequest& request = received[0];
  EXPECT_EQ(request.method + " " + request.path, "POST /hook");
  EXPECT_EQ(request.Header("content-type"), "application/cloudevents+json; charset=utf-8");
  EXPECT_EQ(request.body, "{\"specversion\":\"1.0\"}");
  EXPECT_EQ(request.Header("webhook-timestamp"), "1790000000");
  EXPECT_EQ(
      request.Header("webhook-signature"),
      SignedByOpenSsl(std::string(request.Header("webhook-id")) + ".1790000000." + request.body));
}

TEST_F(WebhookTest, RetryAfterComesBackWithARefusal) {
  OpenSender();
  base::HttpResponse response;
  response.status = 429;
  response.headers = {{"Retry-After", "120"}};
  StartReceiver(response);
  const WebhookAnswer answer = Send(Call(Url()));
  EXPECT_EQ(std::to_string(answer.http_status) + " " + answer.retry_after, "429 120");
}

TEST_F(WebhookTest, AReceiverWithoutItsCertificateIsNotTold) {
  OpenSender();
  StartReceiver({});
  WebhookCall call = Call(Url());
  call.ca.clear();
  EXPECT_EQ(Send(call).status.code(), base::Code::kUnauthorized);
  EXPECT_EQ(OnLoop([&] { return received_.size(); }), 0u);
}

TEST_F(WebhookTest, InternalAddressesAreRefusedAfterTheNameWasLookedUp) {
  OpenSender({});
  StartReceiver({});
  for (const std::string host : {"localhost", "127.0.0.1", "[::1]", "0.0.0.0", "2130706433"}) {
    EXPECT_EQ(Send(Call(Url(host))).status.code(), base::Code::kForbidden) << host;
  }
  EXPECT_EQ(Send(Call("http://169.254.169.254/latest/meta-data")).status.code(),
            base::Code::kForbidden);
  EXPECT_EQ(OnLoop([&] { return received_.size(); }), 0u);
}

TEST_F(WebhookTest, ARedirectIsAnAnswerLikeAnyOther) {
  OpenSender();
  base::HttpResponse response;
  response.status = 302;
  response.headers = {{"Location", "http://169.254.169.254/"}};
  StartReceiver(response);
  EXPECT_EQ(Send(Call(Url())).http_status, 302);
  EXPECT_EQ(OnLoop([&] { return received_.size(); }), 1u);
}

TEST_F(WebhookTest, AReceiverThatStallsIsHungUpOn) {
  OpenSender();
  WebhookCall call = Call("http://127.0.0.1:" + std::to_string(ServeOnce("HTTP/1.1 200 OK\r\nA")));
  call.time_limit = Duration::Millis(200);
  EXPECT_EQ(Send(call).status.code(), base::Code::kUnavailable);
  raw_.get();  // it ends: its connection was closed
}

TEST_F(WebhookTest, ALongAnswerCountsByItsStatus) {
  OpenSender();
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" +
                             std::string(2 * kMaxWebhookAnswerBytes, 'x');
  WebhookCall call = Call("http://127.0.0.1:" + std::to_string(ServeOnce(answer)));
  const WebhookAnswer got = Send(call);
  EXPECT_EQ(got.status.ToString() + " " + std::to_string(got.http_status), "OK 200");
  raw_.get();
}

TEST_F(WebhookTest, EndingItHangsUpOnThoseUnderWay) {
  OpenSender();
  const WebhookCall call = Call("http://127.0.0.1:" + std::to_string(ServeOnce("HTTP/1.1 200")));
  bool answered = false;
  OnLoop([&] { sender_->Send(call, [&](WebhookAnswer) { answered = true; }); });
  connected_.get_future().get();
  OnLoop([&] { sender_.reset(); });
  raw_.get();  // it ends: its connection was closed
  EXPECT_FALSE(OnLoop([&] { return answered; }));
}

TEST_F(WebhookTest, ABadSecretIsAFailureThatDoesNotTellIt) {
  OpenSender();
  StartReceiver({});
  WebhookCall call = Call(Url());
  call.secret = base::Base64Encode("hunter2");
  const WebhookAnswer answer = Send(call);
  EXPECT_EQ(answer.status.code(), base::Code::kInvalid);
  EXPECT_EQ(answer.status.message().find("hunter2"), std::string_view::npos);
}

}  // namespace
}  // namespace gitsync
