#include "reconciler/cluster_objects.h"

#include <optional>
#include <string>
#include <utility>

#include "reconciler/testing/controller_test.h"
#include "state/cluster_namespaces.h"

namespace reconciler {
namespace {

constexpr char kApiSlices[] = "endpointslices.discovery.k8s.io";
constexpr char kNamespaces[] = "default kube-node-lease kube-public kube-system plumb-system";

class ClusterObjectsTest : public ControllerTest {
 protected:
  std::vector<std::unique_ptr<Controller>> Controllers() override {
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController("cluster-objects"));
    controllers.push_back(NewController("namespace"));
    return controllers;
  }
  std::string Api(const char* path) {
    return cluster_->Field("services", "default", "kubernetes", path);
  }
  std::string Slice(const char* path) {
    return cluster_->Field(kApiSlices, "default", "kubernetes", path);
  }
  // How many objects it wrote.
  size_t Ensure() {
    state::Draft draft(cluster_->store().view(), cluster_->Context());
    EXPECT_TRUE(EnsureClusterObjects(draft).ok());
    state::Transaction transaction = draft.Finish();
    const size_t writes = transaction.writes.size();
    EXPECT_TRUE(cluster_->store().Commit(std::move(transaction)).ok());
    return writes;
  }
  // Past the door.
  void Write(const state::Object& old, std::optional<base::Json> object) {
    state::Write write{old.key, std::nullopt, old.revision};
    if (object) write.document = base::Document(*object);
    state::Transaction transaction;
    transaction.writes.push_back(std::move(write));
    ASSERT_TRUE(cluster_->store().Commit(std::move(transaction)).ok());
  }
  void Lose(std::string_view name) { Write(*cluster_->Get("namespaces", "", name), std::nullopt); }
  void BeginToDelete(std::string_view name) {
    const state::ObjectPtr ns = cluster_->Get("namespaces", "", name);
    base::Json object = ns->document.ToJson();
    object["metadata"].Set("deletionTimestamp", "2026-01-01T00:00:00Z");
    object["metadata"].Set("deletionGracePeriodSeconds", 0);
    object["status"].Set("phase", "Terminating");
    Write(*ns, std::move(object));
  }
  // All but when they were written.
  std::string Namespaces() {
    std::string text;
    for (const state::ObjectPtr& ns : cluster_->store().view().List("namespaces")) {
      base::Json object = ns->document.ToJson();
      object["metadata"].Remove("resourceVersion");
      text += object.ToString() + "\n";
    }
    return text;
  }
};

TEST_F(ClusterObjectsTest, ClusterHasItsNamespacesAndGetsThemBack) {
  Start();
  Settle();
  EXPECT_EQ(cluster_->Names("namespaces"), kNamespaces);
  Lose("kube-public");
  Settle();
  EXPECT_EQ(cluster_->Names("namespaces"), kNamespaces);
  ExpectNothingMoreToWrite();
}

TEST_F(ClusterObjectsTest, EnsureFillsAnEmptyStoreOnce) {
  state::View nothing;
  nothing.set_schema(manifests::Schema::BuiltIn());
  state::Draft draft(nothing, cluster_->Context());
  ASSERT_TRUE(EnsureClusterObjects(draft).ok());
  EXPECT_EQ(draft.Finish().writes.size(), 6u);
  ASSERT_TRUE(EnsureClusterObjects(draft).ok());
  EXPECT_EQ(draft.Finish().writes.size(), 6u);
}

TEST_F(ClusterObjectsTest, ServiceOfTheApiHasTheFirstAddressAndComesBack) {
  Start();
  Settle();
  EXPECT_EQ(Api("spec.clusterIP") + Api("spec.ports[0].port"), R"("10.96.0.1"443)");
  cluster_->Delete("services", "default", "kubernetes");
  Settle();
  EXPECT_EQ(Api("spec.clusterIP"), R"("10.96.0.1")");
  ExpectNothingMoreToWrite();
}

TEST_F(ClusterObjectsTest, ServiceOfTheApiTakesAnotherAddressIfTheFirstIsSomebodyElses) {
  cluster_->Apply(
      "apiVersion: v1\nkind: Service\nmetadata: {name: early}\nspec: {ports: [{port: 80}]}\n");
  // From a time when its name was enough for the address.
  const state::ObjectPtr early = cluster_->Get("services", "default", "early");
  base::Json old = early->document.ToJson();
  old["spec"].Set("clusterIP", "10.96.0.1");
  state::Transaction transaction;
  transaction.writes.push_back({early->key, base::Document(old), early->revision});
  ASSERT_TRUE(cluster_->store().Commit(transaction).ok());
  Start();
  Settle();
  EXPECT_EQ(Api("spec.ports[0].name"), R"("https")");
  EXPECT_NE(Api("spec.clusterIP"), R"("10.96.0.1")");
}

TEST_F(ClusterObjectsTest, ServiceOfTheApiLeadsToTheServer) {
  const auto endpoint = [&] {
    Settle();
    return Slice("ports[0].port") + Slice("endpoints[0].addresses") + Slice("metadata.labels");
  };
  const auto moved_to = [&](const char* address, int port) {
    cluster_->config.api_address = address;
    cluster_->config.api_port = port;
    Start();
    return endpoint();
  };
  Start();
  EXPECT_EQ(endpoint(), "absentabsentabsent");
  const std::string first = R"(7443["192.0.2.7"]{"kubernetes.io/service-name":"kubernetes"})";
  EXPECT_EQ(moved_to("192.0.2.7", 7443), first);
  cluster_->Delete(kApiSlices, "default", "kubernetes");
  EXPECT_EQ(endpoint(), first);
  base::Json other = cluster_->Get(kApiSlices, "default", "kubernetes")->document.ToJson();
  other["endpoints"].MutableElements().clear();
  Write(*cluster_->Get(kApiSlices, "default", "kubernetes"), std::move(other));
  EXPECT_EQ(endpoint(), first);
  ExpectNothingMoreToWrite();
  EXPECT_EQ(moved_to("192.0.2.8", 6443),
            R"(6443["192.0.2.8"]{"kubernetes.io/service-name":"kubernetes"})");
}

TEST_F(ClusterObjectsTest, AnEndpointThatSomebodyAppliesIsTheirs) {
  const auto slice = [](const char* type, const char* address) {
    return base::Json::MakeObject(
        {{"apiVersion", "discovery.k8s.io/v1"},
         {"kind", "EndpointSlice"},
         {"metadata", base::Json::MakeObject({{"name", "kubernetes"}, {"namespace", "default"}})},
         {"addressType", type},
         {"endpoints", base::Json::MakeArray({base::Json::MakeObject(
                           {{"addresses", base::Json::MakeArray({address})}})})}});
  };
  cluster_->config.api_address = "192.0.2.7";
  cluster_->config.api_port = 7443;
  state::Draft made(cluster_->store().view(), cluster_->Context());
  ASSERT_TRUE(made.Create(slice("IPv6", "2001:db8::1")).ok());
  ASSERT_TRUE(cluster_->store().Commit(made.Finish()).ok());
  Start();
  Settle();
  EXPECT_EQ(Slice("addressType") + Slice("endpoints[0].addresses"), R"("IPv4"["192.0.2.7"])");
  state::DraftContext somebody = cluster_->Context();
  somebody.actor = state::ProgramActor("somebody");
  state::Draft applied(cluster_->store().view(), somebody);
  ASSERT_TRUE(applied.Apply(slice("IPv4", "192.0.2.99"), {.force = true}).ok());
  ASSERT_TRUE(cluster_->store().Commit(applied.Finish()).ok());
  Settle();
  EXPECT_EQ(Slice("endpoints[0].addresses"), R"(["192.0.2.99"])");
  ExpectNothingMoreToWrite();
}

// The door has refused that since; what was stored before is mended when it is opened.
TEST_F(ClusterObjectsTest, NamespacesThatAnEarlierPlumbBeganToDeleteStay) {
  Start();
  Settle();
  reconciler_.reset();
  cluster_->Apply(
      "apiVersion: v1\nkind: Secret\nmetadata: {name: kept, namespace: plumb-system}\n");
  const std::string before = Namespaces();
  for (const std::string_view name : state::kClusterNamespaces) BeginToDelete(name);
  EXPECT_NE(Namespaces(), before);
  EXPECT_EQ(Ensure(), std::size(state::kClusterNamespaces));
  EXPECT_EQ(Ensure(), 0u);
  Start();
  Settle(10);
  EXPECT_EQ(Namespaces(), before);
  EXPECT_EQ(Api("spec.clusterIP"), R"("10.96.0.1")");
  EXPECT_NE(cluster_->Get("secrets", "plumb-system", "kept"), nullptr);
  ExpectNothingMoreToWrite();
}

TEST_F(ClusterObjectsTest, EndsTheSameWhereverItCrashes) {
  ExpectSameEndWhereverItCrashes(
      [&] { BeginToDelete("default"); }, 10,
      [&] {
        return cluster_->Names("namespaces") + "|" + Api("spec.clusterIP") + "|" +
               cluster_->Field("namespaces", "", "default", "status.phase");
      });
}

}  // namespace
}  // namespace reconciler
