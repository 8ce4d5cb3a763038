// The API in protobuf: the same answers as in JSON, in another form.
#include "manifests/wire/protobuf.h"

#include <gtest/gtest.h>

#include "manifests/wire/wire_format.h"
#include "state/api/render.h"
#include "state/api/testing/test_api.h"
#include "state/api/watch.h"

namespace state {
namespace {

using base::Json;

constexpr std::string_view kProtobuf = manifests::kProtobufType;

// The accept header of kubectl's typed clients.
constexpr std::string_view kKubectl = "application/vnd.kubernetes.protobuf,application/json";

const manifests::Message& MessageOf(std::string_view group, std::string_view name) {
  const manifests::Message* message = manifests::Schema::BuiltIn()->FindMessage(group, name);
  CHECK(message != nullptr);
  return *message;
}

std::string Encoded(std::string_view api_version, std::string_view kind,
                    const manifests::Message& message, std::string_view json) {
  return manifests::EncodeBody(api_version, kind, message,
                               base::Document(*base::ParseJson(json)).root());
}

// A protobuf answer as JSON, with what it says it is.
Json Decoded(const base::HttpResponse& response, const manifests::Message& message) {
  EXPECT_EQ(response.content_type, kProtobuf) << response.body;
  auto json = manifests::DecodeBody(message, response.body);
  EXPECT_TRUE(json.ok()) << json.status().ToString();
  return json.ok() ? *json : Json();
}

// The items of a protobuf list, as an array.
Json ItemsOf(std::string_view raw, const manifests::Message& message) {
  Json items = Json::MakeArray();
  for (manifests::WireReader reader(raw); !reader.AtEnd();) {
    const auto field = reader.Next();
    if (!field.ok()) return Json();
    if (field->number == 2) items.Append(*manifests::DecodeMessage(message, field->bytes));
  }
  return items;
}

constexpr std::string_view kWebManifest = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example/web:1", resources: {limits: {cpu: 1}}}]}
)";

class ProtobufApiTest : public testing::Test {
 protected:
  ProtobufApiTest() { api_.Do("POST", "/api/v1/namespaces", "metadata: {name: shop}"); }

  // GET's answer in JSON.
  Json InJson(const std::string& path) {
    api_.accept.clear();
    const base::HttpResponse response = api_.Send("GET", path);
    EXPECT_EQ(response.content_type, "application/json");
    return *base::ParseJson(response.body);
  }
  base::HttpResponse InProtobuf(const std::string& path) {
    api_.accept = kKubectl;
    return api_.Send("GET", path);
  }
  std::string Type(const std::string& accept,
                   const std::string& path = "/api/v1/namespaces/shop/configmaps") {
    api_.accept = accept;
    const base::HttpResponse response = api_.Send("GET", path);
    return std::to_string(response.status) + " " + response.content_type;
  }

  TestApi api_;
};

TEST_F(ProtobufApiTest, WhatIsCreatedInProtobufReadsTheSameInJson) {
  api_.accept = kKubectl;
  const auto& message = MessageOf("core/v1", "ConfigMap");
  const base::HttpResponse created = api_.Send(
      "POST", "/api/v1/namespaces/shop/configmaps",
      Encoded("v1", "ConfigMap", message,
              R"({"metadata":{"name":"c"},"data":{"a":"one"},"binaryData":{"b":"AAE="}})"),
      kProtobuf);
  EXPECT_EQ(created.status, 201);
  const Json as_json = InJson("/api/v1/namespaces/shop/configmaps/c");
  EXPECT_EQ(as_json["data"]["a"].AsString(), "one");
  EXPECT_EQ(as_json["binaryData"]["b"].AsString(), "AAE=");
  EXPECT_EQ(Decoded(created, message), as_json);
  EXPECT_EQ(Decoded(InProtobuf("/api/v1/namespaces/shop/configmaps/c"), message), as_json);
}

TEST_F(ProtobufApiTest, ObjectsAndListsAreEqualInBothForms) {
  ASSERT_EQ(api_.Send("POST", "/apis/apps/v1/namespaces/shop/deployments", kWebManifest).status,
            201);
  const std::string path = "/apis/apps/v1/namespaces/shop/deployments";
  const auto& message = MessageOf("apps/v1", "Deployment");
  const Json deployment = InJson(path + "/web");
  EXPECT_EQ(deployment["spec"]["replicas"].ToString(), "0");
  EXPECT_EQ(Decoded(InProtobuf(path + "/web"), message), deployment);

  const Json list = InJson(path + "?limit=500");
  const base::HttpResponse response = InProtobuf(path + "?limit=500");
  const auto body = manifests::OpenBody(response.body);
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(body->api_version + " " + body->kind, "apps/v1 DeploymentList");
  Json items = ItemsOf(body->raw, message);
  ASSERT_EQ(items.size(), 1u);
  items.MutableElements()[0].Set("apiVersion", "apps/v1");  // the list says it for all
  items.MutableElements()[0].Set("kind", "Deployment");
  EXPECT_EQ(items, list["items"]);
}

TEST_F(ProtobufApiTest, MetadataAloneComesInProtobufToo) {
  api_.Do("POST", "/api/v1/namespaces/shop/configmaps",
          R"({"metadata":{"name":"c"},"data":{"a":"one"}})");
  api_.accept = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
  const Json partial = Decoded(api_.Send("GET", "/api/v1/namespaces/shop/configmaps/c"),
                               MetaMessage("PartialObjectMetadata"));
  EXPECT_EQ(partial["kind"].AsString(), "PartialObjectMetadata");
  EXPECT_EQ(partial["apiVersion"].AsString(), "meta.k8s.io/v1");
  EXPECT_EQ(partial["metadata"]["name"].AsString(), "c");
  EXPECT_FALSE(partial.Has("data"));
}

TEST_F(ProtobufApiTest, BodiesOfSubresourcesAndOptionsAreRead) {
  api_.Do("POST", "/apis/apps/v1/namespaces/shop/deployments", kWebManifest);
  const std::string web = "/apis/apps/v1/namespaces/shop/deployments/web";
  const auto& scale = MessageOf("autoscaling/v1", "Scale");
  api_.accept = kKubectl;
  const base::HttpResponse scaled =
      api_.Send("PUT", web + "/scale",
                Encoded("autoscaling/v1", "Scale", scale, R"({"spec":{"replicas":3}})"), kProtobuf);
  EXPECT_EQ(Decoded(scaled, scale)["spec"]["replicas"].AsInt(), 3);
  EXPECT_EQ(Decoded(InProtobuf(web + "/scale"), scale)["spec"]["replicas"].AsInt(), 3);

  api_.Do("POST", "/api/v1/namespaces/shop/pods",
          R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}})");
  const auto& eviction = MessageOf("policy/v1", "Eviction");
  const base::HttpResponse evicted =
      api_.Send("POST", "/api/v1/namespaces/shop/pods/p/eviction",
                Encoded("policy/v1", "Eviction", eviction,
                        R"({"metadata":{"name":"p"},"deleteOptions":{"gracePeriodSeconds":0}})"),
                kProtobuf);
  EXPECT_EQ(Decoded(evicted, MetaMessage("Status"))["status"].AsString(), "Success");
  EXPECT_EQ(api_.Send("GET", "/api/v1/namespaces/shop/pods/p").status, 404);

  const auto& options = MetaMessage("DeleteOptions");
  const base::HttpResponse refused = api_.Send(
      "DELETE", web,
      Encoded("v1", "DeleteOptions", options, R"({"preconditions":{"uid":"another"}})"), kProtobuf);
  EXPECT_EQ(Decoded(refused, MetaMessage("Status"))["reason"].AsString(), "Conflict");
}

TEST_F(ProtobufApiTest, FailuresSpeakTheClientsForm) {
  api_.accept = kKubectl;
  const base::HttpResponse response = api_.Send("GET", "/api/v1/namespaces/shop/configmaps/no");
  EXPECT_EQ(response.status, 404);
  const Json status = Decoded(response, MetaMessage("Status"));
  EXPECT_EQ(status["message"].AsString(), "configmaps \"no\" not found");
  EXPECT_EQ(status["details"]["name"].AsString(), "no");
  // Also when they quote what is no text.
  const base::HttpResponse quoted =
      api_.Send("POST", "/api/v1/namespaces/shop/configmaps", "{}", "a\xFF/b");
  EXPECT_EQ(quoted.status, 415);
  EXPECT_EQ(Decoded(quoted, MetaMessage("Status"))["reason"].AsString(), "UnsupportedMediaType");
}

TEST_F(ProtobufApiTest, WhatDoesNotReadIsABadRequest) {
  const std::string path = "/api/v1/namespaces/shop/configmaps";
  EXPECT_EQ(api_.Outcome("POST", path, "hello", kProtobuf),
            "400 BadRequest: the body is no protobuf of Kubernetes: it does not begin with k8s");
  EXPECT_EQ(api_.Outcome("POST", path, std::string_view("k8s\0\x12\x02\x0a\x05", 8), kProtobuf),
            "400 BadRequest: field 1 has 5 bytes, but only 0 are left");
  EXPECT_EQ(api_.Outcome("POST", path,
                         Encoded("v1", "Secret", MessageOf("core/v1", "Secret"), "{}"), kProtobuf),
            "400 BadRequest: Secret in version \"v1\" cannot be handled as a ConfigMap");
  // Kinds that only JSON can say.
  const std::string flux = "/apis/source.toolkit.fluxcd.io/v1/namespaces/shop/gitrepositories";
  EXPECT_EQ(api_.Outcome("POST", flux, "hello", kProtobuf),
            "415 UnsupportedMediaType: the body of the request was in an unknown format "
            "(application/vnd.kubernetes.protobuf) - accepted media types include: "
            "application/json, application/yaml");
  EXPECT_EQ(Type("application/vnd.kubernetes.protobuf", flux), "406 application/json");
  EXPECT_EQ(Type(std::string(kKubectl), flux), "200 application/json");
}

TEST_F(ProtobufApiTest, TheMostWantedFormThatIsServedWins) {
  const std::string json = "200 application/json";
  const std::string protobuf = "200 application/vnd.kubernetes.protobuf";
  EXPECT_EQ(Type(""), json);
  EXPECT_EQ(Type("*/*"), json);
  EXPECT_EQ(Type("application/vnd.kubernetes.protobuf, */*"), protobuf);
  EXPECT_EQ(Type("application/json, application/vnd.kubernetes.protobuf"), json);
  EXPECT_EQ(Type("application/json;q=0.5, application/vnd.kubernetes.protobuf;q=0.9"), protobuf);
  EXPECT_EQ(Type("application/vnd.kubernetes.protobuf;q=0, application/json;q=0.1"), json);
  EXPECT_EQ(Type("text/html, application/json;q=bad"), json);
  EXPECT_EQ(Type("text/html"), "406 application/json");
  // Tables are JSON only; a stream is none here.
  EXPECT_EQ(Type("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io, "
                 "application/json;as=Table;v=v1;g=meta.k8s.io"),
            json);
  EXPECT_EQ(Type("application/vnd.kubernetes.protobuf;stream=watch"), "406 application/json");
}

TEST_F(ProtobufApiTest, EventsOfAWatchAreFrames) {
  api_.accept = "application/vnd.kubernetes.protobuf;stream=watch, application/json";
  const Answer answer = api_.Ask("GET", "/api/v1/namespaces/shop/configmaps?watch=true");
  ASSERT_TRUE(std::holds_alternative<WatchRequest>(answer));
  const auto& watch = std::get<WatchRequest>(answer);
  EXPECT_EQ(WatchTypeOf(watch.as), "application/vnd.kubernetes.protobuf;stream=watch");
  api_.Do("POST", "/api/v1/namespaces/shop/configmaps",
          R"({"metadata":{"name":"c"},"data":{"a":"one"}})");
  const ObjectPtr object = api_.cluster.store().view().Get("configmaps", "shop", "c");
  const auto& kind = watch.selection.kind();
  const std::string frame = RenderEvent({"ADDED", object}, kind, watch.as, base::WallTime());
  ASSERT_GT(frame.size(), 4u);
  EXPECT_EQ(static_cast<uint8_t>(frame[2]) << 8 | static_cast<uint8_t>(frame[3]),
            static_cast<int>(frame.size() - 4));
  manifests::WireReader event(std::string_view(frame).substr(4));
  EXPECT_EQ(event.Next()->bytes, "ADDED");
  const auto raw = event.Next();
  manifests::WireReader extension(raw->bytes);
  EXPECT_EQ(*manifests::DecodeBody(*kind.root, extension.Next()->bytes), ToClientJson(*object));
  EXPECT_NE(RenderBookmarkEvent(kind, 7, true, watch.as).find("BOOKMARK"), std::string::npos);
  EXPECT_NE(
      RenderErrorEvent(base::Status(base::Code::kExpired, "too old"), watch.as).find("too old"),
      std::string::npos);
}

}  // namespace
}  // namespace state
