// Server-side apply at the door, and who manages what after any write.
#include <gtest/gtest.h>

#include "state/api/api.h"
#include "state/api/testing/test_api.h"

namespace state {
namespace {

constexpr std::string_view kDeploymentsPath = "/apis/apps/v1/namespaces/default/deployments";
constexpr std::string_view kWebPath = "/apis/apps/v1/namespaces/default/deployments/web";
constexpr std::string_view kApply = "application/apply-patch+yaml";
constexpr std::string_view kManifest = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example/web:1"}]}
)";

class ApplyApiTest : public testing::Test {
 protected:
  std::string At(std::string_view path, std::string_view query) {
    return std::string(path) + "?" + std::string(query);
  }
  std::string Apply(std::string_view query, std::string_view yaml = kManifest) {
    return api_.Outcome("PATCH", At(kWebPath, query), yaml, kApply);
  }
  std::string Replicas(int count) {
    return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: " +
           std::to_string(count) + "}}";
  }
  // A line each manager: "kubectl Apply: .metadata.labels.app ...".
  std::string Managers(std::string_view resource = "deployments.apps",
                       std::string_view name = "web") {
    std::string text;
    const ObjectPtr object = api_.cluster.Get(resource, "default", name);
    if (object == nullptr || object->managers == nullptr) return "none";
    for (const manifests::ManagedEntry& entry : *object->managers) {
      text += entry.manager->name + (entry.manager->applies ? " Apply" : " Update");
      if (!entry.manager->subresource.empty()) text += " " + entry.manager->subresource;
      text += ":";
      for (const std::string& path : entry.fields->Paths()) text += " " + path;
      text += "\n";
    }
    return text;
  }
  std::string Field(std::string_view path) {
    return api_.cluster.Field("deployments.apps", "default", "web", path);
  }
  TestApi api_;
};

TEST_F(ApplyApiTest, AnApplyCreatesWhatIsNotThere) {
  EXPECT_EQ(Apply("fieldManager=kubectl&force=false"), "201");
  EXPECT_EQ(Managers(),
            "kubectl Apply: .metadata.labels.app .spec.replicas .spec.selector "
            ".spec.template.metadata.labels.app "
            ".spec.template.spec.containers[name=\"web\"] "
            ".spec.template.spec.containers[name=\"web\"].image "
            ".spec.template.spec.containers[name=\"web\"].name\n");
  // Defaults were filled in, and are nobody's.
  EXPECT_EQ(Field("spec.revisionHistoryLimit"), "10");
}

TEST_F(ApplyApiTest, ApplyingTheSameAgainWritesNothing) {
  Apply("fieldManager=kubectl");
  const Revision before = api_.cluster.store().revision();
  EXPECT_EQ(Apply("fieldManager=kubectl"), "200");
  EXPECT_EQ(api_.cluster.store().revision(), before);
}

TEST_F(ApplyApiTest, AConflictNamesTheFieldsAndTheirManager) {
  Apply("fieldManager=helm");
  const base::HttpResponse answer =
      api_.Send("PATCH", At(kWebPath, "fieldManager=kubectl"), Replicas(3), kApply);
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(
      answer.body,
      R"({"apiVersion":"v1","code":409,"details":{"causes":[{"field":".spec.replicas",)"
      R"("message":"conflict with \"helm\"","reason":"FieldManagerConflict"}],"group":"apps",)"
      R"("kind":"deployments","name":"web"},"kind":"Status","message":"Apply failed with 1 )"
      R"(conflict: conflict with \"helm\": .spec.replicas","metadata":{},"reason":"Conflict",)"
      R"("status":"Failure"})");
  EXPECT_EQ(Apply("fieldManager=kubectl&force=true", Replicas(3)), "200");
  EXPECT_EQ(Field("spec.replicas"), "3");
  EXPECT_EQ(Field("metadata.generation"), "2");
}

TEST_F(ApplyApiTest, WhatIsAppliedNoMoreIsRemoved) {
  Apply("fieldManager=kubectl");
  Apply("fieldManager=scaler", Replicas(2));
  EXPECT_EQ(Apply("fieldManager=kubectl", R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example/web:2"}]}
)"),
            "200");
  EXPECT_EQ(Field("metadata.labels"), "absent");
  EXPECT_EQ(Field("spec.replicas"), "2");  // the scaler's still
}

TEST_F(ApplyApiTest, ADryRunOfAnApplyChangesNothing) {
  EXPECT_EQ(Apply("fieldManager=kubectl&dryRun=All"), "201");
  EXPECT_EQ(Field("spec"), "absent");
}

TEST_F(ApplyApiTest, WhatAnApplyMustAndMayNotSay) {
  EXPECT_EQ(Apply("force=true"),
            "422 Invalid: PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: "
            "is required for apply patch");
  EXPECT_EQ(Apply("fieldManager=" + std::string(129, 'x')).substr(0, 50),
            "422 Invalid: fieldManager: Invalid value: may not ");
  EXPECT_EQ(Apply("fieldManager=a", "{apiVersion: v1, kind: Pod, metadata: {name: web}}"),
            "400 BadRequest: the API version in the data (v1) does not match the expected API "
            "version (apps/v1)");
  EXPECT_EQ(Apply("fieldManager=a",
                  "{apiVersion: apps/v1, kind: Deployment, metadata: {managedFields: [{}]}}"),
            "400 BadRequest: metadata.managedFields must be nil");
  EXPECT_EQ(Apply("fieldManager=a", "{apiVersion: apps/v1, kind: Deployment, spec: {replica: 1}}")
                .substr(0, 15),
            "400 BadRequest:");
  Apply("fieldManager=a");
  EXPECT_EQ(api_.Outcome("PATCH", At(kWebPath, "force=true"), "{}", "application/merge-patch+json"),
            "422 Invalid: PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be "
            "specified for non-apply patch");
}

TEST_F(ApplyApiTest, UpdatesAreManagedByWhoeverMakesThem) {
  api_.Send("POST", At(kDeploymentsPath, "fieldManager=kubectl-create"), kManifest);
  api_.Send("PATCH", At(kWebPath, "fieldManager=kubectl-label"),
            R"({"metadata":{"labels":{"app":"web2","tier":"front"}}})",
            "application/merge-patch+json");
  api_.Send("PATCH", At(std::string(kWebPath) + "/scale", "fieldManager=scaler"),
            R"({"spec":{"replicas":5}})", "application/merge-patch+json");
  api_.Send("PATCH", At(std::string(kWebPath) + "/status", "fieldManager=controller"),
            R"({"status":{"replicas":1}})", "application/merge-patch+json");
  const std::string managers = Managers();
  EXPECT_EQ(managers.substr(managers.find('\n') + 1),
            "kubectl-label Update: .metadata.labels.app .metadata.labels.tier\n"
            "scaler Update scale: .spec.replicas\n"
            "controller Update status: .status.replicas\n");
  // The creator keeps the map of labels, and what nobody has changed.
  EXPECT_EQ(managers.substr(0, 70),
            "kubectl-create Update: .metadata.labels .spec.progressDeadlineSeconds ");
}

TEST_F(ApplyApiTest, AChangeSaysWhoMadeIt) {
  std::vector<ActorPtr> actors;
  const base::Subscription subscription =
      api_.cluster.store().OnCommit([&](const Change& change) { actors.push_back(change.actor); });
  api_.Send("POST", At(kDeploymentsPath, "fieldManager=kubectl-create"), kManifest);
  ASSERT_EQ(actors.size(), 1u);
  EXPECT_EQ(actors[0]->user, "admin");
  EXPECT_EQ(actors[0]->groups, std::vector<std::string>{"plumb:admin"});
  EXPECT_EQ(actors[0]->manager, "kubectl-create");
}

TEST_F(ApplyApiTest, AClientThatNamesNoManagerIsWhatItsUserAgentSays) {
  base::HttpRequest request;
  request.method = "POST";
  ASSERT_TRUE(base::ParseTarget("/api/v1/namespaces/default/configmaps", request).ok());
  request.identity = {"alice", {"plumb:admin"}};
  request.headers["user-agent"] = "my-tool/v1.2 (linux)";
  request.body = R"({"metadata":{"name":"a"},"data":{"k":"v"}})";
  const Answer answer =
      api_.api.Handle(request, api_.cluster.store().view(), api_.cluster.Context());
  const auto* proposed = std::get_if<Proposed>(&answer);
  ASSERT_NE(proposed, nullptr);
  EXPECT_EQ(proposed->transaction.actor->manager, "my-tool");
  EXPECT_EQ(proposed->transaction.writes[0].managers->front().manager->name, "my-tool");
}

TEST_F(ApplyApiTest, TheStatusIsAppliedThroughItsSubresource) {
  Apply("fieldManager=kubectl");
  const std::string status(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":)"
                           R"({"name":"web"},"spec":{"replicas":9},"status":{"replicas":3}})");
  EXPECT_EQ(api_.Outcome("PATCH", At(std::string(kWebPath) + "/status", "fieldManager=c"), status,
                         kApply),
            "200");
  EXPECT_EQ(Field("status.replicas"), "3");
  EXPECT_EQ(Field("spec.replicas"), "2");
  EXPECT_EQ(api_.Outcome("PATCH", At(std::string(kWebPath) + "/status", "fieldManager=c2"),
                         R"({"apiVersion":"apps/v1","kind":"Deployment","status":{"replicas":4}})",
                         kApply),
            "409 Conflict: Apply failed with 1 conflict: conflict with \"c\" with subresource "
            "\"status\": .status.replicas");
}

TEST_F(ApplyApiTest, TheScaleIsAppliedThroughItsSubresource) {
  Apply("fieldManager=kubectl");
  const std::string scale =
      R"({"apiVersion":"autoscaling/v1","kind":"Scale","spec":{"replicas":4}})";
  const std::string target = At(std::string(kWebPath) + "/scale", "fieldManager=hpa");
  EXPECT_EQ(api_.Outcome("PATCH", target, scale, kApply),
            "409 Conflict: Apply failed with 1 conflict: conflict with \"kubectl\": "
            ".spec.replicas");
  EXPECT_EQ(api_.Outcome("PATCH", target + "&force=true", scale, kApply), "200");
  EXPECT_EQ(Field("spec.replicas"), "4");
}

TEST_F(ApplyApiTest, AnObjectShowsItsManagers) {
  api_.Send("POST", At("/api/v1/namespaces/default/configmaps", "fieldManager=kubectl-create"),
            R"({"metadata":{"name":"a"},"data":{"key":"value"}})");
  const base::HttpResponse answer = api_.Send("GET", "/api/v1/namespaces/default/configmaps/a");
  const auto body = base::ParseJson(answer.body);
  ASSERT_TRUE(body.ok()) << answer.body;
  EXPECT_EQ(body->ToString(), answer.body);  // canonical
  const base::Json& entry = std::as_const(*body)["metadata"]["managedFields"].At(0);
  EXPECT_EQ(entry["fieldsV1"].ToString(), R"({"f:data":{".":{},"f:key":{}}})");
  EXPECT_EQ(entry["manager"].AsString(), "kubectl-create");
  EXPECT_EQ(entry["operation"].AsString(), "Update");
}

// Objects share their sets, and a list copies from itself what it has printed before.
TEST_F(ApplyApiTest, AListShowsEachObjectAsItIsReadAlone) {
  const std::string maps = "/api/v1/namespaces/default/configmaps";
  for (int i = 0; i < 40; ++i) {
    const std::string name = "map-" + std::to_string(100 + i);
    api_.Send("POST", At(maps, i % 3 == 0 ? "fieldManager=helm" : "fieldManager=kubectl"),
              R"({"metadata":{"name":")" + name + R"("},"data":{"key":"value"}})");
    if (i % 4 == 0) {
      api_.Send("PATCH", At(maps + "/" + name, "fieldManager=edit"), R"({"data":{"key":"edited"}})",
                "application/merge-patch+json");
    }
    if (i % 5 == 0) api_.cluster.Settle(base::Duration::Seconds(1));
  }
  const std::string partial = "application/json;v=v1;g=meta.k8s.io;as=PartialObjectMetadata";
  using Forms = std::pair<std::string, std::string>;
  for (const auto& [of_list, of_one] :
       {Forms{"application/json", "application/json"}, Forms{partial + "List", partial}}) {
    api_.accept = of_list;
    const auto list = base::ParseJson(api_.Send("GET", maps).body);
    ASSERT_TRUE(list.ok());
    const base::Json& items = std::as_const(*list)["items"];
    ASSERT_EQ(items.size(), 40u);
    api_.accept = of_one;
    for (size_t i = 0; i < items.size(); ++i) {
      const std::string name(items.At(i)["metadata"]["name"].AsString());
      EXPECT_EQ(items.At(i).ToString(), api_.Send("GET", maps + "/" + name).body);
      EXPECT_TRUE(items.At(i)["metadata"].Has("managedFields"));
    }
  }
}

// kubectl and helm hand what they updated over to what they apply this way.
TEST_F(ApplyApiTest, AClientMayRewriteTheManagers) {
  api_.Send("POST", At(kDeploymentsPath, "fieldManager=helm"), kManifest);
  const auto body = base::ParseJson(api_.Send("GET", kWebPath).body);
  base::Json managers = std::as_const(*body)["metadata"]["managedFields"];
  managers.MutableElements().front().Set("operation", "Apply");
  const std::string patch = R"([{"op":"replace","path":"/metadata/managedFields","value":)" +
                            managers.ToString() +
                            R"(},{"op":"replace","path":"/metadata/resourceVersion","value":)" +
                            std::as_const(*body)["metadata"]["resourceVersion"].ToString() + "}]";
  EXPECT_EQ(api_.Outcome("PATCH", kWebPath, patch, "application/json-patch+json"), "200");
  EXPECT_EQ(Managers().substr(0, 12), "helm Apply: ");
  // Now an apply removes what it names no more.
  EXPECT_EQ(Apply("fieldManager=helm", Replicas(2)),
            "422 Invalid: Deployment.apps \"web\" is invalid: [spec.selector: is required; add it, "
            "spec.template: is required; add it]");
}

TEST_F(ApplyApiTest, WhatWasStoredWithoutManagersIsFirstAppliedOver) {
  api_.Send("POST", At(kDeploymentsPath, "fieldManager=old"), kManifest);
  Transaction transaction;
  const ObjectPtr object = api_.cluster.Get("deployments.apps", "default", "web");
  transaction.writes.push_back({object->key, object->document, object->revision});
  ASSERT_TRUE(api_.cluster.store().Commit(std::move(transaction)).ok());
  EXPECT_EQ(Managers(), "none");
  api_.Send("PATCH", At(kWebPath, "fieldManager=someone"), R"({"spec":{"replicas":3}})",
            "application/merge-patch+json");
  EXPECT_EQ(Managers(), "none");
  EXPECT_EQ(Apply("fieldManager=kubectl", Replicas(2)),
            "409 Conflict: Apply failed with 1 conflict: conflict with \"before-first-apply\" "
            "using apps/v1: .spec.replicas");
}

TEST_F(ApplyApiTest, ManagersSurviveARestart) {
  Apply("fieldManager=kubectl");
  const std::string before = Managers();
  api_.cluster.Settle();
  api_.cluster.Crash();
  EXPECT_EQ(Managers(), before);
}

}  // namespace
}  // namespace state
