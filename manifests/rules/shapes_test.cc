// Users write anything anywhere: each value of these objects is replaced, one at a time, by values
// of every shape, and every function must come through, with defaults that are idempotent.
#include <gtest/gtest.h>

#include "manifests/validate.h"
#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

using base::Json;

constexpr std::string_view kObjects = R"(
apiVersion: v1
kind: Pod
metadata:
  name: a
  labels: {a: b}
  annotations: {a: b}
  ownerReferences: [{apiVersion: v1, kind: Node, name: n, uid: u, controller: true}]
spec:
  hostNetwork: true
  nodeSelector: {a: b}
  tolerations: [{key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 3}]
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In, values: [b]}]}]
      preferredDuringSchedulingIgnoredDuringExecution:
        - {weight: 1, preference: {matchFields: [{key: metadata.name, operator: In, values: [b]}]}}
  volumes: [{name: v, configMap: {name: c, items: [{key: k, path: p}]}}, {name: w}]
  initContainers: [{name: i, image: i, livenessProbe: {exec: {command: [x]}}}]
  containers:
    - name: a
      image: i:1
      ports: [{name: http, containerPort: 80, hostPort: 80, protocol: TCP}]
      env: [{name: A, value: b}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
      envFrom: [{prefix: P, secretRef: {name: s}}]
      resources: {requests: {cpu: 1}, limits: {cpu: 2, memory: 1Gi}}
      readinessProbe: {httpGet: {port: http}, timeoutSeconds: 0}
      lifecycle: {preStop: {sleep: {seconds: 1}}}
      volumeMounts: [{name: v, mountPath: /v, subPath: s}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  replicas: 1
  minReadySeconds: 1
  progressDeadlineSeconds: 10
  selector: {matchLabels: {a: b}, matchExpressions: [{key: a, operator: In, values: [b]}]}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 25%}}
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: i}]}}
---
apiVersion: v1
kind: Service
metadata: {name: a}
spec:
  type: NodePort
  clusterIP: 10.0.0.1
  clusterIPs: [10.0.0.1]
  sessionAffinity: ClientIP
  sessionAffinityConfig: {clientIP: {timeoutSeconds: 3}}
  selector: {a: b}
  ports: [{name: a, port: 80, targetPort: http, nodePort: 30000}, {name: b, port: 81}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
immutable: true
data: {a: b}
binaryData: {c: AAAA}
---
apiVersion: v1
kind: Secret
metadata: {name: a}
type: kubernetes.io/tls
data: {tls.crt: AAAA}
stringData: {tls.key: x}
---
apiVersion: v1
kind: LimitRange
metadata: {name: a}
spec: {limits: [{type: Container, max: {cpu: 2}, min: {cpu: 1}, default: {cpu: 1}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: a}
spec: {hard: {cpu: 1, pods: "3"}, scopes: [BestEffort]}
---
apiVersion: v1
kind: Node
metadata: {name: a}
spec: {podCIDR: 10.0.0.0/24, podCIDRs: [10.0.0.0/24], taints: [{key: a, effect: NoSchedule}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: a, labels: {a: b}}
spec: {finalizers: [kubernetes]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a}
addressType: IPv4
ports: [{name: http, port: 80}]
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}, targetRef: {kind: Pod, name: a}}]
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: a}
spec: {url: "https://example.com/a", interval: 1m, ref: {branch: main}}
)";

const Kind& KindOf(const Json& object) {
  const Kind* kind =
      Schema::BuiltIn()->FindKind(object["apiVersion"].AsString(), object["kind"].AsString());
  CHECK(kind != nullptr);
  return *kind;
}

class Replacer {
 public:
  Replacer(const Kind& kind, Json object)
      : kind_(kind), before_(object), object_(std::move(object)) {}

  size_t Run() {
    Visit(object_["metadata"]);
    for (Json::Member& member : object_.MutableMembers()) {
      if (member.key != "apiVersion" && member.key != "kind") Visit(member.value);
    }
    return tried_;
  }

 private:
  void Visit(Json& value) {
    const Json original = value;
    for (const Json& shape :
         {Json(), Json(true), Json(3), Json(2.5), Json("x"), Json(""), Json::MakeArray(),
          Json::MakeObject(), Json::MakeArray({Json()}), Json::MakeArray({Json::MakeObject()}),
          Json::MakeObject({{"x", Json::MakeObject()}})}) {
      value = shape;
      Try();
    }
    value = original;
    if (value.IsArray()) {
      for (Json& element : value.MutableElements()) Visit(element);
    } else if (value.IsObject()) {
      for (Json::Member& member : value.MutableMembers()) Visit(member.value);
    }
  }

  void Try() {
    ++tried_;
    Validate(kind_, object_, UnknownFields::kError);
    (void)ValidateUpdate(kind_, before_, object_);
    (void)ValidateUpdate(kind_, object_, before_);
    Json dropped = object_;
    DropUnknown(kind_, dropped);
    Json once = object_;
    ApplyDefaults(kind_, once);
    Json twice = once;
    ApplyDefaults(kind_, twice);
    EXPECT_EQ(twice.ToString(), once.ToString());
  }

  const Kind& kind_;
  const Json before_;
  Json object_;
  size_t tried_ = 0;
};

TEST(ShapesTest, NoValueOfAnyShapeBreaksAnyRule) {
  YamlFile file = ParseYaml(kObjects);
  ASSERT_TRUE(file.errors.empty()) << file.errors[0].message;
  ASSERT_EQ(file.documents.size(), 11u);
  size_t tried = 0;
  for (Json& object : file.documents) {
    const Kind& kind = KindOf(object);
    tried += Replacer(kind, std::move(object)).Run();
  }
  EXPECT_GT(tried, 2000u);
}

}  // namespace
}  // namespace manifests
