#include "nodeagent/testing/sim_network.h"

#include <gtest/gtest.h>

#include "nodeagent/testing/frame_channel_contract.h"

namespace nodeagent {
namespace {

class SimWorld final : public FrameNetworkWorld {
 public:
  base::LoopRunner& runner() override { return runner_; }
  void Listen(Accept accept) override { network_.Listen(std::move(accept)); }
  void StopListening() override { network_.StopListening(); }
  FrameDialer& dialer() override { return *dialer_; }

 private:
  base::SimRunner runner_;
  SimNetwork network_{runner_.loop(), 1};
  const std::unique_ptr<FrameDialer> dialer_ = network_.Dialer(kContractNode);
};

std::unique_ptr<FrameNetworkWorld> MakeSim() { return std::make_unique<SimWorld>(); }

INSTANTIATE_TEST_SUITE_P(FrameChannels, FrameChannelContract,
                         testing::Values(FrameChannelUnderTest{"Sim", &MakeSim}), FrameChannelName);

}  // namespace
}  // namespace nodeagent
