// REST over TLS against a real `plumb server`, client certificate, keep-alive, JSON, on loopback:
// clients and server share the machine. Creates are ConfigMaps of 1 KiB, each answered when it is
// durable; lists are read to their last byte. The peer's numbers are published ones of Kubernetes'
// API server 1.20.2 with etcd on such a machine.
//
// The CPU of a full list is that of the server's whole process, divided by the lists. The floor
// under it is measured alone, in this process: the list's bytes copied once, and encrypted record
// by record as TLS 1.3 does with AES-256-GCM.
#include <openssl/evp.h>
#include <time.h>

#include <array>
#include <atomic>

#include "tests/bench/bench.h"
#include "tests/bench/objects.h"
#include "tests/support/api_connection.h"
#include "tests/support/plumb_process.h"

namespace bench {
namespace {

using testsupport::ApiConnection;
using testsupport::ApiTrust;
using testsupport::PlumbProcess;

constexpr char kPeer[] = "kube-apiserver 1.20.2 with etcd, published";
constexpr int kRuns = 3;
constexpr double kSeconds = 2;
constexpr size_t kObjectBytes = 1000;
constexpr int kNamespaces = 60, kPerNamespace = 500;  // 30,000 objects in all
constexpr double kPeerBytes = 330e6;
constexpr int kCpuLists = 20, kFloorRuns = 5;

base::Status CreateNamespace(ApiConnection& api, const std::string& name) {
  const base::Json object =
      base::Json::MakeObject({{"apiVersion", "v1"},
                              {"kind", "Namespace"},
                              {"metadata", base::Json::MakeObject({{"name", name}})}});
  return api.Ask("POST", "/api/v1/namespaces", object.ToString()).status();
}

base::Status Create(ApiConnection& api, const std::string& ns, const std::string& name) {
  return api
      .Ask("POST", "/api/v1/namespaces/" + ns + "/configmaps",
           ConfigMap(ns, name, kObjectBytes).ToString())
      .status();
}

// Runs `act` on `clients` connections of their own for kSeconds: acts a second.
base::Result<double> Rate(const ApiTrust& trust, int port, int clients,
                          const std::function<base::Status(ApiConnection&, int client)>& act) {
  std::vector<ApiConnection> connections;
  for (int i = 0; i < clients; ++i) {
    ASSIGN_OR_RETURN(ApiConnection connection, ApiConnection::Open(trust, port));
    connections.push_back(std::move(connection));
  }
  std::atomic<size_t> count{0};
  const double begin = Seconds();
  const base::Status status = InParallel(clients, [&](int i) {
    while (Seconds() < begin + kSeconds) {
      RETURN_IF_ERROR(act(connections[static_cast<size_t>(i)], i));
      ++count;
    }
    return base::Status();
  });
  if (!status.ok()) return status;
  return static_cast<double>(count.load()) / (Seconds() - begin);
}

base::Result<double> MedianRate(
    const ApiTrust& trust, int port, int clients,
    const std::function<base::Status(ApiConnection&, int client)>& act) {
  std::vector<double> rates;
  for (int run = 0; run < kRuns; ++run) {
    ASSIGN_OR_RETURN(const double rate, Rate(trust, port, clients, act));
    rates.push_back(rate);
  }
  return Median(rates);
}

base::Status Creates(const Context& context) {
  ASSIGN_OR_RETURN(const auto server, PlumbProcess::Start(context.plumb, Path(context, "creates")));
  ASSIGN_OR_RETURN(const ApiTrust trust, ApiTrust::OfDataDir(server->data_dir()));
  ASSIGN_OR_RETURN(ApiConnection api, ApiConnection::Open(trust, server->port()));
  RETURN_IF_ERROR(CreateNamespace(api, "bench"));
  struct Case {
    int clients;
    double peer;
  };
  for (const auto& [clients, peer] : {Case{1, 546}, Case{16, 1526}, Case{64, 2149}}) {
    std::atomic<int> next{0};
    const std::string prefix = "c" + std::to_string(clients) + "-";
    ASSIGN_OR_RETURN(const double rate,
                     MedianRate(trust, server->port(), clients, [&](ApiConnection& each, int) {
                       return Create(each, "bench", prefix + std::to_string(next++));
                     }));
    Report({"rest.creates",
            {{"clients", clients}, {"object_bytes", int64_t{kObjectBytes}}, {"runs", kRuns}},
            rate,
            "creates/s",
            kPeer,
            peer,
            RatioAtLeast(5)});
  }
  return {};
}

double ThreadCpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// CPU seconds of one copy, and of one encryption, of `bytes`.
std::pair<double, double> CopyAndEncrypt(size_t bytes) {
  constexpr size_t kRecord = 16 << 10;
  const std::string source(bytes, 'x');
  std::array<unsigned char, 32> key{};
  std::array<unsigned char, 12> nonce{};
  std::array<unsigned char, kRecord + 16> sealed{};
  std::vector<double> copies, encryptions;
  for (int run = 0; run < kFloorRuns; ++run) {
    const double begin = ThreadCpuSeconds();
    const std::string copy = source.substr(0);
    const double copied = ThreadCpuSeconds();
    EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
    CHECK(EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()) == 1);
    int length = 0;
    for (size_t at = 0; at < bytes; at += kRecord) {
      nonce[0] = static_cast<unsigned char>(at / kRecord);
      CHECK(EVP_EncryptInit_ex(cipher, nullptr, nullptr, nullptr, nonce.data()) == 1);
      CHECK(EVP_EncryptUpdate(cipher, sealed.data(), &length,
                              reinterpret_cast<const unsigned char*>(copy.data()) + at,
                              static_cast<int>(std::min(kRecord, bytes - at))) == 1);
      CHECK(EVP_EncryptFinal_ex(cipher, sealed.data() + length, &length) == 1);
    }
    EVP_CIPHER_CTX_free(cipher);
    copies.push_back(copied - begin);
    encryptions.push_back(ThreadCpuSeconds() - copied);
  }
  return {Median(copies), Median(encryptions)};
}

base::Status ListCpu(const PlumbProcess& server, ApiConnection& api) {
  size_t bytes = 0;
  const double before = CpuSeconds(server.pid());
  for (int list = 0; list < kCpuLists; ++list) {
    ASSIGN_OR_RETURN(const std::string body, api.Ask("GET", "/api/v1/configmaps"));
    bytes = body.size();
  }
  const double used = (CpuSeconds(server.pid()) - before) / kCpuLists;
  const auto [copy, encryption] = CopyAndEncrypt(bytes);
  const Parameters parameters = {{"objects", kNamespaces * kPerNamespace},
                                 {"bytes", static_cast<int64_t>(bytes)},
                                 {"lists", kCpuLists}};
  const auto report = [&](const char* name, double seconds, const char* floor,
                          std::optional<double> beside, Aim aim) {
    Report({name, parameters, seconds * 1e3, "ms of CPU/list", floor, beside, aim});
  };
  report("rest.copy_cpu", copy, "", std::nullopt, NoAim());
  report("rest.encryption_cpu", encryption, "", std::nullopt, NoAim());
  report("rest.list_cpu", used, "one copy and the encryption, alone", (copy + encryption) * 1e3,
         RatioAtMost(1.5));
  return {};
}

base::Status Lists(const Context& context) {
  ASSIGN_OR_RETURN(const auto server, PlumbProcess::Start(context.plumb, Path(context, "lists")));
  ASSIGN_OR_RETURN(const ApiTrust trust, ApiTrust::OfDataDir(server->data_dir()));
  ASSIGN_OR_RETURN(ApiConnection api, ApiConnection::Open(trust, server->port()));
  for (int i = 0; i < kNamespaces; ++i)
    RETURN_IF_ERROR(CreateNamespace(api, "bench-" + std::to_string(i)));
  std::atomic<int> next{0};
  const base::Status filled = InParallel(16, [&](int) {
    ASSIGN_OR_RETURN(ApiConnection mine, ApiConnection::Open(trust, server->port()));
    for (int i = next++; i < kNamespaces * kPerNamespace; i = next++) {
      RETURN_IF_ERROR(
          Create(mine, "bench-" + std::to_string(i % kNamespaces), "object-" + std::to_string(i)));
    }
    return base::Status();
  });
  if (!filled.ok()) return filled;

  for (const int clients : {1, 4}) {
    ASSIGN_OR_RETURN(
        const double lists,
        MedianRate(trust, server->port(), clients, [](ApiConnection& each, int client) {
          return each
              .Ask("GET", "/api/v1/namespaces/bench-" + std::to_string(client) + "/configmaps")
              .status();
        }));
    Report({"rest.lists",
            {{"objects", kPerNamespace}, {"clients", clients}, {"runs", kRuns}},
            lists,
            "lists/s",
            kPeer,
            62,
            RatioAtLeast(10)});
  }
  size_t bytes = 0;
  for (const int clients : {1, 4}) {
    std::atomic<size_t> last{0};
    ASSIGN_OR_RETURN(const double lists,
                     MedianRate(trust, server->port(), clients, [&](ApiConnection& each, int) {
                       ASSIGN_OR_RETURN(const std::string body,
                                        each.Ask("GET", "/api/v1/configmaps"));
                       last = body.size();
                       return base::Status();
                     }));
    bytes = last;
    Report({"rest.lists",
            {{"objects", kNamespaces * kPerNamespace},
             {"bytes", static_cast<int64_t>(bytes)},
             {"clients", clients},
             {"runs", kRuns}},
            lists,
            "lists/s",
            kPeer,
            4.8,
            RatioAtLeast(10)});
  }
  RETURN_IF_ERROR(ListCpu(*server, api));
  Report({"rest.memory",
          {{"objects", kNamespaces * kPerNamespace}, {"after", "full lists by 4 clients"}},
          ResidentBytes(server->pid()),
          "bytes",
          kPeer,
          kPeerBytes,
          RatioAtMost(0.1)});
  return {};
}

}  // namespace

base::Status BenchRest(const Context& context) {
  RETURN_IF_ERROR(Creates(context));
  return Lists(context);
}

}  // namespace bench
