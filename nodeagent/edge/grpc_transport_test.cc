// Real gRPC with mutual TLS on loopback. The loop runs on a thread; what a test waits for is posted
// to it.
#include "nodeagent/edge/grpc_transport.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

#include "base/edge/files.h"
#include "base/edge/real_loop.h"
#include "base/net/edge/http_server.h"
#include "base/net/edge/pki.h"
#include "nodeagent/edge/join.h"
#include "nodeagent/edge/view_cache.h"
#include "state/authorize.h"

namespace nodeagent {
namespace {

constexpr std::chrono::seconds kTestWait{30};  // only a failing test waits that long

class TransportTest : public testing::Test {
 protected:
  TransportTest() : thread_([this] { loop_.Run(); }) {}
  ~TransportTest() override {
    OnLoop([this] {
      server_channel_.reset();
      listener_.reset();
      return 0;
    });
    loop_.Stop();
    thread_.join();
  }

  template <typename F>
  auto OnLoop(F f) -> decltype(f()) {
    auto task = std::make_shared<std::packaged_task<decltype(f())()>>(std::move(f));
    auto future = task->get_future();
    loop_.Post([task] { (*task)(); });
    return future.get();
  }
  static base::KeyPair Ca() { return *base::CreateCa("test-ca", Year()); }
  static base::Validity Year() {
    const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    return {base::WallTime::FromNanos(now.count()), base::Duration::Hours(24 * 365)};
  }
  static TlsIdentity ClientOf(const base::KeyPair& ca, const std::string& user) {
    const base::KeyPair keys = *base::IssueClientCertificate(ca, {user, {"system:nodes"}}, Year());
    return {ca.cert_pem, keys.cert_pem, keys.key_pem};
  }

  // A server that answers every frame with itself.
  void Listen(const base::KeyPair& ca, int port = 0, const ConnectionLimits& limits = {}) {
    const base::KeyPair keys = *base::IssueServerCertificate(ca, {"127.0.0.1"}, Year());
    const base::Status started = OnLoop([&] {
      listener_ = std::make_unique<GrpcListener>(
          loop_, "127.0.0.1:" + std::to_string(port),
          TlsIdentity{ca.cert_pem, keys.cert_pem, keys.key_pem},
          [this](std::unique_ptr<FrameChannel> channel) {
            peer_ = channel->peer();
            server_channel_ = std::move(channel);
            server_channel_->OnFrame([this](Frame f) { server_channel_->Send(std::move(f)); });
            server_channel_->OnClosed([](const base::Status&) {});
          },
          nullptr, limits);
      return listener_->Start();
    });
    ASSERT_TRUE(started.ok()) << started.ToString();
  }
  int Port() {
    return OnLoop([this] { return listener_->port(); });
  }

  // Sends a Hello; the answer's node, or why there is none.
  std::string Talk(const TlsIdentity& identity, int port) {
    auto said = std::make_shared<std::promise<std::string>>();
    auto future = said->get_future();
    auto dialer =
        NewGrpcDialer(loop_, "127.0.0.1:" + std::to_string(port), [identity] { return identity; });
    std::unique_ptr<FrameChannel> channel;
    OnLoop([&] {
      channel = dialer->Connect();
      auto once = std::make_shared<bool>(false);
      channel->OnFrame([said, once](const Frame& frame) {
        if (!std::exchange(*once, true)) said->set_value(std::get<Hello>(frame).node);
      });
      channel->OnClosed([said, once](const base::Status& why) {
        if (!std::exchange(*once, true)) said->set_value(std::string(base::ReasonOf(why.code())));
      });
      channel->Send(Hello{"n1", "test", "e", 7});
      return 0;
    });
    const bool answered = future.wait_for(kTestWait) == std::future_status::ready;
    OnLoop([&] {
      channel.reset();
      dialer.reset();
      return 0;
    });
    return answered ? future.get() : "no answer";
  }

  base::RealLoop loop_;
  std::unique_ptr<GrpcListener> listener_;
  std::unique_ptr<FrameChannel> server_channel_;
  std::string peer_;

 private:
  std::thread thread_;
};

TEST_F(TransportTest, NodeIsKnownByItsCertificate) {
  const base::KeyPair ca = Ca();
  Listen(ca);
  EXPECT_EQ(Talk(ClientOf(ca, "system:node:n1"), Port()), "n1");
  EXPECT_EQ(OnLoop([this] { return peer_; }), "n1");
}

// A TCP connection that says nothing.
class SilentClient {
 public:
  explicit SilentClient(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval patience{kTestWait.count(), 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    EXPECT_EQ(connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  // Waits for it.
  bool IsClosed() {
    char byte;
    ssize_t count;
    while ((count = recv(fd_.get(), &byte, 1, 0)) > 0) {  // gRPC may have said something before
    }
    return count == 0 || errno == ECONNRESET;
  }

 private:
  base::UniqueFd fd_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

size_t CountDescriptors() {
  namespace fs = std::filesystem;
  return static_cast<size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

TEST_F(TransportTest, SilentOnesMakeRoomForOthersAndForNodes) {
  const base::KeyPair ca = Ca();
  ConnectionLimits limits;
  limits.newcomers = 4;
  limits.newcomer_time = base::Duration::Minutes(10);
  limits.least_stay = base::Duration();
  Listen(ca, 0, limits);
  const size_t before = CountDescriptors();
  std::vector<std::unique_ptr<SilentClient>> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(std::make_unique<SilentClient>(Port()));
  for (size_t i = 0; i + limits.newcomers < silent.size(); ++i)
    EXPECT_TRUE(silent[i]->IsClosed()) << i;
  silent.erase(silent.begin(), silent.end() - static_cast<ptrdiff_t>(limits.newcomers));
  // The client's, and two more; gRPC closes its own a while after the connection has ended.
  const size_t most = before + 3 * limits.newcomers + 4;
  const auto deadline = std::chrono::steady_clock::now() + kTestWait;
  while (CountDescriptors() > most && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_LE(CountDescriptors(), most);
  EXPECT_EQ(Talk(ClientOf(ca, "system:node:n1"), Port()), "n1");
}

TEST_F(TransportTest, WhoHasJustBegunEndsWhatHeBegan) {
  ConnectionLimits limits;
  limits.newcomers = 2;
  limits.newcomer_time = limits.least_stay = base::Duration::Minutes(10);
  Listen(Ca(), 0, limits);
  std::vector<std::unique_ptr<SilentClient>> first;
  for (int i = 0; i < 2; ++i) first.push_back(std::make_unique<SilentClient>(Port()));
  EXPECT_TRUE(SilentClient(Port()).IsClosed());
}

TEST_F(TransportTest, ANewcomersTimeEnds) {
  ConnectionLimits limits;
  limits.newcomer_time = base::Duration::Millis(100);
  Listen(Ca(), 0, limits);
  EXPECT_TRUE(SilentClient(Port()).IsClosed());
}

// Nodes keep theirs; places of those that have left are free again.
TEST_F(TransportTest, NodesHaveThePlacesThatThereAre) {
  const base::KeyPair ca = Ca();
  ConnectionLimits limits;
  limits.connections = 2;
  limits.newcomer_time = base::Duration::Millis(500);  // nodes are no newcomers after it
  Listen(ca, 0, limits);
  for (int i = 0; i < 4; ++i) {
    // gRPC lets go of the one before in its own time.
    std::string said;
    for (int n = 0; n < 1000 && said != "n1"; ++n)
      said = Talk(ClientOf(ca, "system:node:n1"), Port());
    EXPECT_EQ(said, "n1") << i;
  }
}

TEST_F(TransportTest, CertificateOfAnotherAuthorityIsRefused) {
  const base::KeyPair ca = Ca();
  Listen(ca);
  TlsIdentity stranger = ClientOf(Ca(), "system:node:n1");
  EXPECT_EQ(Talk(stranger, Port()), "ServiceUnavailable") << "does not believe the server";
  stranger.ca_pem = ca.cert_pem;
  EXPECT_EQ(Talk(stranger, Port()), "ServiceUnavailable") << "is not believed";
  EXPECT_EQ(OnLoop([this] { return peer_; }), "");
}

TEST_F(TransportTest, CertificateOfAUserIsRefused) {
  const base::KeyPair ca = Ca();
  Listen(ca);
  EXPECT_EQ(Talk(ClientOf(ca, "alice"), Port()), "Forbidden");
}

TEST_F(TransportTest, ServerThatCameBackIsFoundAgain) {
  const base::KeyPair ca = Ca();
  Listen(ca);
  const int port = Port();
  const TlsIdentity node = ClientOf(ca, "system:node:n1");
  EXPECT_EQ(Talk(node, port), "n1");
  OnLoop([this] {
    server_channel_.reset();
    listener_.reset();
    return 0;
  });
  EXPECT_EQ(Talk(node, port), "ServiceUnavailable");
  Listen(ca, port);
  EXPECT_EQ(Talk(node, port), "n1");
}

TEST_F(TransportTest, JoinsByTokenAndRenewsByItsCertificate) {
  const base::KeyPair ca = Ca();
  const base::WallTime now = Year().now;
  const base::KeyPair keys = *base::IssueServerCertificate(ca, {"127.0.0.1"}, Year());
  base::HttpServerOptions options;
  options.certificate_pem = keys.cert_pem + ca.cert_pem;
  options.key_pem = keys.key_pem;
  options.client_ca_pem = ca.cert_pem;
  const JoinAuthority authority{
      base::Sha256Hex, base::EqualInConstantTime,
      [&](const std::string& node, const std::string& csr) -> base::Result<JoinAnswer> {
        ASSIGN_OR_RETURN(std::string pem,
                         base::SignRequest(ca, csr, {state::NodeUser(node), {"system:nodes"}},
                                           {now, base::Duration::Hours(30)}));
        return JoinAnswer{std::move(pem), ca.cert_pem};
      }};
  const std::vector<AcceptedToken> tokens = {{"t", base::Sha256Hex("secret"), {}}};
  auto server = base::HttpServer::Create(loop_, options);
  server->AddLoopHandler(
      kJoinPath, [&](base::IncomingRequest in, std::unique_ptr<base::Reply> reply) {
        JoinRequest request = *DecodeJoinRequest(in.request.body);
        if (in.certificate) {
          request.certified_node = state::NodeOfUser(in.certificate->common_name);
        }
        const auto joined = HandleJoin(request, {.exists = true}, tokens, now, authority);
        if (!joined.ok()) return reply->Send(base::FailureResponse(joined.status()));
        base::HttpResponse response;
        response.body = EncodeJoinAnswer(joined->answer);
        reply->Send(std::move(response));
      });
  ASSERT_TRUE(server->Start().ok());
  char directory[] = "/tmp/plumb-join-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  const std::string digest = base::CertificateDigest(ca.cert_pem)->substr(7);
  JoinOptions join{.server = "https://127.0.0.1:" + std::to_string(server->port()),
                   .token = "plumb-" + digest + "-wrong",
                   .node = "n1",
                   .directory = std::string(directory) + "/pki"};

  EXPECT_EQ(EnsureIdentity(join, now).status().code(), base::Code::kUnauthorized);
  join.token = "plumb-" + std::string(64, 'a') + "-secret";
  EXPECT_EQ(EnsureIdentity(join, now).status().code(), base::Code::kUnauthorized) << "another CA";
  join.token = "plumb-" + digest + "-secret";
  const auto first = EnsureIdentity(join, now);
  EXPECT_TRUE(first.ok()) << first.status().ToString();
  join.token.clear();
  const auto again = EnsureIdentity(join, now);
  const auto renewed = EnsureIdentity(join, now + base::Duration::Hours(25));
  if (first.ok() && again.ok() && renewed.ok()) {
    EXPECT_EQ(again->certificate_pem, first->certificate_pem);
    EXPECT_NE(renewed->key_pem, first->key_pem);
    struct Mode {
      static std::string Of(const std::string& path) {
        return std::to_string(static_cast<int>(std::filesystem::status(path).permissions()));
      }
    };
    EXPECT_EQ(Mode::Of(join.directory + "/node.pem"), std::to_string(0600));
    Listen(ca);
    EXPECT_EQ(Talk(*renewed, Port()), "n1");
  } else {
    ADD_FAILURE() << again.status().ToString() << renewed.status().ToString();
  }
  server->Stop();
  EXPECT_TRUE(base::RemoveTree(directory).ok());
}

TEST(ViewCacheTest, ReadsBackWholeOrNotAtAll) {
  CachedView cached{"epoch", {}};
  for (const char* name : {"a", "b"}) {
    auto object = std::make_shared<state::Object>();
    object->key = {"services", "default", name};
    object->revision = 5;
    object->document = *base::Document::Parse(R"({"metadata":{"name":"x y\n"}})");
    cached.view.Put(object);
  }
  cached.view.set_revision(9);
  const std::string bytes = EncodeView(cached);
  const auto back = DecodeView(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(EncodeView(*back), bytes);
  EXPECT_EQ(back->view.revision(), 9u);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(DecodeView(damaged)) << i;
    EXPECT_FALSE(DecodeView(bytes.substr(0, i))) << i;
  }
}

}  // namespace
}  // namespace nodeagent
