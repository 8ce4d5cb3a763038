// An agent of an earlier release and today's server, on the wire: what the two said to each other
// when the fixture was made is read, compared with what is said today, and said again.
//
// Rules:
// - The schema of frames only grows: what a message had, it has, under its number, of its type.
// - A recorded frame means today what it meant: decoded and encoded again it is the same bytes.
//   Out of this is only the code of a failure, which was a number and is a name (frame_codec.cc).
// - A session that is said again, frame by frame, is answered as it was.
#include <agent.grpc.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "base/edge/files.h"
#include "base/edge/real_loop.h"
#include "base/net/edge/pki.h"
#include "nodeagent/edge/frame_codec.h"
#include "nodeagent/edge/grpc_transport.h"
#include "nodeagent/edge/view_cache.h"
#include "nodeagent/session/agent_session.h"
#include "state/authorize.h"
#include "tests/support/api_connection.h"
#include "tests/support/plumb_process.h"
#include "tests/upgrade/fixture.h"

namespace upgrade {
namespace {

namespace wire = plumb::agent::v1;

constexpr std::chrono::seconds kPatience{60};  // only a failing test waits that long
constexpr size_t kMaxPemBytes = 256u << 10;
constexpr char kNode[] = "node1";

wire::Frame Parsed(const RecordedFrame& recorded) {
  wire::Frame frame;
  EXPECT_TRUE(frame.ParseFromString(recorded.bytes));
  return frame;
}

// A frame's kind, as the schema names it: "pod_status".
std::string KindOf(const wire::Frame& frame) {
  const auto* field = wire::Frame::descriptor()->FindFieldByNumber(frame.kind_case());
  return field == nullptr ? "unknown" : field->name();
}

// The pods of the old listing that were bound to the node: "shop/web-1 UID", a line each.
std::string BoundPods(const Listing& listing) {
  std::string text;
  for (const auto& [key, object] : listing) {
    if (!key.starts_with("pods ") || object["spec"]["nodeName"].AsString() != kNode) continue;
    text += key.substr(5) + " " + std::string(object["metadata"]["uid"].AsString()) + "\n";
  }
  return text;
}
std::string BoundPods(const state::View& view) {
  std::string text;
  for (const state::ObjectPtr& pod : view.List("pods")) {
    text += pod->key.ns + "/" + pod->key.name + " " + std::string(pod->Uid()) + "\n";
  }
  return text;
}

class WireTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    base::Result<std::unique_ptr<OldRelease>> old = OldRelease::Unpack(GetParam());
    ASSERT_TRUE(old.ok()) << old.status().ToString();
    old_ = *std::move(old);
  }

  // Today's server over the old data, and an identity of the node by the old authority.
  void StartServer() {
    const auto certificate = base::ReadFile(old_->data_dir() + "/pki/ca.crt", kMaxPemBytes);
    const auto key = base::ReadFile(old_->data_dir() + "/pki/ca.key", kMaxPemBytes);
    ASSERT_TRUE(certificate.ok() && key.ok());
    const base::KeyPair ca{*certificate, *key};
    const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    const auto keys = base::IssueClientCertificate(
        ca, {state::NodeUser(kNode), {"system:nodes"}},
        {base::WallTime::FromNanos(now.count()), base::Duration::Hours(24)});
    ASSERT_TRUE(keys.ok()) << keys.status().ToString();
    identity_ = {ca.cert_pem, keys->cert_pem, keys->key_pem};
    auto server = testsupport::PlumbProcess::Start(PLUMB_BINARY, old_->data_dir());
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
  }
  std::string AgentsEndpoint() const { return "127.0.0.1:" + std::to_string(server_->port() + 1); }
  Listing List() {
    Listing listing;
    const auto trust = testsupport::ApiTrust::OfDataDir(old_->data_dir());
    auto connection = testsupport::ApiConnection::Open(*trust, server_->port());
    for (const std::string& path : old_->paths()) {
      const base::Result<std::string> answer = connection->Ask("GET", path);
      EXPECT_TRUE(answer.ok()) << answer.status().ToString();
      if (answer.ok()) AddTo(listing, path, *base::ParseJson(*answer));
    }
    return listing;
  }

  std::unique_ptr<OldRelease> old_;
  nodeagent::TlsIdentity identity_;
  std::unique_ptr<testsupport::PlumbProcess> server_;
};

// "Hello.node: gone", a line each.
std::string Lost(const google::protobuf::Descriptor& old,
                 const google::protobuf::Descriptor* today) {
  if (today == nullptr) return old.name() + ": gone\n";
  std::string text;
  for (int i = 0; i < old.field_count(); ++i) {
    const auto* field = old.field(i);
    const auto* now = today->FindFieldByNumber(field->number());
    const std::string name = old.name() + "." + field->name();
    if (now == nullptr || now->name() != field->name()) {
      text += name + ": gone\n";
    } else if (now->type() != field->type() || now->label() != field->label() ||
               (now->containing_oneof() == nullptr) != (field->containing_oneof() == nullptr)) {
      text += name + ": another type\n";
    }
  }
  return text;
}

TEST_P(WireTest, TheSchemaOfFramesHasOnlyGrown) {
  google::protobuf::FileDescriptorProto schema;
  ASSERT_TRUE(schema.ParseFromString(old_->schema()));
  google::protobuf::DescriptorPool pool;
  const auto* old = pool.BuildFile(schema);
  ASSERT_NE(old, nullptr);
  std::string lost;
  for (int i = 0; i < old->message_type_count(); ++i) {
    const auto* message = old->message_type(i);
    lost +=
        Lost(*message, wire::Frame::descriptor()->file()->FindMessageTypeByName(message->name()));
  }
  EXPECT_EQ(lost, "");
}

TEST_P(WireTest, EveryFrameMeansWhatItMeant) {
  std::set<std::string> kinds;
  std::set<std::string> codes;
  for (const RecordedFrame& recorded : old_->frames()) {
    const wire::Frame frame = Parsed(recorded);
    kinds.insert(KindOf(frame));
    const auto decoded = nodeagent::DecodeFrame(frame);
    ASSERT_TRUE(decoded.ok() && *decoded) << KindOf(frame) << " " << decoded.status().ToString();
    wire::Frame again = nodeagent::EncodeFrame(**decoded);
    if (const std::string& code = frame.stream_chunk().code(); !code.empty()) {
      codes.insert(code + " is " + again.stream_chunk().code());
      again.mutable_stream_chunk()->set_code(code);
    }
    EXPECT_EQ(again.DebugString(), frame.DebugString());
  }
  EXPECT_EQ(codes, std::set<std::string>{"4 is NotFound"});
  // All kinds that the release knew were said.
  google::protobuf::FileDescriptorProto schema;
  ASSERT_TRUE(schema.ParseFromString(old_->schema()));
  std::set<std::string> known;
  for (const auto& message : schema.message_type()) {
    if (message.name() != "Frame") continue;
    for (const auto& field : message.field()) known.insert(field.name());
  }
  EXPECT_EQ(kinds, known);
}

// An agent that says what it is told to, and remembers what it heard.
class OldAgent {
 public:
  OldAgent(const std::string& server, const nodeagent::TlsIdentity& identity) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    stub_ = wire::Agent::NewStub(grpc::CreateCustomChannel(
        server, grpc::SslCredentials({identity.ca_pem, identity.key_pem, identity.certificate_pem}),
        arguments));
    context_.set_deadline(std::chrono::system_clock::now() + kPatience);
    stream_ = stub_->Control(&context_);
  }
  ~OldAgent() {
    context_.TryCancel();
    (void)stream_->Finish();
  }

  void Say(const wire::Frame& frame) { EXPECT_TRUE(stream_->Write(frame)); }
  // Hears frames until one is as wanted; false if the session ends before.
  bool HearUntil(const std::function<bool(const wire::Frame&)>& wanted) {
    for (wire::Frame frame; stream_->Read(&frame);) {
      heard_.push_back(frame);
      if (wanted(frame)) return true;
    }
    return false;
  }
  const std::vector<wire::Frame>& heard() const { return heard_; }

 private:
  std::unique_ptr<wire::Agent::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<wire::Frame, wire::Frame>> stream_;
  std::vector<wire::Frame> heard_;
};

uint64_t SequenceOf(const wire::Frame& frame) {
  return std::max({frame.pod_status().sequence(), frame.pod_gone().sequence(),
                   frame.node_status().sequence(), frame.pod_event().sequence()});
}

// One connection of the old agent, up to the answer to all that it said.
void Replay(OldAgent& agent, const std::vector<wire::Frame>& said, const wire::Frame& welcome) {
  agent.Say(said.front());
  ASSERT_TRUE(agent.HearUntil([](const wire::Frame&) { return true; }));
  EXPECT_EQ(agent.heard().front().DebugString(), welcome.DebugString());
  ASSERT_TRUE(agent.HearUntil([](const wire::Frame& frame) { return frame.objects().complete(); }))
      << "no whole View came";
  uint64_t newest = 0;
  for (size_t i = 1; i < said.size(); ++i) {
    agent.Say(said[i]);
    newest = std::max(newest, SequenceOf(said[i]));
  }
  wire::Frame heartbeat;
  heartbeat.mutable_heartbeat();
  agent.Say(heartbeat);
  uint64_t acknowledged = 0;
  bool alive = false;
  EXPECT_TRUE(agent.HearUntil([&](const wire::Frame& frame) {
    acknowledged = std::max(acknowledged, frame.status_ack().sequence());
    alive = alive || frame.has_heartbeat();
    return alive && acknowledged >= newest;
  })) << "acknowledged "
      << acknowledged << " of " << newest << ", heartbeat answered: " << alive;
}

TEST_P(WireTest, AnOldAgentKeepsItsSession) {
  std::vector<std::vector<wire::Frame>> connections;
  std::vector<wire::Frame> welcomes;
  for (const RecordedFrame& recorded : old_->frames()) {
    const wire::Frame frame = Parsed(recorded);
    if (frame.has_hello()) connections.emplace_back();
    if (frame.has_welcome()) welcomes.push_back(frame);
    if (recorded.from_agent) connections.back().push_back(frame);
  }
  ASSERT_EQ(connections.size(), 2u);  // with a View, and without any
  ASSERT_EQ(welcomes.size(), 2u);
  ASSERT_NO_FATAL_FAILURE(StartServer());

  for (size_t i = 0; i < connections.size(); ++i) {
    OldAgent agent(AgentsEndpoint(), identity_);
    ASSERT_NO_FATAL_FAILURE(Replay(agent, connections[i], welcomes[i]));
    if (connections[i].front().hello().have_revision() != 0) continue;
    // It was told of all pods that it runs, under the uids that they have.
    Listing told;
    for (const wire::Frame& frame : agent.heard()) {
      for (const wire::Object& put : frame.objects().puts()) {
        const base::Result<base::Json> object = base::ParseJson(put.document());
        ASSERT_TRUE(object.ok()) << object.status().ToString();
        told[put.key().resource() + " " + put.key().namespace_() + "/" + put.key().name()] =
            *object;
      }
    }
    EXPECT_EQ(BoundPods(told), BoundPods(old_->listing()));
  }
  // Nor has what it said again changed which pods there are, or how they are.
  const Listing now = List();
  EXPECT_EQ(BoundPods(now), BoundPods(old_->listing()));
  for (const auto& [key, object] : old_->listing()) {
    if (!key.starts_with("pods ")) continue;
    EXPECT_EQ(now.at(key)["status"]["phase"].AsString(), object["status"]["phase"].AsString())
        << key;
  }
}

TEST_P(WireTest, AnAgentOfTodayGoesOnFromTheViewOfTheOldOne) {
  const auto cache = std::make_shared<nodeagent::FileViewCache>(old_->view());
  const auto held = cache->Load();
  ASSERT_TRUE(held);
  EXPECT_EQ(BoundPods(held->view), BoundPods(old_->listing()));
  ASSERT_NO_FATAL_FAILURE(StartServer());

  base::RealLoop loop;
  const auto dialer =
      nodeagent::NewGrpcDialer(loop, AgentsEndpoint(), [this] { return identity_; });
  auto session = std::make_unique<nodeagent::AgentSession>(
      loop, *dialer, cache, nodeagent::AgentOptions{kNode, "today", 1});
  std::string before, after;
  session->OnProgrammedAll([&] {  // what all nodes have programmed is told after the Welcome
    after = BoundPods(session->view());
    loop.Stop();
  });
  loop.Post([&] {
    session->Start();
    EXPECT_TRUE(session->complete());
    before = BoundPods(session->view());
    session->ReportProgrammed(session->view().revision());
  });
  loop.After(base::Duration::Seconds(kPatience.count()), [&] {
    ADD_FAILURE() << "no session came about";
    loop.Stop();
  });
  loop.Run();
  session.reset();
  EXPECT_EQ(before, BoundPods(old_->listing()));
  EXPECT_EQ(after, BoundPods(old_->listing()));
}

INSTANTIATE_TEST_SUITE_P(Of, WireTest, testing::Values("ebd31d0"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace upgrade
