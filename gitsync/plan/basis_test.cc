// A plan is made, something happens, and its basis holds or does not.
#include "gitsync/plan/basis.h"

#include <gtest/gtest.h>

#include "gitsync/plan/plan.h"
#include "gitsync/plan/repository.h"
#include "state/testing/test_cluster.h"

namespace gitsync {
namespace {

constexpr char kMap[] =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {a: one}\n";
constexpr char kService[] =
    "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop}\n"
    "spec: {ports: [{port: 80}]}\n";
constexpr char kOtherService[] =
    "apiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: team}\n"
    "spec: {ports: [{port: 80}]}\n";
constexpr char kQuota[] =
    "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: shop}\n"
    "spec: {hard: {configmaps: \"5\"}}\n";
constexpr char kOtherMap[] =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: shop}\n";

class BasisTest : public testing::Test {
 protected:
  BasisTest() {
    cluster_.AddNamespace("shop");
    cluster_.AddNamespace("team");
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    EXPECT_TRUE(CreateRepository(draft, "site", {}, "https://s/git/site.git").ok());
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
    subscription_ =
        cluster_.store().OnCommit([this](const state::Change& change) { tables_.Note(change); });
  }

  SyncPlan Plan(const std::string& yaml) {
    Discovery discovery;
    discovery.files.push_back(ManifestFile{"a.yaml", yaml, yaml.size()});
    ParseCache cache;
    set_ = *ReadManifests(discovery, ApplicationScope(), cluster_.schema, cache,
                          [](const std::string& oid) { return base::Result<std::string>(oid); });
    set_.commit = "commit";
    auto application = ReadApplication(cluster_.store().view(), "site");
    application->inventory = ReadInventory(cluster_.store().view(), *cluster_.schema, "site");
    return PlanSync(cluster_.store().view(), *application, set_, {}, cluster_.Context());
  }

  // Whether the plan for `yaml` outlives what `happens`; and whether it could be committed.
  std::string After(const std::string& yaml, const std::function<void()>& happens) {
    SyncPlan plan = Plan(yaml);
    EXPECT_TRUE(plan.errors.empty());
    happens();
    const bool holds = Holds(plan.basis, cluster_.store().view(), tables_);
    const bool committed = cluster_.store().Commit(std::move(plan.transaction)).ok();
    return std::string(holds ? "holds" : "made again") + (committed ? "" : ", conflict");
  }

  state::TestCluster cluster_;
  SharedTables tables_;
  base::Subscription subscription_;
  ManifestSet set_;
};

TEST_F(BasisTest, ItHoldsWhateverElseHappens) {
  EXPECT_EQ(After(kMap, [&] { cluster_.Apply(kOtherMap); }), "holds");
  EXPECT_EQ(After(kService, [&] { cluster_.AddNode("n1"); }), "holds");
}

TEST_F(BasisTest, AnObjectThatItLookedAt) {
  cluster_.Apply(kMap);
  const std::string changed =
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: "
      "shop}\ndata: {a: two}\n";
  EXPECT_EQ(After(kMap, [&] { cluster_.Apply(changed); }), "made again, conflict");
  EXPECT_EQ(After(kMap, [&] { cluster_.Delete("configmaps", "shop", "a"); }),
            "made again, conflict");
}

TEST_F(BasisTest, AnObjectThatCameToBe) {
  EXPECT_EQ(After(kMap, [&] { cluster_.Apply(kMap); }), "made again, conflict");
}

// Two plans of different objects may be given the same address.
TEST_F(BasisTest, AnAddressThatAnotherServiceWasGiven) {
  cluster_.Apply(kService);
  std::string address = cluster_.Field("services", "shop", "a", "spec.clusterIP");
  cluster_.Delete("services", "shop", "a");
  const std::string taker = std::string(kOtherService)
                                .replace(std::string(kOtherService).find("spec: {"), 7,
                                         "spec: {clusterIP: " + address + ", ");
  EXPECT_EQ(After(kService, [&] { cluster_.Apply(taker); }), "made again");
}

TEST_F(BasisTest, AnAddressOfItsOwnWhateverOthersWereGiven) {
  EXPECT_EQ(After(kService, [&] { cluster_.Apply(kOtherService); }), "holds");
  EXPECT_NE(cluster_.Field("services", "shop", "a", "spec.clusterIP"),
            cluster_.Field("services", "team", "b", "spec.clusterIP"));
}

// One push may hand a node port on from one of its Services to another.
TEST_F(BasisTest, APortThatItTakesFromAServiceOfItsOwn) {
  const auto service = [](const std::string& name, int port) {
    return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name +
           ", namespace: shop}\nspec: {type: NodePort, ports: [{port: 80, nodePort: " +
           std::to_string(port) + "}]}\n";
  };
  cluster_.Apply(service("a", 30080));
  const std::string moved = service("a", 30090) + "---\n" + service("b", 30080);
  EXPECT_EQ(After(moved, [] {}), "holds");
  const std::string on = service("b", 30110) + "---\n" + service("c", 30080);
  EXPECT_EQ(After(on, [&] { cluster_.Apply(service("b", 30100)); }), "made again, conflict");
}

TEST_F(BasisTest, AQuotaOfWhatServicesAsk) {
  cluster_.Apply(
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: shop}\n"
      "spec: {hard: {services.nodeports: \"1\"}}\n");
  cluster_.Apply(kService);
  EXPECT_EQ(After(kMap,
                  [&] {
                    cluster_.Apply(
                        "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop}\n"
                        "spec: {type: NodePort, ports: [{port: 80}]}\n");
                  }),
            "made again");
}

TEST_F(BasisTest, AQuotaThatCameOrIsUsedUp) {
  EXPECT_EQ(After(kMap, [&] { cluster_.Apply(kQuota); }), "made again");
  const std::string renamed =
      std::string(kMap).replace(std::string(kMap).find("name: a"), 7, "name: c");
  EXPECT_EQ(After(renamed, [&] { cluster_.Apply(kOtherMap); }), "made again");
}

TEST_F(BasisTest, ANamespaceThatEnds) {
  EXPECT_EQ(After(kMap, [&] { cluster_.Delete("namespaces", "", "shop"); }), "made again");
}

TEST_F(BasisTest, TheRecordOfTheApplication) {
  EXPECT_EQ(After(kMap,
                  [&] {
                    state::Draft draft(cluster_.store().view(), cluster_.Context());
                    EXPECT_TRUE(RecordReady(draft, "site", "False", "X", "x").ok());
                    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
                  }),
            "made again, conflict");
}

TEST_F(BasisTest, WhatApplicationsThereAreIsATableOfItsOwn) {
  const state::Revision before = tables_.applications();
  state::Draft draft(cluster_.store().view(), cluster_.Context());
  ASSERT_TRUE(CreateRepository(draft, "other", {}, "https://s/git/other.git").ok());
  ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  EXPECT_GT(tables_.applications(), before);
  const state::Revision made = tables_.applications();
  cluster_.SetStatus(kKustomizations, kSystemNamespace, "other", "{lastAppliedRevision: x}");
  const auto annotate = [&](std::string_view annotation, std::string_view value) {
    state::Draft again(cluster_.store().view(), cluster_.Context());
    base::Json object = (*again.view().Get(KustomizationKey("other"))).document.ToJson();
    object["metadata"]["annotations"].Set(annotation, value);
    EXPECT_TRUE(again.Update(std::move(object)).ok());
    EXPECT_TRUE(cluster_.store().Commit(again.Finish()).ok());
  };
  annotate(kRequestedAnnotation, "1");
  EXPECT_EQ(tables_.applications(), made);
  annotate(kNamespacesAnnotation, "team");
  EXPECT_GT(tables_.applications(), made);
}

}  // namespace
}  // namespace gitsync
