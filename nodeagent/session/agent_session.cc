// Rules:
// - The View moves from one whole state to the next: a transfer is gathered beside it and replaces
//   it when it is complete. A broken connection drops what was gathered, never what is held.
// - A report is repeated on every connection until it is acknowledged; of a pod only the newest is.
// - The control plane may write a pod's status while the node is away (Ready becomes False). So
//   what was reported last is compared with the first whole View of a connection, and reported
//   again where it differs; the Node's status is always reported again.
// - Silence for the grace period ends the connection. Attempts are spread: a wait as kConnectRetry
//   has it, of which a random half counts.
#include "nodeagent/session/agent_session.h"

#include <algorithm>

#include "base/log.h"
#include "nodeagent/session/node_stream.h"

namespace nodeagent {
namespace {

state::View Copy(const state::View& view, state::Revision revision) {
  state::View copy = view;
  copy.set_revision(revision);
  return copy;
}

}  // namespace

AgentSession::AgentSession(base::Loop& loop, FrameDialer& dialer, std::shared_ptr<ViewCache> cache,
                           AgentOptions options)
    : loop_(loop),
      dialer_(dialer),
      cache_(std::move(cache)),
      options_(std::move(options)),
      rng_(options_.seed),
      retry_(kConnectRetry),
      save_delay_(kSaveDelay) {}

AgentSession::~AgentSession() { loop_.Cancel(timer_); }

void AgentSession::Start() {
  if (std::optional<CachedView> cached = cache_->Load()) {
    complete_ = true;
    Adopt(*std::move(cached));
  }
  Connect();
}

// The connection.

void AgentSession::Connect() {
  heard_ = loop_.now().monotonic;
  channel_ = dialer_.Connect();
  channel_->OnFrame([this](Frame frame) { Receive(std::move(frame)); });
  channel_->OnClosed([this](const base::Status& why) { Reconnect(why); });
  channel_->OnDrained([] {});
  channel_->Send(Hello{options_.node, options_.version, complete_ ? held_.epoch : "",
                       complete_ ? held_.view.revision() : 0});
  timer_ = loop_.After(kWelcomeTimeout, [this] {
    Reconnect(base::Status(base::Code::kTimeout, "the control plane does not answer"));
  });
}

void AgentSession::Reconnect(const base::Status& why) {
  base::LogWarning("not connected to the control plane", {{"why", why.ToString()}});
  const std::unique_ptr<FrameChannel> closed = std::move(channel_);  // it may be the caller
  welcomed_ = false;
  incoming_.reset();
  loop_.Cancel(timer_);
  const int64_t half = retry_.Next().millis() / 2;
  const auto spread = static_cast<int64_t>(rng_.Below(static_cast<uint64_t>(half) + 1));
  timer_ = loop_.After(base::Duration::Millis(half + spread), [this] { Connect(); });
}

void AgentSession::Receive(Frame frame) {
  heard_ = loop_.now().monotonic;
  if (const auto* welcome = std::get_if<Welcome>(&frame)) return ReceiveWelcome(*welcome);
  if (!welcomed_) return;
  if (const auto* objects = std::get_if<Objects>(&frame)) {
    ReceiveObjects(*objects);
  } else if (const auto* ack = std::get_if<StatusAck>(&frame)) {
    ReceiveAck(ack->sequence);
  } else if (const auto* all = std::get_if<ProgrammedAll>(&frame)) {
    programmed_all_ = all->revision;
    if (on_programmed_all_) on_programmed_all_();
  } else if (const auto* open = std::get_if<StreamOpen>(&frame)) {
    ReceiveOpen(*open);
  }
}

void AgentSession::ReceiveWelcome(const Welcome& welcome) {
  if (welcomed_) return;
  welcome_ = welcome;
  welcome_.heartbeat = std::max(welcome.heartbeat, base::Duration::Millis(10));
  welcomed_ = true;
  repeat_lost_ = true;
  retry_.Reset();
  loop_.Cancel(timer_);
  timer_ = loop_.After(welcome_.heartbeat, [this] { Beat(); });
  base::LogInfo("connected to the control plane", {{"epoch", welcome.epoch}});
  for (const auto& [sequence, report] : reports_) channel_->Send(report);
  if (node_ && reports_.count(node_->sequence) == 0) {
    node_->sequence = ++last_sequence_;
    Enqueue(node_->sequence, *node_);
  }
  if (programmed_ != 0) Send(Programmed{programmed_});
}

void AgentSession::Beat() {
  if (loop_.now().monotonic - heard_ >= welcome_.grace) {
    return Reconnect(base::Status(base::Code::kTimeout, "the control plane has fallen silent"));
  }
  Send(Heartbeat{});
  timer_ = loop_.After(welcome_.heartbeat, [this] { Beat(); });
}

// The View.

void AgentSession::ReceiveObjects(const Objects& objects) {
  if (!incoming_) {
    incoming_ = Incoming{objects.reset, objects.reset ? state::View() : held_.view, {}};
  }
  for (const state::ObjectPtr& object : objects.puts) {
    incoming_->view.Put(object);
    incoming_->changed.push_back(object->key);
  }
  for (const state::Key& key : objects.removals) {
    if (incoming_->view.Get(key)) incoming_->view.Remove(key);
    incoming_->changed.push_back(key);
  }
  if (!objects.complete) return;
  const Incoming whole = *std::exchange(incoming_, std::nullopt);
  CachedView next{welcome_.epoch, Copy(whole.view, objects.revision)};
  complete_ = true;
  SaveSoon();
  if (whole.reset) {
    Adopt(std::move(next));
  } else {
    held_ = std::move(next);
    std::set<state::Key> changed(whole.changed.begin(), whole.changed.end());
    if (on_view_) on_view_({changed.begin(), changed.end()});
  }
  if (std::exchange(repeat_lost_, false)) RepeatLostStatuses();
}

// Replaces the whole View, and tells what differs.
void AgentSession::Adopt(CachedView next) {
  std::set<state::Key> changed;
  held_.view.ForEach([&](const state::ObjectPtr& old) {
    if (next.view.Get(old->key) == nullptr) changed.insert(old->key);
  });
  next.view.ForEach([&](const state::ObjectPtr& object) {
    const state::ObjectPtr old = held_.view.Get(object->key);
    if (old == nullptr || old->document != object->document) changed.insert(object->key);
  });
  held_ = std::move(next);
  if (on_view_) on_view_({changed.begin(), changed.end()});
}

void AgentSession::SaveSoon() {
  if (std::exchange(save_wanted_, true) || saving_) return;
  loop_.After(save_delay_, lifeline_.Wrap([this] { Save(); }));
}

void AgentSession::Save() {
  save_wanted_ = false;
  saving_ = true;
  const base::MonotonicTime began = loop_.now().monotonic;
  loop_.Offload(
      [this, tie = lifeline_.tie(), cache = cache_, view = held_, began]() -> base::Loop::Task {
        const base::Status status = cache->Save(view);
        return tie.Wrap([this, status, began] {
          if (!status.ok()) base::LogError("view not saved", {{"why", status.ToString()}});
          saving_ = false;
          save_delay_ = std::max(kSaveDelay, (loop_.now().monotonic - began) * kSaveShare);
          if (std::exchange(save_wanted_, false) || !status.ok()) SaveSoon();
        });
      });
}

// Reports.

void AgentSession::ReportPod(const state::Key& pod, const std::string& uid,
                             const base::Json& status) {
  Reported& reported = pods_[{pod, uid}];
  Forget(reported.sequence);
  reported = Reported{base::Document(status), ++last_sequence_};
  Enqueue(reported.sequence, PodStatus{reported.sequence, pod, uid, reported.status});
}

void AgentSession::ReportGone(const state::Key& pod, const std::string& uid) {
  const auto reported = pods_.find({pod, uid});
  if (reported != pods_.end()) {
    Forget(reported->second.sequence);
    pods_.erase(reported);
  }
  const uint64_t sequence = ++last_sequence_;
  Enqueue(sequence, PodGone{sequence, pod, uid});
}

void AgentSession::ReportNode(std::map<std::string, std::string> labels, const base::Json& status) {
  if (node_) Forget(node_->sequence);
  node_ = NodeStatus{++last_sequence_, std::move(labels), base::Document(status)};
  Enqueue(node_->sequence, *node_);
}

void AgentSession::ReportEvent(const state::Key& pod, const std::string& uid, bool warning,
                               const std::string& reason, const std::string& message) {
  if (events_waiting_ >= kMaxQueuedEvents) {
    const auto oldest = std::find_if(reports_.begin(), reports_.end(), [](const auto& each) {
      return std::holds_alternative<PodEvent>(each.second);
    });
    Forget(oldest->first);
  }
  ++events_waiting_;
  const uint64_t sequence = ++last_sequence_;
  const size_t room = kMaxEventBytes - std::min(kMaxEventBytes, reason.size());
  Enqueue(sequence, PodEvent{sequence, pod, uid, warning, reason, message.substr(0, room)});
}

void AgentSession::ReportProgrammed(state::Revision revision) {
  if (std::exchange(programmed_, revision) != revision) Send(Programmed{revision});
}

void AgentSession::Enqueue(uint64_t sequence, Frame frame) {
  Send(frame);
  reports_.emplace(sequence, std::move(frame));
}

void AgentSession::Forget(uint64_t sequence) {
  const auto report = reports_.find(sequence);
  if (report == reports_.end()) return;
  if (std::holds_alternative<PodEvent>(report->second)) --events_waiting_;
  reports_.erase(report);
}

void AgentSession::ReceiveAck(uint64_t sequence) {
  while (!reports_.empty() && reports_.begin()->first <= sequence) {
    Forget(reports_.begin()->first);
  }
}

void AgentSession::RepeatLostStatuses() {
  for (auto it = pods_.begin(); it != pods_.end();) {
    const auto& [key, uid] = it->first;
    const state::ObjectPtr pod = held_.view.Get(key);
    if (pod == nullptr || pod->Uid() != uid) {
      Forget(it->second.sequence);
      it = pods_.erase(it);
      continue;
    }
    const bool waits = reports_.count(it->second.sequence) != 0;
    if (!waits && (*pod)["status"] != it->second.status.root()) {
      it->second.sequence = ++last_sequence_;
      Enqueue(it->second.sequence, PodStatus{it->second.sequence, key, uid, it->second.status});
    }
    ++it;
  }
}

void AgentSession::Send(Frame frame) {
  if (welcomed_) channel_->Send(std::move(frame));
}

// Streams.

void AgentSession::ReceiveOpen(const StreamOpen& open) {
  if (open.secret == 0) {  // a control plane that knows no streams of their own
    return Send(StreamChunk{open.id,
                            {},
                            true,
                            base::Status(base::Code::kUnavailable,
                                         "this node's agent is newer than the control plane; "
                                         "upgrade that first")});
  }
  auto channel = dialer_.OpenStream();
  channel->Send(StreamHello{open.id, open.secret});
  auto stream = std::make_unique<NodeStream>(loop_, NodeStream::Side::kAgent);
  stream->Attach(std::move(channel));
  if (on_stream_) on_stream_(open.request, std::move(stream));
}

}  // namespace nodeagent
