// A kind that is served in two versions and stored in one.
#include <gtest/gtest.h>

#include "state/api/api.h"
#include "state/api/testing/test_api.h"
#include "state/api/watch.h"

namespace state {
namespace {

std::string WidgetTypes(const std::string& version, bool storage) {
  return "package: example.com/" + version + "\napiVersion: example.com/" + version + R"(
kinds:
  Widget:
    plural: widgets
    singular: widget
    scope: Namespaced
    subresources: [status]
    storage: )" +
         (storage ? "true" : "false") + R"(
    columns: [{name: Name, type: string, format: name, path: .metadata.name}]
messages:
  Widget:
    metadata: {number: 1, type: meta/v1.ObjectMeta}
    spec:     {number: 2, type: WidgetSpec}
    status:   {number: 3, type: WidgetStatus}
  WidgetSpec:
    size: {number: 1, type: int32}
  WidgetStatus:
    seen: {number: 1, type: int32}
)";
}

manifests::SchemaPtr SchemaStoring(const std::string& stored) {
  const std::string v1 = WidgetTypes("v1", stored == "v1"), v2 = WidgetTypes("v2", stored == "v2");
  auto schema = manifests::Schema::BuiltIn()->With({{"v1.yaml", v1}, {"v2.yaml", v2}});
  EXPECT_TRUE(schema.ok()) << schema.status().ToString();
  return *schema;
}

constexpr std::string_view kV1 = "/apis/example.com/v1/namespaces/default/widgets";
constexpr std::string_view kV2 = "/apis/example.com/v2/namespaces/default/widgets";

class VersionsTest : public testing::Test {
 protected:
  static std::string At(std::string_view path, std::string_view rest) {
    return std::string(path) + std::string(rest);
  }
  std::string VersionOf(std::string_view path) {
    const auto body = base::ParseJson(api_.Send("GET", path).body);
    if (!body.ok()) return std::string(body.status().message());
    return std::string((*body)["apiVersion"].AsString());
  }
  std::string Stored() {
    return api_.cluster.Field("widgets.example.com", "default", "w", "apiVersion");
  }
  void Create(std::string_view path) {
    EXPECT_EQ(api_.Outcome("POST", path, R"({"metadata":{"name":"w"},"spec":{"size":1}})"), "201");
  }
  TestApi api_{SchemaStoring("v2")};
};

TEST_F(VersionsTest, AnObjectIsStoredInOneVersionAndServedInAll) {
  Create(kV1);
  EXPECT_EQ(Stored(), "\"example.com/v2\"");
  EXPECT_EQ(VersionOf(At(kV1, "/w")), "example.com/v1");
  EXPECT_EQ(VersionOf(At(kV2, "/w")), "example.com/v2");
  const base::HttpResponse list = api_.Send("GET", kV1);
  EXPECT_NE(list.body.find(R"("items":[{"apiVersion":"example.com/v1","kind":"Widget")"),
            std::string::npos)
      << list.body;
}

TEST_F(VersionsTest, EachVersionCanBeWritten) {
  Create(kV2);
  EXPECT_EQ(api_.Outcome("PATCH", At(kV1, "/w"), R"({"spec":{"size":2}})",
                         "application/merge-patch+json"),
            "200");
  EXPECT_EQ(api_.Outcome("PUT", At(kV1, "/w"), R"({"metadata":{"name":"w"},"spec":{"size":3}})"),
            "200");
  EXPECT_EQ(api_.Outcome("PATCH", At(kV1, "/w?fieldManager=a&force=true"),
                         R"({"apiVersion":"example.com/v1","kind":"Widget","spec":{"size":4}})",
                         "application/apply-patch+yaml"),
            "200");
  EXPECT_EQ(api_.Outcome("PATCH", At(kV1, "/w/status"), R"({"status":{"seen":5}})",
                         "application/merge-patch+json"),
            "200");
  EXPECT_EQ(api_.cluster.Field("widgets.example.com", "default", "w", "spec.size"), "4");
  EXPECT_EQ(api_.cluster.Field("widgets.example.com", "default", "w", "status.seen"), "5");
  EXPECT_EQ(Stored(), "\"example.com/v2\"");
}

TEST_F(VersionsTest, AWatchIsToldInItsVersion) {
  Create(kV1);
  const Answer answer = api_.Ask("GET", At(kV1, "?watch=true"));
  const auto* watch = std::get_if<WatchRequest>(&answer);
  ASSERT_NE(watch, nullptr);
  const ObjectPtr object = api_.cluster.Get("widgets.example.com", "default", "w");
  const std::string line =
      RenderEvent({"ADDED", object}, watch->selection.kind(), watch->as, base::WallTime());
  EXPECT_EQ(line.substr(0, 72),
            R"({"type":"ADDED","object":{"apiVersion":"example.com/v1","kind":"Widget",)");
}

// What an upgrade, or another CustomResourceDefinition, makes of what was stored before.
TEST_F(VersionsTest, WhatWasStoredInAnotherVersionIsReadInTheOneOfToday) {
  api_.cluster.schema = SchemaStoring("v1");
  api_.cluster.Settle();
  api_.cluster.Crash();
  Create(kV1);
  EXPECT_EQ(Stored(), "\"example.com/v1\"");
  api_.cluster.Settle();
  api_.cluster.schema = SchemaStoring("v2");
  api_.cluster.Crash();
  EXPECT_EQ(Stored(), "\"example.com/v2\"");
  EXPECT_EQ(VersionOf(At(kV1, "/w")), "example.com/v1");
}

// A program makes the documents of the schema that it begins with, once.
TEST_F(VersionsTest, TheOpenApiIsThatOfTheViewsSchema) {
  const Api api(VersionInfo(), std::make_shared<const OpenApi>(*manifests::Schema::BuiltIn()));
  base::HttpRequest request;
  request.method = "GET";
  ASSERT_TRUE(base::ParseTarget("/openapi/v3", request).ok());
  request.identity = {"alice", {"plumb:admin"}};
  const Answer answer = api.Handle(request, api_.cluster.store().view(), api_.cluster.Context());
  EXPECT_NE(std::get<Response>(answer).http.body.find("apis/example.com/v2"), std::string::npos);
}

// Their schema is let go of while the answer is still to be made.
TEST_F(VersionsTest, AnAnswerKeepsTheSchemaThatItNeeds) {
  Answer answer = api_.Ask("POST", kV1, R"({"metadata":{"name":"w"}})");
  Answer watch = api_.Ask("GET", At(kV1, "?watch=true"));
  api_.cluster.schema = manifests::Schema::BuiltIn();
  const auto committed = api_.cluster.store().Commit(std::get<Proposed>(answer).transaction);
  ASSERT_TRUE(committed.ok());
  api_.cluster.Settle();
  api_.cluster.Crash();
  EXPECT_NE(std::get<Proposed>(answer).render(*committed).body.find("example.com/v1"),
            std::string::npos);
  EXPECT_EQ(std::get<WatchRequest>(watch).selection.kind().ApiVersion(), "example.com/v1");
}

}  // namespace
}  // namespace state
