// The one message that is sent, etcdserverpb.PutRequest, is two length-delimited fields: it is
// written here by hand, and gRPC's generic stub carries the bytes. One thread drives all writers
// over one completion queue: the client costs as little as it can.
#include "tests/bench/etcd_peer.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <vector>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "tests/bench/bench.h"

namespace bench {
namespace {

constexpr char kPut[] = "/etcdserverpb.KV/Put";
constexpr char kClient[] = "127.0.0.1:23790";
constexpr char kPeer[] = "http://127.0.0.1:23800";
constexpr double kStartSeconds = 20;

void AppendBytes(char tag, const std::string& bytes, std::string& out) {
  out += tag;
  size_t size = bytes.size();
  for (; size >= 0x80; size >>= 7) out += static_cast<char>(size | 0x80);
  out += static_cast<char>(size);
  out += bytes;
}

grpc::ByteBuffer PutRequest(const std::string& key, const std::string& value) {
  std::string message;
  AppendBytes(0x0a, key, message);
  AppendBytes(0x12, value, message);
  const grpc::Slice slice(message);
  return grpc::ByteBuffer(&slice, 1);
}

struct Writer {
  std::string key;
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> call;
  grpc::ByteBuffer answer;
  grpc::Status status;
};

class RunningEtcd final : public EtcdPeer {
 public:
  RunningEtcd(base::Process process, std::string version)
      : process_(std::move(process)),
        version_(std::move(version)),
        channel_(grpc::CreateChannel(kClient, grpc::InsecureChannelCredentials())),
        stub_(channel_) {}
  ~RunningEtcd() override { process_.Stop(base::Duration::Seconds(5)); }

  bool Reachable() {
    return channel_->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10));
  }
  std::string version() const override { return version_; }

  base::Result<double> Puts(int writers, const std::string& value, double seconds) override {
    std::vector<Writer> all(static_cast<size_t>(writers));
    for (size_t i = 0; i < all.size(); ++i) {
      all[i].key = "/registry/configmaps/bench/object-" + std::to_string(i);
      Begin(all[i], value);
    }
    const double begin = Seconds();
    size_t under_way = all.size(), done = 0;
    base::Status failed;
    void* tag = nullptr;
    for (bool ok = false; under_way > 0 && queue_.Next(&tag, &ok);) {
      Writer& writer = *static_cast<Writer*>(tag);
      if (!ok || !writer.status.ok())
        failed = base::Status(base::Code::kInternal, "etcd: " + writer.status.error_message());
      ++done;
      if (failed.ok() && Seconds() - begin < seconds) {
        Begin(writer, value);
      } else {
        --under_way;
      }
    }
    if (!failed.ok()) return failed;
    return static_cast<double>(done) / (Seconds() - begin);
  }

 private:
  void Begin(Writer& writer, const std::string& value) {
    writer.context = std::make_unique<grpc::ClientContext>();
    writer.call =
        stub_.PrepareUnaryCall(writer.context.get(), kPut, PutRequest(writer.key, value), &queue_);
    writer.call->StartCall();
    writer.call->Finish(&writer.answer, &writer.status, &writer);
  }

  base::Process process_;
  const std::string version_;
  std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
};

}  // namespace

base::Result<std::unique_ptr<EtcdPeer>> EtcdPeer::Start(const std::string& directory) {
  // "etcd Version: 3.4.23\n..."
  ASSIGN_OR_RETURN(std::string version, base::RunChecked({"etcd", "--version"}));
  version = version.substr(version.find(": ") + 2, version.find('\n') - version.find(": ") - 2);
  RETURN_IF_ERROR(base::MakeDirectories(directory, 0700));
  base::ProcessOptions options;
  const std::string url = std::string("http://") + kClient;
  options.argv = {"etcd",
                  "--data-dir",
                  directory + "/data",
                  "--listen-client-urls",
                  url,
                  "--advertise-client-urls",
                  url,
                  "--listen-peer-urls",
                  kPeer,
                  "--initial-advertise-peer-urls",
                  kPeer,
                  "--initial-cluster",
                  std::string("default=") + kPeer,
                  "--log-level",
                  "error"};
  ASSIGN_OR_RETURN(base::Process process, base::Process::Start(options));
  auto etcd = std::make_unique<RunningEtcd>(std::move(process), version);
  if (!etcd->Reachable())
    return base::Status(base::Code::kUnavailable, "etcd does not answer on " + url);
  // Reachable is not yet elected: the first put waits for that.
  const double begin = Seconds();
  for (;;) {
    const base::Result<double> first = etcd->Puts(1, "x", 0);
    if (first.ok()) return std::unique_ptr<EtcdPeer>(std::move(etcd));
    if (Seconds() - begin > kStartSeconds) return first.status();
  }
}

}  // namespace bench
