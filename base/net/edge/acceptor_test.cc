#include "base/net/edge/acceptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <future>
#include <vector>

#include "base/net/edge/http_test_support.h"

namespace base {
namespace {

class AcceptorTest : public testing::Test {
 protected:
  AcceptorTest() {
    ListeningSocket socket = Must(Listen("127.0.0.1", 0));
    port_ = socket.port;
    listening_ = socket.fd.get();
    CHECK(poller_.Start().ok());
    StartAccepting(poller_, "127.0.0.1", std::move(socket),
                   [this](UniqueFd, AcceptedPeer peer) { accepted_->set_value(peer.share); });
  }
  ~AcceptorTest() override { poller_.Stop(); }

  UniqueFd Connect() const {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) fd.Reset();
    return fd;
  }
  std::future<std::string> Await() {
    accepted_ = std::make_shared<std::promise<std::string>>();
    return accepted_->get_future();
  }
  static std::string Of(std::future<std::string>& accepted) {
    return accepted.wait_for(kTestWait) == std::future_status::ready ? accepted.get() : "nobody";
  }

  int port_ = 0;
  int listening_ = -1;
  std::shared_ptr<std::promise<std::string>> accepted_;
  Poller poller_;
};

TEST_F(AcceptorTest, WithoutDescriptorsConnectionsWaitAndAreServedThen) {
  std::future<std::string> accepted = Await();
  UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit before{}, few{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  few = before;
  few.rlim_cur = 256;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<UniqueFd> taken;
  for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken.emplace_back(fd);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  // The poller has seen the connection, and no way to take it, a turn after it has run something.
  std::promise<void> turned;
  poller_.Post([&] { poller_.Post([&] { turned.set_value(); }); });
  turned.get_future().wait();
  EXPECT_EQ(accepted.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  taken.clear();
  EXPECT_EQ(Of(accepted), "127.0.0.1");
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(AcceptorTest, APortThatFailsIsOpenedAgain) {
  std::future<std::string> first = Await();
  const UniqueFd before = Connect();
  EXPECT_EQ(Of(first), "127.0.0.1");
  std::future<std::string> second = Await();
  shutdown(listening_, SHUT_RDWR);
  UniqueFd client;
  while (!client.valid()) client = Connect();  // it takes the poller a turn
  EXPECT_EQ(Of(second), "127.0.0.1");
}

}  // namespace
}  // namespace base
