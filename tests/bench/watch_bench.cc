// Watches against a real `plumb server` over TLS on loopback; readers and server share the machine.
//
// Events: one writer creates ConfigMaps at a steady pace; every watch gets each. The delay of an
// event counts from the moment before its create was sent, so it holds the commit, too. The CPU is
// that of the server's process, all of it, divided by the events delivered.
//
// A push: the API's answers while 10,000 manifests of a `git push` are checked and applied, at a
// steady pace, each measured from the moment when it was due: what waits behind a busy server
// counts for all that wait. A heartbeat is a node's update of its Lease, durable.
#include "tests/bench/bench.h"
#include "tests/bench/git_workspace.h"
#include "tests/bench/objects.h"
#include "tests/bench/watcher_fleet.h"

namespace bench {
namespace {

using testsupport::ApiConnection;
using testsupport::ApiTrust;
using testsupport::PlumbProcess;

constexpr int kWatchers = 1000;
constexpr int kEvents = 1000;
constexpr int kEventsPerSecond = 25;
constexpr size_t kObjectBytes = 1000;
constexpr double kDeliveryLimit = 60;  // seconds for the last events to arrive
constexpr int kManifests = 10'000;
constexpr double kGetPeriod = 0.005, kHeartbeatPeriod = 0.05;
constexpr double kIdleSeconds = 3;
constexpr char kLeases[] = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

void SleepUntil(double when) {
  const double left = when - Seconds();
  if (left > 0) std::this_thread::sleep_for(std::chrono::duration<double>(left));
}

base::Status Events(const Context& context) {
  ASSIGN_OR_RETURN(const auto server, PlumbProcess::Start(context.plumb, Path(context, "events")));
  ASSIGN_OR_RETURN(const ApiTrust trust, ApiTrust::OfDataDir(server->data_dir()));
  ASSIGN_OR_RETURN(ApiConnection api, ApiConnection::Open(trust, server->port()));
  const double empty = ResidentBytes(server->pid());
  const std::string path = "/api/v1/namespaces/default/configmaps";
  ASSIGN_OR_RETURN(
      const auto fleet,
      WatcherFleet::Open(trust, server->port(), path + "?watch=1&timeoutSeconds=3600", kWatchers));
  const double cpu = CpuSeconds(server->pid());
  const double begin = Seconds();
  for (int i = 0; i < kEvents; ++i) {
    SleepUntil(begin + static_cast<double>(i) / kEventsPerSecond);
    base::Json object = ConfigMap("default", "event-" + std::to_string(i), kObjectBytes);
    object["data"].Set("sent", std::to_string(static_cast<int64_t>(Seconds() * 1e9)));
    RETURN_IF_ERROR(api.Ask("POST", path, object.ToString()).status());
  }
  const double sent = Seconds();
  while (fleet->delivered() < size_t{kWatchers} * kEvents && Seconds() < sent + kDeliveryLimit)
    SleepUntil(Seconds() + 0.01);
  const double used = CpuSeconds(server->pid()) - cpu;
  RETURN_IF_ERROR(fleet->Close());
  if (fleet->delivered() < size_t{kWatchers} * kEvents)
    return base::Status(base::Code::kTimeout, "not all events arrived");
  const Parameters parameters = {{"watchers", kWatchers},
                                 {"events", kEvents},
                                 {"events_per_second", kEventsPerSecond},
                                 {"object_bytes", int64_t{kObjectBytes}}};
  const auto report = [&](const char* name, double value, const char* unit) {
    Report({name, parameters, value, unit, "", std::nullopt, NoAim()});
  };
  report("watch.cpu", used / (double{kWatchers} * kEvents) * 1e6, "us of CPU/event delivered");
  report("watch.delay_p50", Percentile(fleet->delays(), 50) * 1e3, "ms");
  report("watch.delay_p99", Percentile(fleet->delays(), 99) * 1e3, "ms");
  report("watch.memory", (ResidentBytes(server->pid()) - empty) / kWatchers, "bytes/watch");
  return {};
}

// Calls `call` every `period` until `stop`; how long each took from when it was due, in
// milliseconds.
base::Result<std::vector<double>> Pace(double period, const std::atomic<bool>& stop,
                                       const std::function<base::Status()>& call) {
  std::vector<double> took;
  const double begin = Seconds();
  while (!stop) {
    const double due = begin + period * static_cast<double>(took.size());
    SleepUntil(due);
    RETURN_IF_ERROR(call());
    took.push_back((Seconds() - due) * 1e3);
  }
  return took;
}

struct Paced {
  std::vector<double> gets, heartbeats;
};

// Both, on connections of their own, while `work` runs.
base::Result<Paced> While(const ApiTrust& trust, int port,
                          const std::function<base::Status()>& work) {
  ASSIGN_OR_RETURN(ApiConnection reader, ApiConnection::Open(trust, port));
  ASSIGN_OR_RETURN(ApiConnection node, ApiConnection::Open(trust, port));
  std::atomic<bool> stop{false};
  auto gets = std::async(std::launch::async, [&] {
    return Pace(kGetPeriod, stop,
                [&] { return reader.Ask("GET", "/api/v1/namespaces/default").status(); });
  });
  auto heartbeats = std::async(std::launch::async, [&] {
    int beat = 0;
    return Pace(kHeartbeatPeriod, stop, [&] {
      const std::string seconds = std::to_string(10 + ++beat % 50);
      const std::string lease =
          R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"bench"},)"
          R"("spec":{"holderIdentity":"bench","leaseDurationSeconds":)" +
          seconds + "}}";
      return node.Ask("PUT", std::string(kLeases) + "/bench", lease).status();
    });
  });
  const base::Status worked = work();
  stop = true;
  base::Result<std::vector<double>> all_gets = gets.get(), all_beats = heartbeats.get();
  if (!worked.ok()) return worked;
  if (!all_gets.ok()) return all_gets.status();
  if (!all_beats.ok()) return all_beats.status();
  return Paced{*std::move(all_gets), *std::move(all_beats)};
}

base::Status Push(const Context& context) {
  ASSIGN_OR_RETURN(const auto server, PlumbProcess::Start(context.plumb, Path(context, "push")));
  ASSIGN_OR_RETURN(const ApiTrust trust, ApiTrust::OfDataDir(server->data_dir()));
  ASSIGN_OR_RETURN(ApiConnection api, ApiConnection::Open(trust, server->port()));
  RETURN_IF_ERROR(api.Ask("POST", kLeases,
                          R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease",)"
                          R"("metadata":{"name":"bench"},"spec":{"holderIdentity":"bench"}})")
                      .status());
  ASSIGN_OR_RETURN(GitWorkspace git,
                   GitWorkspace::Make(*server, api, "bench", Path(context, "push.work")));
  for (const auto& [path, content] : Manifests("bench", kManifests))
    RETURN_IF_ERROR(git.Write(path, content));
  RETURN_IF_ERROR(git.Commit("all of them").status());

  ASSIGN_OR_RETURN(const Paced idle, While(trust, server->port(), [] {
                     SleepUntil(Seconds() + kIdleSeconds);
                     return base::Status();
                   }));
  // The whole push: it ends when all is healthy.
  ASSIGN_OR_RETURN(const Paced busy, While(trust, server->port(), [&] { return git.Push(); }));
  const auto report = [&](const char* name, double percent, const std::vector<double>& loaded,
                          const std::vector<double>& quiet) {
    Report({name,
            {{"manifests", kManifests},
             {"percentile", percent},
             {"samples", static_cast<int64_t>(loaded.size())}},
            Percentile(loaded, percent),
            "ms",
            "the same on the idle server",
            Percentile(quiet, percent),
            NoAim()});
  };
  for (const double percent : {50.0, 99.0, 100.0}) {
    report("watch.get_during_push", percent, busy.gets, idle.gets);
    report("watch.heartbeat_during_push", percent, busy.heartbeats, idle.heartbeats);
  }
  return {};
}

}  // namespace

base::Status BenchWatch(const Context& context) {
  RETURN_IF_ERROR(Events(context));
  return Push(context);
}

}  // namespace bench
