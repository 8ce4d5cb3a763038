// What clients look for in the OpenAPI documents before they write.
#include "state/api/openapi.h"

#include <gtest/gtest.h>

#include <set>

#include "base/json.h"

namespace state {
namespace {

using base::Json;

class OpenApiTest : public testing::Test {
 protected:
  Json Document(std::string_view path) {
    const std::string* text = openapi_.Document(path);
    return text != nullptr ? *base::ParseJson(*text) : Json();
  }
  // A schema of the document, as text.
  std::string Property(const Json& document, std::string_view schema, std::string_view property) {
    return document["components"]["schemas"][schema]["properties"][property].ToString();
  }
  std::shared_ptr<const manifests::Schema> schema_ = manifests::Schema::BuiltIn();
  OpenApi openapi_{*schema_};
};

std::string Names(const Json& parameters) {
  std::string names;
  for (const Json& parameter : parameters.Elements()) {
    if (!names.empty()) names += ' ';
    names += parameter["name"].AsString();
  }
  return names;
}

void CollectReferences(const Json& json, std::set<std::string>& found) {
  for (const auto& [key, value] : json.Members()) {
    if (key == "$ref") found.insert(std::string(value.AsString()));
    CollectReferences(value, found);
  }
  for (const Json& element : json.Elements()) CollectReferences(element, found);
}

TEST_F(OpenApiTest, RootListsEveryGroupVersionAndItsHash) {
  const Json root = *base::ParseJson(openapi_.index());
  std::string paths;
  for (const auto& [path, entry] : root["paths"].Members()) {
    const std::string address = "/openapi/v3/" + path + "?hash=";
    EXPECT_TRUE(entry["serverRelativeURL"].AsString().starts_with(address)) << path;
    EXPECT_EQ(entry["serverRelativeURL"].AsString().size(), address.size() + 16) << path;
    paths += path + "\n";
  }
  EXPECT_EQ(paths,
            "api/v1\napis/apps/v1\napis/coordination.k8s.io/v1\napis/discovery.k8s.io/v1\n"
            "apis/kustomize.toolkit.fluxcd.io/v1\napis/networking.k8s.io/v1\napis/"
            "notification.toolkit.fluxcd.io/v1beta3\n"
            "apis/plumb.dev/v1\napis/source.toolkit.fluxcd.io/v1\n");
}

TEST_F(OpenApiTest, EqualSchemasGiveEqualBytes) {
  const OpenApi again(*schema_);
  EXPECT_EQ(openapi_.index(), again.index());
  EXPECT_EQ(*openapi_.Document("api/v1"), *again.Document("api/v1"));
}

TEST_F(OpenApiTest, UnknownGroupVersionHasNoDocument) {
  EXPECT_EQ(openapi_.Document("apis/apps/v2"), nullptr);
  EXPECT_EQ(openapi_.Document("v1"), nullptr);
}

TEST_F(OpenApiTest, EveryReferenceLeadsToASchema) {
  const Json root = *base::ParseJson(openapi_.index());
  for (const auto& [path, entry] : root["paths"].Members()) {
    const Json document = Document(path);
    std::set<std::string> references;
    CollectReferences(document, references);
    EXPECT_GT(references.size(), 5u) << path;
    for (const std::string& reference : references) {
      const std::string name = reference.substr(reference.rfind('/') + 1);
      EXPECT_TRUE(document["components"]["schemas"].Has(name)) << path << " " << reference;
    }
  }
}

TEST_F(OpenApiTest, PatchTakesFieldValidation) {
  const Json document = Document("apis/apps/v1");
  const Json& patch =
      document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
  EXPECT_EQ(Names(patch["parameters"]), "dryRun fieldManager fieldValidation force");
  EXPECT_EQ(patch["x-kubernetes-group-version-kind"].ToString(),
            R"({"group":"apps","kind":"Deployment","version":"v1"})");
  EXPECT_EQ(patch["x-kubernetes-action"].AsString(), "patch");
  EXPECT_TRUE(patch["requestBody"]["content"].Has("application/strategic-merge-patch+json"));
  EXPECT_EQ(patch["operationId"].AsString(), "patchAppsV1NamespacedDeployment");
}

TEST_F(OpenApiTest, CustomGroupsTakeNoStrategicPatchAndAreNamedBackwards) {
  const Json document = Document("apis/kustomize.toolkit.fluxcd.io/v1");
  const std::string prefix = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{namespace}/";
  const Json& item = document["paths"][prefix + "kustomizations/{name}"];
  EXPECT_TRUE(item["patch"]["requestBody"]["content"].Has("application/merge-patch+json"));
  EXPECT_FALSE(
      item["patch"]["requestBody"]["content"].Has("application/strategic-merge-patch+json"));
  EXPECT_TRUE(
      document["components"]["schemas"].Has("io.fluxcd.toolkit.kustomize.v1.Kustomization"));
}

TEST_F(OpenApiTest, KindIsFoundByItsGroupVersionKind) {
  const Json document = Document("apis/apps/v1");
  const Json& deployment = document["components"]["schemas"]["io.k8s.api.apps.v1.Deployment"];
  EXPECT_EQ(deployment["x-kubernetes-group-version-kind"].ToString(),
            R"([{"group":"apps","kind":"Deployment","version":"v1"}])");
  std::string names;
  for (const auto& [name, schema] : deployment["properties"].Members()) names += name + " ";
  EXPECT_EQ(names, "apiVersion kind metadata spec status ");
}

TEST_F(OpenApiTest, ListsSayHowTheyMerge) {
  const Json document = Document("api/v1");
  const Json& pod = document["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"]["properties"];
  const Json& containers = pod["containers"];
  EXPECT_EQ(containers["items"].ToString(),
            R"({"allOf":[{"$ref":"#/components/schemas/io.k8s.api.core.v1.Container"}],)"
            R"("default":{}})");
  EXPECT_EQ(containers["type"].AsString(), "array");
  EXPECT_EQ(containers["x-kubernetes-list-type"].AsString(), "map");
  EXPECT_EQ(containers["x-kubernetes-list-map-keys"].ToString(), R"(["name"])");
  EXPECT_EQ(containers["x-kubernetes-patch-strategy"].AsString(), "merge");
  EXPECT_EQ(containers["x-kubernetes-patch-merge-key"].AsString(), "name");
  EXPECT_EQ(pod["volumes"]["x-kubernetes-patch-strategy"].AsString(), "merge,retainKeys");
  EXPECT_EQ(pod["nodeSelector"]["x-kubernetes-map-type"].AsString(), "atomic");
}

TEST_F(OpenApiTest, FieldsHaveTypesAndDefaults) {
  const Json document = Document("apis/apps/v1");
  EXPECT_EQ(Property(document, "io.k8s.api.apps.v1.DeploymentSpec", "replicas"),
            R"({"default":1,"format":"int32","type":"integer"})");
  EXPECT_EQ(
      document["components"]["schemas"]["io.k8s.api.apps.v1.DeploymentSpec"]["required"].ToString(),
      R"(["selector","template"])");
  EXPECT_EQ(
      document["components"]["schemas"]["io.k8s.apimachinery.pkg.apis.meta.v1.Time"].ToString(),
      R"({"format":"date-time","type":"string"})");
}

TEST_F(OpenApiTest, SubresourcesSpeakOfTheirOwnKind) {
  const Json document = Document("apis/apps/v1");
  const std::string deployment = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}";
  EXPECT_EQ(document["paths"][deployment + "/scale"]["patch"]["x-kubernetes-group-version-kind"]
                .ToString(),
            R"({"group":"autoscaling","kind":"Scale","version":"v1"})");
  EXPECT_EQ(document["paths"][deployment + "/status"]["put"]["x-kubernetes-group-version-kind"]
                .ToString(),
            R"({"group":"apps","kind":"Deployment","version":"v1"})");
}

}  // namespace
}  // namespace state
