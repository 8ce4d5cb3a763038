#include <gtest/gtest.h>

#include "manifests/validate.h"
#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

using base::Json;

Json ObjectOf(std::string_view kind, std::string_view spec) {
  const std::string version = kind == "Service" ? "v1" : "apps/v1";
  YamlFile file = ParseYaml("{apiVersion: " + version + ", kind: " + std::string(kind) +
                            ", metadata: {name: a}, spec: " + std::string(spec) + "}");
  EXPECT_TRUE(file.errors.empty()) << spec;
  return file.documents.empty() ? Json() : std::move(file.documents[0]);
}

// The spec that is left of `after` when the object had `before`.
std::string Left(std::string_view kind, std::string_view before, std::string_view after) {
  Json object = ObjectOf(kind, after);
  const std::string version = kind == "Service" ? "v1" : "apps/v1";
  DropDependent(*Schema::BuiltIn()->FindKind(version, kind), ObjectOf(kind, before), object);
  return object["spec"].ToString();
}

TEST(DependentFieldsTest, NodePortsGoWithTheTypeThatHasThem) {
  const std::string_view node =
      "{type: NodePort, externalTrafficPolicy: Cluster, ports: [{port: 80, nodePort: 30001}]}";
  EXPECT_EQ(Left("Service", node,
                 "{type: ClusterIP, externalTrafficPolicy: Cluster, ports: [{port: 80, nodePort: "
                 "30001}, {port: 81, nodePort: 30002}]}"),
            R"({"ports":[{"port":80},{"nodePort":30002,"port":81}],"type":"ClusterIP"})")
      << "what the update adds is judged as asked for";
  EXPECT_EQ(Left("Service", node, "{type: LoadBalancer, ports: [{port: 80, nodePort: 30001}]}"),
            R"({"ports":[{"nodePort":30001,"port":80}],"type":"LoadBalancer"})");
}

TEST(DependentFieldsTest, AnExternalNameHasNoAddressAndOthersHaveNoExternalName) {
  const std::string_view cluster =
      "{type: ClusterIP, clusterIP: 10.96.1.1, clusterIPs: [10.96.1.1], ipFamilies: [IPv4], "
      "ipFamilyPolicy: SingleStack, internalTrafficPolicy: Cluster}";
  EXPECT_EQ(Left("Service", cluster,
                 "{type: ExternalName, externalName: a.b, clusterIP: 10.96.1.1, clusterIPs: "
                 "[10.96.1.1], ipFamilies: [IPv4], ipFamilyPolicy: SingleStack, "
                 "internalTrafficPolicy: Cluster}"),
            R"({"externalName":"a.b","type":"ExternalName"})");
  EXPECT_EQ(Left("Service", cluster, "{type: ExternalName, clusterIP: 10.96.1.2}"),
            R"({"clusterIP":"10.96.1.2","type":"ExternalName"})");
  EXPECT_EQ(Left("Service", "{type: ExternalName, externalName: a.b}",
                 "{type: ClusterIP, externalName: a.b}"),
            R"({"type":"ClusterIP"})");
}

TEST(DependentFieldsTest, OtherDiscriminatorsHaveTheirs) {
  EXPECT_EQ(Left("Service", "{sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {}}}",
                 "{sessionAffinity: None, sessionAffinityConfig: {clientIP: {}}}"),
            R"({"sessionAffinity":"None"})");
  EXPECT_EQ(Left("Deployment", "{strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}}",
                 "{strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}}"),
            R"({"strategy":{"type":"Recreate"}})");
  EXPECT_EQ(
      Left("DaemonSet", "{updateStrategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0}}}",
           "{updateStrategy: {type: OnDelete, rollingUpdate: {maxSurge: 0}}}"),
      R"({"updateStrategy":{"type":"OnDelete"}})");
}

}  // namespace
}  // namespace manifests
