// The real server with few descriptors, and clients that hold as many connections as they like.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/edge/descriptors.h"
#include "base/edge/files.h"
#include "tests/support/api_connection.h"
#include "tests/support/plumb_process.h"

namespace {

using testsupport::ApiConnection;
using testsupport::ApiTrust;
using testsupport::PlumbProcess;

constexpr int kDescriptors = 256;
constexpr int kSilentConnections = 400;  // to each port
constexpr int kWrites = 24;              // of 1 MB: LevelDB begins a new log after 16 MiB
constexpr int kPatienceSeconds = 60;     // only a failing test waits so long

base::UniqueFd Connect(int port) {
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  timeval patience{kPatienceSeconds, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) fd.Reset();
  return fd;
}

// As an agent does before its first call: TLS with a certificate of the cluster's, then HTTP/2.
std::string AgentsHandshake(const ApiTrust& trust, int port) {
  const base::UniqueFd fd = Connect(port);
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(trust.context()), SSL_free);
  SSL_set_fd(ssl.get(), fd.get());
  const unsigned char protocol[] = {2, 'h', '2'};
  SSL_set_alpn_protos(ssl.get(), protocol, sizeof(protocol));
  if (SSL_connect(ssl.get()) != 1) return "no handshake";
  char settings[9];
  return SSL_read(ssl.get(), settings, sizeof(settings)) > 0 ? "served" : "closed";
}

std::string LargeConfigMap(int number) {
  return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"large-)" +
         std::to_string(number) + R"("},"data":{"a":")" + std::string(1'000'000, 'x') + "\"}}";
}

class LimitsTest : public testing::Test {
 protected:
  LimitsTest() {
    signal(SIGPIPE, SIG_IGN);
    base::RaiseDescriptorLimit();
    std::string path = testing::TempDir() + "plumb-limits-XXXXXX";
    CHECK(mkdtemp(path.data()) != nullptr);
    directory_ = path;
  }
  ~LimitsTest() override { EXPECT_TRUE(base::RemoveTree(directory_).ok()); }

  std::string directory_;
};

TEST_F(LimitsTest, SilentConnectionsToBothPortsStopNobody) {
  auto server = PlumbProcess::Start(PLUMB_BINARY, directory_ + "/data", kDescriptors);
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  const int port = (*server)->port();
  const auto trust = ApiTrust::OfDataDir((*server)->data_dir());
  ASSERT_TRUE(trust.ok()) << trust.status().ToString();
  auto before = ApiConnection::Open(*trust, port);
  ASSERT_TRUE(before.ok() && before->Ask("GET", "/version").ok());

  std::vector<base::UniqueFd> silent;
  for (int i = 0; i < kSilentConnections; ++i) {
    silent.push_back(Connect(port));
    silent.push_back(Connect(port + 1));
  }
  for (int i = 0; i < kWrites; ++i) {
    const auto written =
        before->Ask("POST", "/api/v1/namespaces/default/configmaps", LargeConfigMap(i));
    ASSERT_TRUE(written.ok()) << i << ": " << written.status().ToString();
  }
  auto after = ApiConnection::Open(*trust, port);
  ASSERT_TRUE(after.ok()) << after.status().ToString();
  EXPECT_TRUE(after->Ask("GET", "/version").ok());
  // Who has just come keeps his place for a second: a node comes again.
  std::string answer;
  for (const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
       answer != "served" && std::chrono::steady_clock::now() < deadline;) {
    answer = AgentsHandshake(*trust, port + 1);
  }
  EXPECT_EQ(answer, "served");
  silent.clear();
  EXPECT_EQ(AgentsHandshake(*trust, port + 1), "served");
  EXPECT_EQ((*server)->Stop().code, 0);
}

TEST_F(LimitsTest, TooFewDescriptorsAreSaidAtTheStart) {
  const auto server = PlumbProcess::Start(PLUMB_BINARY, directory_ + "/data", 100);
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.status().ToString().find("plumb may open 100 files, and needs 234 at least"),
            std::string::npos)
      << server.status().ToString();
}

}  // namespace
