#include "reconciler/cluster_objects.h"

#include "reconciler/testing/controller_test.h"

namespace reconciler {
namespace {

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
};

TEST_F(ClusterObjectsTest, ClusterHasItsNamespacesAndGetsThemBack) {
  Start();
  Settle();
  EXPECT_EQ(cluster_->Names("namespaces"), kNamespaces);
  cluster_->Delete("namespaces", "", "kube-public");
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
      "apiVersion: v1\nkind: Service\nmetadata: {name: early}\n"
      "spec: {clusterIP: 10.96.0.1, ports: [{port: 80}]}\n");
  Start();
  Settle();
  EXPECT_EQ(Api("spec.ports[0].name"), R"("https")");
  EXPECT_NE(Api("spec.clusterIP"), R"("10.96.0.1")");
}

TEST_F(ClusterObjectsTest, DefaultNamespaceComesBackWithTheServiceAfterItEnded) {
  Start();
  Settle();
  cluster_->Delete("namespaces", "", "default");
  Settle(10);
  EXPECT_EQ(cluster_->Names("namespaces"), kNamespaces);
  EXPECT_EQ(Api("spec.clusterIP"), R"("10.96.0.1")");
}

TEST_F(ClusterObjectsTest, EndsTheSameWhereverItCrashes) {
  ExpectSameEndWhereverItCrashes(
      [&] { cluster_->Delete("namespaces", "", "default"); }, 10,
      [&] { return cluster_->Names("namespaces") + "|" + Api("spec.clusterIP"); });
}

}  // namespace
}  // namespace reconciler
