#include "nodeagent/edge/frame_codec.h"

#include <array>
#include <utility>

namespace nodeagent {
namespace {

namespace wire = plumb::agent::v1;

constexpr int64_t kAll = -1;  // of a log's lines or bytes

void Put(const state::Key& key, wire::Key& out) {
  out.set_resource(key.resource);
  out.set_namespace_(key.ns);
  out.set_name(key.name);
}

state::Key Take(const wire::Key& key) { return {key.resource(), key.namespace_(), key.name()}; }

std::string Bytes(const base::Document& document) { return std::string(document.Bytes()); }

struct Encoder {
  wire::Frame& out;

  void operator()(const Hello& f) const {
    wire::Hello& to = *out.mutable_hello();
    to.set_node(f.node);
    to.set_version(f.version);
    to.set_epoch(f.epoch);
    to.set_have_revision(f.have_revision);
  }
  void operator()(const PodStatus& f) const {
    wire::PodStatus& to = *out.mutable_pod_status();
    to.set_sequence(f.sequence);
    Put(f.key, *to.mutable_key());
    to.set_uid(f.uid);
    to.set_status(Bytes(f.status));
  }
  void operator()(const PodGone& f) const {
    wire::PodGone& to = *out.mutable_pod_gone();
    to.set_sequence(f.sequence);
    Put(f.key, *to.mutable_key());
    to.set_uid(f.uid);
  }
  void operator()(const NodeStatus& f) const {
    wire::NodeStatus& to = *out.mutable_node_status();
    to.set_sequence(f.sequence);
    for (const auto& [name, value] : f.labels) (*to.mutable_labels())[name] = value;
    to.set_status(Bytes(f.status));
  }
  void operator()(const PodEvent& f) const {
    wire::PodEvent& to = *out.mutable_pod_event();
    to.set_sequence(f.sequence);
    Put(f.key, *to.mutable_key());
    to.set_uid(f.uid);
    to.set_warning(f.warning);
    to.set_reason(f.reason);
    to.set_message(f.message);
  }
  void operator()(const Programmed& f) const { out.mutable_programmed()->set_revision(f.revision); }
  void operator()(const StreamChunk& f) const {
    wire::StreamChunk& to = *out.mutable_stream_chunk();
    to.set_id(f.id);
    to.set_bytes(f.bytes);
    to.set_end(f.end);
    if (f.status.ok()) return;
    to.set_code(std::string(base::ReasonOf(f.status.code())));
    to.set_message(std::string(f.status.message()));
  }
  void operator()(const Welcome& f) const {
    wire::Welcome& to = *out.mutable_welcome();
    to.set_epoch(f.epoch);
    to.set_heartbeat_ms(f.heartbeat.millis());
    to.set_grace_ms(f.grace.millis());
  }
  void operator()(const Objects& f) const {
    wire::Objects& to = *out.mutable_objects();
    to.set_reset(f.reset);
    to.set_complete(f.complete);
    to.set_revision(f.revision);
    for (const state::ObjectPtr& object : f.puts) {
      wire::Object& put = *to.add_puts();
      Put(object->key, *put.mutable_key());
      put.set_revision(object->revision);
      put.set_document(Bytes(object->document));
    }
    for (const state::Key& key : f.removals) Put(key, *to.add_removals());
  }
  void operator()(const StatusAck& f) const { out.mutable_status_ack()->set_sequence(f.sequence); }
  void operator()(const ProgrammedAll& f) const {
    out.mutable_programmed_all()->set_revision(f.revision);
  }
  void operator()(const StreamOpen& f) const {
    out.mutable_stream_open()->set_id(f.id);
    out.mutable_stream_open()->set_secret(f.secret);
    std::visit(*this, f.request);
  }
  void operator()(const state::LogRequest& f) const {
    wire::LogRequest& to = *out.mutable_stream_open()->mutable_log();
    Put(f.pod, *to.mutable_pod());
    to.set_container(f.container);
    to.set_follow(f.follow);
    to.set_previous(f.previous);
    to.set_timestamps(f.timestamps);
    to.set_tail_lines(f.tail_lines.value_or(kAll));
    to.set_limit_bytes(f.limit_bytes.value_or(kAll));
    to.set_since_ns(f.since.nanos());
  }
  void operator()(const state::ExecRequest& f) const {
    wire::ExecRequest& to = *out.mutable_stream_open()->mutable_exec();
    Put(f.pod, *to.mutable_pod());
    to.set_container(f.container);
    for (const std::string& word : f.command) to.add_command(word);
    to.set_with_stdin(f.stdin_open);
    to.set_with_stdout(f.stdout_open);
    to.set_with_stderr(f.stderr_open);
    to.set_terminal(f.terminal);
  }
  void operator()(const StreamClose& f) const { out.mutable_stream_close()->set_id(f.id); }
  void operator()(const Heartbeat&) const { out.mutable_heartbeat(); }
  void operator()(const StreamHello& f) const {
    out.mutable_stream_hello()->set_id(f.id);
    out.mutable_stream_hello()->set_secret(f.secret);
  }
  void operator()(const StreamData& f) const { out.mutable_stream_data()->set_bytes(f.bytes); }
  void operator()(const StreamCredit& f) const { out.mutable_stream_credit()->set_bytes(f.bytes); }
  void operator()(const StreamEnd& f) const {
    wire::StreamEnd& to = *out.mutable_stream_end();
    if (f.status.ok()) return;
    to.set_reason(std::string(base::ReasonOf(f.status.code())));
    to.set_message(std::string(f.status.message()));
  }
};

using Decoded = base::Result<std::optional<Frame>>;

Decoded Known(Frame frame) { return std::optional<Frame>(std::move(frame)); }

Decoded DecodeObjects(const wire::Objects& from) {
  Objects objects{from.reset(), from.complete(), from.revision(), {}, {}};
  for (const wire::Object& put : from.puts()) {
    auto object = std::make_shared<state::Object>();
    object->key = Take(put.key());
    object->revision = put.revision();
    ASSIGN_OR_RETURN(object->document, base::Document::Parse(put.document()));
    objects.puts.push_back(std::move(object));
  }
  for (const wire::Key& key : from.removals()) objects.removals.push_back(Take(key));
  return Known(std::move(objects));
}

// A code travels by its name; agents of 0.1 sent its place in this list, from 1. An unknown one is
// an internal failure.
constexpr std::array kNumberedCodes = {
    base::Code::kBadRequest,
    base::Code::kUnauthorized,
    base::Code::kForbidden,
    base::Code::kNotFound,
    base::Code::kMethodNotAllowed,
    base::Code::kNotAcceptable,
    base::Code::kAlreadyExists,
    base::Code::kConflict,
    base::Code::kExpired,
    base::Code::kTooLarge,
    base::Code::kUnsupportedMediaType,
    base::Code::kInvalid,
    base::Code::kTooManyRequests,
    base::Code::kInternal,
    base::Code::kUnavailable,
    base::Code::kTimeout,
    base::Code::kCorruption,
    base::Code::kCancelled,
};

base::Status TakeStatus(const wire::StreamChunk& from) {
  if (from.code().empty()) return {};
  for (size_t i = 0; i < kNumberedCodes.size(); ++i) {
    if (from.code() == std::to_string(i + 1)) return {kNumberedCodes[i], from.message()};
  }
  return {base::CodeOfReason(from.code()), from.message()};
}

// By name, so that either side may know codes that the other does not.
base::Status TakeStatus(const wire::StreamEnd& from) {
  if (from.reason().empty()) return {};
  for (int i = 1; i <= static_cast<int>(base::Code::kCancelled); ++i) {
    const auto code = static_cast<base::Code>(i);
    if (from.reason() == base::ReasonOf(code)) return base::Status(code, from.message());
  }
  return base::Status(base::Code::kInternal, from.message());
}

std::optional<int64_t> TakeCount(int64_t count) {
  return count < 0 ? std::optional<int64_t>() : count;
}

state::LogRequest TakeLog(const wire::LogRequest& from) {
  return {.pod = Take(from.pod()),
          .container = from.container(),
          .follow = from.follow(),
          .previous = from.previous(),
          .timestamps = from.timestamps(),
          .tail_lines = TakeCount(from.tail_lines()),
          .limit_bytes = TakeCount(from.limit_bytes()),
          .since = base::WallTime::FromNanos(from.since_ns())};
}

state::ExecRequest TakeExec(const wire::ExecRequest& from) {
  return {.pod = Take(from.pod()),
          .container = from.container(),
          .command = {from.command().begin(), from.command().end()},
          .stdin_open = from.with_stdin(),
          .stdout_open = from.with_stdout(),
          .stderr_open = from.with_stderr(),
          .terminal = from.terminal()};
}

Decoded DecodeOpen(const wire::StreamOpen& from) {
  StreamOpen open{from.id(), from.secret(), {}};
  if (from.has_log()) {
    open.request = TakeLog(from.log());
  } else if (from.has_exec()) {
    open.request = TakeExec(from.exec());
  } else {
    return std::optional<Frame>();
  }
  return Known(std::move(open));
}

}  // namespace

wire::Frame EncodeFrame(const Frame& frame) {
  wire::Frame out;
  std::visit(Encoder{out}, frame);
  return out;
}

Decoded DecodeFrame(const wire::Frame& in) {
  switch (in.kind_case()) {
    case wire::Frame::kHello:
      return Known(Hello{in.hello().node(), in.hello().version(), in.hello().epoch(),
                         in.hello().have_revision()});
    case wire::Frame::kPodStatus: {
      const wire::PodStatus& from = in.pod_status();
      ASSIGN_OR_RETURN(base::Document status, base::Document::Parse(from.status()));
      return Known(PodStatus{from.sequence(), Take(from.key()), from.uid(), std::move(status)});
    }
    case wire::Frame::kPodGone:
      return Known(
          PodGone{in.pod_gone().sequence(), Take(in.pod_gone().key()), in.pod_gone().uid()});
    case wire::Frame::kNodeStatus: {
      const wire::NodeStatus& from = in.node_status();
      ASSIGN_OR_RETURN(base::Document status, base::Document::Parse(from.status()));
      return Known(NodeStatus{
          from.sequence(), {from.labels().begin(), from.labels().end()}, std::move(status)});
    }
    case wire::Frame::kPodEvent: {
      const wire::PodEvent& from = in.pod_event();
      return Known(PodEvent{from.sequence(), Take(from.key()), from.uid(), from.warning(),
                            from.reason(), from.message()});
    }
    case wire::Frame::kProgrammed: return Known(Programmed{in.programmed().revision()});
    case wire::Frame::kStreamChunk: {
      const wire::StreamChunk& from = in.stream_chunk();
      return Known(StreamChunk{from.id(), from.bytes(), from.end(), TakeStatus(from)});
    }
    case wire::Frame::kHeartbeat: return Known(Heartbeat{});
    case wire::Frame::kWelcome:
      return Known(Welcome{in.welcome().epoch(),
                           base::Duration::Millis(in.welcome().heartbeat_ms()),
                           base::Duration::Millis(in.welcome().grace_ms())});
    case wire::Frame::kObjects: return DecodeObjects(in.objects());
    case wire::Frame::kStatusAck: return Known(StatusAck{in.status_ack().sequence()});
    case wire::Frame::kProgrammedAll: return Known(ProgrammedAll{in.programmed_all().revision()});
    case wire::Frame::kStreamOpen: return DecodeOpen(in.stream_open());
    case wire::Frame::kStreamClose: return Known(StreamClose{in.stream_close().id()});
    case wire::Frame::kStreamHello:
      return Known(StreamHello{in.stream_hello().id(), in.stream_hello().secret()});
    case wire::Frame::kStreamData: return Known(StreamData{in.stream_data().bytes()});
    case wire::Frame::kStreamCredit: return Known(StreamCredit{in.stream_credit().bytes()});
    case wire::Frame::kStreamEnd: return Known(StreamEnd{TakeStatus(in.stream_end())});
    case wire::Frame::KIND_NOT_SET: break;
  }
  return std::optional<Frame>();
}

}  // namespace nodeagent
