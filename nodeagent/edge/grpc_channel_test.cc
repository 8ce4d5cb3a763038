// The contract of channels, over real gRPC with mutual TLS on loopback.
#include <gtest/gtest.h>

#include "base/edge/testing/real_runner.h"
#include "base/net/edge/pki.h"
#include "nodeagent/edge/grpc_transport.h"
#include "nodeagent/hub/join_handler.h"
#include "nodeagent/testing/frame_channel_contract.h"
#include "state/authorize.h"

namespace nodeagent {
namespace {

class GrpcWorld final : public FrameNetworkWorld {
 public:
  base::LoopRunner& runner() override { return runner_; }
  void Listen(Accept accept) override {
    const base::KeyPair keys = *base::IssueServerCertificate(ca_, {"127.0.0.1"}, validity_);
    listener_ = std::make_unique<GrpcListener>(
        runner_.loop(), "127.0.0.1:0", TlsIdentity{ca_.cert_pem, keys.cert_pem, keys.key_pem},
        std::move(accept));
    const base::Status started = listener_->Start();
    ASSERT_TRUE(started.ok()) << started.ToString();
    const base::KeyPair client = *base::IssueClientCertificate(
        ca_, {state::NodeUser(kContractNode), {"system:nodes"}}, validity_);
    dialer_ = NewGrpcDialer(runner_.loop(), "127.0.0.1:" + std::to_string(listener_->port()),
                            [identity = TlsIdentity{ca_.cert_pem, client.cert_pem,
                                                    client.key_pem}] { return identity; });
  }
  void StopListening() override { listener_->Stop(); }
  FrameDialer& dialer() override { return *dialer_; }

 private:
  base::RealRunner runner_;
  const base::Validity validity_{runner_.loop().now().wall, base::Duration::Hours(24)};
  const base::KeyPair ca_ = *base::CreateCa("contract", validity_);
  std::unique_ptr<GrpcListener> listener_;
  std::unique_ptr<FrameDialer> dialer_;
};

std::unique_ptr<FrameNetworkWorld> MakeGrpc() { return std::make_unique<GrpcWorld>(); }

INSTANTIATE_TEST_SUITE_P(FrameChannels, FrameChannelContract,
                         testing::Values(FrameChannelUnderTest{"Grpc", &MakeGrpc}),
                         FrameChannelName);

}  // namespace
}  // namespace nodeagent
