#include "reconciler/testing/controller_test.h"

namespace reconciler {
namespace {

class GarbageCollectorTest : public ControllerTest {
 protected:
  std::vector<std::unique_ptr<Controller>> Controllers() override {
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController("garbage-collector"));
    return controllers;
  }
  std::string Reference(const std::string& owner, const std::string& more = "",
                        const std::string& kind = "ConfigMap") {
    const state::ObjectPtr object = cluster_->Get("configmaps", "default", owner);
    return "{apiVersion: v1, kind: " + kind + ", name: " + owner +
           ", uid: " + (object ? std::string(object->Uid()) : "gone-" + owner) + more + "}";
  }
  void Add(const std::string& name, const std::string& references = "",
           const std::string& more = "") {
    cluster_->Apply(ConfigMap(
        name, (references.empty() ? "" : ", ownerReferences: [" + references + "]") + more));
  }
  void Delete(const std::string& name,
              state::Propagation propagation = state::Propagation::kBackground) {
    state::DeleteOptions options;
    options.propagation = propagation;
    cluster_->Delete("configmaps", "default", name, options);
  }
  // "a b<-a": every ConfigMap with the names of its owners.
  std::string Family() {
    std::string text;
    for (const state::ObjectPtr& object : cluster_->store().view().List("configmaps")) {
      text += (text.empty() ? "" : " ") + object->key.name;
      for (base::Value reference : object->Meta("ownerReferences").Elements())
        text += "<-" + std::string(reference["name"].AsString());
    }
    return text;
  }
  void AddChain() {
    Add("a");
    Add("b", Reference("a", ", blockOwnerDeletion: true"));
    Add("c", Reference("b", ", blockOwnerDeletion: true"));
    Add("other");
  }
};

TEST_F(GarbageCollectorTest, LeavesAloneWhatHasItsOwners) {
  AddChain();
  Start();
  Settle(600);
  EXPECT_EQ(Family(), "a b<-a c<-b other");
  ExpectNothingMoreToWrite();
}

TEST_F(GarbageCollectorTest, DependentsFollowAnOwnerThatIsGone) {
  AddChain();
  Start();
  Delete("a");
  EXPECT_EQ(Family(), "b<-a c<-b other");
  Settle();
  EXPECT_EQ(Family(), "other");
}

TEST_F(GarbageCollectorTest, OwnerThatWasGoneBeforeTheStartCountsAsWell) {
  AddChain();
  Delete("a");
  Start();
  Settle();
  EXPECT_EQ(Family(), "other");
}

TEST_F(GarbageCollectorTest, ObjectOfTheSameNameIsNotTheOwner) {
  AddChain();
  Delete("a");
  Add("a");
  Start();
  Settle();
  EXPECT_EQ(Family(), "a other");
}

TEST_F(GarbageCollectorTest, OneOfTwoOwnersKeepsADependent) {
  Add("a");
  Add("b");
  Add("c", Reference("a") + ", " + Reference("b"));
  Start();
  Delete("a");
  Settle();
  EXPECT_EQ(Family(), "b c<-b");
  ExpectNothingMoreToWrite();
  Delete("b");
  Settle();
  EXPECT_EQ(Family(), "");
}

TEST_F(GarbageCollectorTest, ForegroundOwnerWaitsForThoseThatBlockIt) {
  Add("a");
  Add("held", Reference("a", ", blockOwnerDeletion: true"), ", finalizers: [example.com/hold]");
  Add("free", Reference("a"), ", finalizers: [example.com/hold]");
  Start();
  Delete("a", state::Propagation::kForeground);
  Settle();
  EXPECT_EQ(Family(), "a free<-a held<-a");
  EXPECT_TRUE(cluster_->Get("configmaps", "default", "free")->Deleting());
  EXPECT_TRUE(cluster_->Get("configmaps", "default", "held")->Deleting());
  ExpectNothingMoreToWrite();
  Add("held", Reference("a", ", blockOwnerDeletion: true"));
  Settle();
  EXPECT_EQ(Family(), "free<-a") << "one that does not block is not waited for";
}

TEST_F(GarbageCollectorTest, ForegroundGoesDownTheWholeChainFromItsEnd) {
  AddChain();
  Add("end", Reference("c", ", blockOwnerDeletion: true"), ", finalizers: [example.com/hold]");
  Start();
  Delete("a", state::Propagation::kForeground);
  Settle();
  EXPECT_EQ(Family(), "a b<-a c<-b end<-c other");
  Add("end", Reference("c", ", blockOwnerDeletion: true"));
  Settle();
  EXPECT_EQ(Family(), "other");
}

TEST_F(GarbageCollectorTest, ForegroundSparesADependentWithAnotherOwner) {
  Add("a");
  Add("b");
  Add("c", Reference("a", ", blockOwnerDeletion: true") + ", " + Reference("b"));
  Start();
  Delete("a", state::Propagation::kForeground);
  Settle();
  EXPECT_EQ(Family(), "b c<-b");
}

TEST_F(GarbageCollectorTest, ForegroundCircleComesToAnEnd) {
  Add("a");
  Add("b", Reference("a", ", blockOwnerDeletion: true"));
  Add("a", Reference("b", ", blockOwnerDeletion: true"));
  Start();
  Delete("a", state::Propagation::kForeground);
  Settle();
  EXPECT_EQ(Family(), "");
}

TEST_F(GarbageCollectorTest, OrphanedDependentsStayWithoutTheReference) {
  AddChain();
  Start();
  Delete("a", state::Propagation::kOrphan);
  Settle();
  EXPECT_EQ(Family(), "b c<-b other");
  ExpectNothingMoreToWrite();
}

TEST_F(GarbageCollectorTest, OwnerOfAnUnknownKindIsNeverTakenForGone) {
  Add("a", Reference("x", "", "Mystery"));
  Add("b", Reference("x", "", "Mystery") + ", " + Reference("none"));
  Start();
  Settle(600);
  EXPECT_EQ(Family(), "a<-x b<-x");
  const std::string events = cluster_->Names("events");
  EXPECT_EQ(events.substr(0, 10), "default/a.");
  ExpectNothingMoreToWrite();
}

TEST_F(GarbageCollectorTest, ClusterObjectWithANamespacedOwnerIsKept) {
  cluster_->Apply("apiVersion: v1\nkind: Node\nmetadata: {name: n1, ownerReferences: [" +
                  Reference("x") + "]}\n");
  Start();
  Settle(600);
  EXPECT_EQ(cluster_->Names("nodes"), "n1");
}

TEST_F(GarbageCollectorTest, MoreThanATurnWritesGoesInSeveral) {
  for (const auto propagation : {state::Propagation::kForeground, state::Propagation::kOrphan}) {
    Add("a");
    std::string yaml;
    for (int i = 0; i < 1100; ++i)
      yaml += ConfigMap("d" + std::to_string(i), ", ownerReferences: [" + Reference("a") + "]");
    cluster_->Apply(yaml);
    Start();
    Delete("a", propagation);
    Settle();
    const std::string family = Family();
    EXPECT_EQ(family.find("<-"), std::string::npos);
    EXPECT_EQ(family.empty(), propagation == state::Propagation::kForeground);
  }
}

TEST_F(GarbageCollectorTest, EndsTheSameWhereverItCrashes) {
  for (const auto propagation : {state::Propagation::kBackground, state::Propagation::kForeground,
                                 state::Propagation::kOrphan}) {
    ExpectSameEndWhereverItCrashes(
        [&] {
          AddChain();
          Add("d", Reference("b") + ", " + Reference("other"));
          Delete("a", propagation);
        },
        5, [&] { return Family(); });
  }
}

}  // namespace
}  // namespace reconciler
