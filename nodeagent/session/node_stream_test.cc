// Against a peer that is played by hand; session_test.cc has both ends.
#include "nodeagent/session/node_stream.h"

#include <gtest/gtest.h>

#include "base/testing/sim_loop.h"
#include "nodeagent/testing/sim_network.h"

namespace nodeagent {
namespace {

TEST(NodeStream, TheControlPlaneHasItsCreditToo) {
  base::SimLoop loop(1);
  SimNetwork network(loop, 1);
  std::unique_ptr<FrameChannel> theirs;
  network.Listen([&](std::unique_ptr<FrameChannel> channel) { theirs = std::move(channel); });
  NodeStream stream(loop, NodeStream::Side::kAgent);
  std::string end;
  size_t received = 0;
  stream.Listen({.bytes = [&](std::string_view bytes) { received += bytes.size(); },
                 .closed = [&](const base::Status& why) { end = why.ToString(); }});
  stream.Attach(network.Dialer("n1")->OpenStream());
  loop.RunFor(base::Duration::Seconds(1));
  ASSERT_NE(theirs, nullptr);
  theirs->OnFrame([](const Frame&) {});
  theirs->OnClosed([](const base::Status&) {});
  theirs->OnDrained([] {});
  const auto send_window = [&] {
    for (size_t sent = 0; sent < kStreamWindowBytes; sent += kMaxStreamChunkBytes) {
      theirs->Send(StreamData{std::string(kMaxStreamChunkBytes, 'x')});
    }
    loop.RunFor(base::Duration::Seconds(1));
  };
  send_window();
  send_window();
  EXPECT_EQ(received, 2 * kStreamWindowBytes) << "what is taken may be sent again";
  stream.SetPaused(true);
  send_window();
  EXPECT_EQ(end, "");
  theirs->Send(StreamData{"x"});
  loop.RunFor(base::Duration::Seconds(1));
  EXPECT_EQ(end, "RequestEntityTooLarge: the peer sent more than it may");
}

}  // namespace
}  // namespace nodeagent
