#include <gtest/gtest.h>

#include "manifests/validate.h"
#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

using base::Json;

Json Defaulted(std::string_view text) {
  YamlFile file = ParseYaml(text);
  EXPECT_TRUE(file.errors.empty()) << file.errors[0].message;
  Json object = file.documents.empty() ? Json() : std::move(file.documents[0]);
  const Kind* kind = Schema::BuiltIn()->FindKind(std::as_const(object)["apiVersion"].AsString(),
                                                 std::as_const(object)["kind"].AsString());
  CHECK(kind != nullptr);
  ApplyDefaults(*kind, object);
  Json again = object;
  ApplyDefaults(*kind, again);
  EXPECT_EQ(again.ToString(), object.ToString()) << "not idempotent";
  return object;
}

std::string Spec(std::string_view text) {
  const Json object = Defaulted(text);
  return ToYaml(object["spec"]);
}

TEST(DefaultsTest, APodIsFilledIn) {
  EXPECT_EQ(Spec(R"(apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: nginx
      ports: [{containerPort: 80}]
      resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}}
      readinessProbe: {httpGet: {port: 80}, timeoutSeconds: 0}
  volumes:
    - {name: c, configMap: {name: c}}
    - {name: e}
)"),
            R"(containers:
- image: nginx
  imagePullPolicy: Always
  name: a
  ports:
  - containerPort: 80
    protocol: TCP
  readinessProbe:
    failureThreshold: 3
    httpGet:
      path: /
      port: 80
      scheme: HTTP
    periodSeconds: 10
    successThreshold: 1
    timeoutSeconds: 1
  resources:
    limits:
      cpu: "1"
      memory: 1Gi
    requests:
      cpu: 500m
      memory: 1Gi
  terminationMessagePath: /dev/termination-log
  terminationMessagePolicy: File
dnsPolicy: ClusterFirst
enableServiceLinks: true
restartPolicy: Always
schedulerName: default-scheduler
securityContext: {}
serviceAccount: default
serviceAccountName: default
terminationGracePeriodSeconds: 30
tolerations:
- effect: NoExecute
  key: node.kubernetes.io/not-ready
  operator: Exists
  tolerationSeconds: 300
- effect: NoExecute
  key: node.kubernetes.io/unreachable
  operator: Exists
  tolerationSeconds: 300
volumes:
- configMap:
    defaultMode: 420
    name: c
  name: c
- emptyDir: {}
  name: e
)");
}

TEST(DefaultsTest, WhatTheUserSaysStays) {
  const Json pod = Defaulted(R"(apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  enableServiceLinks: false
  serviceAccount: robot
  tolerations: [{operator: Exists}]
  containers: [{name: a, image: nginx, imagePullPolicy: Never}]
)");
  const Json& spec = pod["spec"];
  EXPECT_EQ(spec["restartPolicy"], Json("Never"));
  EXPECT_EQ(spec["terminationGracePeriodSeconds"], Json(0));
  EXPECT_EQ(spec["enableServiceLinks"], Json(false));
  EXPECT_EQ(spec["serviceAccountName"], Json("robot"));
  EXPECT_EQ(spec["tolerations"].size(), 1u);
  EXPECT_EQ(spec["containers"].At(0)["imagePullPolicy"], Json("Never"));
}

TEST(DefaultsTest, ATagDecidesThePullPolicy) {
  const auto policy = [](const std::string& image) {
    const Json pod = Defaulted(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, "
        "image: \"" +
        image + "\"}]}\n");
    return std::string(pod["spec"]["containers"].At(0)["imagePullPolicy"].AsString());
  };
  EXPECT_EQ(policy("nginx"), "Always");
  EXPECT_EQ(policy("nginx:latest"), "Always");
  EXPECT_EQ(policy("localhost:5000/nginx"), "Always");
  EXPECT_EQ(policy("nginx:latest@sha256:12"), "Always");
  EXPECT_EQ(policy("nginx:1.27"), "IfNotPresent");
  EXPECT_EQ(policy("localhost:5000/nginx:1"), "IfNotPresent");
  EXPECT_EQ(policy("nginx@sha256:12"), "IfNotPresent");
}

TEST(DefaultsTest, NullAndEmptyTextCountAsLeftOut) {
  const Json pod = Defaulted(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
      "spec: {restartPolicy: \"\", dnsPolicy: null, containers: [{name: a, image: i}]}\n");
  EXPECT_EQ(pod["spec"]["restartPolicy"], Json("Always"));
  EXPECT_EQ(pod["spec"]["dnsPolicy"], Json("ClusterFirst"));
}

TEST(DefaultsTest, ADeploymentRollsByAQuarter) {
  EXPECT_EQ(Spec("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"
                 "spec:\n  selector: {matchLabels: {a: b}}\n"
                 "  template: {metadata: {labels: {a: b}}, spec: {containers: []}}\n"),
            R"(progressDeadlineSeconds: 600
replicas: 1
revisionHistoryLimit: 10
selector:
  matchLabels:
    a: b
strategy:
  rollingUpdate:
    maxSurge: 25%
    maxUnavailable: 25%
  type: RollingUpdate
template:
  metadata:
    labels:
      a: b
  spec:
    containers: []
    dnsPolicy: ClusterFirst
    restartPolicy: Always
    schedulerName: default-scheduler
    securityContext: {}
    terminationGracePeriodSeconds: 30
)");
  const Json partly = Defaulted(
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"
      "spec: {strategy: {rollingUpdate: {maxSurge: 1}}}\n");
  EXPECT_EQ(partly["spec"]["strategy"].ToString(),
            R"({"rollingUpdate":{"maxSurge":1,"maxUnavailable":"25%"},"type":"RollingUpdate"})");
  const Json recreate = Defaulted(
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"
      "spec: {strategy: {type: Recreate}}\n");
  EXPECT_EQ(recreate["spec"]["strategy"].ToString(), R"({"type":"Recreate"})");
}

TEST(DefaultsTest, AServicesTargetPortIsItsPort) {
  EXPECT_EQ(Spec("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
                 "spec: {ports: [{port: 80}, {name: b, port: 81, targetPort: http}]}\n"),
            R"(internalTrafficPolicy: Cluster
ipFamilies:
- IPv4
ipFamilyPolicy: SingleStack
ports:
- port: 80
  protocol: TCP
  targetPort: 80
- name: b
  port: 81
  protocol: TCP
  targetPort: http
sessionAffinity: None
type: ClusterIP
)");
  EXPECT_EQ(Spec("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
                 "spec: {type: NodePort, sessionAffinity: ClientIP}\n"),
            R"(externalTrafficPolicy: Cluster
internalTrafficPolicy: Cluster
ipFamilies:
- IPv4
ipFamilyPolicy: SingleStack
sessionAffinity: ClientIP
sessionAffinityConfig:
  clientIP:
    timeoutSeconds: 10800
type: NodePort
)");
}

TEST(DefaultsTest, ANamespaceIsLabelledWithItsName) {
  const Json object = Defaulted("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
  EXPECT_EQ(object.ToString(), R"({"apiVersion":"v1","kind":"Namespace","metadata":{"labels":)"
                               R"({"kubernetes.io/metadata.name":"shop"},"name":"shop"},)"
                               R"("spec":{"finalizers":["kubernetes"]}})");
}

TEST(DefaultsTest, AnEndingNamespaceDoesNotGetItsFinalizerBack) {
  const Json object = Defaulted(
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, deletionTimestamp: "
      "\"2026-01-01T00:00:00Z\"}\nspec: {}\n");
  EXPECT_EQ(object["spec"].ToString(), "{}");
}

TEST(DefaultsTest, StringDataIsFoldedIntoData) {
  const Json object = Defaulted(
      "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"
      "data: {a: AAAA, b: AAAA}\nstringData: {b: hello, c: \"\", d: x, e: xy}\n");
  EXPECT_EQ(object["data"].ToString(),
            R"({"a":"AAAA","b":"aGVsbG8=","c":"","d":"eA==","e":"eHk="})");
  EXPECT_FALSE(object.Has("stringData"));
  EXPECT_EQ(object["type"], Json("Opaque"));
}

TEST(DefaultsTest, ALimitRangesMaximumBecomesItsDefault) {
  EXPECT_EQ(Spec("apiVersion: v1\nkind: LimitRange\nmetadata: {name: a}\n"
                 "spec: {limits: [{type: Container, max: {cpu: 2, memory: 1Gi}, "
                 "default: {cpu: 1}, min: {storage: 1}}]}\n"),
            R"(limits:
- default:
    cpu: "1"
    memory: 1Gi
  defaultRequest:
    cpu: "1"
    memory: 1Gi
    storage: "1"
  max:
    cpu: "2"
    memory: 1Gi
  min:
    storage: "1"
  type: Container
)");
}

TEST(DefaultsTest, HostNetworkPodsHoldTheirPortsOnTheNode) {
  const Json pod = Defaulted(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: true, "
      "containers: [{name: a, image: i, ports: [{containerPort: 53, protocol: UDP}]}]}\n");
  EXPECT_EQ(pod["spec"]["containers"].At(0)["ports"].ToString(),
            R"([{"containerPort":53,"hostPort":53,"protocol":"UDP"}])");
}

TEST(DefaultsTest, AReplicationControllerTakesItsTemplatesLabels) {
  const Json controller = Defaulted(
      "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: a}\n"
      "spec: {template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: "
      "i}]}}}\n");
  EXPECT_EQ(controller["spec"]["selector"].ToString() +
                controller["metadata"]["labels"].ToString() +
                controller["spec"]["replicas"].ToString(),
            R"({"app":"a"}{"app":"a"}1)");
}

TEST(DefaultsTest, WrongShapesAreLeftAlone) {
  for (const std::string_view text :
       {"apiVersion: v1\nkind: Pod\nmetadata: 3\nspec: {containers: {a: b}, volumes: [1], "
        "tolerations: x}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: []\nstringData: {a: b}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: [1]}\n",
        "apiVersion: v1\nkind: Service\nspec: {ports: [{port: x}, null]}\n",
        "apiVersion: v1\nkind: LimitRange\nspec: {limits: [{type: Container, max: {cpu: 1}, "
        "default: 7}]}\n",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: 3}\nspec: []\n",
        "apiVersion: v1\nkind: ReplicationController\nspec: {selector: x, template: {metadata: "
        "{labels: {a: b}}}}\n",
        "apiVersion: apps/v1\nkind: Deployment\nspec: {strategy: [], template: {spec: 1}}\n"}) {
    EXPECT_TRUE(Defaulted(text).IsObject());
  }
}

}  // namespace
}  // namespace manifests
