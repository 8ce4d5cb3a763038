// AgentSession: the agent's side of the connection. It holds the View of what concerns the node,
// keeps it through partitions and restarts, and carries reports until they are durable.
//
// Loop only. Connecting, resuming and repeating are its own affair: callers report, and look at the
// View.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/backoff.h"
#include "base/json.h"
#include "base/lifeline.h"
#include "base/loop.h"
#include "base/net/duplex.h"
#include "base/rng.h"
#include "nodeagent/session/transport.h"
#include "nodeagent/session/view_cache.h"

namespace nodeagent {

struct AgentOptions {
  std::string node;
  std::string version;
  uint64_t seed = 0;  // spreads reconnects
};

class AgentSession {
 public:
  using OnStream = std::function<void(const state::StreamRequest& request,
                                      std::unique_ptr<base::Duplex> stream)>;

  AgentSession(base::Loop& loop, FrameDialer& dialer, std::shared_ptr<ViewCache> cache,
               AgentOptions options);
  ~AgentSession();

  // Callbacks; set before Start.
  // The View has changed: these keys, sorted. At Start: all keys of a cached View.
  void OnView(std::function<void(const std::vector<state::Key>&)> f) { on_view_ = std::move(f); }
  void OnProgrammedAll(std::function<void()> f) { on_programmed_all_ = std::move(f); }
  // The control plane wants a stream of its own. It ends with the connection, not with this.
  void OnOpenStream(OnStream f) { on_stream_ = std::move(f); }

  // Loads the cached View and connects.
  void Start();

  // What concerns the node, as of the View's revision.
  const state::View& view() const { return held_.view; }
  // False until there has ever been a whole View: then nothing is known, and absence means nothing.
  bool complete() const { return complete_; }
  bool connected() const { return welcomed_; }
  // The revision that all live nodes have programmed, as far as the control plane has said.
  state::Revision programmed_all() const { return programmed_all_; }

  // Reports. Of each pod the newest counts.
  void ReportPod(const state::Key& pod, const std::string& uid, const base::Json& status);
  void ReportGone(const state::Key& pod, const std::string& uid);
  void ReportNode(std::map<std::string, std::string> labels, const base::Json& status);
  // At least once; the oldest is dropped when more than kMaxQueuedEvents wait.
  void ReportEvent(const state::Key& pod, const std::string& uid, bool warning,
                   const std::string& reason, const std::string& message);
  void ReportProgrammed(state::Revision revision);

  size_t reports_waiting() const { return reports_.size(); }

 private:
  using PodId = std::pair<state::Key, std::string>;  // and its uid
  struct Reported {
    base::Document status;
    uint64_t sequence = 0;  // of the report that waits; 0: none does
  };

  void Connect();
  void Reconnect(const base::Status& why);
  void Receive(Frame frame);
  void ReceiveWelcome(const Welcome& welcome);
  void ReceiveObjects(const Objects& objects);
  void ReceiveAck(uint64_t sequence);
  void ReceiveOpen(const StreamOpen& open);
  void Adopt(CachedView next);
  void RepeatLostStatuses();
  void Beat();

  void Enqueue(uint64_t sequence, Frame frame);
  void Forget(uint64_t sequence);
  void Send(Frame frame);
  void SaveSoon();
  void Save();

  base::Loop& loop_;
  FrameDialer& dialer_;
  const std::shared_ptr<ViewCache> cache_;
  const AgentOptions options_;
  base::Rng rng_;

  std::function<void(const std::vector<state::Key>&)> on_view_;
  std::function<void()> on_programmed_all_;
  OnStream on_stream_;

  CachedView held_;
  bool complete_ = false;
  state::Revision programmed_all_ = 0;
  state::Revision programmed_ = 0;

  // The connection.
  std::unique_ptr<FrameChannel> channel_;
  bool welcomed_ = false;
  Welcome welcome_;
  base::MonotonicTime heard_;
  base::Backoff retry_;
  base::Loop::TimerId timer_ = 0;  // of the next heartbeat, or of the next attempt to connect
  struct Incoming {
    bool reset = false;
    state::View view;
    std::vector<state::Key> changed;
  };
  std::optional<Incoming> incoming_;  // the transfer under way
  bool repeat_lost_ = false;          // until the first transfer of a connection is complete

  // Reports.
  uint64_t last_sequence_ = 0;
  std::map<uint64_t, Frame> reports_;  // that are not acknowledged
  std::map<PodId, Reported> pods_;
  std::optional<NodeStatus> node_;  // the newest
  size_t events_waiting_ = 0;

  // The cache.
  bool save_wanted_ = false;
  bool saving_ = false;
  base::Duration save_delay_;

  base::Lifeline lifeline_;
};

inline constexpr size_t kMaxQueuedEvents = 256;
inline constexpr base::Backoff kConnectRetry{base::Duration::Millis(200),
                                             base::Duration::Seconds(10)};
inline constexpr base::Duration kWelcomeTimeout = base::Duration::Seconds(10);
// A View is saved this long after it changed, and saving takes at most 1 / kSaveShare of the time.
inline constexpr base::Duration kSaveDelay = base::Duration::Seconds(1);
inline constexpr int64_t kSaveShare = 20;

}  // namespace nodeagent
