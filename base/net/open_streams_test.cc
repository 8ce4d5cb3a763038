#include "base/net/open_streams.h"

#include <gtest/gtest.h>

#include "base/net/testing/memory_duplex.h"
#include "base/testing/sim_loop.h"

namespace base {
namespace {

// What the peer of a reply sees.
struct Peer {
  std::string text;
  bool ended = false;
};

class PeersStream final : public Stream {
 public:
  explicit PeersStream(Peer& peer) : peer_(peer) {}
  ~PeersStream() override { peer_.ended = true; }
  bool Write(std::string_view bytes) override {
    peer_.text += bytes;
    return true;
  }
  size_t Backlog() const override { return 0; }
  void OnDrained(size_t, std::function<void()>) override {}
  void OnClosed(std::function<void()>) override {}

 private:
  Peer& peer_;
};

class PeersReply final : public Reply {
 public:
  PeersReply(Loop& loop, Peer& peer, std::unique_ptr<Duplex>& far_end)
      : loop_(loop), peer_(peer), far_end_(far_end) {}
  void Send(HttpResponse response) override { peer_.text = response.body; }
  std::unique_ptr<Stream> Start(HttpResponse) override {
    return std::make_unique<PeersStream>(peer_);
  }
  std::unique_ptr<Duplex> Upgrade(HttpResponse) override {
    auto [near_end, far_end] = MemoryDuplexPair(loop_);
    far_end_ = std::move(far_end);
    return std::move(near_end);
  }
  void OnGone(std::function<void()>) override {}

 private:
  Loop& loop_;
  Peer& peer_;
  std::unique_ptr<Duplex>& far_end_;
};

class OpenStreamsTest : public testing::Test {
 protected:
  std::unique_ptr<Reply> Guarded(const std::string& credential, Peer& peer) {
    return open_.Guard({"ann", {}, {}, credential},
                       std::make_unique<PeersReply>(loop_, peer, far_end_));
  }
  void End(const std::string& credential) {
    open_.End([&](const Identity& who) { return who.credential == credential; });
  }

  SimLoop loop_{1};
  OpenStreams open_;
  std::unique_ptr<Duplex> far_end_;
};

TEST_F(OpenStreamsTest, AStreamEndsWithItsCredentialAndNoOther) {
  Peer ann, bob;
  const auto of_ann = Guarded("token/ann", ann)->Start({});
  const auto of_bob = Guarded("token/bob", bob)->Start({});
  int closed = 0;
  of_ann->OnClosed([&] { ++closed; });
  EXPECT_TRUE(of_ann->Write("one"));
  End("token/ann");
  End("token/ann");
  EXPECT_FALSE(of_ann->Write("two"));
  EXPECT_TRUE(of_bob->Write("three"));
  EXPECT_EQ(ann.text + " " + bob.text, "one three");
  EXPECT_TRUE(ann.ended);
  EXPECT_FALSE(bob.ended);
  EXPECT_EQ(closed, 1);
}

TEST_F(OpenStreamsTest, AnEndBeforeTheStreamBeganIsKept) {
  Peer peer;
  const auto reply = Guarded("token/ann", peer);
  End("token/ann");
  EXPECT_FALSE(reply->Start({})->Write("one"));
  EXPECT_EQ(peer.text, "");
}

TEST_F(OpenStreamsTest, AnOwnerMayDropItsStreamWhenItEnds) {
  Peer peer;
  auto stream = Guarded("token/ann", peer)->Start({});
  stream->OnClosed([&] { stream.reset(); });
  EXPECT_EQ(open_.size(), 1u);
  End("token/ann");
  EXPECT_EQ(stream, nullptr);
  EXPECT_EQ(open_.size(), 0u);
}

TEST_F(OpenStreamsTest, ACommandEndsAtBothEnds) {
  Peer peer;
  const auto near_end = Guarded("token/ann", peer)->Upgrade({});
  std::string seen;
  near_end->Listen({.bytes = [&](std::string_view bytes) { seen += bytes; },
                    .finished = nullptr,
                    .closed = [&](Status status) { seen += " near " + status.ToString(); },
                    .drained = nullptr});
  far_end_->Listen({.bytes = nullptr,
                    .finished = nullptr,
                    .closed = [&](Status) { seen += ", far"; },
                    .drained = nullptr});
  far_end_->Write("ls");
  loop_.RunFor(Duration::Seconds(1));
  End("token/ann");
  loop_.RunFor(Duration::Seconds(1));
  EXPECT_EQ(seen, "ls near Unauthorized: the credential that opened it counts no more, far");
}

TEST_F(OpenStreamsTest, WhatHasNoCredentialThatCouldEndIsLeftAlone) {
  Peer peer;
  const auto stream = Guarded("", peer)->Start({});
  EXPECT_EQ(open_.size(), 0u);
  open_.End([](const Identity&) { return true; });
  EXPECT_TRUE(stream->Write("one"));
}

}  // namespace
}  // namespace base
