#include "reconciler/testing/controller_test.h"

namespace reconciler {
namespace {

class NodeAddressTest : public ControllerTest {
 protected:
  NodeAddressTest() { Configure(); }
  void Configure() {
    cluster_->config.pod_cidr = "10.88.0.0/22";
    cluster_->config.pod_prefix_length = 24;
  }
  std::vector<std::unique_ptr<Controller>> Controllers() override {
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController("node-address"));
    return controllers;
  }
  std::string Ranges() {
    std::string text;
    for (const state::ObjectPtr& node : cluster_->store().view().List("nodes")) {
      const std::string_view range = (*node)["spec"]["podCIDR"].AsString("none");
      text += node->key.name + "=" + std::string(range) + " ";
    }
    return text;
  }
};

TEST_F(NodeAddressTest, EveryNodeGetsTheLowestFreeRangeAndKeepsIt) {
  for (const char* name : {"a", "b", "c"}) cluster_->AddNode(name);
  Start();
  Settle();
  EXPECT_EQ(Ranges(), "a=10.88.0.0/24 b=10.88.1.0/24 c=10.88.2.0/24 ");
  EXPECT_EQ(cluster_->Field("nodes", "", "b", "spec.podCIDRs"), "[\"10.88.1.0/24\"]");
  ExpectNothingMoreToWrite();
  cluster_->Delete("nodes", "", "b");
  Settle();
  cluster_->AddNode("d");
  Settle();
  EXPECT_EQ(Ranges(), "a=10.88.0.0/24 c=10.88.2.0/24 d=10.88.1.0/24 ");
}

TEST_F(NodeAddressTest, NodeWithoutARangeSaysSoAndGetsTheNextThatIsFree) {
  for (const char* name : {"a", "b", "c", "d", "e"}) cluster_->AddNode(name);
  Start();
  Settle();
  EXPECT_EQ(Ranges(), "a=10.88.0.0/24 b=10.88.1.0/24 c=10.88.2.0/24 d=10.88.3.0/24 e=none ");
  const std::string event = cluster_->Names("events");
  EXPECT_EQ(event.substr(0, 10), "default/e.");
  EXPECT_EQ(cluster_->Field("events", "default", event.substr(8), "reason"),
            "\"CIDRNotAvailable\"");
  ExpectNothingMoreToWrite();
  cluster_->Delete("nodes", "", "c");
  Settle();
  EXPECT_EQ(Ranges(), "a=10.88.0.0/24 b=10.88.1.0/24 d=10.88.3.0/24 e=10.88.2.0/24 ");
}

TEST_F(NodeAddressTest, KeepsClearOfRangesOfOtherSizesAndPlaces) {
  const auto node = [](const std::string& name, const std::string& range) {
    return "apiVersion: v1\nkind: Node\nmetadata: {name: " + name + "}\nspec: {podCIDR: " + range +
           "}\n---\n";
  };
  cluster_->Apply(node("far", "10.0.0.0/16") + node("half", "10.88.0.128/25") +
                  node("wide", "10.88.2.0/23"));
  cluster_->AddNode("new");
  Start();
  Settle();
  EXPECT_EQ(Ranges(), "far=10.0.0.0/16 half=10.88.0.128/25 new=10.88.1.0/24 wide=10.88.2.0/23 ");
}

TEST_F(NodeAddressTest, EndsTheSameWhereverItCrashes) {
  ExpectSameEndWhereverItCrashes(
      [&] {
        Configure();
        for (const char* name : {"a", "b", "c", "d", "e"}) cluster_->AddNode(name);
      },
      5, [&] { return Ranges(); });
}

}  // namespace
}  // namespace reconciler
