// record_frames: stands between an agent and its server, hands every frame on, and writes it down:
// what a release says over the wire, for the fixture of tests/upgrade.
//   record_frames LISTEN-ADDRESS:PORT SERVER-ADDRESS:PORT SERVER-PKI AGENT-PKI FILE
// It is the server to the agent (with a certificate by the cluster's authority, from SERVER-PKI)
// and the agent to the server (with the certificate in AGENT-PKI). The first line of FILE is
// "schema" and the FileDescriptorProto of the frames, then a line a frame: "agent" or "server" and
// the frame, all in hexadecimal. It runs until it is killed; FILE has whole lines then.
#include <agent.grpc.pb.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <thread>

#include "base/edge/files.h"
#include "base/net/edge/pki.h"
#include "nodeagent/session/frame.h"

namespace {

namespace wire = plumb::agent::v1;

constexpr size_t kMaxPemBytes = 256u << 10;
constexpr base::Duration kLifetime = base::Duration::Hours(24);

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

// A file, a line a call. Any thread.
class Record {
 public:
  explicit Record(const std::string& path) : file_(path) {}
  void Write(std::string_view who, std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    file_ << who << ' ' << Hex(bytes) << std::endl;
  }

 private:
  std::mutex mutex_;
  std::ofstream file_;
};

class Relay final : public wire::Agent::Service {
 public:
  Relay(std::shared_ptr<grpc::Channel> server, Record& record)
      : stub_(wire::Agent::NewStub(std::move(server))), record_(record) {}

  grpc::Status Control(grpc::ServerContext* context,
                       grpc::ServerReaderWriter<wire::Frame, wire::Frame>* agent) override {
    grpc::ClientContext call;
    call.set_wait_for_ready(true);  // the server may be starting
    const auto server = stub_->Control(&call);
    std::thread down([&] {
      wire::Frame frame;
      while (server->Read(&frame)) {
        record_.Write("server", frame.SerializeAsString());
        if (!agent->Write(frame)) break;
      }
      context->TryCancel();
    });
    wire::Frame frame;
    while (agent->Read(&frame)) {
      record_.Write("agent", frame.SerializeAsString());
      if (!server->Write(frame)) break;
    }
    call.TryCancel();
    down.join();
    return server->Finish();
  }

 private:
  const std::unique_ptr<wire::Agent::Stub> stub_;
  Record& record_;
};

base::Status Run(const std::string& listen, const std::string& server_address,
                 const std::string& server_pki, const std::string& agent_pki,
                 const std::string& file) {
  base::KeyPair ca;
  ASSIGN_OR_RETURN(ca.cert_pem, base::ReadFile(server_pki + "/ca.crt", kMaxPemBytes));
  ASSIGN_OR_RETURN(ca.key_pem, base::ReadFile(server_pki + "/ca.key", kMaxPemBytes));
  ASSIGN_OR_RETURN(const std::string node, base::ReadFile(agent_pki + "/node.pem", kMaxPemBytes));
  const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  ASSIGN_OR_RETURN(
      const base::KeyPair identity,
      base::IssueServerCertificate(ca, {listen.substr(0, listen.find(':'))},
                                   {base::WallTime::FromNanos(now.count()), kLifetime}));

  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(nodeagent::kMaxFrameBytes));
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  Record record(file);
  Relay relay(grpc::CreateCustomChannel(server_address,
                                        grpc::SslCredentials({ca.cert_pem, node, node}), arguments),
              record);

  grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = ca.cert_pem;
  tls.pem_key_cert_pairs.push_back({identity.key_pem, identity.cert_pem});
  grpc::ServerBuilder builder;
  builder.AddListeningPort(listen, grpc::SslServerCredentials(tls));
  builder.SetMaxReceiveMessageSize(static_cast<int>(nodeagent::kMaxFrameBytes));
  builder.RegisterService(&relay);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return {base::Code::kUnavailable, "cannot listen on " + listen};

  google::protobuf::FileDescriptorProto schema;
  wire::Frame::descriptor()->file()->CopyTo(&schema);
  record.Write("schema", schema.SerializeAsString());
  server->Wait();
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: record_frames LISTEN SERVER SERVER-PKI AGENT-PKI FILE\n");
    return 2;
  }
  const base::Status status = Run(argv[1], argv[2], argv[3], argv[4], argv[5]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "record_frames: %s\n", status.ToString().c_str());
  return 1;
}
