#include "base/net/edge/http_client.h"

#include <gtest/gtest.h>

#include <set>

#include "base/net/edge/http_test_support.h"

namespace base {
namespace {

class HttpClientTest : public HttpFixture {
 protected:
  void SetUp() override {
    Make().AddLoopHandler("/", [this](IncomingRequest incoming, std::unique_ptr<Reply> reply) {
      peers_.insert(incoming.peer_address);
      const HttpRequest& request = incoming.request;
      HttpResponse response;
      response.status =
          request.Query("status").empty() ? 200 : std::stoi(std::string(request.Query("status")));
      response.headers = {{"Location", "https://192.0.2.1/"}, {"X-Answer", "yes"}};
      response.body = request.method + " " + request.path + " " + request.body + " " +
                      std::string(request.Query("q")) + " " +
                      std::string(request.Header("x-token")) + " " +
                      (incoming.certificate ? incoming.certificate->common_name : "nobody");
      reply->Send(std::move(response));
    });
    server_->AddWorkerHandler("/stream", [](Exchange& exchange) {
      HttpResponse head;
      exchange.Stream(head, [](const std::function<bool(std::string_view)>& write) {
        for (int i = 0; i < 1000 && write("line\n"); ++i) {
        }
      });
    });
    server_->AddLoopHandler("/silent", [this](IncomingRequest, std::unique_ptr<Reply> reply) {
      silent_.push_back(std::move(reply));
    });
    Start();
  }
  void TearDown() override {
    OnLoop([this] { silent_.clear(); });
  }

  std::string Url(const std::string& target) const {
    return "https://localhost:" + std::to_string(port()) + target;
  }
  HttpClientOptions Trusting() const {
    HttpClientOptions options;
    options.ca_pem = ca_.cert_pem;
    return options;
  }
  static std::string Describe(const Result<HttpAnswer>& answer) {
    if (!answer.ok()) return std::string(ReasonOf(answer.status().code()));
    return std::to_string(answer->status) + " " + answer->body;
  }
  std::string Get(HttpClientOptions options, const std::string& url) {
    HttpCall call;
    call.url = url;
    return Describe(HttpClient(std::move(options)).Do(call));
  }

  std::set<std::string> peers_;                 // the loop's
  std::vector<std::unique_ptr<Reply>> silent_;  // the loop's
};

TEST_F(HttpClientTest, RequestArrivesAsItWasMade) {
  HttpClient client(Trusting());
  HttpCall call;
  call.method = "PUT";
  call.url = Url("/a%20b/c?q=x+y%2Bz");
  call.headers = {{"X-Token", "a%41"}, {"Content-Type", "text/plain"}};
  call.body = "body";
  Result<HttpAnswer> answer = client.Do(call);
  EXPECT_EQ(Describe(answer), "200 PUT /a%20b/c body x y+z a%41 nobody");
  EXPECT_EQ(answer->headers["x-answer"], "yes");
}

TEST_F(HttpClientTest, RequestsShareAConnection) {
  HttpClient client(Trusting());
  HttpCall call;
  call.url = Url("/x");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Describe(client.Do(call)), "200 GET /x    nobody");
  EXPECT_EQ(OnLoop([&] { return peers_.size(); }), 1u);
}

TEST_F(HttpClientTest, FailuresOfTheServerAreAnswers) {
  EXPECT_EQ(Get(Trusting(), Url("/x?status=503")), "503 GET /x    nobody");
  EXPECT_EQ(Get(Trusting(), Url("/x?status=302")), "302 GET /x    nobody") << "not followed";
}

TEST_F(HttpClientTest, OnlyTheGivenCaIsBelieved) {
  HttpClientOptions other;
  other.ca_pem = Must(CreateCa("test-ca", validity_)).cert_pem;
  EXPECT_EQ(Get(other, Url("/")), "Unauthorized");
  EXPECT_EQ(Get(HttpClientOptions(), Url("/")), "Unauthorized") << "the system knows it not";
  EXPECT_EQ(Get(Trusting(), "https://127.0.0.1:" + std::to_string(port()) + "/"),
            "200 GET /    nobody");
}

TEST_F(HttpClientTest, NameMustBeInTheCertificate) {
  KeyPair elsewhere = Must(IssueServerCertificate(ca_, {"elsewhere"}, validity_));
  ASSERT_TRUE(server_->Reload(elsewhere.cert_pem + ca_.cert_pem, elsewhere.key_pem).ok());
  EXPECT_EQ(Get(Trusting(), Url("/")), "Unauthorized");
  HttpClientOptions pinned;
  pinned.ca_digest = Must(CertificateDigest(ca_.cert_pem));
  EXPECT_EQ(Get(pinned, Url("/")), "Unauthorized");
}

TEST_F(HttpClientTest, PinnedDigestNeedsThatCaInTheChain) {
  HttpClientOptions pinned;
  pinned.ca_digest = Must(CertificateDigest(ca_.cert_pem));
  EXPECT_EQ(Get(pinned, Url("/")), "200 GET /    nobody");

  KeyPair other_ca = Must(CreateCa("test-ca", validity_));
  HttpClientOptions other;
  other.ca_digest = Must(CertificateDigest(other_ca.cert_pem));
  EXPECT_EQ(Get(other, Url("/")), "Unauthorized");

  HttpClientOptions leaf;
  leaf.ca_digest = Must(CertificateDigest(server_keys_.cert_pem));
  EXPECT_EQ(Get(leaf, Url("/")), "Unauthorized") << "the server's own certificate is no CA";

  // An impostor shows the real CA beside a certificate that it did not sign.
  KeyPair impostor = Must(IssueServerCertificate(other_ca, {"localhost"}, validity_));
  ASSERT_TRUE(server_->Reload(impostor.cert_pem + ca_.cert_pem, impostor.key_pem).ok());
  EXPECT_EQ(Get(pinned, Url("/")), "Unauthorized");
}

TEST_F(HttpClientTest, CertificateIsShown) {
  KeyPair node = Must(IssueClientCertificate(ca_, {"system:node:n1", {"system:nodes"}}, validity_));
  HttpClientOptions options = Trusting();
  options.certificate_pem = node.cert_pem;
  options.key_pem = node.key_pem;
  EXPECT_EQ(Get(options, Url("/")), "200 GET /    system:node:n1");
  options.key_pem = ca_.key_pem;
  EXPECT_EQ(Get(options, Url("/")), "Invalid");
  options.key_pem = "junk";
  EXPECT_EQ(Get(options, Url("/")), "Invalid");
}

TEST_F(HttpClientTest, StreamIsPassedOnUntilItIsNotWanted) {
  HttpClient client(Trusting());
  HttpCall call;
  call.url = Url("/stream");
  std::string all;
  call.on_data = [&](std::string_view piece) {
    all += piece;
    return true;
  };
  EXPECT_EQ(Describe(client.Do(call)), "200 ");
  EXPECT_EQ(all.size(), 5000u);
  call.on_data = [](std::string_view) { return false; };
  EXPECT_EQ(client.Do(call).status().code(), Code::kCancelled);
  call.url = Url("/x?status=404");
  EXPECT_EQ(Describe(client.Do(call)), "404 GET /x    nobody") << "an error's body is collected";
}

TEST_F(HttpClientTest, ResponseHasALimit) {
  HttpClientOptions options = Trusting();
  options.max_response_bytes = 4999;
  EXPECT_EQ(Get(options, Url("/stream")), "RequestEntityTooLarge");
  options.cut = true;
  EXPECT_EQ(Get(options, Url("/stream")).size(), 5003u);
  options.cut = false;
  options.max_response_bytes = 5000;
  EXPECT_EQ(Get(options, Url("/stream")).size(), 5004u);
}

TEST_F(HttpClientTest, SilentOrMissingServerIsUnavailable) {
  HttpClientOptions options = Trusting();
  options.read_timeout = Duration::Millis(200);
  EXPECT_EQ(Get(options, Url("/silent")), "ServiceUnavailable");
  std::string url = Url("/");
  server_->Stop();
  EXPECT_EQ(Get(Trusting(), url), "ServiceUnavailable");
}

TEST_F(HttpClientTest, BadUrlsAndHeadersAreRefused) {
  for (const char* url :
       {"", "localhost", "ftp://h/", "https://", "https://:1/", "https://h:/", "https://h:0/",
        "https://h:70000/", "https://h:1x/", "https://u@h/", "https://h/a b", "https://h/\r\nX: y",
        "https://[::1/", "https://[::1]x"}) {
    EXPECT_EQ(Get(HttpClientOptions(), url), "Invalid") << url;
  }
  HttpCall call;
  call.url = Url("/");
  call.headers = {{"X-Token", "a\r\nEvil: 1"}};
  EXPECT_EQ(Describe(HttpClient(Trusting()).Do(call)), "Invalid");
}

}  // namespace
}  // namespace base
