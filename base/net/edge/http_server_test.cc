#include "base/net/edge/http_server.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <atomic>
#include <map>
#include <set>

#include "base/edge/process.h"
#include "base/net/edge/http_test_support.h"

namespace base {
namespace {

std::string Gzip(const std::string& text) {
  z_stream stream{};
  CHECK(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string Post(const std::string& target, const std::string& headers, const std::string& body) {
  return "POST " + target +
         " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + body;
}

std::string Chunked(const std::string& target, const std::string& headers, const std::string& body,
                    size_t chunk) {
  std::string out = "POST " + target + " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n" +
                    headers + "\r\n";
  char size[20];
  for (size_t at = 0; at < body.size(); at += chunk) {
    std::string piece = body.substr(at, chunk);
    std::snprintf(size, sizeof(size), "%zx\r\n", piece.size());
    out += size + piece + "\r\n";
  }
  return out + "0\r\n\r\n";
}

HttpResponse Text(std::string body, int status = 200) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

class HttpServerTest : public HttpFixture {
 protected:
  // Requests to /echo come back as they arrived, from the loop; /work/echo from a worker.
  void MakeEcho() {
    Make().AddLoopHandler("/echo", [](IncomingRequest incoming, std::unique_ptr<Reply> reply) {
      reply->Send(Text(std::move(incoming.request.body)));
    });
    server_->AddWorkerHandler("/work/echo", [](Exchange& exchange) {
      std::string body;
      Status status = exchange.ReadBody(64u << 20, [&](std::string_view piece) {
        body.append(piece);
        return true;
      });
      exchange.Send(status.ok() ? Text(std::move(body)) : FailureResponse(status));
    });
    // /work/ignore answers without reading.
    server_->AddWorkerHandler("/work/ignore",
                              [](Exchange& exchange) { exchange.Send(Text("ignored")); });
  }

  // /watch opens a stream that the test holds; streams_ is the loop's.
  void MakeWatch() {
    Make().AddLoopHandler("/watch", [this](IncomingRequest, std::unique_ptr<Reply> reply) {
      HttpResponse head;
      streams_.push_back(reply->Start(head));
      if (streams_.size() == awaited_streams_) all_opened_.set_value();
    });
    server_->AddLoopHandler("/hello", Says("hello"));
  }
  ~HttpServerTest() override {
    OnLoop([this] { streams_.clear(); });
  }
  bool AwaitStreams() {
    return all_opened_.get_future().wait_for(kTestWait) == std::future_status::ready;
  }

  size_t awaited_streams_ = 1;
  std::promise<void> all_opened_;
  std::vector<std::unique_ptr<Stream>> streams_;
};

constexpr char kWatch[] = "GET /watch HTTP/1.1\r\nHost: h\r\n\r\n";

TEST_F(HttpServerTest, LongestPrefixOfWholeSegmentsServes) {
  Make().AddLoopHandler("/", Says("root"));
  server_->AddLoopHandler("/api", Says("api"));
  server_->AddLoopHandler("/api/v1/", Says("v1"));
  server_->AddWorkerHandler("/git", [](Exchange& exchange) {
    exchange.Send(Text("git " + exchange.incoming().request.path));
  });
  Start();
  RawClient client(port());
  std::string seen;
  for (const char* target : {"/", "/x", "/api", "/api/", "/apis", "/api/v1", "/api/v1/pods?x=1",
                             "/%61pi/v1", "/git/a.git/info"}) {
    seen += client.Get(target) + ";";
  }
  EXPECT_EQ(seen,
            "200 root;200 root;200 api;200 api;200 root;200 v1;200 v1;200 v1;"
            "200 git /git/a.git/info;");
}

TEST_F(HttpServerTest, UnknownPathIsAStatusAndTheConnectionGoesOn) {
  Make().AddLoopHandler("/a", Says("a"));
  Start();
  RawClient client(port());
  EXPECT_EQ(client.Get("/b"), R"(404 {"apiVersion":"v1","code":404,"kind":"Status","message":)"
                              R"("the server could not find the requested resource","metadata":{},)"
                              R"("reason":"NotFound","status":"Failure"})");
  EXPECT_EQ(client.Get("/a"), "200 a");
}

TEST_F(HttpServerTest, HundredRequestsShareOneConnection) {
  std::set<std::string> peers;  // the loop's
  Make().AddLoopHandler("/n", [&](IncomingRequest incoming, std::unique_ptr<Reply> reply) {
    peers.insert(incoming.peer_address);
    reply->Send(Text(std::string(incoming.request.Query("i"))));
  });
  Start();
  RawClient client(port());
  for (int i = 0; i < 100; ++i) {
    std::string number = std::to_string(i);
    ASSERT_EQ(client.Get("/n?i=" + number), "200 " + number);
  }
  EXPECT_EQ(OnLoop([&] { return peers.size(); }), 1u);
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  MakeEcho();
  Start();
  RawClient client(port());
  client.Send(Post("/echo", "", "one") + Post("/work/echo", "", "two") + "\r\n" +
              Chunked("/echo", "", "three", 2) + Post("/echo", "Connection: close\r\n", "four"));
  std::string answers;
  for (int i = 0; i < 4; ++i) answers += client.ReadResponse() + ";";
  EXPECT_EQ(answers, "200 one;200 two;200 three;200 four;");
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(HttpServerTest, LargeBodiesTravelBothWays) {
  MakeEcho();
  Start();
  std::string body;
  for (size_t i = 0; body.size() < (1u << 20); ++i) body += std::to_string(i) + " ";
  for (const char* target : {"/echo", "/work/echo"}) {
    RawClient client(port());
    // Sent from another thread: the server may answer a worker's client before it has sent all.
    auto sent = std::async(std::launch::async, [&] {
      return client.Send(Post(target, "", body) + Chunked(target, "", body, 10'000));
    });
    ASSERT_TRUE(sent.get());
    EXPECT_TRUE(client.ReadResponse() == "200 " + body) << target;
    EXPECT_TRUE(client.ReadResponse() == "200 " + body) << target << " chunked";
  }
}

TEST_F(HttpServerTest, GzipBodiesAreInflated) {
  MakeEcho();
  Start();
  RawClient client(port());
  std::string text(100'000, 'x');
  for (const char* target : {"/echo", "/work/echo"}) {
    client.Send(Post(target, "Content-Encoding: gzip\r\n", Gzip(text)));
    EXPECT_TRUE(client.ReadResponse() == "200 " + text) << target;
  }
  client.Send(Post("/work/echo", "Content-Encoding: gzip\r\n", "no gzip"));
  EXPECT_EQ(client.ReadResponse().substr(0, 3), "400");
}

TEST_F(HttpServerTest, BodiesBeyondTheLimitAreRefused) {
  options_.max_body_bytes = 1000;
  MakeEcho();
  Start();
  auto answer = [&](const std::string& request) {
    RawClient client(port());
    client.Send(request);
    std::string response = client.ReadResponse();
    bool closes = client.last_head().find("Connection: close") != std::string::npos;
    return response.substr(0, 3) + (closes ? " close" : "");
  };
  EXPECT_EQ(answer(Post("/echo", "", std::string(1000, 'x'))), "200");
  EXPECT_EQ(answer(Post("/echo", "", std::string(1001, 'x'))), "413 close");
  EXPECT_EQ(answer(Chunked("/echo", "", std::string(1001, 'x'), 100)), "413 close");
  EXPECT_EQ(answer(Post("/echo", "Content-Encoding: gzip\r\n", Gzip(std::string(1001, 'x')))),
            "413 close");
  EXPECT_EQ(answer(Post("/echo", "Content-Encoding: br\r\n", "x")), "415 close");
  EXPECT_EQ(answer("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n"),
            "431 close");
  EXPECT_EQ(answer("GET /../x HTTP/1.1\r\nHost: h\r\n\r\n"), "400 close");
  EXPECT_EQ(answer("junk\r\n\r\n"), "400 close");
}

TEST_F(HttpServerTest, UnreadBodyEndsTheConnectionAfterTheAnswer) {
  MakeEcho();
  Start();
  RawClient client(port());
  client.Send(Post("/work/ignore", "", "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_EQ(client.ReadResponse(), "200 ignored");
  EXPECT_EQ(client.ReadAll(), "") << "the body was read as a request";
}

TEST_F(HttpServerTest, ContinueIsSentBeforeTheBody) {
  MakeEcho();
  Start();
  RawClient client(port());
  for (const char* target : {"/echo", "/work/echo"}) {
    client.Send("POST " + std::string(target) +
                " HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.Send("body");
    EXPECT_EQ(client.ReadResponse(), "200 body");
  }
}

TEST_F(HttpServerTest, HeadHasTheHeadOnly) {
  MakeWatch();
  Start();
  RawClient client(port());
  client.Send("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(client.ReadUntil("\r\n\r\n").find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_EQ(client.Get("/hello"), "200 hello");
}

TEST_F(HttpServerTest, ReplyThatIsDroppedAnswers500) {
  Make().AddLoopHandler("/", [](IncomingRequest, std::unique_ptr<Reply>) {});
  server_->AddWorkerHandler("/work", [](Exchange&) {});
  Start();
  RawClient client(port());
  EXPECT_EQ(client.Get("/").substr(0, 3), "500");
  EXPECT_EQ(client.Get("/work").substr(0, 3), "500");
}

TEST_F(HttpServerTest, TwoHundredStreamsCostNoThread) {
  awaited_streams_ = 200;
  MakeWatch();
  Start();
  RawClient first(port());
  ASSERT_EQ(first.Get("/hello"), "200 hello");
  size_t threads_before = CountThreads();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (size_t i = 0; i < awaited_streams_; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    ASSERT_TRUE(clients.back()->Send(kWatch));
  }
  ASSERT_TRUE(AwaitStreams());
  EXPECT_EQ(CountThreads(), threads_before);
  EXPECT_EQ(first.Get("/hello"), "200 hello") << "while all streams are open";

  constexpr int kEvents = 20;
  OnLoop([&] {
    for (int i = 0; i < kEvents; ++i) {
      auto event = std::make_shared<const std::string>("event " + std::to_string(i) + "\n");
      for (const auto& stream : streams_) EXPECT_TRUE(stream->Write(event));
    }
    streams_.clear();  // ends them in good order
  });
  std::string expected;
  for (int i = 0; i < kEvents; ++i) expected += "event " + std::to_string(i) + "\n";
  for (const auto& client : clients) {
    std::string head = client->ReadUntil("\r\n\r\n");
    ASSERT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
    std::string content;
    for (;;) {
      size_t size = std::stoul(client->ReadUntil("\r\n"), nullptr, 16);
      content += client->ReadBytes(size);
      ASSERT_EQ(client->ReadBytes(2), "\r\n");
      if (size == 0) break;
    }
    ASSERT_EQ(content, expected);
  }
  EXPECT_EQ(clients.back()->Get("/hello"), "200 hello") << "a stream's end keeps the connection";
}

TEST_F(HttpServerTest, ClosedPeerIsToldToTheLoop) {
  MakeWatch();
  Start();
  auto client = std::make_unique<RawClient>(port());
  client->Send(kWatch);
  ASSERT_TRUE(AwaitStreams());
  std::promise<void> closed;
  OnLoop([&] { streams_.front()->OnClosed([&] { closed.set_value(); }); });
  client.reset();
  ASSERT_EQ(closed.get_future().wait_for(kTestWait), std::future_status::ready);
  EXPECT_FALSE(OnLoop([&] { return streams_.front()->Write("x"); }));

  std::promise<void> told_late;
  OnLoop([&] { streams_.front()->OnClosed([&] { told_late.set_value(); }); });
  EXPECT_EQ(told_late.get_future().wait_for(kTestWait), std::future_status::ready);
}

TEST_F(HttpServerTest, SlowReaderIsDroppedAtItsBacklogAndOthersAreNot) {
  awaited_streams_ = 2;
  MakeWatch();
  Start();
  RawClient::Options small;
  small.receive_buffer = 4096;
  RawClient slow(port(), small);
  slow.Send(kWatch);
  RawClient good(port());
  good.Send(kWatch);
  ASSERT_TRUE(AwaitStreams());
  std::promise<void> dropped;
  size_t accepted = OnLoop([&] {
    streams_[0]->OnClosed([&] { dropped.set_value(); });
    size_t total = 0;
    auto event = std::make_shared<const std::string>(64u << 10, 'x');
    // What the kernel's buffers swallow has a bound as well.
    while (total < 4 * kMaxStreamBacklog && streams_[0]->Write(event)) total += event->size();
    EXPECT_FALSE(streams_[0]->Write("x")) << "a stream with a hole takes nothing more";
    streams_[1]->Write("fine\n");
    return total;
  });
  EXPECT_GE(accepted, kMaxStreamBacklog - (64u << 10));
  EXPECT_LT(accepted, 4 * kMaxStreamBacklog);
  EXPECT_EQ(dropped.get_future().wait_for(kTestWait), std::future_status::ready);
  EXPECT_NE(good.ReadUntil("fine\n").find("fine\n"), std::string::npos);
}

TEST_F(HttpServerTest, SlowSendersHoldUpNobody) {
  options_.workers = 1;
  MakeEcho();
  Start();
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<RawClient>(port()));
    slow.back()->Send(i % 2 == 0
                          ? "POST /echo HTT"
                          : "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf");
  }
  RawClient client(port());
  client.Send(Post("/work/echo", "", "quick"));
  EXPECT_EQ(client.ReadResponse(), "200 quick");
  slow[1]->Send("again");
  EXPECT_EQ(slow[1]->ReadResponse(), "200 halfagain");
}

TEST_F(HttpServerTest, HalfAHeadTimesOutAndIdleConnectionsEnd) {
  options_.header_timeout = Duration::Millis(200);
  options_.idle_timeout = Duration::Millis(400);
  MakeEcho();
  Start();
  RawClient half(port());
  half.Send("GET /echo HT");
  EXPECT_EQ(half.ReadResponse().substr(0, 3), "408");
  RawClient idle(port());
  idle.Send(Post("/echo", "", "x"));
  EXPECT_EQ(idle.ReadResponse(), "200 x");
  EXPECT_EQ(idle.ReadAll(), "");
}

TEST_F(HttpServerTest, ConnectionsBeyondTheLimitAreRefusedUntilOneEnds) {
  options_.max_connections = 2;
  MakeEcho();
  Start();
  auto first = std::make_unique<RawClient>(port());
  RawClient second(port());
  EXPECT_EQ(first->Get("/echo") + second.Get("/echo"), "200 200 ");  // known from now on
  EXPECT_FALSE(RawClient(port()).connected());
  first.reset();
  // The server notices in its own time.
  bool connected = false;
  for (int i = 0; i < 1000 && !connected; ++i) connected = RawClient(port()).connected();
  EXPECT_TRUE(connected);
}

TEST_F(HttpServerTest, ClientCertificateIsOptionalAndVerified) {
  Make().AddLoopHandler("/", [](IncomingRequest incoming, std::unique_ptr<Reply> reply) {
    std::string who = "nobody";
    if (incoming.certificate) {
      who = incoming.certificate->common_name;
      for (const std::string& group : incoming.certificate->organizations) who += "/" + group;
    }
    reply->Send(Text(who));
  });
  Start();
  EXPECT_EQ(RawClient(port()).Get("/"), "200 nobody");

  KeyPair alice = Must(IssueClientCertificate(ca_, {"alice", {"a", "b"}}, validity_));
  RawClient good(port(), {ca_.cert_pem, alice.cert_pem, alice.key_pem, 0});
  EXPECT_EQ(good.Get("/"), "200 alice/a/b");

  KeyPair other_ca = Must(CreateCa("test-ca", validity_));
  KeyPair mallory = Must(IssueClientCertificate(other_ca, {"alice", {"a"}}, validity_));
  RawClient bad(port(), {"", mallory.cert_pem, mallory.key_pem, 0});
  EXPECT_EQ(bad.Get("/"), "nothing ");

  KeyPair server_as_client = server_keys_;
  RawClient misused(port(), {"", server_as_client.cert_pem, server_as_client.key_pem, 0});
  EXPECT_EQ(misused.Get("/"), "nothing ") << "a server's certificate is none for a client";

  RawClient distrustful(port(), {other_ca.cert_pem, "", "", 0});
  EXPECT_FALSE(distrustful.connected());
}

TEST_F(HttpServerTest, ResumedSessionKeepsItsCertificate) {
  Make().AddLoopHandler("/", [](IncomingRequest incoming, std::unique_ptr<Reply> reply) {
    reply->Send(Text(incoming.certificate ? incoming.certificate->common_name : "nobody"));
  });
  Start();
  KeyPair alice = Must(IssueClientCertificate(ca_, {"alice", {}}, validity_));
  // curl resumes the session on its second, fresh connection.
  std::string url = "https://localhost:" + std::to_string(port()) + "/";
  std::string directory = testing::TempDir() + "http_server_test_" + std::to_string(port());
  std::filesystem::create_directories(directory);
  auto write = [&](const std::string& name, const std::string& text) {
    std::FILE* file = std::fopen((directory + "/" + name).c_str(), "w");
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
    return directory + "/" + name;
  };
  std::string ca = write("ca", ca_.cert_pem);
  std::string cert = write("cert", alice.cert_pem);
  std::string key = write("key", alice.key_pem);
  Result<std::string> output =
      RunChecked({"curl", "-sS", "--noproxy", "*", "--cacert", ca, "--cert", cert, "--key", key,
                  "-H", "Connection: close", url, url, url});
  std::filesystem::remove_all(directory);
  ASSERT_TRUE(output.ok()) << output.status().ToString();
  EXPECT_EQ(*output, "alicealicealice");
}

TEST_F(HttpServerTest, OnlyHttp11AndTls12AreNegotiated) {
  MakeEcho();
  Start();
  auto handshake = [&](std::string_view protocols, int version) {
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_max_proto_version(context.get(), version);
    SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned int>(protocols.size()));
    UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
    Owned<SSL> ssl(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), fd.get());
    if (SSL_connect(ssl.get()) != 1) return std::string("refused");
    const unsigned char* chosen = nullptr;
    unsigned int length = 0;
    SSL_get0_alpn_selected(ssl.get(), &chosen, &length);
    return std::string(reinterpret_cast<const char*>(chosen), length);
  };
  EXPECT_EQ(handshake("\x02h2\x08http/1.1", TLS1_3_VERSION), "http/1.1");
  EXPECT_EQ(handshake("\x08http/1.1", TLS1_2_VERSION), "http/1.1");
  EXPECT_EQ(handshake("\x02h2", TLS1_3_VERSION), "refused");
  EXPECT_EQ(handshake("\x08http/1.1", TLS1_1_VERSION), "refused");
}

TEST_F(HttpServerTest, PlainHttpIsToldToUseHttps) {
  MakeEcho();
  Start();
  std::string url = "http://127.0.0.1:" + std::to_string(port()) + "/";
  Result<std::string> output =
      RunChecked({"curl", "-sS", "--noproxy", "*", "-w", "%{http_code}", url});
  ASSERT_TRUE(output.ok()) << output.status().ToString();
  EXPECT_EQ(*output, "This port speaks HTTPS: use https:// in the URL.\n400");
}

TEST_F(HttpServerTest, ReloadServesNewCertificatesToNewConnections) {
  MakeWatch();
  Start();
  auto serial = [](RawClient& client) {
    Owned<X509> certificate(SSL_get1_peer_certificate(client.ssl()));
    return Sha256Hex(DerOf(certificate.get()));
  };
  RawClient before(port());
  KeyPair fresh = Must(IssueServerCertificate(ca_, {"localhost"}, validity_));
  ASSERT_TRUE(server_->Reload(fresh.cert_pem, fresh.key_pem).ok());
  RawClient after(port());
  EXPECT_NE(serial(before), serial(after));
  EXPECT_EQ("sha256:" + serial(after), Must(CertificateDigest(fresh.cert_pem)));
  EXPECT_EQ(before.Get("/hello"), "200 hello");
  EXPECT_EQ(server_->Reload(fresh.cert_pem, server_keys_.key_pem).code(), Code::kInvalid);
  EXPECT_EQ(RawClient(port()).Get("/hello"), "200 hello") << "a bad pair changes nothing";
}

TEST_F(HttpServerTest, WorkerStreamsWithoutHoldingTheWholeAnswer) {
  std::atomic<size_t> written{0};
  Make().AddWorkerHandler("/pack", [&](Exchange& exchange) {
    HttpResponse head;
    exchange.Stream(head, [&](const std::function<bool(std::string_view)>& write) {
      const std::string piece(100'000, 'p');
      for (int i = 0; i < 300 && write(piece); ++i) written += piece.size();
    });
  });
  Start();
  RawClient::Options small;
  small.receive_buffer = 4096;
  RawClient client(port(), small);
  client.Send("GET /pack HTTP/1.0\r\n\r\n");
  EXPECT_NE(client.ReadUntil("\r\n\r\n").find("Connection: close"), std::string::npos);
  std::string content = client.ReadAll();
  EXPECT_EQ(content.size(), 30'000'000u);
  EXPECT_EQ(content.find_first_not_of('p'), std::string::npos);

  auto leaver = std::make_unique<RawClient>(port(), small);
  written = 0;
  leaver->Send("GET /pack HTTP/1.1\r\nHost: h\r\n\r\n");
  leaver->ReadUntil("\r\n\r\n");
  leaver.reset();
  server_->Stop();  // waits for the worker, which must have been told
  EXPECT_LT(written, 30'000'000u);
}

TEST_F(HttpServerTest, WorkerIsToldWhenItsClientLeavesMidBody) {
  std::promise<void> half_read;
  std::promise<Status> result;
  Make().AddWorkerHandler("/", [&](Exchange& exchange) {
    result.set_value(exchange.ReadBody(1000, [&](std::string_view) {
      half_read.set_value();
      return true;
    }));
  });
  Start();
  auto client = std::make_unique<RawClient>(port());
  client->Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf");
  // Before that, its leaving could overtake its request.
  ASSERT_EQ(half_read.get_future().wait_for(kTestWait), std::future_status::ready);
  client.reset();
  auto future = result.get_future();
  ASSERT_EQ(future.wait_for(kTestWait), std::future_status::ready);
  EXPECT_EQ(future.get().code(), Code::kUnavailable);
}

TEST_F(HttpServerTest, WorkerBodyBeyondItsLimitIsTooLarge) {
  Make().AddWorkerHandler("/", [&](Exchange& exchange) {
    Status status = exchange.ReadBody(1000, [](std::string_view) { return true; });
    exchange.Send(FailureResponse(status));
  });
  Start();
  for (const std::string& request :
       {Post("/", "", std::string(1001, 'x')),
        Post("/", "Content-Encoding: gzip\r\n", Gzip(std::string(100'000, 'x')))}) {
    RawClient client(port());
    client.Send(request);
    EXPECT_EQ(client.ReadResponse().substr(0, 3), "413");
  }
}

TEST_F(HttpServerTest, StopReturnsWithOpenStreamsAndUnansweredRequests) {
  MakeWatch();
  std::promise<void> asked;
  std::unique_ptr<Reply> unanswered;  // the loop's
  server_->AddLoopHandler("/later", [&](IncomingRequest, std::unique_ptr<Reply> reply) {
    unanswered = std::move(reply);
    asked.set_value();
  });
  Start();
  RawClient watcher(port());
  watcher.Send(kWatch);
  RawClient waiter(port());
  waiter.Send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(AwaitStreams());
  ASSERT_EQ(asked.get_future().wait_for(kTestWait), std::future_status::ready);
  std::promise<void> closed;
  OnLoop([&] { streams_.front()->OnClosed([&] { closed.set_value(); }); });
  server_->Stop();
  EXPECT_EQ(closed.get_future().wait_for(kTestWait), std::future_status::ready);
  OnLoop([&] {
    EXPECT_FALSE(streams_.front()->Write("x"));
    std::exchange(unanswered, nullptr)->Send(Text("into the void"));
  });
  EXPECT_EQ(waiter.ReadAll(), "");
}

TEST_F(HttpServerTest, TakenPortSaysWhatToDo) {
  MakeEcho();
  Start();
  options_.port = port();
  Status status = HttpServer::Create(loop_, options_)->Start();
  EXPECT_EQ(status.ToString(), "ServiceUnavailable: port " + std::to_string(port()) +
                                   " is taken by another program; stop it, or choose another "
                                   "address with --listen");
}

}  // namespace
}  // namespace base
