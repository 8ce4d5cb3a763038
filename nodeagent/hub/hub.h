// Hub: all sessions of the control plane over one Store. It feeds every node what it needs, writes
// what nodes report, remembers who lives, and routes open streams.
//
// Loop only. Nodes are told durable changes only, and get their acknowledgements when a report is
// durable.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/identity.h"
#include "base/lifeline.h"
#include "base/loop.h"
#include "base/net/newcomers.h"
#include "base/piecework.h"
#include "base/subscription.h"
#include "nodeagent/hub/node_streams.h"
#include "nodeagent/hub/server_session.h"
#include "nodeagent/session/transport.h"
#include "state/draft.h"
#include "state/store.h"
#include "state/writer.h"

namespace nodeagent {

inline constexpr size_t kMaxReportsPerCommit = 500;
inline constexpr size_t kMaxQueuedReports = 50'000;  // beyond, a reporting node has to come back
inline constexpr size_t kMaxConnections = 20'000;
// Of one node, before their first frame: all the streams that it may be asked for at once.
inline constexpr size_t kMaxSilentOfNode = kMaxStreamsPerNode;
inline constexpr base::Duration kHeldRetry = base::Duration::Seconds(1);
inline constexpr base::Duration kFirstFrameTimeout = base::Duration::Seconds(10);

struct HubOptions {
  // Names the store's history: another one after a restore from a backup.
  std::string epoch;
  base::Duration heartbeat = base::Duration::Seconds(10);
  // A node that is silent for so long is not live: Ready becomes Unknown.
  base::Duration grace = base::Duration::Seconds(40);
  // A Lease is renewed this often; it says itself that it is valid for `grace` more.
  base::Duration lease_period = base::Duration::Seconds(60);
};

class Hub {
 public:
  // Nodes that were Ready get a full grace period from now on. `context` gives drafts their schema,
  // configuration and first seed.
  Hub(base::Loop& loop, state::Store& store, const state::DraftContext& context,
      HubOptions options);
  ~Hub();

  // A new connection: what the listener of the transport calls.
  void Accept(std::unique_ptr<FrameChannel> channel);

  // Ends the connections of nodes whose certificate counts no more, as `ended` says of
  // system:node:NODE. A node with another certificate comes back.
  void Disconnect(const std::function<bool(const base::Identity&)>& ended);

  bool IsLive(const std::string& node) const;
  bool IsConnected(const std::string& node) const;
  // Every live node has programmed this revision; without nodes, all that is durable. It falls back
  // when a node joins.
  state::Revision programmed_by_all() const { return programmed_by_all_; }
  // Called when programmed_by_all() has changed.
  void OnProgrammed(std::function<void()> listener) { on_programmed_ = std::move(listener); }

  // A stream to the node: a log, a command. What goes wrong is the stream's end, in a later turn.
  std::unique_ptr<base::Duplex> Open(const std::string& node, const state::StreamRequest& request);

 private:
  struct Connection {
    std::string node;
    base::MonotonicTime since;
    std::unique_ptr<FrameChannel> channel;
    std::optional<ServerSession> session;  // after the Hello
  };
  struct Member {  // what the loop remembers of a live node
    uint64_t connection = 0;
    base::MonotonicTime heard;
    state::Revision programmed = 0;
    std::optional<base::Now> lease_renewed;
    std::string refused;  // why a report was, as the log has it last
  };

  void Receive(uint64_t id, Frame frame);
  base::Status ReceiveFirst(uint64_t id, const Frame& frame);
  base::Status ReceiveHello(uint64_t id, const Hello& hello);
  base::Status ReceiveStreamHello(uint64_t id, const StreamHello& hello);
  void Handle(uint64_t id, Connection& connection, Frame frame);
  void Drop(uint64_t id, const base::Status& why);
  FrameChannel* ControlOf(const std::string& node);

  // Brings the idle sessions at one position to one View, from which they are told.
  struct Round {
    state::Revision from = 0;
    state::View to;
    RoutedChanges changes;
    state::Revision routed = 0;  // how far they reach
    bool lost = false;           // the log does not reach back so far
  };
  bool SomeoneIsBehind() const;
  bool FeedNext();  // whether there is more to do
  void RouteSome();
  bool FeedOne();  // false if nobody is left in the round
  void TellProgress();
  void Pump(uint64_t id, Connection& connection);

  void QueueReport(uint64_t id, Frame frame);
  bool WriteReports();  // whether more wait
  void Write(state::Draft& draft, const std::string& node, const Frame& frame);
  base::Status RenewLeaseIfDue(state::Draft& draft, const std::string& node);
  void CommitDraft(const state::Draft& draft, base::Loop::Task durable);

  void Tick();
  void DropSilent(base::MonotonicTime now);
  void CountProgrammed();

  base::Loop& loop_;
  state::Store& store_;
  state::Writer writer_;
  const HubOptions options_;

  std::map<uint64_t, Connection> connections_;
  base::Newcomers silent_{kMaxConnections, kMaxSilentOfNode};  // no first frame has come
  uint64_t last_connection_ = 0;
  std::map<std::string, Member> members_;
  // Sessions that have sent all, by position and connection; the first is the furthest behind.
  std::set<std::pair<state::Revision, uint64_t>> idle_;
  std::optional<Round> round_;
  bool nearest_ = false;  // the last round was for those who were least behind
  std::deque<std::pair<uint64_t, Frame>> reports_;
  base::Loop::TimerId tick_ = 0, progress_ = 0, retry_ = 0;
  state::Revision programmed_by_all_ = 0;
  std::function<void()> on_programmed_;
  NodeStreams streams_;
  // Pieces: some changes routed, or one session's share of them; a transaction; a count.
  base::Piecework feeding_, writing_, counting_;
  base::Subscription on_durable_;
  base::Lifeline lifeline_;
};

// When an EndpointSlice was removed, agents wait until all nodes have come to the View in which it
// is gone: after this long, nodes that nothing newer concerns are told how far they are.
inline constexpr base::Duration kProgressWait = base::Duration::Seconds(3);

}  // namespace nodeagent
