// Rules:
// - The first frame is a Hello for the node that the channel's certificate names, or the
//   StreamHello of a stream that was asked for; anything else ends the connection, and so does none
//   for kFirstFrameTimeout (looked at with each tick). A second control channel of a node replaces
//   the first.
// - Sessions that have sent all are brought to the newest durable View in rounds: all that stand at
//   the same revision together, so that the changes from there on are read and routed once. The
//   furthest behind come first. One whose node is slow joins a later round, when the network has
//   taken what was sent; one that the log does not reach back to is told all again.
// - A round is cut into pieces, whatever its size; a node sees whole Views all the same.
// - A node that nothing concerns is not told how far it is, unless an EndpointSlice was removed:
//   then it is, after kProgressWait, since others may wait for it.
// - The reports of a turn become one transaction. One that is refused is acknowledged like the
//   others: sending it again cannot help.
// - A node is live from its Hello until it was silent for the grace period, connected or not: its
//   rules still route meanwhile, so programmed_by_all() waits for it.
#include "nodeagent/hub/hub.h"

#include <algorithm>

#include "base/log.h"
#include "manifests/kinds/conditions.h"
#include "nodeagent/hub/agent_writes.h"
#include "state/authorize.h"

namespace nodeagent {
namespace {

constexpr size_t kRoutedAtOnce = 200;  // changes

bool WasReady(const state::Object& node) {
  return manifests::ConditionIs(node["status"], "Ready", "True");
}

// 0 for what is no report.
uint64_t SequenceOf(const Frame& frame) {
  if (const auto* status = std::get_if<PodStatus>(&frame)) return status->sequence;
  if (const auto* gone = std::get_if<PodGone>(&frame)) return gone->sequence;
  if (const auto* node = std::get_if<NodeStatus>(&frame)) return node->sequence;
  if (const auto* event = std::get_if<PodEvent>(&frame)) return event->sequence;
  return 0;
}

}  // namespace

Hub::Hub(base::Loop& loop, state::Store& store, const state::DraftContext& context,
         HubOptions options)
    : loop_(loop),
      store_(store),
      writer_(loop, store, context, state::ProgramActor("plumb-node")),
      options_(std::move(options)),
      streams_(loop, context.seed, [this](const std::string& node) { return ControlOf(node); }),
      feeding_(loop, [this] { return FeedNext(); }),
      writing_(loop, [this] { return WriteReports(); }),
      counting_(loop, [this] {
        CountProgrammed();
        return false;
      }) {
  on_durable_ = store_.OnDurable([this] {
    feeding_.Wake();
    if (members_.empty()) counting_.Wake();
  });
  for (const state::ObjectPtr& node : store.view().List("nodes")) {
    if (WasReady(*node)) members_[node->key.name].heard = loop_.now().monotonic;
  }
  CountProgrammed();
  tick_ = loop_.After(options_.heartbeat, [this] { Tick(); });
}

Hub::~Hub() {
  loop_.Cancel(tick_);
  loop_.Cancel(progress_);
  loop_.Cancel(retry_);
}

void Hub::Accept(std::unique_ptr<FrameChannel> channel) {
  if (connections_.size() >= kMaxConnections) {
    base::LogWarning("node refused: too many connections", {{"node", channel->peer()}});
    return;
  }
  const uint64_t id = ++last_connection_;
  Connection& connection = connections_[id];
  connection.node = channel->peer();
  connection.since = loop_.now().monotonic;
  connection.channel = std::move(channel);
  connection.channel->OnFrame([this, id](Frame frame) { Receive(id, std::move(frame)); });
  connection.channel->OnClosed([this, id](const base::Status& why) { Drop(id, why); });
  connection.channel->OnDrained([this, id] {
    const auto found = connections_.find(id);
    if (found != connections_.end()) Pump(id, found->second);
  });
  if (const auto leaver = silent_.Add(id, connection.node))
    Drop(*leaver, base::Status(base::Code::kTooManyRequests, "too many say nothing"));
}

void Hub::Receive(uint64_t id, Frame frame) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  if (!found->second.session) {
    const base::Status taken = ReceiveFirst(id, frame);
    if (!taken.ok()) Drop(id, taken);
    return;
  }
  members_[found->second.node].heard = loop_.now().monotonic;
  Handle(id, found->second, std::move(frame));
}

base::Status Hub::ReceiveFirst(uint64_t id, const Frame& frame) {
  silent_.Remove(id);
  if (const auto* hello = std::get_if<Hello>(&frame)) return ReceiveHello(id, *hello);
  if (const auto* hello = std::get_if<StreamHello>(&frame)) return ReceiveStreamHello(id, *hello);
  return base::Status(base::Code::kBadRequest, "the first frame is not a Hello");
}

base::Status Hub::ReceiveStreamHello(uint64_t id, const StreamHello& hello) {
  Connection& connection = connections_.at(id);
  if (!streams_.Attach(hello, connection.channel)) {
    return base::Status(base::Code::kCancelled, "the stream is not wanted any more");
  }
  connections_.erase(id);
  return {};
}

base::Status Hub::ReceiveHello(uint64_t id, const Hello& hello) {
  Connection& connection = connections_.at(id);
  if (hello.node != connection.node || hello.node.empty()) {
    return base::Status(base::Code::kForbidden, "a certificate for node \"" + connection.node +
                                                    "\" does not speak for node \"" + hello.node +
                                                    "\"");
  }
  Member& member = members_[hello.node];
  if (member.connection != 0) {
    Drop(member.connection, base::Status(base::Code::kCancelled, "the node has a new connection"));
  }
  member.connection = id;
  member.heard = loop_.now().monotonic;
  member.programmed = 0;
  member.lease_renewed.reset();
  connection.session.emplace(hello.node);
  connection.session->Start(Welcome{options_.epoch, options_.heartbeat, options_.grace}, hello,
                            store_.durable_view());
  base::LogInfo("node connected", {{"node", hello.node},
                                   {"version", hello.version},
                                   {"has", std::to_string(hello.have_revision)}});
  Pump(id, connection);
  connection.channel->Send(ProgrammedAll{programmed_by_all_});
  QueueReport(id, Heartbeat{});  // its turn renews the lease
  counting_.Wake();
  return {};
}

void Hub::Handle(uint64_t id, Connection& connection, Frame frame) {
  if (SequenceOf(frame) != 0) return QueueReport(id, std::move(frame));
  if (std::get_if<Heartbeat>(&frame)) {
    connection.channel->Send(Heartbeat{});
    QueueReport(id, std::move(frame));
  } else if (const auto* programmed = std::get_if<Programmed>(&frame)) {
    members_[connection.node].programmed = programmed->revision;
    counting_.Wake();
  } else if (const auto* chunk = std::get_if<StreamChunk>(&frame)) {
    streams_.Receive(connection.node, *chunk);
  }
}

void Hub::Drop(uint64_t id, const base::Status& why) {
  silent_.Remove(id);
  auto dropped = connections_.extract(id);  // destroyed at the end: it may be the caller
  if (dropped.empty()) return;
  const std::string& node = dropped.mapped().node;
  if (dropped.mapped().session) idle_.erase({dropped.mapped().session->position(), id});
  base::LogInfo(dropped.mapped().session ? "node disconnected" : "connection refused",
                {{"node", node}, {"why", why.ToString()}});
  const auto member = members_.find(node);
  if (member == members_.end() || member->second.connection != id) return;
  member->second.connection = 0;
  streams_.EndAll(node);
}

// What the outside may see.

bool Hub::SomeoneIsBehind() const {
  return !idle_.empty() && idle_.begin()->first < store_.durable();
}

bool Hub::FeedNext() {
  if (!round_ && SomeoneIsBehind()) {
    // By turns those furthest behind and those least: who keeps up waits for one round at most.
    nearest_ = !nearest_;
    const auto at = nearest_ ? std::prev(idle_.lower_bound({store_.durable(), 0})) : idle_.begin();
    const state::Revision from = at->first;
    round_.emplace(Round{.from = from, .to = store_.durable_view(), .changes = {}, .routed = from});
  }
  if (!round_) return false;
  if (!round_->lost && round_->routed < round_->to.revision()) {
    RouteSome();
  } else if (!FeedOne()) {
    round_.reset();
  }
  return round_ || SomeoneIsBehind();
}

void Hub::RouteSome() {
  const auto changes = store_.Read(round_->routed, kRoutedAtOnce);
  round_->lost = !changes.ok();
  if (round_->lost) return;
  for (const state::Change& change : *changes) {
    if (change.revision > round_->to.revision()) break;
    round_->changes.Add(change);
    round_->routed = change.revision;
    const bool ends_service =
        change.removed && change.key().resource == "endpointslices.discovery.k8s.io";
    if (ends_service && progress_ == 0) {
      progress_ = loop_.After(kProgressWait, [this] { TellProgress(); });
    }
  }
}

bool Hub::FeedOne() {
  const auto next = idle_.lower_bound({round_->from, 0});
  if (next == idle_.end() || next->first != round_->from) return false;
  const uint64_t id = next->second;
  idle_.erase(next);
  Connection& connection = connections_.at(id);
  if (round_->lost) {
    connection.session->Reset(round_->to);
  } else {
    connection.session->Advance(round_->changes, round_->to);
  }
  Pump(id, connection);
  return true;
}

void Hub::TellProgress() {
  progress_ = 0;
  for (auto& [id, connection] : connections_) {
    if (!connection.session || !connection.session->is_ahead()) continue;
    idle_.erase({connection.session->position(), id});
    connection.session->TellPosition();
    Pump(id, connection);
  }
}

// Sends what the network takes.
void Hub::Pump(uint64_t id, Connection& connection) {
  if (!connection.session) return;
  ServerSession& session = *connection.session;
  while (connection.channel->Backlog() < kRefillBacklogBytes) {
    std::optional<Frame> frame = session.Next();
    if (!frame) {
      idle_.emplace(session.position(), id);
      if (SomeoneIsBehind()) feeding_.Wake();
      return;
    }
    connection.channel->Send(*std::move(frame));
  }
}

// What nodes report.

void Hub::QueueReport(uint64_t id, Frame frame) {
  if (reports_.size() >= kMaxQueuedReports) {
    return Drop(id, base::Status(base::Code::kTooManyRequests, "too many reports wait"));
  }
  reports_.emplace_back(id, std::move(frame));
  writing_.Wake();
}

bool Hub::WriteReports() {
  // They wait here: a report that was taken and not written would be acknowledged with the next.
  if (store_.refuses()) {
    if (retry_ == 0) retry_ = loop_.After(kHeldRetry, [this] { retry_ = 0, writing_.Wake(); });
    return false;
  }
  state::Draft draft = writer_.NewDraft();
  std::map<uint64_t, uint64_t> acknowledge;  // connection -> sequence
  for (size_t i = 0; i < kMaxReportsPerCommit && !reports_.empty(); ++i) {
    if (i > 0 && loop_.TurnIsOver()) break;
    const auto [id, frame] = std::move(reports_.front());
    reports_.pop_front();
    const auto found = connections_.find(id);
    if (found == connections_.end()) continue;
    Write(draft, found->second.node, frame);
    if (const uint64_t sequence = SequenceOf(frame)) {
      acknowledge[id] = std::max(acknowledge[id], sequence);
    }
  }
  CommitDraft(draft, [this, acknowledge = std::move(acknowledge)] {
    for (const auto& [id, sequence] : acknowledge) {
      const auto found = connections_.find(id);
      if (found != connections_.end()) found->second.channel->Send(StatusAck{sequence});
    }
  });
  return !reports_.empty();
}

void Hub::Write(state::Draft& draft, const std::string& node, const Frame& frame) {
  base::Status status;
  if (const auto* pod = std::get_if<PodStatus>(&frame)) {
    status = WritePodStatus(draft, node, *pod);
  } else if (const auto* gone = std::get_if<PodGone>(&frame)) {
    status = WritePodGone(draft, node, *gone);
  } else if (const auto* report = std::get_if<NodeStatus>(&frame)) {
    status = WriteNodeStatus(draft, node, *report);
  } else if (const auto* event = std::get_if<PodEvent>(&frame)) {
    status = WritePodEvent(draft, node, *event);
  }
  // Whatever it says, it is heard.
  const base::Status renewed = RenewLeaseIfDue(draft, node);
  if (status.ok()) status = renewed;
  // A pod that is gone by now is no news, nor is what was said last time.
  if (status.ok() || status.code() == base::Code::kNotFound) return;
  std::string& said = members_[node].refused;
  if (said == status.ToString()) return;
  said = status.ToString();
  base::LogWarning("report refused", {{"node", node}, {"why", said}});
}

// By both clocks: who reads the Lease has only the wall clock, and that may have been set.
base::Status Hub::RenewLeaseIfDue(state::Draft& draft, const std::string& node) {
  Member& member = members_[node];
  const base::Now now = loop_.now();
  if (member.lease_renewed) {
    const base::Duration by_wall = now.wall - member.lease_renewed->wall;
    const bool fresh = now.monotonic - member.lease_renewed->monotonic < options_.lease_period &&
                       by_wall < options_.lease_period && by_wall >= base::Duration();
    if (fresh) return {};
  }
  member.lease_renewed = now;
  return RenewLease(draft, node, now.wall, options_.lease_period + options_.grace);
}

void Hub::CommitDraft(const state::Draft& draft, base::Loop::Task durable) {
  const base::Result<state::Store::Committed> committed = writer_.Commit(draft);
  if (!committed.ok()) {
    base::LogError("reports could not be written", {{"why", committed.status().ToString()}});
    return;  // not acknowledged: nodes repeat them when they connect again
  }
  writer_.WhenDurable(lifeline_.Wrap(std::move(durable)));
}

// Who lives.

bool Hub::IsLive(const std::string& node) const { return members_.count(node) != 0; }

void Hub::Disconnect(const std::function<bool(const base::Identity&)>& ended) {
  std::vector<uint64_t> ids;
  for (const auto& [id, connection] : connections_) {
    const base::Identity node{state::NodeUser(connection.node),
                              {std::string(state::kNodesGroup)},
                              {},
                              connection.channel->credential()};
    if (ended(node)) ids.push_back(id);
  }
  for (const uint64_t id : ids)
    Drop(id, base::Status(base::Code::kUnauthorized, "the certificate was revoked"));
}

bool Hub::IsConnected(const std::string& node) const {
  const auto member = members_.find(node);
  return member != members_.end() && member->second.connection != 0;
}

void Hub::Tick() {
  tick_ = loop_.After(options_.heartbeat, [this] { Tick(); });
  const base::Now now = loop_.now();
  DropSilent(now.monotonic);
  std::vector<std::string> lost;
  for (const auto& [node, member] : members_) {
    if (now.monotonic - member.heard >= options_.grace) lost.push_back(node);
  }
  if (lost.empty() || store_.refuses()) return;  // then it is looked at again
  state::Draft draft = writer_.NewDraft();
  for (const std::string& node : lost) {
    const uint64_t connection = members_.at(node).connection;
    if (connection != 0) Drop(connection, base::Status(base::Code::kTimeout, "no heartbeat"));
    members_.erase(node);
    const base::Status status = MarkUnknown(draft, node, now.wall);
    if (!status.ok()) base::LogWarning("node lost", {{"node", node}, {"why", status.ToString()}});
  }
  CommitDraft(draft, [] {});
  counting_.Wake();
}

void Hub::DropSilent(base::MonotonicTime now) {
  while (const auto oldest = silent_.Oldest()) {
    if (now - connections_.at(*oldest).since < kFirstFrameTimeout) return;
    Drop(*oldest, base::Status(base::Code::kTimeout, "no first frame has come"));
  }
}

void Hub::CountProgrammed() {
  state::Revision least = store_.durable();
  for (const auto& [node, member] : members_) least = std::min(least, member.programmed);
  if (least == programmed_by_all_) return;
  programmed_by_all_ = least;
  for (auto& [id, connection] : connections_) {
    if (connection.session) connection.channel->Send(ProgrammedAll{least});
  }
  if (on_programmed_) on_programmed_();
}

// Streams.

std::unique_ptr<base::Duplex> Hub::Open(const std::string& node,
                                        const state::StreamRequest& request) {
  return streams_.Open(node, request);
}

FrameChannel* Hub::ControlOf(const std::string& node) {
  if (!IsConnected(node)) return nullptr;
  return connections_.at(members_.at(node).connection).channel.get();
}

}  // namespace nodeagent
