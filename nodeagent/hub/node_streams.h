// NodeStreams: the streams between the control plane and its nodes: asked for on a node's control
// channel, answered by a channel of their own.
//
// Loop only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/lifeline.h"
#include "base/loop.h"
#include "base/net/duplex.h"
#include "base/rng.h"
#include "nodeagent/session/node_stream.h"
#include "nodeagent/session/transport.h"

namespace nodeagent {

class NodeStreams {
 public:
  // The control channel of a node, or null.
  using FindControl = std::function<FrameChannel*(const std::string& node)>;

  // `seed` makes the secrets: they keep apart what a node may do anyway, by its certificate.
  NodeStreams(base::Loop& loop, uint64_t seed, FindControl find_control)
      : loop_(loop), secrets_(seed), find_control_(std::move(find_control)) {}

  // Asks `node` for a stream. What goes wrong is the stream's end. It may outlive this.
  std::unique_ptr<base::Duplex> Open(const std::string& node, const state::StreamRequest& request);
  // The channel that an agent opened for `hello`. False if nobody waits for it.
  bool Attach(const StreamHello& hello, std::unique_ptr<FrameChannel>& channel);
  // A piece of a log from an agent that answers on its control channel.
  void Receive(const std::string& node, const StreamChunk& chunk);
  // The control channel of the node is gone, and with it all its streams.
  void EndAll(const std::string& node);

 private:
  struct Asked {
    std::string node;
    uint64_t secret = 0;
    NodeStream* stream = nullptr;  // alive as long as the entry
    bool answered = false;
    bool own_channel = false;
    base::Loop::TimerId timer = 0;  // until the node answers
  };
  void Answered(Asked& asked);
  void Fail(uint64_t id, const base::Status& why);
  void FailLater(uint64_t id, const base::Status& why);
  void Forget(uint64_t id);

  base::Loop& loop_;
  base::Rng secrets_;
  const FindControl find_control_;
  std::map<uint64_t, Asked> streams_;
  uint64_t last_id_ = 0;
  base::Lifeline lifeline_;
};

inline constexpr size_t kMaxStreamsPerNode = 256;
inline constexpr base::Duration kStreamOpenTimeout = base::Duration::Seconds(15);

}  // namespace nodeagent
