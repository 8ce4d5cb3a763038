#include "nodeagent/edge/probe_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "base/edge/files.h"
#include "base/edge/testing/real_runner.h"
#include "nodeagent/testing/probe_client_contract.h"

namespace nodeagent {
namespace {

// A port of loopback. With an answer it is given to all who ask; without, all are left waiting.
class Port {
 public:
  explicit Port(std::string answer) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    CHECK(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    CHECK(listen(socket_.get(), 100) == 0);
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    number_ = ntohs(address.sin_port);
    if (!answer.empty())
      thread_ = std::thread([this, answer = std::move(answer)] { Serve(answer); });
  }
  ~Port() {
    shutdown(socket_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }
  uint16_t number() const { return number_; }

 private:
  void Serve(const std::string& answer) {
    for (;;) {
      const base::UniqueFd peer(accept(socket_.get(), nullptr, nullptr));
      if (!peer.valid()) return;
      char block[1024];
      if (read(peer.get(), block, sizeof block) <= 0) continue;
      [[maybe_unused]] const ssize_t sent = write(peer.get(), answer.data(), answer.size());
    }
  }

  base::UniqueFd socket_;
  uint16_t number_ = 0;
  std::thread thread_;
};

class SocketWorld final : public ProbeClientWorld {
 public:
  base::LoopRunner& runner() override { return runner_; }
  ProbeClient& client() override { return *client_; }
  Check Answers(int http_status) override {
    return At(Check::Kind::kHttp, Open("HTTP/1.1 " + std::to_string(http_status) + " So\r\n\r\n"));
  }
  Check Accepts() override { return At(Check::Kind::kTcp, Open("")); }
  Check Refuses(Check::Kind kind) override {
    const uint16_t closed = Port("").number();
    return At(kind, closed);
  }
  Check IsSilent() override { return At(Check::Kind::kHttp, Open("")); }

  static Check At(Check::Kind kind, uint16_t port) {
    Check check;
    check.kind = kind;
    check.host = "127.0.0.1";
    check.port = port;
    check.path = "/";
    return check;
  }

 private:
  uint16_t Open(std::string answer) {
    ports_.push_back(std::make_unique<Port>(std::move(answer)));
    return ports_.back()->number();
  }

  base::RealRunner runner_;
  const std::unique_ptr<ProbeClient> client_ = NewProbeClient(runner_.loop());
  std::vector<std::unique_ptr<Port>> ports_;
};

std::unique_ptr<ProbeClientWorld> MakeSockets() { return std::make_unique<SocketWorld>(); }

INSTANTIATE_TEST_SUITE_P(ProbeClients, ProbeClientContract,
                         testing::Values(ProbeClientUnderTest{"Sockets", &MakeSockets}),
                         ProbeClientName);

TEST(ProbeRedirects, EndAfterTen) {
  SocketWorld world;
  const Port port("HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n");
  std::string said;
  world.runner().Run(
      [&] {
        world.client().Ask(SocketWorld::At(Check::Kind::kHttp, port.number()),
                           base::Duration::Seconds(30),
                           [&](const CheckAnswer& answer) { said = answer.status.message(); });
      },
      [&] { return !said.empty(); }, base::Duration::Seconds(60));
  EXPECT_EQ(said, "it is sent on more than 10 times");
}

}  // namespace
}  // namespace nodeagent
