#include "servicemesh/edge/dns_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/edge/files.h"
#include "servicemesh/edge/dns_exchange.h"
#include "servicemesh/testing/mesh_text.h"

namespace servicemesh {
namespace {

constexpr int kAnswerMillis = 20'000;  // an answer that must come

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// From 127.0.0.HOST.
base::UniqueFd Connected(int type, uint16_t port, uint32_t host = 1) {
  base::UniqueFd fd(socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in own = Loopback(0);
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof(own)), 0);
  const sockaddr_in address = Loopback(port);
  EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

bool Readable(int fd, int millis = kAnswerMillis) {
  pollfd wait{fd, POLLIN, 0};
  return poll(&wait, 1, millis) == 1;
}

void SendTcp(int fd, const std::string& message) {
  std::string framed = {static_cast<char>(message.size() >> 8),
                        static_cast<char>(message.size() & 0xff)};
  framed += message;
  EXPECT_EQ(send(fd, framed.data(), framed.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(framed.size()));
}

// One message; "" at the end of the connection.
std::string ReceiveTcp(int fd) {
  std::string in;
  while (in.size() < 2 ||
         in.size() < 2u + (static_cast<uint8_t>(in[0]) << 8 | static_cast<uint8_t>(in[1]))) {
    char byte;
    if (!Readable(fd) || recv(fd, &byte, 1, 0) != 1) return "";
    in += byte;
  }
  return in.substr(2);
}

std::string Tell(const std::string& message) {
  const base::Result<DnsReply> reply = ParseReply(message);
  if (!reply.ok()) return std::string(reply.status().message());
  std::string text = "code " + std::to_string(static_cast<int>(reply->answer.code));
  if (reply->answer.truncated) text += " truncated";
  for (const DnsRecord& record : reply->answer.answers) text += "; " + record.ToString();
  return text;
}

// Answers for example.com over UDP and TCP, each name in its own way.
class FakeUpstream {
 public:
  FakeUpstream() : stop_(eventfd(0, EFD_CLOEXEC)) {
    tcp_.Reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    udp_.Reset(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = Loopback(0);
    socklen_t length = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(tcp_.get(), raw, length), 0);
    EXPECT_EQ(listen(tcp_.get(), 16), 0);
    EXPECT_EQ(getsockname(tcp_.get(), raw, &length), 0);
    EXPECT_EQ(bind(udp_.get(), raw, length), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~FakeUpstream() {
    const uint64_t one = 1;
    EXPECT_EQ(write(stop_.get(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
    thread_.join();
  }

  uint16_t port() const { return port_; }
  int asked() const { return asked_; }

 private:
  void Serve() {
    for (;;) {
      pollfd polls[] = {{stop_.get(), POLLIN, 0}, {udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}};
      if (poll(polls, 3, -1) < 0) continue;
      if (polls[0].revents != 0) return;
      if (polls[1].revents != 0) ServeUdp();
      if (polls[2].revents != 0) ServeTcp();
    }
  }

  void ServeUdp() {
    char buffer[4096];
    sockaddr_in from{};
    socklen_t length = sizeof(from);
    auto* raw = reinterpret_cast<sockaddr*>(&from);
    const ssize_t got = recvfrom(udp_.get(), buffer, sizeof(buffer), 0, raw, &length);
    if (got < 0) return;
    const auto send_back = [&](const std::string& reply) {
      sendto(udp_.get(), reply.data(), reply.size(), 0, raw, length);
    };
    ++asked_;
    const base::Result<DnsQuery> query = ParseQuery({buffer, static_cast<size_t>(got)});
    ASSERT_TRUE(query.ok());
    const std::string& name = query->question.name;
    if (name == "silent.example.com") return;
    if (name == "flaky.example.com" && asked_ == 1) return;
    if (name == "forged.example.com") {
      DnsQuery forged = *query;
      forged.id ^= 1;
      send_back(BuildResponse(forged, Answer(name, "192.0.2.66"), 512));
      forged = *query;
      forged.question.name = "other.example.com";
      send_back(BuildResponse(forged, Answer(name, "192.0.2.66"), 512));
      send_back("nonsense");
    }
    send_back(BuildResponse(*query, Answer(name, "192.0.2.80"), 512));
  }

  void ServeTcp() {
    base::UniqueFd fd(accept(tcp_.get(), nullptr, nullptr));
    const base::Result<DnsQuery> query = ParseQuery(ReceiveTcp(fd.get()));
    ++asked_;
    ASSERT_TRUE(query.ok());
    SendTcp(fd.get(),
            BuildResponse(*query, Answer(query->question.name, "192.0.2.80"), kMaxDnsMessage));
  }

  static DnsAnswer Answer(const std::string& name, const std::string& ip) {
    DnsAnswer answer;
    if (name == "fails.example.com") answer.code = DnsCode::kServFail;
    if (name == "missing.example.com") answer.code = DnsCode::kNxDomain;
    if (answer.code != DnsCode::kNoError) return answer;
    DnsRecord record;
    record.name = name;
    record.ip = *Ipv4::Parse(ip);
    for (int i = 0; i < (name == "big.example.com" ? 100 : 1); ++i)
      answer.answers.push_back(record);
    return answer;
  }

  base::UniqueFd stop_;
  base::UniqueFd tcp_;
  base::UniqueFd udp_;
  uint16_t port_ = 0;
  std::atomic<int> asked_{0};
  std::thread thread_;
};

std::shared_ptr<const DnsView> View(const std::string& text) {
  return std::make_shared<DnsView>(std::make_shared<MeshInput>(MeshFromText(text)));
}

class DnsServerTest : public testing::Test {
 protected:
  void SetUp() override { Start(base::Duration::Seconds(10)); }

  void Start(base::Duration timeout, std::vector<std::string> upstreams = {"127.0.0.1"}) {
    server_.reset();
    DnsServerOptions& options = options_;
    options.listen = {*Ipv4::Parse("127.0.0.1")};
    options.port = 0;
    options.upstreams = std::move(upstreams);
    options.upstream_port = upstream_.port();
    options.upstream_timeout = timeout;
    base::Result<std::unique_ptr<DnsServer>> server = DnsServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
    std::string big = "service d/big headless\n tcp/80=web";
    for (int i = 1; i < 200; ++i) big += " 10.88.1." + std::to_string(i) + ":80";
    server_->Publish(View(big + "\nservice d/gone external=missing.example.com\n"
                                "service d/out external=www.example.com\n"
                                "service d/web 10.96.0.1\n tcp/80 10.88.1.2:80\n"));
  }

  std::string AskRaw(const std::string& message) {
    const base::UniqueFd fd = Connected(SOCK_DGRAM, server_->port());
    EXPECT_EQ(send(fd.get(), message.data(), message.size(), 0),
              static_cast<ssize_t>(message.size()));
    char buffer[kMaxDnsMessage];
    if (!Readable(fd.get())) return "";
    const ssize_t got = recv(fd.get(), buffer, sizeof(buffer), 0);
    return got > 0 ? std::string(buffer, static_cast<size_t>(got)) : "";
  }
  std::string Ask(const std::string& name, DnsType type = DnsType::kA) {
    const std::string reply = AskRaw(BuildQuery(0xabcd, {name, type, 1}));
    EXPECT_EQ(reply.substr(0, 2), "\xab\xcd");
    return Tell(reply);
  }
  std::string AskTcp(const std::string& name) {
    const base::UniqueFd fd = Connected(SOCK_STREAM, server_->port());
    SendTcp(fd.get(), BuildQuery(0xabcd, {name, DnsType::kA, 1}));
    return Tell(ReceiveTcp(fd.get()));
  }

  FakeUpstream upstream_;
  DnsServerOptions options_;
  std::unique_ptr<DnsServer> server_;
};

TEST_F(DnsServerTest, ClusterNamesAreAnsweredFromTheView) {
  EXPECT_EQ(Ask("web.d.svc.cluster.local"), "code 0; web.d.svc.cluster.local A 10.96.0.1");
  EXPECT_EQ(AskTcp("web.d.svc.cluster.local"), "code 0; web.d.svc.cluster.local A 10.96.0.1");
  EXPECT_EQ(Ask("nothing.d.svc.cluster.local"), "code 3");
  EXPECT_EQ(upstream_.asked(), 0);
}

TEST_F(DnsServerTest, PublishedViewIsTheOneAnsweredFrom) {
  server_->Publish(View("service d/web 10.96.0.7\n tcp/80 10.88.1.2:80\n"));
  EXPECT_EQ(Ask("web.d.svc.cluster.local"), "code 0; web.d.svc.cluster.local A 10.96.0.7");
}

TEST_F(DnsServerTest, WithoutAViewItDoesNotClaimAbsence) {
  server_->Publish(nullptr);
  EXPECT_EQ(Ask("web.d.svc.cluster.local"), "code 2");
  EXPECT_EQ(server_->failures(), 1u);
}

TEST_F(DnsServerTest, OtherNamesAreAskedUpstream) {
  EXPECT_EQ(Ask("www.example.com"), "code 0; www.example.com A 192.0.2.80");
  EXPECT_EQ(Ask("missing.example.com"), "code 3");
  EXPECT_EQ(AskTcp("www.example.com"), "code 0; www.example.com A 192.0.2.80");
  EXPECT_EQ(upstream_.asked(), 3);
}

TEST_F(DnsServerTest, ForgedRepliesAreNotBelieved) {
  EXPECT_EQ(Ask("forged.example.com"), "code 0; forged.example.com A 192.0.2.80");
}

TEST_F(DnsServerTest, AliasOutOfTheClusterIsFollowed) {
  EXPECT_EQ(Ask("out.d.svc.cluster.local"),
            "code 0; out.d.svc.cluster.local CNAME www.example.com; www.example.com A 192.0.2.80");
  EXPECT_EQ(Ask("gone.d.svc.cluster.local"),
            "code 3; gone.d.svc.cluster.local CNAME missing.example.com");
}

TEST_F(DnsServerTest, SilentUpstreamIsAskedAgainThenItIsAFailure) {
  Start(base::Duration::Millis(50));
  EXPECT_EQ(Ask("silent.example.com"), "code 2");
  EXPECT_EQ(upstream_.asked(), 2);
}

TEST_F(DnsServerTest, LostDatagramIsAskedForAgain) {
  Start(base::Duration::Millis(200));
  EXPECT_EQ(Ask("flaky.example.com"), "code 0; flaky.example.com A 192.0.2.80");
}

TEST_F(DnsServerTest, NextUpstreamIsAskedWhenOneIsAway) {
  // Nothing listens at the first address.
  Start(base::Duration::Seconds(10), {"127.0.0.9", "127.0.0.1"});
  EXPECT_EQ(Ask("www.example.com"), "code 0; www.example.com A 192.0.2.80");
  EXPECT_EQ(AskTcp("www.example.com"), "code 0; www.example.com A 192.0.2.80");
}

TEST_F(DnsServerTest, FailureOfTheOnlyUpstreamIsPassedOn) {
  EXPECT_EQ(Ask("fails.example.com"), "code 2");
}

TEST_F(DnsServerTest, WithoutUpstreamsOtherNamesFail) {
  Start(base::Duration::Seconds(10), {});
  EXPECT_EQ(Ask("www.example.com"), "code 2");
}

TEST_F(DnsServerTest, LargeAnswerIsCutOnUdpAndWholeOnTcp) {
  const std::string udp = Ask("big.d.svc.cluster.local");
  EXPECT_EQ(udp.substr(0, 17), "code 0 truncated;");
  EXPECT_LT(udp.size(), 5000u);
  const std::string tcp = AskTcp("big.d.svc.cluster.local");
  EXPECT_EQ(tcp.substr(0, 7), "code 0;");
  EXPECT_EQ(std::count(tcp.begin(), tcp.end(), ';'), 199);
  EXPECT_EQ(Ask("big.example.com").substr(0, 17), "code 0 truncated;");
  const std::string far = AskTcp("big.example.com");
  EXPECT_EQ(std::count(far.begin(), far.end(), ';'), 100);
}

TEST_F(DnsServerTest, BadQuestionsAreAnsweredAsSuch) {
  std::string query = BuildQuery(7, {"web.d.svc.cluster.local", DnsType::kA, 1});
  EXPECT_EQ(Tell(AskRaw(query.substr(0, 20))), "code 1");
  std::string notify = query;
  notify[2] = 0x20;
  EXPECT_EQ(Tell(AskRaw(notify)), "code 4");
  EXPECT_EQ(Ask("cluster.local", static_cast<DnsType>(252)), "code 5");
}

TEST_F(DnsServerTest, WhatIsNoQueryGetsNoAnswer) {
  const base::UniqueFd fd = Connected(SOCK_DGRAM, server_->port());
  const std::string response =
      BuildResponse(*ParseQuery(BuildQuery(7, {"a", DnsType::kA, 1})), DnsAnswer(), 512);
  send(fd.get(), response.data(), response.size(), 0);
  send(fd.get(), "?", 1, 0);
  const std::string query = BuildQuery(8, {"web.d.svc.cluster.local", DnsType::kA, 1});
  send(fd.get(), query.data(), query.size(), 0);
  char buffer[512];
  ASSERT_TRUE(Readable(fd.get()));
  const ssize_t got = recv(fd.get(), buffer, sizeof(buffer), 0);
  ASSERT_GT(got, 2);
  EXPECT_EQ(buffer[1], 8);  // the first that came is the answer to the query
}

TEST_F(DnsServerTest, QuestionsOfOneConnectionAreAnsweredTogether) {
  const base::UniqueFd fd = Connected(SOCK_STREAM, server_->port());
  std::map<uint16_t, std::string> wanted;
  for (uint16_t id = 0; id < 40; ++id) {
    const bool far = id % 2 == 0;
    const std::string name = far ? "www.example.com" : "web.d.svc.cluster.local";
    SendTcp(fd.get(), BuildQuery(id, {name, DnsType::kA, 1}));
    wanted[id] = "code 0; " + name + " A " + (far ? "192.0.2.80" : "10.96.0.1");
  }
  std::map<uint16_t, std::string> got;
  for (int i = 0; i < 40; ++i) {
    const std::string message = ReceiveTcp(fd.get());
    ASSERT_GT(message.size(), 12u);
    got[static_cast<uint16_t>(static_cast<uint8_t>(message[0]) << 8 |
                              static_cast<uint8_t>(message[1]))] = Tell(message);
  }
  EXPECT_EQ(got, wanted);
}

TEST_F(DnsServerTest, WhoIsNoClientHearsNothing) {
  options_.clients = {base::Cidr(Ipv4::Parse("127.0.0.1")->bits, 32)};
  Start(base::Duration::Seconds(10));
  for (const std::string name : {"web.d.svc.cluster.local", "www.example.com"}) {
    const std::string query = BuildQuery(7, {name, DnsType::kA, 1});
    const base::UniqueFd udp = Connected(SOCK_DGRAM, server_->port(), 2);
    ASSERT_GT(send(udp.get(), query.data(), query.size(), 0), 0);
    const base::UniqueFd tcp = Connected(SOCK_STREAM, server_->port(), 2);
    EXPECT_EQ(ReceiveTcp(tcp.get()), "");
    EXPECT_EQ(Ask(name).substr(0, 7), "code 0;");
    EXPECT_FALSE(Readable(udp.get(), 0)) << "it was asked before";
  }
  EXPECT_EQ(server_->queries(), 2u);
}

TEST_F(DnsServerTest, OneAddressHoldsItsShareOfConnections) {
  const std::string query = BuildQuery(1, {"web.d.svc.cluster.local", DnsType::kA, 1});
  std::vector<base::UniqueFd> open;
  for (size_t i = 0; i < kMaxDnsTcpPerClient; ++i) {
    open.push_back(Connected(SOCK_STREAM, server_->port(), 2));
    SendTcp(open.back().get(), query);
    ASSERT_NE(ReceiveTcp(open.back().get()), "");
  }
  const base::UniqueFd one_more = Connected(SOCK_STREAM, server_->port(), 2);
  EXPECT_EQ(ReceiveTcp(one_more.get()), "");
  const base::UniqueFd other = Connected(SOCK_STREAM, server_->port(), 3);
  SendTcp(other.get(), query);
  EXPECT_NE(ReceiveTcp(other.get()), "");
}

TEST_F(DnsServerTest, ConnectionsBeyondTheLimitAreClosed) {
  std::vector<base::UniqueFd> open;
  for (size_t i = 0; i < kMaxDnsTcpConnections; ++i) {
    const auto host = static_cast<uint32_t>(2 + i / kMaxDnsTcpPerClient);
    open.push_back(Connected(SOCK_STREAM, server_->port(), host));
    SendTcp(open.back().get(), BuildQuery(1, {"web.d.svc.cluster.local", DnsType::kA, 1}));
    ASSERT_NE(ReceiveTcp(open.back().get()), "");
  }
  const base::UniqueFd one_more = Connected(SOCK_STREAM, server_->port());
  EXPECT_EQ(ReceiveTcp(one_more.get()), "");
  open.pop_back();
  // The place is free once the server has seen the end of the other.
  std::string answer;
  while (answer.empty()) {
    const base::UniqueFd fd = Connected(SOCK_STREAM, server_->port());
    const std::string query = BuildQuery(1, {"web.d.svc.cluster.local", DnsType::kA, 1});
    const std::string framed = std::string(1, '\0') + static_cast<char>(query.size()) + query;
    send(fd.get(), framed.data(), framed.size(), MSG_NOSIGNAL);
    answer = ReceiveTcp(fd.get());
  }
  EXPECT_EQ(Tell(answer), "code 0; web.d.svc.cluster.local A 10.96.0.1");
}

TEST_F(DnsServerTest, QuestionsUnderWayAreBounded) {
  Start(base::Duration::Minutes(1));
  const base::UniqueFd fd = Connected(SOCK_DGRAM, server_->port());
  for (size_t i = 0; i <= kMaxDnsInFlight; ++i) {
    const std::string query =
        BuildQuery(static_cast<uint16_t>(i), {"silent.example.com", DnsType::kA, 1});
    ASSERT_GT(send(fd.get(), query.data(), query.size(), 0), 0);
    // Each is taken before the next is sent, so that none is lost to a full buffer.
    while (server_->queries() <= i) std::this_thread::yield();
  }
  char buffer[512];
  ASSERT_TRUE(Readable(fd.get()));
  const ssize_t got = recv(fd.get(), buffer, sizeof(buffer), 0);
  EXPECT_EQ(Tell({buffer, static_cast<size_t>(got)}), "code 2");
  EXPECT_EQ(Ask("web.d.svc.cluster.local"), "code 0; web.d.svc.cluster.local A 10.96.0.1");
}

TEST_F(DnsServerTest, TakenAddressIsSaid) {
  DnsServerOptions options;
  options.listen = {*Ipv4::Parse("127.0.0.1")};
  options.port = server_->port();
  const auto second = DnsServer::Start(options);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().message(),
            "DNS: listen on 127.0.0.1:" + std::to_string(server_->port()) +
                " (stop what else answers DNS there): Address already in use");
}

}  // namespace
}  // namespace servicemesh
