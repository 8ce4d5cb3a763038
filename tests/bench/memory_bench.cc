// 100,000 running pods of 1,000 ReplicaSets on 1,000 nodes, through the store over LevelDB: what a
// pod costs in resident memory, and how long a snapshot, a walk, a list and a restart take. First
// in this process, then a real `plumb server` on the same data.
//
// "written": the store that wrote them, its log window full of the changes that made them.
// "updated": after each pod's status changed once more, so that the window holds old versions, too.
// "reopened": what a restart leaves: objects, window, indexes.
//
// With "managed_fields" each pod has the owners that it has in a cluster: the controller that made it
// and, for its status, the node; a set of fields of its own, since that names the pod's address.
#include <malloc.h>

#include "manifests/apply/apply.h"
#include "manifests/schema.h"
#include "state/api/api.h"
#include "state/edge/leveldb_storage.h"
#include "state/store.h"
#include "tests/bench/bench.h"
#include "tests/bench/objects.h"
#include "tests/support/api_connection.h"
#include "tests/support/plumb_process.h"

namespace bench {
namespace {

constexpr int kPods = 100'000;
constexpr int kGroups = 1000;
constexpr int kNodes = 1000;
constexpr int kPerCommit = 1000;
constexpr char kNamespace[] = "default";

base::Json ReplicaSetOf(int group) {
  const base::Json pod = Pod(kNamespace, group, group, "");
  const base::Json& owner = pod["metadata"]["ownerReferences"].At(0);
  base::Json labels = pod["metadata"]["labels"];
  base::Json spec = pod["spec"];
  base::Json metadata = base::Json::MakeObject({{"name", owner["name"]},
                                                {"namespace", kNamespace},
                                                {"uid", owner["uid"]},
                                                {"generation", 1},
                                                {"creationTimestamp", "2026-01-01T00:00:00Z"},
                                                {"resourceVersion", ""}});
  metadata.Set("labels", labels);
  const int replicas = kPods / kGroups;
  return base::Json::MakeObject(
      {{"apiVersion", "apps/v1"},
       {"kind", "ReplicaSet"},
       {"metadata", metadata},
       {"spec", base::Json::MakeObject(
                    {{"replicas", replicas},
                     {"selector", base::Json::MakeObject({{"matchLabels", labels}})},
                     {"template", base::Json::MakeObject(
                                      {{"metadata", base::Json::MakeObject({{"labels", labels}})},
                                       {"spec", spec}})}})},
       {"status", base::Json::MakeObject({{"replicas", replicas},
                                          {"fullyLabeledReplicas", replicas},
                                          {"readyReplicas", replicas},
                                          {"availableReplicas", replicas},
                                          {"observedGeneration", 1}})}});
}

struct OpenStore {
  std::unique_ptr<state::Storage> storage;
  std::unique_ptr<state::Store> store;
};

base::Result<OpenStore> Open(RunningLoop& loop, const std::string& directory) {
  OpenStore open;
  ASSIGN_OR_RETURN(open.storage, state::OpenLevelDb(directory));
  ASSIGN_OR_RETURN(open.store, state::Store::Open(loop.loop(), *open.storage, {},
                                                  [](base::Status) { CHECK(false); }));
  return open;
}

// Commits, and waits until it is durable.
void Commit(RunningLoop& loop, state::Store& store, state::Transaction transaction) {
  std::promise<void> durable;
  loop.Call([&] {
    const auto committed = store.Commit(transaction);
    CHECK(committed.ok());
    store.WhenDurable(committed->last, [&] { durable.set_value(); });
    return 0;
  });
  durable.get_future().wait();
}

void WriteCluster(RunningLoop& loop, state::Store& store) {
  state::Transaction rest;
  for (int i = 0; i < kNodes; ++i)
    rest.writes.push_back({{"nodes", "", NodeName(i)}, base::Document(Node(i)), 0});
  for (int i = 0; i < kGroups; ++i) {
    const base::Json set = ReplicaSetOf(i);
    const std::string name(set["metadata"]["name"].AsString());
    rest.writes.push_back({{"replicasets.apps", kNamespace, name}, base::Document(set), 0});
  }
  Commit(loop, store, std::move(rest));
}

// As Draft would have it: made by a controller, then reported on by the node.
manifests::ManagedFieldsPtr OwnersOf(const base::Json& pod, int number) {
  const manifests::SchemaPtr schema = manifests::Schema::BuiltIn();
  const manifests::Kind& kind = *schema->FindKind("v1", "Pod");
  const base::WallTime made = base::WallTime::FromSeconds(1'790'000'000 + number / 100);
  base::Json bare = pod;
  bare.Remove("status");
  const manifests::ManagedFields first =
      manifests::AfterUpdate({}, {"plumb-controllers", false, "v1", ""},
                             manifests::CompareFields(*kind.root, base::Json(), bare), made);
  return std::make_shared<const manifests::ManagedFields>(manifests::AfterUpdate(
      first, {"plumb-node", false, "v1", "status"}, manifests::CompareFields(*kind.root, bare, pod),
      made + base::Duration::Seconds(3)));
}

// Each pod once; again with a status that says something else.
void WritePods(RunningLoop& loop, state::Store& store, int containers, bool managed, bool again) {
  for (int first = 0; first < kPods; first += kPerCommit) {
    state::Transaction transaction;
    for (int i = first; i < first + kPerCommit; ++i) {
      base::Json pod = Pod(kNamespace, i % kGroups, i, NodeName(i % kNodes), containers);
      if (again) pod["status"].Set("message", "seen again");
      const std::string name(pod["metadata"]["name"].AsString());
      state::Write write{{"pods", kNamespace, name}, base::Document(pod), 0};
      if (managed) write.managers = OwnersOf(pod, i);
      if (again) {
        write.expected = loop.Call([&] { return store.view().Get(write.key)->revision; });
      }
      transaction.writes.push_back(std::move(write));
    }
    Commit(loop, store, std::move(transaction));
  }
}

void ReportBytes(const std::string& when, int containers, bool managed, double before,
                 size_t json_bytes) {
  malloc_trim(0);  // what is free is not the objects'
  Parameters parameters = {{"pods", kPods},
                           {"containers", containers},
                           {"json_bytes", static_cast<int64_t>(json_bytes)},
                           {"when", when}};
  if (managed) parameters.emplace_back("managed_fields", true);
  Report({"memory.pod_bytes", parameters, (ResidentBytes() - before) / kPods, "bytes/pod", "",
          std::nullopt, ValueAtMost(when == "written" ? 4096 : 5000)});
}

void ReportSeconds(const char* name, const char* how, double seconds) {
  Report({name, {{"pods", kPods}, {"how", how}}, seconds, "s", "", std::nullopt, NoAim()});
}

// The list that a client would get, made in this process.
double TimeList(const state::View& view) {
  const state::Api api({});
  const state::ClusterConfig config;
  base::HttpRequest request;
  request.method = "GET";
  request.path = "/api/v1/pods";
  request.segments = {"api", "v1", "pods"};
  request.identity.user = "admin";
  request.identity.groups = {"plumb:admin"};
  const double begin = Seconds();
  const state::Answer answer =
      api.Handle(request, view, {&config, base::WallTime::FromSeconds(1), 1});
  CHECK(std::get<state::Response>(answer).http.status == 200);
  return Seconds() - begin;
}

base::Status OverTheApi(const Context& context, const std::string& data_dir) {
  const double begin = Seconds();
  ASSIGN_OR_RETURN(const auto server, testsupport::PlumbProcess::Start(context.plumb, data_dir));
  ReportSeconds("memory.restart", "plumb server, from its start until it serves",
                Seconds() - begin);
  ASSIGN_OR_RETURN(const auto trust, testsupport::ApiTrust::OfDataDir(data_dir));
  ASSIGN_OR_RETURN(auto api, testsupport::ApiConnection::Open(trust, server->port()));
  const double first = Seconds();
  RETURN_IF_ERROR(api.Ask("GET", "/api/v1/pods?limit=1").status());
  ReportSeconds("memory.first_answer", "plumb server, a list of one pod after the restart",
                Seconds() - first);
  Report({"memory.server_bytes",
          {{"pods", kPods}, {"when", "plumb server, after the restart"}},
          ResidentBytes(server->pid()) / kPods,
          "bytes/pod",
          "",
          std::nullopt,
          NoAim()});
  std::vector<double> lists;
  for (int run = 0; run < 3; ++run) {
    const double at = Seconds();
    RETURN_IF_ERROR(api.Ask("GET", "/api/v1/pods").status());
    lists.push_back(Seconds() - at);
  }
  ReportSeconds("memory.list", "plumb server, over TLS to the last byte, median of 3",
                Median(lists));
  return {};
}

base::Status PodsOf(const Context& context, int containers, bool managed) {
  const std::string data_dir =
      Path(context, "server-" + std::to_string(containers) + (managed ? "-managed" : ""));
  {
    RunningLoop loop;
    malloc_trim(0);
    const double before = ResidentBytes();
    ASSIGN_OR_RETURN(OpenStore open, Open(loop, data_dir + "/store"));
    WriteCluster(loop, *open.store);
    WritePods(loop, *open.store, containers, managed, /*again=*/false);
    const size_t json_bytes = loop.Call([&] {
      size_t total = 0;
      for (const state::ObjectPtr& pod : open.store->view().List("pods"))
        total += pod->document.Bytes().size();
      return total / kPods;
    });
    ReportBytes("written", containers, managed, before, json_bytes);
    WritePods(loop, *open.store, containers, managed, /*again=*/true);
    ReportBytes("updated", containers, managed, before, json_bytes);
    loop.Call([&] { return open.store.reset(), 0; });
    open.storage.reset();

    malloc_trim(0);
    const double empty = ResidentBytes();
    const double begin = Seconds();
    ASSIGN_OR_RETURN(open, Open(loop, data_dir + "/store"));
    if (!managed)
      ReportSeconds("memory.reopen", "Store::Open over LevelDB, in process", Seconds() - begin);
    ReportBytes("reopened", containers, managed, empty, json_bytes);

    if (containers != 1 || managed) {  // the sizes only
      loop.Call([&] { return open.store.reset(), 0; });
      return {};
    }

    constexpr int kSnapshots = 1'000'000;
    double at = Seconds();
    for (int i = 0; i < kSnapshots; ++i) state::View copy = open.store->view();
    Report({"memory.snapshot",
            {{"pods", kPods}},
            (Seconds() - at) / kSnapshots * 1e9,
            "ns",
            "",
            std::nullopt,
            NoAim()});
    at = Seconds();
    size_t running = 0;
    for (const state::ObjectPtr& pod : open.store->view().List("pods"))
      running += (*pod)["status"]["phase"].AsString() == "Running";
    CHECK(running == kPods);
    ReportSeconds("memory.walk", "all pods of a view, one field of each read", Seconds() - at);
    ReportSeconds("memory.list", "the API's answer, in process", TimeList(open.store->view()));
    loop.Call([&] { return open.store.reset(), 0; });
  }
  return OverTheApi(context, data_dir);
}

}  // namespace

base::Status BenchMemory(const Context& context) {
  for (const int containers : {2, 1}) {
    for (const bool managed : {false, true}) RETURN_IF_ERROR(PodsOf(context, containers, managed));
  }
  return {};
}

}  // namespace bench
