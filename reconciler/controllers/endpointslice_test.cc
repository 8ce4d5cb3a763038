#include <gtest/gtest.h>

#include <map>

#include "reconciler/controllers/all.h"
#include "reconciler/reconciler.h"
#include "reconciler/testing/crash_everywhere.h"
#include "reconciler/testing/pod_runner.h"
#include "state/testing/test_cluster.h"

namespace reconciler {
namespace {

constexpr char kSlices[] = "endpointslices.discovery.k8s.io";
constexpr char kService[] =
    "apiVersion: v1\nkind: Service\nmetadata: {name: web, labels: {team: a}}\n"
    "spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}\n";

class EndpointSliceTest : public testing::Test {
 protected:
  EndpointSliceTest() {
    cluster_.AddNode("n1");
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController("endpointslice"));
    controllers.push_back(NewController("event-expiry"));
    reconciler_ = std::make_unique<Reconciler>(cluster_.loop, cluster_.store(), cluster_.Context(),
                                               std::move(controllers));
  }
  // A pod on n1 whose container names port 8000 + `variant` http.
  void AddPod(int number, const std::string& spec = "", int variant = 80, bool ready = true) {
    const std::string name = "p" + std::to_string(1000 + number);
    cluster_.Apply("apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
                   ", labels: {app: web}}\nspec: {" + spec +
                   "nodeName: n1, containers: [{name: web, image: x, ports: [{name: http, "
                   "containerPort: " +
                   std::to_string(8000 + variant) + "}]}]}\n");
    SetPod(number, ready);
  }
  void SetPod(int number, bool ready, const std::string& phase = "Running") {
    cluster_.SetStatus("pods", "default", "p" + std::to_string(1000 + number),
                       "{phase: " + phase + ", podIP: 10.88." + std::to_string(number / 200) + "." +
                           std::to_string(number % 200 + 1) +
                           ", conditions: [{type: Ready, status: \"" + (ready ? "True" : "False") +
                           "\"}]}");
  }
  // "http:8080: p1000=ready,serving p1001=terminating; ..." of all slices, in order of their names.
  std::string Slices() {
    std::string text;
    for (const state::ObjectPtr& slice : cluster_.store().view().List(kSlices)) {
      if (!text.empty()) text += "; ";
      for (base::Value port : (*slice)["ports"].Elements())
        text +=
            std::string(port["name"].AsString()) + ":" + std::to_string(port["port"].AsInt()) + " ";
      for (base::Value endpoint : (*slice)["endpoints"].Elements()) {
        text += std::string(endpoint["targetRef"]["name"].AsString()) + "=";
        for (const auto& [condition, value] : endpoint["conditions"].Members())
          if (value.AsBool()) text += condition.substr(0, 1);
        if (endpoint["hostname"].Exists())
          text += "@" + std::string(endpoint["hostname"].AsString());
        text += " ";
      }
    }
    return text;
  }
  // Number of endpoints and revision of each slice.
  std::map<std::string, std::pair<size_t, state::Revision>> Sizes() {
    std::map<std::string, std::pair<size_t, state::Revision>> sizes;
    for (const state::ObjectPtr& slice : cluster_.store().view().List(kSlices))
      sizes[slice->key.name] = {(*slice)["endpoints"].size(), slice->revision};
    return sizes;
  }

  state::TestCluster cluster_;
  std::unique_ptr<Reconciler> reconciler_;
};

TEST_F(EndpointSliceTest, ConditionsFollowThePod) {
  for (int i = 0; i < 4; ++i) AddPod(i);
  SetPod(1, false);
  cluster_.Delete("pods", "default", "p1002");
  SetPod(3, false, "Succeeded");
  cluster_.Apply(kService);
  cluster_.Settle();
  EXPECT_EQ(Slices(), "http:8080 p1000=rs p1001= p1002=st ");
  const state::ObjectPtr slice = *cluster_.store().view().List(kSlices).begin();
  EXPECT_EQ(slice->Labels().Bytes(), R"({"endpointslice.kubernetes.io/managed-by":"plumb",)"
                                     R"("kubernetes.io/service-name":"web","team":"a"})");
  EXPECT_EQ((*slice)["endpoints"].At(0)["nodeName"].AsString(), "n1");
  EXPECT_TRUE(slice->IsControlledBy(cluster_.Get("services", "default", "web")->Uid()));
}

TEST_F(EndpointSliceTest, PublishNotReadyAddressesSaysReady) {
  AddPod(0, "", 80, false);
  cluster_.Apply(std::string(kService).replace(std::string(kService).find("spec: {"), 7,
                                               "spec: {publishNotReadyAddresses: true, "));
  cluster_.Settle();
  EXPECT_EQ(Slices(), "http:8080 p1000=r ");
}

TEST_F(EndpointSliceTest, AHeadlessServiceNamesItsHosts) {
  AddPod(0, "hostname: db-0, subdomain: db, ");
  AddPod(1, "hostname: db-1, subdomain: other, ");
  cluster_.Apply(
      "apiVersion: v1\nkind: Service\nmetadata: {name: db}\n"
      "spec: {clusterIP: None, selector: {app: web}}\n");
  cluster_.Settle();
  EXPECT_EQ(Slices(), "p1000=rs@db-0 p1001=rs ");
}

TEST_F(EndpointSliceTest, PodsWithDifferentPortsStandInDifferentSlices) {
  AddPod(0, "", 80);
  AddPod(1, "", 90);
  cluster_.Apply(kService);
  cluster_.Settle();
  const std::string slices = Slices();
  EXPECT_NE(slices.find("http:8080 p1000=rs "), std::string::npos) << slices;
  EXPECT_NE(slices.find("http:8090 p1001=rs "), std::string::npos) << slices;
  EXPECT_EQ(Sizes().size(), 2u);
}

TEST_F(EndpointSliceTest, OneSliceHoldsAHundredAndAChangeWritesOneSlice) {
  for (int i = 0; i < 150; ++i) AddPod(i);
  cluster_.Apply(kService);
  cluster_.Settle();
  const auto before = Sizes();
  ASSERT_EQ(before.size(), 2u);
  size_t total = 0;
  for (const auto& [name, size] : before) {
    EXPECT_LE(size.first, 100u);
    total += size.first;
  }
  EXPECT_EQ(total, 150u);
  SetPod(3, false);
  cluster_.Settle();
  int written = 0;
  for (const auto& [name, size] : Sizes()) written += size.second != before.at(name).second;
  EXPECT_EQ(written, 1);
  const state::Revision revision = cluster_.store().revision();
  cluster_.Apply(kService);
  cluster_.Settle(base::Duration::Minutes(5));
  EXPECT_EQ(cluster_.store().revision(), revision) << "nothing changed, nothing is written";
}

TEST_F(EndpointSliceTest, WithoutEndpointsOneEmptySliceStaysAndIsUsedAgain) {
  cluster_.Apply(kService);
  cluster_.Settle();
  const auto empty = Sizes();
  ASSERT_EQ(empty.size(), 1u);
  EXPECT_EQ(empty.begin()->second.first, 0u);
  AddPod(0);
  cluster_.Settle();
  ASSERT_EQ(Sizes().size(), 1u);
  EXPECT_EQ(Sizes().begin()->first, empty.begin()->first);
  EXPECT_EQ(Slices(), "http:8080 p1000=rs ");
}

TEST_F(EndpointSliceTest, TheSlicesOfAServiceThatIsGoneGo) {
  AddPod(0);
  cluster_.Apply(kService);
  cluster_.Apply(
      "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\nendpoints: []\n"
      "metadata: {name: theirs, labels: {kubernetes.io/service-name: web}}\n");
  cluster_.Settle();
  cluster_.Delete("services", "default", "web");
  cluster_.Settle();
  EXPECT_EQ(cluster_.Names(kSlices), "default/theirs");
}

TEST_F(EndpointSliceTest, EventsGoAnHourAfterTheyWereLastSeen) {
  const auto event = [&](const std::string& name) {
    cluster_.Apply(
        "apiVersion: v1\nkind: Event\nmetadata: {name: " + name +
        "}\ninvolvedObject: {kind: Pod, name: x, namespace: default}\nlastTimestamp: \"" +
        cluster_.loop.now().wall.ToString() + "\"\n");
  };
  event("once");
  event("again");
  cluster_.Settle(base::Duration::Minutes(30));
  event("again");
  cluster_.Settle(base::Duration::Minutes(29));
  EXPECT_EQ(cluster_.Names("events"), "default/again default/once");
  cluster_.Settle(base::Duration::Minutes(2));
  EXPECT_EQ(cluster_.Names("events"), "default/again");
  cluster_.Settle(base::Duration::Minutes(30));
  EXPECT_EQ(cluster_.Names("events"), "");
}

void Put(state::View& view, const char* resource, const std::string& name, base::Json object) {
  base::Json& metadata = object["metadata"];
  metadata.Set("name", name);
  metadata.Set("namespace", "default");
  metadata.Set("uid", std::string(resource) + "-" + name);
  view.Put(std::make_shared<const state::Object>(
      state::Object{{resource, "default", name}, 1, base::Document(object)}));
}

// 10,000 pods of 5,000 Services; all of them have one label more, the same.
void Crowd(state::View& view) {
  for (int i = 0; i < 10'000; ++i) {
    const std::string number = std::to_string(i), app = std::to_string(i / 2);
    const base::Json labels = base::Json::MakeObject({{"app", app}, {"env", "prod"}});
    base::Json pod;
    pod["metadata"].Set("labels", labels);
    pod["status"].Set("podIP", "10.88.0.1");
    Put(view, "pods", number, std::move(pod));
    if (i % 2 == 1) continue;
    base::Json service = base::Json::MakeObject({{"apiVersion", "v1"}, {"kind", "Service"}});
    service["spec"].Set("selector", labels);
    service["spec"]["ports"].Append(base::Json::MakeObject({{"port", 80}, {"name", "http"}}));
    Put(view, "services", app, std::move(service));
    base::Json slice;
    slice["metadata"].Set(
        "labels", base::Json::MakeObject({{"kubernetes.io/service-name", app},
                                          {"endpointslice.kubernetes.io/managed-by", "other"}}));
    Put(view, kSlices, app, std::move(slice));
  }
}

TEST_F(EndpointSliceTest, AServiceCostsItsPodsAndSlicesAndAPodItsServices) {
  state::View view = cluster_.store().view();
  Crowd(view);
  size_t visits = 0;
  view.CountVisits(&visits);
  const auto controller = NewController("endpointslice");
  state::Draft draft(view, cluster_.Context());
  Turn turn(draft, cluster_.loop.now());
  const base::Status status = controller->Reconcile(turn, {"services", "default", "7"});
  EXPECT_TRUE(status.ok()) << status.ToString();
  ASSERT_EQ(draft.Finish().writes.size(), 1u);
  EXPECT_LE(visits, 10u);

  visits = 0;
  std::string concerned;
  const state::ObjectPtr pod = view.Get("pods", "default", "14");
  controller->Affects(state::Change{2, pod, nullptr, false}, view,
                      [&](const state::Key& key) { concerned += key.ToString() + " "; });
  EXPECT_EQ(concerned, "services default/7 ");
  EXPECT_LE(visits, 4u);
}

TEST(EndpointSliceCrash, EndsTheSameWhereverItCrashes) {
  CrashScenario scenario;
  scenario.steps.push_back([](state::TestCluster& cluster) {
    cluster.Apply(kService);
    cluster.Apply(
        "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web}\nspec: {replicas: 3, "
        "selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: "
        "{containers: [{name: web, image: x, ports: [{name: http, containerPort: 80}]}]}}}\n");
  });
  scenario.controllers = [] {
    std::vector<std::unique_ptr<Controller>> controllers;
    controllers.push_back(NewController("endpointslice"));
    controllers.push_back(NewController("replicaset"));
    controllers.push_back(NewPodRunner(PodRules()));
    return controllers;
  };
  EXPECT_GT(ExpectSameEndWhereverItCrashes(scenario), 8u);
}

}  // namespace
}  // namespace reconciler
