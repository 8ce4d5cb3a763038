// Frame: what the control plane and a node say to each other, as plain values.
//
// Immutable once sent; documents are shared, not copied. edge/grpc_transport gives frames their
// wire form (edge/proto/agent.proto). A frame of a kind that the receiver does not know is dropped
// before it gets here, so that either side may be newer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/document.h"
#include "base/status.h"
#include "base/time.h"
#include "state/object.h"
#include "state/pod_stream.h"

namespace nodeagent {

// From the agent.

// The first frame of a connection. `epoch` and `have_revision` name the View that the agent holds;
// "" and 0 if it holds none.
struct Hello {
  std::string node;
  std::string version;  // of plumb
  std::string epoch;
  state::Revision have_revision = 0;
};

// Reports carry a sequence: the agent repeats them until a StatusAck reaches it.
struct PodStatus {
  uint64_t sequence = 0;
  state::Key key;
  std::string uid;
  base::Document status;
};

// Nothing of the pod is left on the node: its deletion may complete.
struct PodGone {
  uint64_t sequence = 0;
  state::Key key;
  std::string uid;
};

struct NodeStatus {
  uint64_t sequence = 0;
  std::map<std::string, std::string> labels;
  base::Document status;
};

// An Event about a pod of the node.
struct PodEvent {
  uint64_t sequence = 0;
  state::Key key;
  std::string uid;
  bool warning = false;
  std::string reason;
  std::string message;
};

// The node's rules, names and routes are those of this revision.
struct Programmed {
  state::Revision revision = 0;
};

// Bytes of a log, in order, from an agent that knows no streams of their own. The last one has
// `end`, and says how it went.
struct StreamChunk {
  uint64_t id = 0;
  std::string bytes;
  bool end = false;
  base::Status status;
};

// From the control plane.

struct Welcome {
  std::string epoch;
  base::Duration heartbeat;  // how often the agent sends one
  base::Duration grace;      // after so long without a frame the other side is taken for gone
};

// A piece of a transfer. With `complete` the agent holds all that it needs of `revision`; until
// then what it got so far means nothing. With `reset` (in the first piece) the transfer replaces
// what the agent holds.
struct Objects {
  bool reset = false;
  bool complete = false;
  state::Revision revision = 0;
  std::vector<state::ObjectPtr> puts;
  std::vector<state::Key> removals;
};

// All reports up to `sequence` are durable, or can never be.
struct StatusAck {
  uint64_t sequence = 0;
};

// All live nodes have programmed this revision.
struct ProgrammedAll {
  state::Revision revision = 0;
};

// Asks the agent for a stream: a connection of its own whose first frame is a StreamHello with the
// same id and secret.
struct StreamOpen {
  uint64_t id = 0;
  uint64_t secret = 0;
  state::StreamRequest request;
};

// The stream that was asked for is not wanted any more.
struct StreamClose {
  uint64_t id = 0;
};

// From either side: I am here. The control plane answers each of an agent's with one of its own.
struct Heartbeat {};

// On a stream's own connection. First, from the agent: which stream this is.
struct StreamHello {
  uint64_t id = 0;
  uint64_t secret = 0;
};

// From either side: bytes, which use up credit; credit for as many more; nothing more comes.
struct StreamData {
  std::string bytes;
};
struct StreamCredit {
  uint64_t bytes = 0;
};
struct StreamEnd {
  base::Status status;
};

using Frame = std::variant<Hello, PodStatus, PodGone, NodeStatus, PodEvent, Programmed, StreamChunk,
                           Welcome, Objects, StatusAck, ProgrammedAll, StreamOpen, StreamClose,
                           Heartbeat, StreamHello, StreamData, StreamCredit, StreamEnd>;

inline constexpr size_t kMaxChunkBytes = 256u << 10;  // of documents in an Objects, or one document
inline constexpr size_t kMaxChunkObjects = 1000;      // puts and removals in an Objects
inline constexpr size_t kMaxStreamChunkBytes = 64u << 10;  // of bytes in a StreamData
inline constexpr size_t kStreamWindowBytes = 256u << 10;   // the credit that a stream begins with
inline constexpr size_t kMaxReportBytes = 256u << 10;      // of a status
inline constexpr size_t kMaxEventBytes = 4096;             // of a PodEvent's reason and message
inline constexpr size_t kMaxFrameBytes = 4u << 20;         // on the wire

// About what the frame takes in memory and on the wire.
size_t SizeOf(const Frame& frame);

}  // namespace nodeagent
