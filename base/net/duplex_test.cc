#include "base/net/duplex.h"

#include <gtest/gtest.h>

#include "base/net/testing/memory_duplex.h"
#include "base/testing/sim_loop.h"

namespace base {
namespace {

class DuplexInboxTest : public testing::Test {
 protected:
  Duplex::Events Events() {
    return {.bytes = [this](std::string_view bytes) { log_ += std::string(bytes) + "; "; },
            .finished = [this](const Status& status) { log_ += "finished " + Say(status); },
            .closed = [this](const Status& status) { log_ += "closed " + Say(status); }};
  }
  static std::string Say(const Status& status) {
    return status.ok() ? "well; " : std::string(status.message()) + "; ";
  }
  std::unique_ptr<DuplexInbox> inbox_ = std::make_unique<DuplexInbox>();
  std::string log_;
};

TEST_F(DuplexInboxTest, KeepsTheOrder) {
  inbox_->Put("early");
  inbox_->Listen(Events());
  inbox_->Put(" bird");
  inbox_->Finished(Status());
  inbox_->Put("too late");
  inbox_->Closed(Status());
  inbox_->Closed(Status(Code::kInternal, "again"));
  EXPECT_EQ(log_, "early bird; finished well; closed well; ");
}

TEST_F(DuplexInboxTest, APauseHoldsBackAllButTheEnd) {
  inbox_->Listen(Events());
  inbox_->SetPaused(true);
  inbox_->Put("a");
  inbox_->Finished(Status());
  EXPECT_EQ(log_, "");
  inbox_->SetPaused(false);
  EXPECT_EQ(log_, "a; finished well; ");

  log_.clear();
  inbox_ = std::make_unique<DuplexInbox>();
  inbox_->Listen(Events());
  inbox_->SetPaused(true);
  inbox_->Put("lost");
  inbox_->Closed(Status(Code::kUnavailable, "cut"));
  EXPECT_EQ(log_, "closed cut; ");
}

TEST_F(DuplexInboxTest, ACallbackMayPauseOrDestroy) {
  Duplex::Events events = Events();
  events.bytes = [this](std::string_view bytes) {
    log_ += std::string(bytes) + "; ";
    inbox_->SetPaused(true);
    inbox_->Put("b");
  };
  inbox_->Listen(events);
  inbox_->Put("a");
  EXPECT_EQ(log_, "a; ");
  events.bytes = [this](std::string_view) { inbox_.reset(); };
  inbox_->Listen(events);
  inbox_->SetPaused(false);
  EXPECT_EQ(inbox_, nullptr);
  EXPECT_EQ(log_, "a; ");
}

TEST(MemoryDuplex, ASlowReaderIsTheWritersBacklog) {
  SimLoop loop(1);
  auto [writer, reader] = MemoryDuplexPair(loop);
  size_t read = 0;
  int drained = 0;
  reader->Listen({.bytes = [&](std::string_view bytes) { read += bytes.size(); }});
  writer->Listen({.drained = [&] { ++drained; }});
  reader->SetPaused(true);
  writer->Write(std::string(kRefillDuplexBacklog + 1, 'x'));
  loop.RunReady();
  EXPECT_EQ(read, 0u);
  EXPECT_EQ(writer->Backlog(), kRefillDuplexBacklog + 1);
  reader->SetPaused(false);
  loop.RunReady();
  EXPECT_EQ(read, kRefillDuplexBacklog + 1);
  EXPECT_EQ(writer->Backlog(), 0u);
  EXPECT_EQ(drained, 1);
}

}  // namespace
}  // namespace base
