// REST over TLS against a real `plumb server`, client certificate, keep-alive, JSON, on loopback:
// clients and server share the machine. Creates are ConfigMaps of 1 KiB, each answered when it is
// durable; lists are read to their last byte. The peer's numbers are published ones of Kubernetes'
// API server 1.20.2 with etcd on such a machine.
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
