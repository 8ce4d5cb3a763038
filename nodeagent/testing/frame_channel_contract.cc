#include "nodeagent/testing/frame_channel_contract.h"

#include <utility>
#include <variant>

namespace nodeagent {
namespace {

constexpr base::Duration kFrameStepLimit = base::Duration::Seconds(60);

StreamChunk Chunk(size_t bytes) { return {1, std::string(bytes, 'x'), false, {}}; }

}  // namespace

// The linker may also bring the suite into a program that has no use for it.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FrameChannelContract);

void PrintTo(const FrameChannelUnderTest& channel, std::ostream* out) { *out << channel.name; }

std::string FrameChannelName(const testing::TestParamInfo<FrameChannelUnderTest>& info) {
  return info.param.name;
}

void FrameChannelContract::End::Take(std::unique_ptr<FrameChannel> taken) {
  channel = std::move(taken);
  channel->OnFrame([this](const Frame& frame) {
    const auto* said = std::get_if<Programmed>(&frame);
    heard += (said != nullptr ? std::to_string(said->revision) : "chunk") + " ";
    if (const auto act = on_frame) act();
  });
  channel->OnClosed([this](const base::Status& why) {
    heard += "closed " + std::string(base::ReasonOf(why.code())) + " ";
  });
  channel->OnDrained([this] { ++drained; });
}

void FrameChannelContract::SetUp() {
  Run([this] { world_->Listen([this](auto channel) { accepting_->Take(std::move(channel)); }); },
      [] { return true; });
}

void FrameChannelContract::TearDown() {
  Run(
      [this] {
        node_.channel.reset();
        plane_.channel.reset();
        world_->StopListening();
      },
      [] { return true; });
}

void FrameChannelContract::Run(std::function<void()> act, std::function<bool()> done) {
  EXPECT_TRUE(world_->runner().Run(std::move(act), std::move(done), kFrameStepLimit))
      << "the node heard: " << node_.heard.substr(0, 200)
      << "\nthe control plane heard: " << plane_.heard.substr(0, 200);
}

void FrameChannelContract::Connect() {
  plane_.on_frame = [this] {
    plane_.on_frame = nullptr;
    plane_.Say(1);
  };
  Run(
      [this] {
        node_.Take(world_->dialer().Connect());
        node_.Say(1);
      },
      [this] { return node_.heard == "1 " && plane_.heard == "1 "; });
}

TEST_P(FrameChannelContract, AChannelCanBeUsedAtOnceAndFramesComeInOrder) {
  std::string all;
  for (int i = 1; i <= 200; ++i) all += std::to_string(i) + " ";
  plane_.on_frame = [this] {
    plane_.on_frame = nullptr;
    for (state::Revision i = 1; i <= 200; ++i) plane_.Say(i);
  };
  Run(
      [this] {
        node_.Take(world_->dialer().Connect());
        for (state::Revision i = 1; i <= 200; ++i) node_.Say(i);
      },
      [&] { return node_.heard == all && plane_.heard == all; });
}

TEST_P(FrameChannelContract, ThePeerIsWhoItsCertificateNames) {
  Connect();
  EXPECT_EQ(plane_.channel->peer(), kContractNode);
  EXPECT_EQ(node_.channel->peer(), "");
}

TEST_P(FrameChannelContract, AHangUpIsToldToTheOtherOnceAndToOneselfNever) {
  Connect();
  Run([this] { node_.channel.reset(); },
      [this] { return plane_.heard == "1 closed ServiceUnavailable "; });
  Run([this] { plane_.Say(2); }, [] { return true; });  // dropped
  EXPECT_EQ(node_.heard, "1 ");
  EXPECT_EQ(plane_.heard, "1 closed ServiceUnavailable ");
}

TEST_P(FrameChannelContract, TheControlPlaneHangsUpToo) {
  Connect();
  Run([this] { plane_.channel.reset(); },
      [this] { return node_.heard == "1 closed ServiceUnavailable "; });
  EXPECT_EQ(plane_.heard, "1 ");
}

TEST_P(FrameChannelContract, WhereNobodyListensAConnectionIsClosed) {
  Run([this] { world_->StopListening(); }, [] { return true; });
  Run([this] { node_.Take(world_->dialer().Connect()); },
      [this] { return node_.heard == "closed ServiceUnavailable "; });
}

TEST_P(FrameChannelContract, ACallbackMayDestroyItsChannel) {
  Connect();
  plane_.on_frame = [this] { plane_.channel.reset(); };
  Run(
      [this] {
        node_.Say(2);
        node_.Say(3);
      },
      [this] { return node_.heard == "1 closed ServiceUnavailable "; });
  EXPECT_EQ(plane_.heard, "1 2 ");
}

TEST_P(FrameChannelContract, ADialerConnectsAgain) {
  Connect();
  Run([this] { node_.channel.reset(); },
      [this] { return plane_.heard == "1 closed ServiceUnavailable "; });
  node_.heard.clear();
  plane_.heard.clear();
  Connect();
}

TEST_P(FrameChannelContract, AStreamIsAChannelOfItsOwnBesideTheFirst) {
  Connect();
  End stream, stream_plane;
  Run(
      [&] {
        accepting_ = &stream_plane;
        stream.Take(world_->dialer().OpenStream());
        stream.Say(5);
      },
      [&] { return stream_plane.heard == "5 "; });
  // One that ends does not take the other with it.
  Run(
      [&] {
        EXPECT_EQ(stream_plane.channel->peer(), kContractNode);
        stream_plane.channel.reset();
        node_.Say(2);
      },
      [&] { return stream.heard == "closed ServiceUnavailable " && plane_.heard == "1 2 "; });
  EXPECT_EQ(node_.heard, "1 ");
  Run([&] { stream.channel.reset(); }, [] { return true; });
}

TEST_P(FrameChannelContract, ABacklogIsCountedAndDrainedIsToldWhenItHasFallen) {
  Connect();
  constexpr int kChunks = 16;  // together well beyond what a network takes at once
  std::string all = "1 ";
  for (int i = 0; i < kChunks; ++i) all += "chunk ";
  size_t most = 0, when_drained = kMaxBacklogBytes;
  Run(
      [&] {
        EXPECT_EQ(node_.channel->Backlog(), 0u);
        node_.channel->OnDrained([&] {
          ++node_.drained;
          when_drained = node_.channel->Backlog();
        });
        for (int i = 0; i < kChunks; ++i) node_.channel->Send(Chunk(kRefillBacklogBytes / 2));
        most = node_.channel->Backlog();
      },
      [&] { return plane_.heard == all && node_.channel->Backlog() == 0 && node_.drained > 0; });
  EXPECT_GE(most, kRefillBacklogBytes);
  EXPECT_LT(when_drained, kRefillBacklogBytes);
  // A network that takes while more is sent may let it fall more than once.
  EXPECT_LE(node_.drained, kChunks);
}

TEST_P(FrameChannelContract, APeerThatDoesNotReadIsDisconnected) {
  Connect();
  Run(
      [this] {
        // Far beyond the limit: a network has buffers of its own.
        for (size_t sent = 0; sent < 4 * kMaxBacklogBytes; sent += kRefillBacklogBytes) {
          node_.channel->Send(Chunk(kRefillBacklogBytes));
        }
      },
      [this] { return node_.heard == "1 closed RequestEntityTooLarge "; });
}

}  // namespace nodeagent
