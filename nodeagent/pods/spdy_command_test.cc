// The runtime's end is played by hand, byte by byte as containerd 1.6 sends them.
#include "nodeagent/pods/spdy_command.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/net/testing/memory_duplex.h"
#include "base/testing/sim_loop.h"

namespace nodeagent {
namespace {

using base::RemoteChannel;
using base::SpdyFrame;

constexpr std::string_view kUpgraded =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n";

class SpdyCommandTest : public testing::Test {
 protected:
  void Start(const state::ExecRequest& request) {
    command_ = std::make_unique<SpdyCommand>(loop_, request);
    command_->Listen(
        {.bytes =
             [this](std::string_view bytes) {
               const base::Status read =
                   messages_.Feed(bytes, [this](RemoteChannel channel, std::string_view payload) {
                     heard_ += std::to_string(static_cast<int>(channel)) + ":" +
                               std::string(payload) + "; ";
                   });
               ASSERT_TRUE(read.ok());
             },
         .finished = [this](const base::Status& s) { heard_ += "finished " + s.ToString() + "; "; },
         .closed = [this](const base::Status&) { heard_ += "closed; "; },
         .drained = [this] { heard_ += "drained; "; }});
    auto [ours, runtime] = base::MemoryDuplexPair(loop_);
    runtime_ = std::move(runtime);
    runtime_->Listen({.bytes = [this](std::string_view bytes) { received_ += bytes; },
                      .closed = [this](const base::Status&) { hung_up_ = true; }});
    command_->Start(std::move(ours), "127.0.0.1:10", "/exec/token");
    loop_.RunReady();
  }
  // What the runtime received as frames: "syn 1; data 3 hello; data 3 final; ".
  std::string Frames() {
    std::string text;
    std::vector<SpdyFrame> frames;
    EXPECT_TRUE(reader_.Feed(std::exchange(received_, {}), frames).ok());
    for (const SpdyFrame& frame : frames) {
      if (frame.type == SpdyFrame::Type::kSynStream) {
        const size_t type = frame.payload.rfind("streamtype");
        text += "open " + std::to_string(frame.stream) + " " +
                frame.payload.substr(type + 14, frame.payload.size() - type - 19) + "; ";
      } else if (frame.type == SpdyFrame::Type::kPing) {
        text += "ping; ";
      } else {
        text +=
            std::to_string(frame.stream) + " " + frame.payload + (frame.final ? "." : "") + "; ";
      }
    }
    return text;
  }
  void Say(std::string_view bytes) {
    runtime_->Write(bytes);
    loop_.RunReady();
  }
  static std::string Data(uint32_t stream, std::string_view payload, bool final = false) {
    std::string out;
    base::SpdyWriter::Data(stream, payload, final, out);
    return out;
  }
  static std::string Control(uint16_t type, std::string_view payload) {
    std::string out{'\x80', '\x03', static_cast<char>(type >> 8),     static_cast<char>(type), '\0',
                    '\0',   '\0',   static_cast<char>(payload.size())};
    return out.append(payload);
  }

  base::SimLoop loop_{1};
  std::unique_ptr<SpdyCommand> command_;
  base::RemoteMessageReader messages_;
  std::string heard_;
  std::unique_ptr<base::Duplex> runtime_;
  std::string received_;
  bool hung_up_ = false;
  base::SpdyReader reader_;
};

TEST_F(SpdyCommandTest, OpensTheStreamsThatWereAskedForAndPassesBytes) {
  Start({.stdin_open = true, .stdout_open = true, .stderr_open = true});
  EXPECT_EQ(std::exchange(received_, {}),
            "POST /exec/token HTTP/1.1\r\nHost: 127.0.0.1:10\r\nConnection: Upgrade\r\n"
            "Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n"
            "Content-Length: 0\r\n\r\n");
  command_->Write(base::RemoteMessage(RemoteChannel::kStdin, "early"));
  Say(kUpgraded);
  EXPECT_EQ(Frames(), "open 1 error; open 3 stdin; open 5 stdout; open 7 stderr; 3 early; ");
  command_->Write(base::RemoteMessage(RemoteChannel::kStdin, "late") +
                  base::RemoteMessage(RemoteChannel::kResize, "there is no terminal") +
                  base::RemoteMessage(RemoteChannel::kClose, std::string(1, '\0')) +
                  base::RemoteMessage(RemoteChannel::kStdin, "after the end"));
  Say(Data(5, "out") + Data(7, "err") + Control(6, std::string("\0\0\0\2", 4)));
  EXPECT_EQ(Frames(), "3 late; 3 .; ping; ");
  EXPECT_EQ(heard_, "1:out; 2:err; ");
}

TEST_F(SpdyCommandTest, EndsWithTheStatusWhoeverHangsUpFirst) {
  for (const std::string& end :
       {Data(1, R"("yStatus")", true),
        Data(1, R"("yStatus")") + Control(3, std::string("\0\0\0\1\0\0\0\5", 8)),
        Data(1, R"("yStatus")") + Control(7, std::string(8, '\0'))}) {
    heard_.clear();
    messages_ = {};
    Start({.stdout_open = true});
    Say(std::string(kUpgraded) + Data(3, "out") + end);
    EXPECT_EQ(heard_, "1:out; 3:\"yStatus\"; finished OK; closed; ");
  }
  heard_.clear();
  Start({.stdout_open = true});
  Say(std::string(kUpgraded) + Data(1, "half"));
  runtime_.reset();
  loop_.RunReady();
  EXPECT_EQ(heard_, "3:half; finished OK; closed; ");
}

TEST_F(SpdyCommandTest, TheEndWaitsForAReaderThatPauses) {
  Start({.stdout_open = true});
  Say(kUpgraded);
  command_->SetPaused(true);
  runtime_->Write(Data(3, "out") + Data(1, "ended", true));
  runtime_->Finish();
  loop_.RunReady();
  EXPECT_EQ(heard_, "");
  command_->SetPaused(false);
  loop_.RunReady();
  EXPECT_EQ(heard_, "1:out; 3:ended; finished OK; closed; ");
}

TEST_F(SpdyCommandTest, ARefusalIsToldInTheRuntimesWords) {
  Start({.stdout_open = true});
  Say("HTTP/1.1 404 Not Found\r\n\r\n");
  EXPECT_EQ(heard_,
            "finished InternalError: the container runtime refused the command: HTTP/1.1 404 "
            "Not Found; closed; ");
  heard_.clear();
  Start({.stdout_open = true});
  runtime_.reset();
  loop_.RunReady();
  EXPECT_EQ(heard_, "finished ServiceUnavailable: the container runtime hung up; closed; ");
}

TEST_F(SpdyCommandTest, ATerminalIsToldItsSizesInOrder) {
  Start({.stdin_open = true, .stdout_open = true, .terminal = true});
  const auto resize = [this](const char* size) {
    command_->Write(base::RemoteMessage(RemoteChannel::kResize, size));
  };
  received_.clear();  // the upgrade
  resize(R"({"Width":80,"Height":24})");
  Say(kUpgraded);
  EXPECT_EQ(Frames(),
            "open 1 error; open 3 stdin; open 5 stdout; open 7 resize; "
            R"(7 {"Width":80,"Height":24}; )");
  resize(R"({"Width":132,"Height":43})");
  loop_.RunReady();
  EXPECT_EQ(Frames(), R"(7 {"Width":132,"Height":43}; )");
}

TEST_F(SpdyCommandTest, AFrameOfAnySizeBecomesMessagesThatReadersTake) {
  Start({.stdout_open = true});
  Say(std::string(kUpgraded) + Data(3, std::string(2 * base::kMaxRemoteMessage, 'x')));
  EXPECT_EQ(std::count(heard_.begin(), heard_.end(), 'x'),
            static_cast<int64_t>(2 * base::kMaxRemoteMessage));
}

TEST_F(SpdyCommandTest, WhoWritesBeforeThereIsACommandIsToldWhenToGoOn) {
  Start({.stdout_open = true});
  command_->Write(
      base::RemoteMessage(RemoteChannel::kStdin, std::string(base::kRefillDuplexBacklog, 'x')));
  EXPECT_GT(command_->Backlog(), base::kRefillDuplexBacklog);
  Say(kUpgraded);
  EXPECT_EQ(command_->Backlog(), 0u) << "no input was asked for";
  EXPECT_EQ(heard_, "drained; ");
}

TEST_F(SpdyCommandTest, HangingUpHangsUpOnTheRuntime) {
  Start({.stdin_open = true, .stdout_open = true});
  Say(kUpgraded);
  command_.reset();
  loop_.RunReady();
  EXPECT_TRUE(hung_up_);
}

}  // namespace
}  // namespace nodeagent
