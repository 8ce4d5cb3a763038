// Rules:
// - A stream belongs to the node that was asked: a channel whose certificate names another node, or
//   that does not know the secret, is not taken.
// - An agent that knows no streams of their own answers a request for a log with chunks on its
//   control channel, and does not answer any other: then the time that it has runs out.
#include "nodeagent/hub/node_streams.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace nodeagent {

std::unique_ptr<base::Duplex> NodeStreams::Open(const std::string& node,
                                                const state::StreamRequest& request) {
  FrameChannel* control = find_control_(node);
  const uint64_t id = ++last_id_;
  const auto open =
      static_cast<size_t>(std::count_if(streams_.begin(), streams_.end(), [&](const auto& entry) {
        return entry.second.node == node;
      }));
  auto stream = std::make_unique<NodeStream>(loop_, NodeStream::Side::kControlPlane);
  stream->OnGone(lifeline_.Wrap([this, id] { Forget(id); }));
  Asked& asked = streams_[id];
  asked.node = node;
  asked.stream = stream.get();
  if (control == nullptr) {
    FailLater(id, base::Status(base::Code::kUnavailable,
                               "node " + node + " is not connected; try again when it is back"));
  } else if (open >= kMaxStreamsPerNode) {
    FailLater(id, base::Status(base::Code::kTooManyRequests,
                               "node " + node + " serves " + std::to_string(open) +
                                   " streams, as many as it may; close some"));
  } else {
    asked.secret = secrets_.Next() | 1;  // never 0, which stands for none
    asked.timer = loop_.After(kStreamOpenTimeout, lifeline_.Wrap([this, id, node] {
      Fail(id, base::Status(base::Code::kTimeout,
                            "node " + node +
                                " did not open the stream; its agent may be overloaded, "
                                "or of a version that does not know how"));
    }));
    control->Send(StreamOpen{id, asked.secret, request});
  }
  return stream;
}

bool NodeStreams::Attach(const StreamHello& hello, std::unique_ptr<FrameChannel>& channel) {
  const auto found = streams_.find(hello.id);
  if (found == streams_.end()) return false;
  Asked& asked = found->second;
  if (asked.answered || asked.secret == 0 || asked.secret != hello.secret ||
      asked.node != channel->peer()) {
    return false;
  }
  Answered(asked);
  asked.own_channel = true;
  asked.stream->Attach(std::move(channel));
  return true;
}

void NodeStreams::Answered(Asked& asked) {
  asked.answered = true;
  loop_.Cancel(std::exchange(asked.timer, 0));
}

void NodeStreams::Receive(const std::string& node, const StreamChunk& chunk) {
  const auto found = streams_.find(chunk.id);
  if (found == streams_.end() || found->second.node != node) return;
  Answered(found->second);
  // Either may end in the stream's destruction.
  if (!chunk.bytes.empty() && !found->second.stream->Put(chunk.bytes)) {
    return Fail(chunk.id, base::Status(base::Code::kTooLarge, "the log is not read fast enough"));
  }
  if (!chunk.end) return;
  const auto still = streams_.find(chunk.id);
  if (still != streams_.end()) still->second.stream->PutEnd(chunk.status);
}

void NodeStreams::EndAll(const std::string& node) {
  std::vector<uint64_t> ended;
  for (const auto& [id, asked] : streams_) {
    if (asked.node == node) ended.push_back(id);
  }
  for (const uint64_t id : ended) {
    Fail(id, base::Status(base::Code::kUnavailable,
                          "the connection to node " + node + " broke; ask again"));
  }
}

void NodeStreams::Fail(uint64_t id, const base::Status& why) {
  const auto found = streams_.find(id);
  if (found != streams_.end()) found->second.stream->Fail(why);
}

void NodeStreams::FailLater(uint64_t id, const base::Status& why) {
  loop_.Post(lifeline_.Wrap([this, id, why] { Fail(id, why); }));
}

void NodeStreams::Forget(uint64_t id) {
  const auto forgotten = streams_.extract(id);
  if (forgotten.empty()) return;
  const Asked& asked = forgotten.mapped();
  loop_.Cancel(asked.timer);
  if (asked.own_channel) return;  // its closing says it
  FrameChannel* control = find_control_(asked.node);
  if (control != nullptr) control->Send(StreamClose{id});
}

}  // namespace nodeagent
