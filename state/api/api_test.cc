// The verbs of the API, as clients see them: requests in, answers out.
#include "state/api/api.h"

#include <gtest/gtest.h>

#include "state/api/testing/test_api.h"

namespace state {
namespace {

constexpr std::string_view kConfigMaps = "/api/v1/namespaces/default/configmaps";
constexpr std::string_view kDeployments = "/apis/apps/v1/namespaces/default/deployments";
constexpr std::string_view kWeb = R"(
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
constexpr std::string_view kMerge = "application/merge-patch+json";
constexpr std::string_view kStrategic = "application/strategic-merge-patch+json";
constexpr std::string_view kJsonPatch = "application/json-patch+json";

std::string In(std::string_view collection, std::string_view rest) {
  return std::string(collection) + std::string(rest);
}

class ApiTest : public testing::Test {
 protected:
  void MakeConfigMaps(std::string_view names) {
    for (const char c : names) {
      const std::string name(1, c);
      cluster().Apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name +
                      ", labels: {name: " + name + "}}}");
    }
  }
  std::string DeploymentField(std::string_view path) {
    return cluster().Field("deployments.apps", "default", "web", path);
  }
  TestCluster& cluster() { return api_.cluster; }
  TestApi api_;
};

TEST_F(ApiTest, CreateAnswersTheStoredObject) {
  EXPECT_EQ(api_.Outcome("POST", kDeployments, kWeb), "201");
  std::string stored = "200 ";
  AppendJson(*cluster().Get("deployments.apps", "default", "web"), stored);
  EXPECT_EQ(api_.Do("GET", In(kDeployments, "/web")), stored);
}

TEST_F(ApiTest, CreateOfWhatExistsIsAlreadyExists) {
  api_.Do("POST", kDeployments, kWeb);
  EXPECT_EQ(api_.Outcome("POST", kDeployments, kWeb),
            "409 AlreadyExists: deployments.apps \"web\" already exists");
}

TEST_F(ApiTest, FailuresNameTheObjectInTheirDetails) {
  EXPECT_EQ(api_.Do("GET", In(kDeployments, "/nope")),
            "404 {\"apiVersion\":\"v1\",\"code\":404,\"details\":{\"group\":\"apps\",\"kind\":"
            "\"deployments\",\"name\":\"nope\"},\"kind\":\"Status\",\"message\":"
            "\"deployments.apps \\\"nope\\\" not found\",\"metadata\":{},\"reason\":\"NotFound\","
            "\"status\":\"Failure\"}");
}

TEST_F(ApiTest, PathsThatLeadNowhereAreNotFound) {
  for (const char* path :
       {"/api/v1/nothings", "/apis/none/v1/pods", "/api/v1/namespaces/default/nodes/n1",
        "/api/v1/pods/web", "/elsewhere", "/api/v1/namespaces/default/pods/p/attach"}) {
    EXPECT_EQ(api_.Outcome("GET", path),
              "404 NotFound: the server could not find the requested resource")
        << path;
  }
}

TEST_F(ApiTest, UnknownFieldsAreRefusedInStrictRequestsOnly) {
  const std::string body = R"({"metadata":{"name":"x"},"dat":{"a":"b"}})";
  EXPECT_EQ(api_.Outcome("POST", In(kConfigMaps, "?fieldValidation=Strict"), body),
            "400 BadRequest: ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict "
            "decoding error: unknown field \"dat\"");
  const base::HttpResponse warned = api_.Send("POST", kConfigMaps, body);
  ASSERT_EQ(warned.status, 201) << warned.body;
  ASSERT_EQ(warned.headers.size(), 1u);
  EXPECT_EQ(warned.headers[0].second, "299 - \"unknown field \\\"dat\\\"\"");
}

TEST_F(ApiTest, DryRunChangesNothing) {
  EXPECT_EQ(api_.Outcome("POST", In(kDeployments, "?dryRun=All"), kWeb), "201");
  EXPECT_EQ(cluster().Names("deployments.apps"), "");
  api_.Do("POST", kDeployments, kWeb);
  EXPECT_EQ(api_.Outcome("DELETE", In(kDeployments, "/web?dryRun=All")), "200");
  EXPECT_EQ(cluster().Names("deployments.apps"), "default/web");
}

TEST_F(ApiTest, BodiesThatContradictThePathAreRefused) {
  MakeConfigMaps("a");
  EXPECT_EQ(api_.Outcome("PUT", In(kConfigMaps, "/a"), R"({"metadata":{"name":"b"}})"),
            "400 BadRequest: the name of the object (b) does not match the name on the URL (a)");
  EXPECT_EQ(api_.Outcome("POST", kConfigMaps, R"({"metadata":{"name":"b","namespace":"c"}})"),
            "400 BadRequest: the namespace of the provided object does not match the namespace "
            "sent on the request");
  EXPECT_EQ(api_.Outcome("POST", kConfigMaps, kWeb),
            "400 BadRequest: the API version in the data (apps/v1) does not match the expected API "
            "version (v1)");
}

TEST_F(ApiTest, BodiesInOtherFormsAreUnsupported) {
  EXPECT_EQ(api_.Outcome("POST", kConfigMaps, "{k8s}", "application/cbor"),
            "415 UnsupportedMediaType: the body of the request was in an unknown format "
            "(application/cbor) - accepted media types include: application/json, "
            "application/yaml, application/vnd.kubernetes.protobuf");
  MakeConfigMaps("a");
  EXPECT_TRUE(api_.Outcome("PATCH", In(kConfigMaps, "/a"), "{}", "application/apply-patch+cbor")
                  .starts_with("415 "));
}

TEST_F(ApiTest, UpdateOfAnOldRevisionConflicts) {
  MakeConfigMaps("a");
  EXPECT_EQ(api_.Outcome("PUT", In(kConfigMaps, "/a"),
                         R"({"metadata":{"name":"a","resourceVersion":"1"},"data":{"k":"v"}})"),
            "409 Conflict: Operation cannot be fulfilled on configmaps \"a\": the object has been "
            "modified; please apply your changes to the latest version and try again");
  EXPECT_EQ(api_.Outcome("PUT", In(kConfigMaps, "/a"), R"({"data":{"k":"v"}})"), "200");
  EXPECT_EQ(cluster().Field("configmaps", "default", "a", "data"), R"({"k":"v"})");
}

TEST_F(ApiTest, ThreeKindsOfPatchesChangeTheObject) {
  api_.Do("POST", kDeployments, kWeb);
  const std::string web = In(kDeployments, "/web");
  EXPECT_EQ(api_.Outcome("PATCH", web, R"({"metadata":{"labels":{"tier":"front"}}})", kMerge),
            "200");
  EXPECT_EQ(api_.Outcome("PATCH", web, R"([{"op":"replace","path":"/spec/replicas","value":5}])",
                         kJsonPatch),
            "200");
  EXPECT_EQ(api_.Outcome("PATCH", web,
                         R"({"spec":{"template":{"spec":{"containers":[
                           {"name":"web","env":[{"name":"A","value":"1"}]}]}}}})",
                         kStrategic),
            "200");
  EXPECT_EQ(DeploymentField("metadata.labels") + DeploymentField("spec.replicas") +
                DeploymentField("spec.template.spec.containers[0].image") +
                DeploymentField("spec.template.spec.containers[0].env"),
            R"({"app":"web","tier":"front"}5"example/web:1"[{"name":"A","value":"1"}])");
}

TEST_F(ApiTest, APatchThatChangesNothingWritesNothing) {
  api_.Do("POST", kDeployments, kWeb);
  const Revision before = cluster().store().revision();
  EXPECT_EQ(api_.Outcome("PATCH", In(kDeployments, "/web"), R"({"spec":{"replicas":2}})", kMerge),
            "200");
  EXPECT_EQ(cluster().store().revision(), before);
}

TEST_F(ApiTest, StatusIsWrittenThroughItsSubresourceOnly) {
  api_.Do("POST", kDeployments, kWeb);
  const std::string patch = R"({"spec":{"replicas":9},"status":{"replicas":3}})";
  EXPECT_EQ(api_.Outcome("PATCH", In(kDeployments, "/web/status"), patch, kMerge), "200");
  EXPECT_EQ(DeploymentField("spec.replicas") + " " + DeploymentField("status.replicas"), "2 3");
  EXPECT_EQ(
      api_.Outcome("PATCH", In(kDeployments, "/web/status?fieldValidation=Strict"),
                   R"({"status":{"replica":3}})", kMerge),
      "400 BadRequest: Deployment in version \"v1\" cannot be handled as a Deployment: strict "
      "decoding error: unknown field \"status.replica\"");
}

TEST_F(ApiTest, ScaleReadsAndWritesReplicas) {
  api_.Do("POST", kDeployments, kWeb);
  const std::string scale = In(kDeployments, "/web/scale");
  EXPECT_EQ(api_.Outcome("PATCH", scale, R"({"spec":{"replicas":7}})", kMerge), "200");
  EXPECT_EQ(DeploymentField("spec.replicas"), "7");
  const auto got = base::ParseJson(api_.Send("GET", scale).body);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ((*got)["spec"].ToString() + (*got)["status"].ToString(),
            R"({"replicas":7}{"replicas":0,"selector":"app=web"})");
  EXPECT_EQ(api_.Outcome("PATCH", scale, R"({"spec":{"replicas":-1}})", kMerge),
            "422 Invalid: Scale.autoscaling \"web\" is invalid: spec.replicas: Invalid value: -1: "
            "must be a number of at least 0");
}

TEST_F(ApiTest, DeleteAnswersAStatusOfWhatIsGone) {
  MakeConfigMaps("a");
  const std::string uid(cluster().Get("configmaps", "default", "a")->Uid());
  EXPECT_EQ(
      api_.Do("DELETE", In(kConfigMaps, "/a"), R"({"propagationPolicy":"Background"})"),
      "200 {\"apiVersion\":\"v1\",\"details\":{\"kind\":\"configmaps\",\"name\":\"a\",\"uid\":"
      "\"" +
          uid + "\"},\"kind\":\"Status\",\"metadata\":{},\"status\":\"Success\"}");
  EXPECT_EQ(api_.Outcome("GET", In(kConfigMaps, "/a")), "404 NotFound: configmaps \"a\" not found");
}

TEST_F(ApiTest, DeleteCollectionTakesWhatTheSelectorMatches) {
  MakeConfigMaps("abc");
  EXPECT_EQ(api_.Outcome("DELETE", In(kConfigMaps, "?labelSelector=name%20in%20(a,c)")), "200");
  EXPECT_EQ(cluster().Names("configmaps"), "default/b");
}

TEST_F(ApiTest, ListsAreSelectedByLabelsAndFields) {
  MakeConfigMaps("abc");
  EXPECT_EQ(TestApi::NamesIn(api_.Send("GET", In(kConfigMaps, "?labelSelector=name!=b"))), "a c");
  EXPECT_EQ(
      TestApi::NamesIn(api_.Send("GET", "/api/v1/configmaps?fieldSelector=metadata.name%3Db")),
      "b");
  EXPECT_EQ(api_.Outcome("GET", In(kConfigMaps, "?fieldSelector=data.x%3Db")),
            "400 BadRequest: Unable to find configmaps by field selector: field label not "
            "supported: data.x");
}

std::string ContinueOf(const base::HttpResponse& response) {
  const auto list = base::ParseJson(response.body);
  return list.ok() ? std::string((*list)["metadata"]["continue"].AsString()) : "";
}

TEST_F(ApiTest, PagesComeFromOneViewOrExpireWithAToken) {
  MakeConfigMaps("abcd");
  const base::HttpResponse first = api_.Send("GET", In(kConfigMaps, "?limit=2"));
  EXPECT_EQ(TestApi::NamesIn(first), "a b");
  const std::string token = base::PercentEncode(ContinueOf(first));
  EXPECT_EQ(TestApi::NamesIn(api_.Send("GET", In(kConfigMaps, "?limit=2&continue=" + token))),
            "c d");
  MakeConfigMaps("e");
  const base::HttpResponse expired =
      api_.Send("GET", In(kConfigMaps, "?limit=2&continue=" + token));
  EXPECT_EQ(expired.status, 410);
  const std::string rest = base::PercentEncode(ContinueOf(expired));
  EXPECT_EQ(TestApi::NamesIn(api_.Send("GET", In(kConfigMaps, "?limit=9&continue=" + rest))),
            "c d e");
}

TEST_F(ApiTest, APageCostsAPageAndKnowsWhatRemains) {
  cluster().Apply("{apiVersion: v1, kind: Namespace, metadata: {name: more}}");
  for (int i = 0; i < 500; ++i) {
    api_.cluster.Apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c" + std::to_string(i) +
                       ", namespace: " + (i % 2 == 0 ? "default" : "more") + "}\n");
  }
  size_t visits = 0;
  View view = api_.cluster.store().view();
  view.CountVisits(&visits);
  const auto remaining = [&](std::string_view target) {
    base::HttpRequest request;
    request.method = "GET";
    CHECK(base::ParseTarget(target, request).ok());
    request.identity = api_.identity;
    const Answer answer = api_.api.Handle(request, view, api_.cluster.Context());
    const auto list = base::ParseJson(std::get<Response>(answer).http.body);
    return (*list)["metadata"]["remainingItemCount"].AsInt();
  };
  EXPECT_EQ(remaining(In(kConfigMaps, "?limit=10")), 240);
  EXPECT_EQ(remaining("/api/v1/configmaps?limit=10"), 490);
  EXPECT_LE(visits, 24u);
}

TEST_F(ApiTest, ARevisionAheadIsATimeoutThatAsksForAnotherTry) {
  const base::HttpResponse response = api_.Send("GET", In(kConfigMaps, "?resourceVersion=999999"));
  EXPECT_EQ(response.status, 504);
  EXPECT_NE(response.body.find("\"reason\":\"ResourceVersionTooLarge\""), std::string::npos);
  EXPECT_NE(response.body.find("\"retryAfterSeconds\":1"), std::string::npos);
}

TEST_F(ApiTest, MetadataAloneIsServedInAnyOrderOfParameters) {
  MakeConfigMaps("a");
  api_.accept = "application/json;v=v1;g=meta.k8s.io;as=PartialObjectMetadataList";
  const base::HttpResponse list = api_.Send("GET", kConfigMaps);
  EXPECT_TRUE(list.body.starts_with(
      R"({"apiVersion":"meta.k8s.io/v1","items":[{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata","metadata":)"))
      << list.body;
  api_.accept = "text/html";
  EXPECT_TRUE(api_.Outcome("GET", kConfigMaps).starts_with("406 NotAcceptable"));
}

TEST_F(ApiTest, BindingPlacesAPodOnce) {
  cluster().AddNode("n1");
  cluster().Apply(
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: "
      "i}]}}");
  const std::string pod = "/api/v1/namespaces/default/pods/p";
  const std::string body = R"({"target":{"kind":"Node","name":"n1"}})";
  EXPECT_EQ(api_.Outcome("GET", pod + "/log"),
            "400 BadRequest: pod p does not have a host assigned: it is not scheduled");
  EXPECT_EQ(api_.Outcome("POST", pod + "/binding", body), "201");
  EXPECT_EQ(api_.Outcome("POST", pod + "/binding", body),
            "409 Conflict: pods default/p is bound to n1");
  const Answer log = api_.Ask("GET", pod + "/log?follow=true&tailLines=5");
  ASSERT_TRUE(std::holds_alternative<PodStream>(log));
  const auto& stream = std::get<PodStream>(log);
  const auto& asked = std::get<LogRequest>(stream.request);
  EXPECT_EQ(stream.node + " " + asked.container + " " + std::to_string(*asked.tail_lines),
            "n1 c 5");
  EXPECT_EQ(api_.Outcome("GET", pod + "/log?container=x"),
            "400 BadRequest: container x is not valid for pod p");
}

TEST_F(ApiTest, ExecAsksThePodsNode) {
  cluster().AddNode("n1");
  cluster().Apply(
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: n1, containers: [{name: "
      "c, "
      "image: i}]}}");
  const std::string exec = "/api/v1/namespaces/default/pods/p/exec";
  const Answer answer =
      api_.Ask("GET", exec + "?command=ls&command=-l&stdin=true&stdout=true&tty=true");
  ASSERT_TRUE(std::holds_alternative<PodStream>(answer));
  const auto& stream = std::get<PodStream>(answer);
  const auto& asked = std::get<ExecRequest>(stream.request);
  EXPECT_EQ(stream.node + " " + asked.container, "n1 c");
  EXPECT_EQ(asked.command, (std::vector<std::string>{"ls", "-l"}));
  EXPECT_TRUE(asked.stdin_open && asked.stdout_open && !asked.stderr_open && asked.terminal);
  EXPECT_EQ(api_.Outcome("GET", exec + "?stdout=true"),
            "400 BadRequest: you must specify at least one command for the container");
  EXPECT_EQ(api_.Outcome("GET", exec + "?command=ls"),
            "400 BadRequest: you must specify at least one of stdin, stdout, stderr");
  EXPECT_EQ(api_.Outcome("GET", exec + "?command=ls&tty=true&stderr=true"),
            "400 BadRequest: tty and stderr cannot both be true: a terminal has one output");
  EXPECT_TRUE(api_.Outcome("PUT", exec + "?command=ls").starts_with("405 MethodNotAllowed"));
  cluster().SetStatus("pods", "default", "p", "{phase: Succeeded}");
  EXPECT_EQ(api_.Outcome("POST", exec + "?command=ls&stdout=true"),
            "400 BadRequest: cannot exec into a container in a completed pod; current phase is "
            "Succeeded");
}

TEST_F(ApiTest, EvictionDeletesThePod) {
  cluster().Apply(
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: "
      "i}]}}");
  EXPECT_EQ(api_.Outcome("POST", "/api/v1/namespaces/default/pods/p/eviction",
                         R"({"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"}})"),
            "201");
  EXPECT_EQ(cluster().Names("pods"), "");
}

TEST_F(ApiTest, DiscoveryListsSubresources) {
  const std::string legacy = api_.Do("GET", "/apis/apps/v1");
  EXPECT_NE(legacy.find(R"({"group":"autoscaling","kind":"Scale","name":"deployments/scale",)"),
            std::string::npos)
      << legacy;
  api_.accept = "application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList";
  const base::HttpResponse aggregated = api_.Send("GET", "/api");
  EXPECT_EQ(aggregated.content_type,
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
  EXPECT_NE(
      aggregated.body.find(
          R"({"responseKind":{"group":"policy","kind":"Eviction","version":"v1"},"subresource":"eviction","verbs":["create"]})"),
      std::string::npos)
      << aggregated.body;
}

TEST_F(ApiTest, MethodsThatAResourceLacksAreNotAllowed) {
  EXPECT_TRUE(api_.Outcome("POST", "/api/v1/pods", "{}").starts_with("405 MethodNotAllowed"));
  EXPECT_TRUE(api_.Outcome("DELETE", "/api/v1/namespaces").starts_with("405 MethodNotAllowed"));
}

// kubectl prints "The ConfigMap "second" is invalid", and the causes.
TEST_F(ApiTest, ARefusedCreateNamesTheObject) {
  const auto told = [&](std::string_view metadata) {
    const base::Json body = *base::ParseJson(
        api_.Send("POST", kConfigMaps,
                  R"({"metadata":)" + std::string(metadata) + R"(,"data":{"a/b":"x"}})")
            .body);
    return std::string(body["details"]["name"].AsString()) + " " +
           std::string(body["details"]["causes"].At(0)["field"].AsString());
  };
  EXPECT_EQ(told(R"({"name":"second"})"), "second data[a/b]");
  EXPECT_EQ(told(R"({"generateName":"job-"})"), "job-* data[a/b]");
}

TEST_F(ApiTest, AnInvalidHasACause) {
  MakeConfigMaps("a");
  for (const auto& [path, body] : std::vector<std::pair<std::string, std::string>>{
           {In(kConfigMaps, "/a"), R"([{"op":"test","path":"/data/x","value":"1"}])"},
           {In(kConfigMaps, "/a"), R"([{"op":"remove","path":""}])"}}) {
    const base::Json status = *base::ParseJson(api_.Send("PATCH", path, body, kJsonPatch).body);
    EXPECT_EQ(status["code"].AsInt(), 422);
    EXPECT_NE(status["details"]["causes"].At(0)["message"].AsString(), "") << status.ToString();
  }
  const base::Json status =
      *base::ParseJson(api_.Send("POST", In(kConfigMaps, "?dryRun=Some"), "{}").body);
  EXPECT_NE(status["details"]["causes"].At(0)["message"].AsString(), "");
}

TEST_F(ApiTest, AFieldSelectorTakesAnAbsentFieldForItsTypesNothing) {
  cluster().AddNode("n1");
  cluster().AddNode("n2");
  api_.Do("PATCH", "/api/v1/nodes/n2", R"({"spec":{"unschedulable":true}})", kMerge);
  const auto nodes = [&](std::string_view selector) {
    return TestApi::NamesIn(
        api_.Send("GET", "/api/v1/nodes?fieldSelector=" + std::string(selector)));
  };
  EXPECT_EQ(nodes("spec.unschedulable%3Dfalse"), "n1");
  EXPECT_EQ(nodes("spec.unschedulable!%3Dtrue"), "n1");
  EXPECT_EQ(nodes("spec.unschedulable%3Dtrue"), "n2");
  EXPECT_EQ(nodes("spec.unschedulable%3D"), "");
  EXPECT_EQ(api_.Outcome("GET", "/api/v1/nodes?fieldSelector=spec.podCIDR%3Dx"),
            "400 BadRequest: Unable to find nodes by field selector: field label not supported: "
            "spec.podCIDR");
  cluster().Apply(
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: "
      "i}]}}");
  const auto pods = [&](std::string_view selector) {
    return TestApi::NamesIn(
        api_.Send("GET", "/api/v1/namespaces/default/pods?fieldSelector=" + std::string(selector)));
  };
  EXPECT_EQ(pods("spec.hostNetwork%3Dfalse,status.podIP%3D,spec.nodeName%3D"), "p");
  EXPECT_EQ(pods("spec.hostNetwork%3Dtrue"), "");
}

TEST_F(ApiTest, TimesOfAllYearsAreKept) {
  const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
  EXPECT_EQ(api_.Outcome("POST", leases,
                         R"({"metadata":{"name":"l"},)"
                         R"("spec":{"renewTime":"0001-01-01T00:00:02.000000Z"}})"),
            "201");
  EXPECT_EQ(cluster().Field("leases.coordination.k8s.io", "default", "l", "spec.renewTime"),
            "\"0001-01-01T00:00:02.000000Z\"");
}

// Bodies of subresources are no objects that a table could have rows of.
TEST_F(ApiTest, WhatHasNoMetadataHasNoTable) {
  cluster().Apply(
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: "
      "i}]}}");
  api_.accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  for (const char* path : {"/pods/p/eviction", "/pods/p/binding"}) {
    EXPECT_TRUE(api_.Outcome("POST", "/api/v1/namespaces/default" + std::string(path), "{}")
                    .starts_with("406 NotAcceptable"))
        << path;
  }
}

}  // namespace
}  // namespace state
