// SpdyCommand: a command in a container, over the streaming protocol of container runtimes:
// SPDY/3.1 after an HTTP upgrade (v4.channel.k8s.io), one stream a channel.
//
// Loop only. Its own end is a Duplex of channel messages, as Runtime::OpenExec promises.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/net/duplex.h"
#include "base/net/remote_channels.h"
#include "base/net/spdy.h"
#include "state/pod_stream.h"

namespace nodeagent {

class SpdyCommand final : public base::Duplex {
 public:
  SpdyCommand(base::Loop& loop, const state::ExecRequest& request);

  // One of these, once. `connection` leads to `host`, which serves the command at `path`.
  void Start(std::unique_ptr<base::Duplex> connection, const std::string& host,
             const std::string& path);
  void Fail(const base::Status& why) { End(why); }
  // Holds as long as this lives.
  base::Lifeline::Tie tie() const { return lifeline_.tie(); }

  void Listen(Events events) override { inbox_.Listen(std::move(events)); }
  void Write(std::string_view messages) override;
  size_t Backlog() const override;
  void Finish(base::Status status) override;
  void SetPaused(bool paused) override;

 private:
  enum class State { kWaiting, kUpgrading, kOpen, kEnded };

  void Receive(std::string_view bytes);
  bool TakeHead();
  void OpenStreams();
  void TakeFrame(const base::SpdyFrame& frame);
  void PutOutput(base::RemoteChannel channel, std::string_view payload);
  void Send(base::RemoteChannel channel, std::string_view payload);
  void CloseInput();
  void HungUp();
  // With how the command ended, if the runtime has said.
  void End(const base::Status& otherwise);

  base::Loop& loop_;
  const state::ExecRequest request_;
  State state_ = State::kWaiting;
  std::unique_ptr<base::Duplex> connection_;
  std::string pending_;  // messages from before there are streams
  std::string head_;     // of the answer to the upgrade
  base::RemoteMessageReader messages_;
  base::SpdyWriter writer_;
  base::SpdyReader reader_;
  std::map<base::RemoteChannel, uint32_t> streams_;
  bool input_closed_ = false;
  std::string status_;  // what came on kStatus
  base::DuplexInbox inbox_;
  base::Lifeline lifeline_;
};

}  // namespace nodeagent
