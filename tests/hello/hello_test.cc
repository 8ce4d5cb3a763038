#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "plumb/dev/forwarder.h"
#include "tests/hello/dns.h"

namespace hello {
namespace {

base::RunOutput RunHello(std::vector<std::string> args) {
  base::ProcessOptions options;
  options.argv = {HELLO_BINARY};
  options.argv.insert(options.argv.end(), args.begin(), args.end());
  base::Result<base::RunOutput> output = base::RunProcess(options, "", base::Duration::Seconds(60));
  EXPECT_TRUE(output.ok()) << output.status().ToString();
  return output.ok() ? *output : base::RunOutput();
}

// hello serve, or another mode that listens, on a free port of loopback, ended with the test.
class RunningServer {
 public:
  explicit RunningServer(std::vector<std::string> environment, std::string mode = "serve")
      : port_(*plumb::FindFreePort()) {
    int pipes[2];
    EXPECT_EQ(pipe(pipes), 0);
    base::UniqueFd read_end(pipes[0]), write_end(pipes[1]);
    base::ProcessOptions options;
    options.argv = {HELLO_BINARY, std::move(mode)};
    environment.push_back("PORT=" + std::to_string(port_));
    options.environment = environment;
    options.output = write_end.get();
    base::Result<base::Process> process = base::Process::Start(options);
    EXPECT_TRUE(process.ok()) << process.status().ToString();
    process_.emplace(*std::move(process));
    char line[100];
    EXPECT_GT(read(read_end.get(), line, sizeof(line)), 0);  // "listens": from now on it accepts
    output_ = std::move(read_end);
  }
  std::string Url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  uint16_t port() const { return port_; }
  base::Process& process() { return *process_; }
  // What it printed, up to the end of `last`.
  std::string PrintedUntil(const std::string& last) {
    std::string text;
    char byte;
    while (!text.ends_with(last) && read(output_.get(), &byte, 1) == 1) text += byte;
    return text;
  }

 private:
  uint16_t port_;
  std::optional<base::Process> process_;
  base::UniqueFd output_;
};

std::string WithoutHost(std::string text) {
  char host[256] = "";
  gethostname(host, sizeof(host));
  for (size_t at; (at = text.find(host)) != std::string::npos;) text.replace(at, strlen(host), "H");
  return text;
}

TEST(Hello, AnswersWithVersionHostAndMessage) {
  RunningServer server({"VERSION=7", "MESSAGE=good day"});
  base::RunOutput output = RunHello({"get", server.Url("/a/b")});
  EXPECT_EQ(WithoutHost(output.output),
            "hello from H, version 7\npath /a/b\ngood day\n"
            "1 requests, 0 failed\nversion 7: 1\nhost H: 1\n");
  EXPECT_EQ(output.exit.code, 0);
}

TEST(Hello, CountsEveryRequestOfManyThreads) {
  RunningServer server({"VERSION=1"});
  base::RunOutput output =
      RunHello({"get", server.Url("/"), "--count", "2000", "--concurrency", "16"});
  EXPECT_EQ(WithoutHost(output.output), "2000 requests, 0 failed\nversion 1: 2000\nhost H: 2000\n");
}

TEST(Hello, IsNotReadyBeforeItsDelay) {
  RunningServer server({"READY_DELAY_MS=100000"});
  base::RunOutput output = RunHello({"get", server.Url("/healthz")});
  EXPECT_EQ(output.output, "1 requests, 1 failed\n");
  EXPECT_NE(output.error.find("answered HTTP/1.1 503 Service Unavailable"), std::string::npos);
  EXPECT_EQ(output.exit.code, 1);
}

TEST(Hello, CrashesWhenAsked) {
  RunningServer server({});
  EXPECT_EQ(RunHello({"get", server.Url("/crash")}).exit.code, 1);
  EXPECT_EQ(server.process().Wait().code, 1);
}

TEST(Hello, RefusedConnectionIsAFailure) {
  base::RunOutput output = RunHello(
      {"get", "http://127.0.0.1:" + std::to_string(*plumb::FindFreePort()), "--count", "3"});
  EXPECT_EQ(output.output, "3 requests, 3 failed\n");
}

// A client's connection, made before the server is asked to end.
class Client {
 public:
  explicit Client(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  void Send(const std::string& text) {
    EXPECT_EQ(send(fd_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  std::string ReadAll() {
    std::string all;
    char buffer[4096];
    ssize_t size;
    while ((size = recv(fd_.get(), buffer, sizeof(buffer), 0)) > 0) all.append(buffer, size);
    return size < 0 ? "reset" : all.substr(0, all.find("\r\n"));
  }

 private:
  base::UniqueFd fd_;
};

TEST(Hello, FinishesRequestsUnderWayWhenAskedToEnd) {
  RunningServer server({});
  Client slow(server.port());
  Client not_yet_asked(server.port());
  slow.Send("GET /slow?ms=300 HTTP/1.1\r\n\r\n");
  RunHello({"get", server.Url("/")});  // the server has read what was sent before
  server.process().Signal(SIGTERM);
  not_yet_asked.Send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(slow.ReadAll(), "HTTP/1.1 200 OK");
  EXPECT_EQ(not_yet_asked.ReadAll(), "HTTP/1.1 200 OK");
  EXPECT_EQ(server.process().Wait().code, 0);
}

TEST(Hello, AnswersAClientThatEndsItsSideFirst) {
  RunningServer server({});
  Client client(server.port());
  client.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.ReadAll(), "HTTP/1.1 200 OK");
}

TEST(HelloDns, NdotsDecidesWhichNameIsAskedFirst) {
  ResolverConfig config =
      ParseResolvConf("nameserver 10.0.0.1\nsearch a.local b.local\noptions ndots:2 timeout:1\n");
  auto joined = [&](const char* name) {
    std::string text;
    for (const std::string& candidate : CandidateNames(config, name)) text += candidate + " ";
    return text;
  };
  EXPECT_EQ(joined("web"), "web.a.local web.b.local web ");
  EXPECT_EQ(joined("web.x"), "web.x.a.local web.x.b.local web.x ");
  EXPECT_EQ(joined("web.x.svc"), "web.x.svc web.x.svc.a.local web.x.svc.b.local ");
  EXPECT_EQ(joined("web."), "web ");
}

TEST(HelloDns, RefusesAnswersThatPointInCircles) {
  std::string packet = EncodeQuery(7, "a", RecordType::kA);
  packet[2] = static_cast<char>(0x81);
  packet[7] = 1;                         // one answer,
  packet += std::string("\xc0\x13", 2);  // whose name is a pointer to itself
  packet += std::string(20, '\0');
  Answer answer;
  EXPECT_FALSE(DecodeAnswer(packet, 7, RecordType::kA, &answer));
}

// A DNS server of one datagram socket that knows svc.a.local: a CNAME, an A and an SRV record.
class FakeDns {
 public:
  FakeDns() : fd_(socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    socklen_t length = sizeof(address);
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    server_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { Serve(); });
  }
  ~FakeDns() {
    shutdown(fd_.get(), SHUT_RDWR);
    thread_.join();
  }
  const std::string& server() const { return server_; }

 private:
  void Serve() {
    char buffer[512];
    sockaddr_in peer{};
    socklen_t length = sizeof(peer);
    ssize_t size;
    while ((size = recvfrom(fd_.get(), buffer, sizeof(buffer), 0,
                            reinterpret_cast<sockaddr*>(&peer), &length)) > 0) {
      std::string reply(buffer, static_cast<size_t>(size));
      bool known = reply.find(std::string("\3svc\1a\5local\0", 13)) == 12;
      bool srv = reply[reply.size() - 3] == 33;
      reply[2] = static_cast<char>(0x81);
      reply[3] = static_cast<char>(known ? 0x80 : 0x83);
      reply[7] = known ? 2 : 0;
      if (known) {
        reply += std::string("\xc0\x0c\0\5\0\1\0\0\0\5\0\2\xc0\x0c", 14);
        reply += srv ? std::string("\xc0\x0c\0\41\0\1\0\0\0\5\0\10\0\1\0\2\0\120\xc0\x0c", 20)
                     : std::string("\xc0\x0c\0\1\0\1\0\0\0\5\0\4\12\1\2\3", 16);
      }
      sendto(fd_.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&peer), length);
    }
  }

  base::UniqueFd fd_;
  std::string server_;
  std::thread thread_;
};

TEST(HelloReceive, PrintsWhatCameAndFailsAsOftenAsAsked) {
  RunningServer server({"FAIL_FIRST=1"}, "receive");
  const std::string request =
      "POST /hook HTTP/1.1\r\nHost: h\r\nwebhook-id: a\r\nContent-Length: 5\r\n"
      "Webhook-Signature: v1,x\r\n\r\n{1}";
  for (const std::string answer : {"HTTP/1.1 503 Not Now", "HTTP/1.1 204 No Content"}) {
    Client client(server.port());
    client.Send(request);
    client.Send("\r\n");  // the body's last bytes
    EXPECT_EQ(client.ReadAll(), answer);
    const std::string code = answer.substr(9, 3);
    EXPECT_EQ(server.PrintedUntil("answered " + code + "\n"),
              "POST /hook\nwebhook-id: a\nWebhook-Signature: v1,x\nbody: {1}\r\n\nanswered " +
                  code + "\n");
  }
}

TEST(HelloDns, ReadsAddressesBehindAnAliasAndServices) {
  FakeDns dns;
  EXPECT_EQ(RunHello({"dns", "--server", dns.server(), "svc.a.local"}).output, "10.1.2.3\n");
  EXPECT_EQ(RunHello({"dns", "--type", "SRV", "--server", dns.server(), "svc.a.local."}).output,
            "1 2 80 svc.a.local.\n");
}

TEST(HelloDns, AppliesSearchDomains) {
  FakeDns dns;
  ResolverConfig config;
  config.servers = {dns.server()};
  config.searches = {"b.local", "a.local"};
  std::string error;
  std::vector<std::string> records = Resolve(config, "svc", RecordType::kA, &error);
  EXPECT_EQ(records, std::vector<std::string>{"10.1.2.3"});
  EXPECT_TRUE(Resolve(config, "other", RecordType::kA, &error).empty());
  EXPECT_EQ(error, "no such name");
}

}  // namespace
}  // namespace hello
