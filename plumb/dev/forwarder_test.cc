#include "plumb/dev/forwarder.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "plumb/dev/namespaces.h"
#include "plumb/dev/processes.h"

namespace plumb {
namespace {

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string ReadToEnd(int fd) {
  std::string all;
  char buffer[65536];
  ssize_t size;
  while ((size = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
    all.append(buffer, static_cast<size_t>(size));
  }
  return size < 0 ? "error" : all;
}

// A namespace with a listening socket at its 127.0.0.1:7000, and a forwarder to it.
class ForwarderTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    name_ = "plumb-test-" + std::to_string(getpid());
    ASSERT_EQ(CreateNamespace(name_).ToString(), "OK");
    base::Result<std::string> up =
        base::RunChecked({"ip", "-netns", name_, "link", "set", "lo", "up"});
    ASSERT_TRUE(up.ok()) << up.status().ToString();
    base::Status status = InNamespace(name_, [this]() -> base::Status {
      listener_.Reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_in address = Loopback(7000);
      if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
          listen(listener_.get(), 16) != 0) {
        return base::ErrnoStatus("listen", errno);
      }
      return {};
    });
    ASSERT_EQ(status.ToString(), "OK");
    port_ = *FindFreePort();
    base::ProcessOptions options;
    options.argv = {std::filesystem::read_symlink("/proc/self/exe"), "dev-forward",
                    FormatForward({port_, name_, "127.0.0.1", 7000})};
    base::Result<base::Process> process = base::Process::Start(options);
    ASSERT_TRUE(process.ok()) << process.status().ToString();
    forwarder_.emplace(*std::move(process));
    while (!Accepts("", "127.0.0.1", port_)) usleep(1000);
    base::UniqueFd probe(accept(listener_.get(), nullptr, nullptr));
  }
  void TearDown() override {
    if (forwarder_) {
      EXPECT_EQ(forwarder_->Stop(base::Duration::Seconds(5)).code, 0);
    }
    if (!name_.empty()) {
      EXPECT_EQ(DeleteNamespace(NamespacePath(name_)).ToString(), "OK");
    }
  }
  base::UniqueFd Connect() {
    base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = Loopback(port_);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }

  std::string name_;
  base::UniqueFd listener_;
  uint16_t port_ = 0;
  std::optional<base::Process> forwarder_;
};

TEST_F(ForwarderTest, CarriesLargeDataBothWaysThroughHalfClosedConnections) {
  std::string large(20 << 20, 'x');
  for (size_t i = 0; i < large.size(); i += 1000) large[i] = static_cast<char>('a' + i % 26);
  std::thread server([&] {
    base::UniqueFd fd(accept(listener_.get(), nullptr, nullptr));
    std::string received = ReadToEnd(fd.get());
    EXPECT_TRUE(received == large);
    EXPECT_EQ(send(fd.get(), received.data(), received.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(received.size()));
  });
  base::UniqueFd client = Connect();
  EXPECT_EQ(send(client.get(), large.data(), large.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(large.size()));
  shutdown(client.get(), SHUT_WR);
  EXPECT_TRUE(ReadToEnd(client.get()) == large);
  server.join();
}

TEST_F(ForwarderTest, ClosesTheConnectionWhenNobodyListensBehind) {
  listener_.Reset();
  base::UniqueFd client = Connect();
  EXPECT_EQ(ReadToEnd(client.get()), "");
}

TEST_F(ForwarderTest, ServerThatEndsFirstIsPassedOn) {
  base::UniqueFd client = Connect();
  base::UniqueFd server(accept(listener_.get(), nullptr, nullptr));
  EXPECT_EQ(send(server.get(), "bye", 3, MSG_NOSIGNAL), 3);
  server.Reset();
  EXPECT_EQ(ReadToEnd(client.get()), "bye");
}

TEST(Forward, ReadsBackWhatItFormats) {
  base::Result<Forward> forward = ParseForward("8000=plumb-x-cp,10.77.0.2:6443");
  ASSERT_TRUE(forward.ok());
  EXPECT_EQ(FormatForward(*forward), "8000=plumb-x-cp,10.77.0.2:6443");
  EXPECT_EQ(ParseForward("8000").status().message(),
            "\"8000\" is not LISTEN=NAMESPACE,ADDRESS:PORT");
}

}  // namespace
}  // namespace plumb
