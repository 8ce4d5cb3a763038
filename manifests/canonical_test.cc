#include "manifests/canonical.h"

#include <gtest/gtest.h>

#include "manifests/validate.h"
#include "manifests/wire/protobuf.h"
#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

using base::Json;

Json ReadOne(std::string_view text) {
  YamlFile file = ParseYaml(text);
  EXPECT_TRUE(file.errors.empty()) << text;
  return file.documents.empty() ? Json() : std::move(file.documents[0]);
}

const Kind& KindIn(const Json& object) {
  const Kind* kind =
      Schema::BuiltIn()->FindKind(object["apiVersion"].AsString(), object["kind"].AsString());
  CHECK(kind != nullptr);
  return *kind;
}

std::string CanonicalText(std::string_view text) {
  Json object = ReadOne(text);
  Canonicalize(*KindIn(object).root, object);
  Json again = object;
  Canonicalize(*KindIn(object).root, again);
  EXPECT_EQ(again, object) << "not idempotent";
  return object.ToString();
}

std::string PodOf(std::string_view spec) {
  return "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {" + std::string(spec) + "}}";
}

const Message& PodSpecMessage() { return *Schema::BuiltIn()->FindMessage("core/v1", "PodSpec"); }

TEST(CanonicalTest, WhatMeansNothingGoes) {
  const std::string plain = CanonicalText(PodOf("containers: [{name: c, image: i}]"));
  for (const char* more :
       {"nodeSelector: {}", "volumes: []", "hostNetwork: false", "nodeName: ''", "tolerations: ~",
        "priorityClassName: ~", "affinity: ~", "hostPID: false, hostAliases: [], hostname: ''"}) {
    EXPECT_EQ(CanonicalText(PodOf(std::string(more) + ", containers: [{name: c, image: i}]")),
              plain)
        << more;
  }
  EXPECT_EQ(CanonicalText(PodOf("containers: [{name: c, image: i, env: [], args: [], stdin: false, "
                                "workingDir: '', envFrom: ~}]")),
            plain);
}

TEST(CanonicalTest, AZeroThatIsAValueStays) {
  for (const char* spec :
       {R"({"containers":[{"name":"c"}],"volumes":[{"emptyDir":{},"name":"v"}]})",
        R"({"containers":[{"name":"c","securityContext":{"privileged":false}}]})",
        R"({"containers":[],"securityContext":{},"terminationGracePeriodSeconds":0})",
        R"({"automountServiceAccountToken":false,"containers":[{"args":[""],"name":"c"}]})",
        R"({"containers":[{"name":"c"}],"nodeSelector":{"a":""}})"}) {
    const Json pod = ReadOne(PodOf(std::string(spec).substr(1, std::string(spec).size() - 2)));
    EXPECT_EQ(CanonicalText(pod.ToString()), pod.ToString());
  }
}

TEST(CanonicalTest, ANullInAMapIsItsEmptyValue) {
  EXPECT_EQ(CanonicalText("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {l: ~}}, "
                          "data: {k: ~}, binaryData: {b: ~}, immutable: ~}"),
            R"({"apiVersion":"v1","binaryData":{"b":""},"data":{"k":""},"kind":"ConfigMap",)"
            R"("metadata":{"labels":{"l":""},"name":"a"}})");
}

TEST(CanonicalTest, TheStatusAndThePlaceOfTheRevisionStay) {
  const std::string pod =
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","resourceVersion":""},)"
      R"("status":{"containerStatuses":[{"ready":false,"restartCount":0}],"podIP":""}})";
  EXPECT_EQ(CanonicalText(pod), pod);
}

TEST(CanonicalTest, AKindWithoutAWireFormKeepsWhatIsWritten) {
  const std::string written =
      R"({"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization",)"
      R"("metadata":{"name":"a"},"spec":{"dependsOn":[],"suspend":false}})";
  EXPECT_EQ(CanonicalText(written), written);
}

TEST(CanonicalTest, NullsAloneAreResolvedForWhoNamesFields) {
  Json spec = ReadOne("{hostNetwork: false, nodeName: ~, nodeSelector: {a: ~}, volumes: []}");
  ResolveNulls(PodSpecMessage(), spec);
  EXPECT_EQ(spec.ToString(), R"({"hostNetwork":false,"nodeSelector":{"a":""},"volumes":[]})");
}

TEST(CanonicalTest, EqualMeaningsAreOne) {
  const auto same = [](std::string_view a, std::string_view b) {
    return SameMeaning(PodSpecMessage(), ReadOne(a), ReadOne(b));
  };
  EXPECT_TRUE(same("{containers: [{name: a, resources: {limits: {cpu: 1000m, memory: 1Gi}}}]}",
                   "{containers: [{name: a, resources: {limits: {cpu: 1, memory: 1024Mi}}}]}"));
  EXPECT_TRUE(same("{containers: [{name: a, env: [{name: E, value: ~}]}]}",
                   "{containers: [{name: a, env: [{name: E, value: ''}]}], volumes: []}"));
  EXPECT_FALSE(same("{containers: [{name: a, resources: {limits: {cpu: 1}}}]}",
                    "{containers: [{name: a, resources: {limits: {cpu: 1m}}}]}"));
  EXPECT_FALSE(same("{terminationGracePeriodSeconds: 0}", "{}"));
  EXPECT_FALSE(same("{securityContext: {}}", "{}"));
}

Json ZeroOf(const Field& field) {
  if (field.shape == Shape::kList) return Json::MakeArray();
  if (field.shape == Shape::kMap) return Json::MakeObject();
  switch (field.scalar) {
    case Scalar::kBool: return false;
    case Scalar::kInt32:
    case Scalar::kInt64: return 0;
    case Scalar::kDouble: return 0.0;
    case Scalar::kString:
    case Scalar::kBytes: return "";
    default: return nullptr;
  }
}

// The same tables say what a Go client's bytes keep of a zero.
TEST(CanonicalTest, EveryFieldsZeroIsWhatTheWireKeepsOfIt) {
  size_t compared = 0;
  for (const auto& message : Schema::BuiltIn()->messages()) {
    for (const Field& field : message->fields) {
      const Json zero = ZeroOf(field);
      if (field.number == 0 || field.inlined || field.default_value || zero.IsNull()) continue;
      std::string bytes;
      const Json object = Json::MakeObject({{field.name, zero}});
      EncodeMessage(*message, base::Document(object).root(), bytes);
      const base::Result<Json> read = DecodeMessage(*message, bytes);
      ASSERT_TRUE(read.ok()) << message->name << "." << field.name;
      const bool kept = read->Has(field.name);
      const bool list = field.shape != Shape::kSingle;  // a required one is for the validation
      if (!(list && field.required)) {
        EXPECT_EQ(MeansAbsent(field, zero), !kept) << message->name << "." << field.name;
      }
      ++compared;
    }
  }
  EXPECT_GT(compared, 700u);
}

TEST(CanonicalTest, AnUpdateMayWriteAnImmutableFieldOtherwise) {
  const Json before = ReadOne(
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchLabels: "
      "{app: a, tier: ~}, matchExpressions: []}}}");
  const Json after = ReadOne(
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchLabels: "
      "{app: a, tier: ''}}}}");
  EXPECT_TRUE(ValidateUpdate(KindIn(before), before, after).empty());
  const Json other = ReadOne(
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchLabels: "
      "{app: a}}}}");
  EXPECT_FALSE(ValidateUpdate(KindIn(before), before, other).empty());
}

}  // namespace
}  // namespace manifests
