#include "reconciler/testing/controller_test.h"

namespace reconciler {
namespace {

constexpr char kQuota[] =
    "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\n"
    "spec: {hard: {pods: 5, requests.memory: 4Gi, configmaps: 9, count/secrets: 1}}\n";

class QuotaStatusTest : public ControllerTest {
 protected:
  std::vector<std::unique_ptr<Controller>> Controllers() override {
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController("quota-status"));
    return controllers;
  }
  std::string Used() { return cluster_->Field("resourcequotas", "default", "q", "status.used"); }
  static std::string SizedPod(const std::string& name, const std::string& memory) {
    return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
           "}\nspec: {containers: [{name: c, image: x, resources: {requests: {memory: " + memory +
           "}}}]}\n---\n";
  }
};

TEST_F(QuotaStatusTest, ShowsWhatTheNamespaceUses) {
  Start();
  cluster_->Apply(std::string(kQuota) + "---\n" + SizedPod("a", "1Gi") + SizedPod("b", "512Mi") +
                  ConfigMap("c"));
  Settle();
  EXPECT_EQ(Used(),
            R"({"configmaps":"1","count/secrets":"0","pods":"2","requests.memory":"1536Mi"})");
  EXPECT_EQ(cluster_->Field("resourcequotas", "default", "q", "status.hard"),
            cluster_->Field("resourcequotas", "default", "q", "spec.hard"));
  ExpectNothingMoreToWrite();
}

TEST_F(QuotaStatusTest, FollowsWhatComesEndsAndGoes) {
  cluster_->Apply(std::string(kQuota) + "---\n" + SizedPod("a", "1Gi") + SizedPod("b", "2Gi"));
  Start();
  Settle();
  cluster_->SetStatus("pods", "default", "a", "{phase: Succeeded}");
  Settle();
  EXPECT_EQ(Used(), R"({"configmaps":"0","count/secrets":"0","pods":"1","requests.memory":"2Gi"})");
  cluster_->Delete("pods", "default", "b");
  Settle();
  EXPECT_EQ(Used(), R"({"configmaps":"0","count/secrets":"0","pods":"0","requests.memory":"0"})");
}

TEST_F(QuotaStatusTest, CountsItsOwnNamespaceOnly) {
  cluster_->AddNamespace("team");
  cluster_->Apply(std::string(kQuota) +
                  "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: team}\n");
  Start();
  Settle();
  EXPECT_EQ(Used(), R"({"configmaps":"0","count/secrets":"0","pods":"0","requests.memory":"0"})");
}

TEST_F(QuotaStatusTest, FollowsItsSpec) {
  cluster_->Apply(kQuota);
  Start();
  Settle();
  cluster_->Apply(
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: 7}}\n");
  Settle();
  EXPECT_EQ(
      cluster_->Field("resourcequotas", "default", "q", "status.hard.pods") + Used(),
      cluster_->Field("resourcequotas", "default", "q", "spec.hard.pods") + R"({"pods":"0"})");
}

TEST_F(QuotaStatusTest, EndsTheSameWhereverItCrashes) {
  ExpectSameEndWhereverItCrashes(
      [&] { cluster_->Apply(std::string(kQuota) + "---\n" + SizedPod("a", "1Gi")); }, 5,
      [&] { return Used(); });
}

}  // namespace
}  // namespace reconciler
