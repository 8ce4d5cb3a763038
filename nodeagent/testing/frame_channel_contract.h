// What every FrameDialer and its channels promise, as a test suite. An implementation passes it by
// one line in its test:
//   INSTANTIATE_TEST_SUITE_P(FrameChannels, FrameChannelContract,
//                            testing::Values(FrameChannelUnderTest{"Sim", &MakeSim}),
//                            FrameChannelName);
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "base/testing/loop_runner.h"
#include "nodeagent/session/transport.h"

namespace nodeagent {

inline constexpr char kContractNode[] = "node-7";

// Owns a network with one control plane, and the way to it of the node kContractNode.
class FrameNetworkWorld {
 public:
  using Accept = std::function<void(std::unique_ptr<FrameChannel>)>;
  virtual ~FrameNetworkWorld() = default;
  virtual base::LoopRunner& runner() = 0;
  // On the loop.
  virtual void Listen(Accept accept) = 0;
  virtual void StopListening() = 0;
  virtual FrameDialer& dialer() = 0;
};

struct FrameChannelUnderTest {
  std::string name;
  std::unique_ptr<FrameNetworkWorld> (*make)();
};

void PrintTo(const FrameChannelUnderTest& channel, std::ostream* out);

// Names the cases; being defined beside the suite, it also makes the linker bring the suite in.
std::string FrameChannelName(const testing::TestParamInfo<FrameChannelUnderTest>& info);

class FrameChannelContract : public testing::TestWithParam<FrameChannelUnderTest> {
 protected:
  // One end of a connection, and all that it has heard.
  struct End {
    std::unique_ptr<FrameChannel> channel;
    std::string heard;  // a word a frame: the revision of a Programmed, then "closed CODE"
    int drained = 0;
    std::function<void()> on_frame;
    void Take(std::unique_ptr<FrameChannel> taken);
    void Say(state::Revision revision) { channel->Send(Programmed{revision}); }
  };

  void SetUp() override;
  void TearDown() override;
  // Runs the loop, `act` first, until `done`; a failure if it is not reached.
  void Run(std::function<void()> act, std::function<bool()> done);
  void Connect();  // both ends, until each has heard "1" of the other

  const std::unique_ptr<FrameNetworkWorld> world_ = GetParam().make();
  End node_, plane_;
  End* accepting_ = &plane_;  // whose is the next channel
};

}  // namespace nodeagent
