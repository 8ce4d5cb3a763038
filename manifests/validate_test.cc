#include "manifests/validate.h"

#include <gtest/gtest.h>

#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

using base::Json;

Json Read(std::string_view text) {
  YamlFile file = ParseYaml(text);
  EXPECT_TRUE(file.errors.empty()) << file.errors[0].message;
  EXPECT_EQ(file.documents.size(), 1u);
  return file.documents.empty() ? Json() : std::move(file.documents[0]);
}

const Kind& KindOf(const Json& object) {
  const Kind* kind =
      Schema::BuiltIn()->FindKind(object["apiVersion"].AsString(), object["kind"].AsString());
  CHECK(kind != nullptr);
  return *kind;
}

std::string Show(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    text += std::to_string(problem.mark.line) + ":" + std::to_string(problem.mark.column) + " " +
            problem.field + ": " + problem.message + "\n";
  }
  return text;
}

std::string Errors(std::string_view text) {
  const Json object = Read(text);
  return Show(Validate(KindOf(object), object, UnknownFields::kError).errors);
}

std::string Warnings(std::string_view text) {
  const Json object = Read(text);
  return Show(Validate(KindOf(object), object, UnknownFields::kError).warnings);
}

std::string UpdateErrors(std::string_view before, std::string_view after) {
  const Json old_object = Read(before);
  return Show(ValidateUpdate(KindOf(old_object), old_object, Read(after)));
}

constexpr std::string_view kWeb = R"(apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  creationTimestamp: null
  labels: {app.kubernetes.io/name: web, tier: front}
  annotations:
    example.com/Owner: "team: shop, phone 42"
spec:
  replicas: 3
  revisionHistoryLimit: 5
  selector:
    matchLabels: {app: web}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  template:
    metadata:
      labels: {app: web, version: "1.4"}
    spec:
      serviceAccountName: web
      terminationGracePeriodSeconds: 45
      nodeSelector: {kubernetes.io/os: linux}
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
              - matchExpressions:
                  - {key: disk, operator: In, values: [ssd, nvme]}
      tolerations:
        - {key: dedicated, operator: Equal, value: shop, effect: NoSchedule}
      initContainers:
        - name: migrate
          image: registry.example.com/shop/migrate:1.4
          command: [/bin/migrate, --up]
          envFrom:
            - secretRef: {name: database}
      containers:
        - name: web
          image: registry.example.com:5000/shop/web:1.4@sha256:0123456789abcdef
          imagePullPolicy: IfNotPresent
          args: ["--listen=:8080"]
          ports:
            - {name: http, containerPort: 8080}
            - {name: metrics, containerPort: 9090, protocol: TCP}
          env:
            - {name: LOG_LEVEL, value: info}
            - name: POD_IP
              valueFrom: {fieldRef: {fieldPath: status.podIP}}
            - name: APP
              valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}
            - name: MEMORY
              valueFrom: {resourceFieldRef: {resource: limits.memory}}
            - name: PASSWORD
              valueFrom: {secretKeyRef: {name: database, key: password, optional: false}}
          resources:
            requests: {cpu: 100m, memory: 128Mi}
            limits: {cpu: 1, memory: 256Mi}
          readinessProbe:
            httpGet: {path: /ready, port: http}
            periodSeconds: 5
          livenessProbe:
            tcpSocket: {port: 8080}
            initialDelaySeconds: 10
          startupProbe:
            exec: {command: [/bin/true]}
            failureThreshold: 30
          securityContext:
            runAsUser: 1000
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts:
            - {name: config, mountPath: /etc/web, readOnly: true}
            - {name: scratch, mountPath: /tmp}
            - {name: keys, mountPath: /var/run/keys}
            - {name: about, mountPath: /etc/about}
      volumes:
        - name: config
          configMap:
            name: web
            items: [{key: app.conf, path: conf/app.conf, mode: 0644}]
        - name: scratch
          emptyDir: {medium: Memory}
        - name: keys
          secret: {secretName: web-keys, defaultMode: 0400}
        - name: about
          downwardAPI:
            items:
              - {path: labels, fieldRef: {fieldPath: metadata.labels}}
)";

std::string Replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string copy(text);
  const size_t at = copy.find(from);
  EXPECT_NE(at, std::string::npos) << "the fixture has no " << from;
  if (at != std::string::npos) copy.replace(at, from.size(), to);
  return copy;
}

TEST(ValidateTest, ARealDeploymentHasNothingWrong) {
  EXPECT_EQ(Errors(kWeb), "");
  EXPECT_EQ(Warnings(kWeb), "");
}

TEST(ValidateTest, AMisspeltFieldIsFoundWhereItStands) {
  EXPECT_EQ(Errors(Replaced(kWeb, "replicas:", "replica:")),
            "11:3 spec.replica: unknown field; did you mean replicas?\n");
  EXPECT_EQ(Errors(Replaced(kWeb, "containerPort: 9090", "containerport: 9090")),
            "46:15 spec.template.spec.containers[0].ports[1].containerPort: is required; add it\n"
            "46:31 spec.template.spec.containers[0].ports[1].containerport: unknown field; did you "
            "mean containerPort?\n");
  EXPECT_EQ(Errors(Replaced(kWeb, "serviceAccountName: web", "colour: blue")),
            "22:7 spec.template.spec.colour: unknown field\n");
}

TEST(ValidateTest, UnknownFieldsCanBeWarnedOfOrPassedOver) {
  const Json object = Read(Replaced(kWeb, "replicas:", "replica:"));
  const Findings warned = Validate(KindOf(object), object, UnknownFields::kWarn);
  EXPECT_EQ(Show(warned.errors), "");
  EXPECT_EQ(Show(warned.warnings), "11:3 spec.replica: unknown field; did you mean replicas?\n");
  const Findings passed = Validate(KindOf(object), object, UnknownFields::kIgnore);
  EXPECT_EQ(Show(passed.errors) + Show(passed.warnings), "");
}

TEST(ValidateTest, AWrongTypeIsNamedWithItsValue) {
  EXPECT_EQ(Errors(Replaced(kWeb, "replicas: 3", "replicas: \"3\"")),
            "11:13 spec.replicas: must be an integer, not the string \"3\"\n");
  EXPECT_EQ(Errors(Replaced(kWeb, "replicas: 3", "replicas: 2.5")),
            "11:13 spec.replicas: must be a whole number, not 2.5\n");
  EXPECT_EQ(Errors(Replaced(kWeb, "replicas: 3", "replicas: 3000000000")),
            "11:13 spec.replicas: must fit in 32 bits, which 3000000000 does not\n");
  EXPECT_EQ(Errors(Replaced(kWeb, "value: info", "value: 8080")),
            "48:40 spec.template.spec.containers[0].env[0].value: must be a string, not the number "
            "8080; put it in quotes\n");
  EXPECT_EQ(Errors(Replaced(kWeb, "readOnly: true", "readOnly: \"yes\"")),
            "74:61 spec.template.spec.containers[0].volumeMounts[0].readOnly: must be true or "
            "false, not the string \"yes\"\n");
  EXPECT_EQ(Errors(Replaced(kWeb, "command: [/bin/migrate, --up]", "command: /bin/migrate")),
            "36:20 spec.template.spec.initContainers[0].command: must be a list, not the string "
            "\"/bin/migrate\"\n");
  EXPECT_EQ(Errors(Replaced(kWeb, "capabilities: {drop: [ALL]}", "capabilities: [drop]")),
            "72:27 spec.template.spec.containers[0].securityContext.capabilities: must be an "
            "object, not a list\n");
}

TEST(ValidateTest, EveryProblemIsReported) {
  EXPECT_EQ(Errors(R"(apiVersion: v1
kind: Pod
metadata:
  name: Web_1
spec:
  restartPolicy: Sometimes
  terminationGracePeriodSeconds: -1
  containers:
    - name: a
      image: ""
      ports: [{containerPort: 70000}]
    - image: busybox
      resources: {limits: {memory: lots}}
)"),
            "4:9 metadata.name: \"Web_1\" is not a DNS name (RFC 1123 subdomain): use lower-case "
            "letters, digits, '-' and '.', with a letter or digit at the ends and on both sides of "
            "every '.', at most 253 characters, like \"web-1.example.com\"\n"
            "6:18 spec.restartPolicy: must be one of Always, OnFailure, Never, not \"Sometimes\"\n"
            "7:34 spec.terminationGracePeriodSeconds: must be at least 0, not -1\n"
            "10:14 spec.containers[0].image: must not be empty\n"
            "11:31 spec.containers[0].ports[0].containerPort: must be between 1 and 65535, not "
            "70000\n"
            "12:7 spec.containers[1].name: is required; add it\n"
            "13:36 spec.containers[1].resources.limits[memory]: \"lots\" is not a quantity: write "
            "a number and, if you like, a unit: 500m, 2, 128Mi, 1Gi\n");
}

TEST(ValidateTest, WhatIsMissingIsReportedAtTheObjectThatLacksIt) {
  EXPECT_EQ(Errors("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n"),
            "1:1 spec: is required; add it\n");
  EXPECT_EQ(Errors("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: []}\n"),
            "4:20 spec.containers: must not be empty\n");
  EXPECT_EQ(Errors("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels: {a: b}\n"),
            "4:3 metadata.name: the object needs a name\n");
  EXPECT_EQ(Errors("apiVersion: v1\nkind: ConfigMap\ndata: {}\n"),
            "1:1 metadata.name: the object needs a name\n");
}

TEST(ValidateTest, ListsWithKeysRefuseEquals) {
  EXPECT_EQ(Errors(R"(apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  initContainers: [{name: c, image: i}]
  containers:
    - {name: a, image: i}
    - {name: a, image: i}
    - {name: c, image: i}
)"),
            "5:27 spec.initContainers[0].name: the name c is taken by one of containers\n"
            "8:7 spec.containers[1]: name a stands in the list twice\n");
}

TEST(ValidateTest, EqualsThatKubernetesAcceptsAreWarnedOf) {
  constexpr std::string_view kTwice = R"(apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: i
      env: [{name: X, value: a}, {name: X, value: b}]
)";
  EXPECT_EQ(Errors(kTwice), "");
  EXPECT_EQ(
      Warnings(kTwice),
      "8:34 spec.containers[0].env[1]: name X stands in the list twice; the last one counts\n");
}

TEST(ValidateTest, LabelsAndAnnotationsFollowTheirSyntax) {
  EXPECT_EQ(Errors("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
                   "  labels: {\"a b\": c, d: \"e f\"}\n  annotations: {\"g h\": \"any text\"}\n"),
            "5:12 metadata.labels: \"a b\" is not a qualified name: use letters, digits, '-', '_' "
            "and '.', with a letter or digit at both ends, at most 63 characters, and before it, "
            "if you like, a DNS name and '/', like \"example.com/tier\"\n"
            "5:25 metadata.labels[d]: \"e f\" is not a label value: leave it empty, or use "
            "letters, digits, '-', '_' and '.', with a letter or digit at both ends, at most 63 "
            "characters, like \"v1.2_blue\"\n"
            "6:17 metadata.annotations: \"g h\" is not a qualified name: use letters, digits, '-', "
            "'_' and '.', with a letter or digit at both ends, at most 63 characters, and before "
            "it, if you like, a DNS name and '/', like \"example.com/tier\"\n");
}

TEST(ValidateTest, AnnotationsHaveALimitInBytes) {
  Json object = Read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
  object["metadata"]["annotations"].Set("a", std::string((256u << 10) - 1, 'x'));
  EXPECT_EQ(Show(Validate(KindOf(object), object, UnknownFields::kError).errors), "");
  object["metadata"]["annotations"].Set("a", std::string(256u << 10, 'x'));
  EXPECT_EQ(Show(Validate(KindOf(object), object, UnknownFields::kError).errors),
            "0:0 metadata.annotations: the annotations have 262145 bytes, at most 262144 are "
            "allowed; use a ConfigMap\n");
}

TEST(ValidateTest, GenerateNameTakesTheNamesPlace) {
  EXPECT_EQ(Errors("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: web-}\n"), "");
}

TEST(ValidateTest, AClusterObjectHasNoNamespace) {
  EXPECT_EQ(Errors("apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}\n"),
            "3:32 metadata.namespace: a Namespace belongs to no namespace; remove this field\n");
}

TEST(ValidateTest, AFieldNotActedOnYetIsWarnedOf) {
  constexpr std::string_view kOdd = R"(apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  hostUsers: false
  setHostnameAsFQDN: true
  containers:
    - {name: a, image: i, resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]}
)";
  EXPECT_EQ(Errors(kOdd), "");
  EXPECT_EQ(Warnings(kOdd),
            "5:3 spec.hostUsers: accepted, but plumb does not act on this field yet\n"
            "6:3 spec.setHostnameAsFQDN: accepted, but plumb does not act on this field yet\n"
            "8:27 spec.containers[0].resizePolicy: accepted, but plumb does not act on this field "
            "yet\n");
}

TEST(ValidateTest, AFieldWithItsDefaultIsNotWarnedOf) {
  constexpr std::string_view kSource = R"(apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: a}
spec: {provider: generic, timeout: 60s, url: x, interval: 1m}
)";
  EXPECT_EQ(Warnings(kSource),
            "4:41 spec.url: accepted, but plumb does not act on this field yet\n"
            "4:49 spec.interval: accepted, but plumb does not act on this field yet\n");
}

TEST(ValidateTest, AFieldActedOnInPartIsWarnedOfWhereItMatters) {
  const auto service = [](const std::string& type) {
    return "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: " + type +
           ", ports: [{port: 80}]}\n";
  };
  EXPECT_EQ(Warnings(service("NodePort")), "");
  EXPECT_EQ(Warnings(service("LoadBalancer")),
            "4:8 spec.type: plumb does not act on all of this yet: no load balancer is made, the "
            "node ports are there\n");
}

TEST(ValidateTest, AStatusIsNeverWarnedOf) {
  constexpr std::string_view kPodWithStatus = R"(apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: a, image: i, resources: {claims: [{name: x}]}}]}
status: {resources: {claims: [{name: x}]}}
)";
  EXPECT_EQ(Warnings(kPodWithStatus),
            "4:53 spec.containers[0].resources.claims: accepted, but plumb does not act on this "
            "field yet\n");
}

TEST(ValidateTest, AnObjectReadBackFromPlumbCausesNoWarning) {
  for (const std::string_view text :
       {kWeb,
        std::string_view("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
                         "spec: {type: NodePort, ports: [{port: 80}]}\n"),
        std::string_view("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
                         "spec: {containers: [{name: a, image: i}]}\n")}) {
    Json object = Read(text);
    ApplyDefaults(KindOf(object), object);
    const Findings findings = Validate(KindOf(object), object, UnknownFields::kError);
    EXPECT_EQ(Show(findings.errors) + Show(findings.warnings), "");
  }
}

TEST(ValidateTest, AnObjectOfWrongShapesEverywhereIsReportedNotMisread) {
  EXPECT_EQ(Errors("apiVersion: v1\nkind: Service\nmetadata: []\nspec: 7\n"),
            "3:11 metadata: must be an object, not a list\n"
            "4:7 spec: must be an object, not the number 7\n");
}

TEST(ValidateTest, StatusNamesEveryCause) {
  const Json object = Read(
      "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web}\n"
      "spec: {replicas: -1, selector: {matchLabels: {a: b}}, "
      "template: {metadata: {labels: {a: b}}, spec: {containers: "
      "[{name: a, image: i, imagePullPolicy: Maybe}]}}}\n");
  const Findings findings = Validate(KindOf(object), object, UnknownFields::kError);
  const base::Status status = ToStatus(KindOf(object), "web", findings.errors);
  EXPECT_EQ(status.ToString(),
            "Invalid: ReplicaSet.apps \"web\" is invalid: [spec.replicas: must be at least 0, not "
            "-1, spec.template.spec.containers[0].imagePullPolicy: must be one of Always, Never, "
            "IfNotPresent, not \"Maybe\"]");
  ASSERT_EQ(status.causes().size(), 2u);
  EXPECT_EQ(status.causes()[1].field, "spec.template.spec.containers[0].imagePullPolicy");
  EXPECT_EQ(status.causes()[1].reason, "FieldValueNotSupported");
  EXPECT_TRUE(ToStatus(KindOf(object), "web", {}).ok());
}

TEST(ValidateTest, DropUnknownKeepsWhatTheSchemaKnows) {
  Json object = Read(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, x: 1}\n"
      "spec: {y: 2, containers: [{name: a, image: i, z: 3}], volumes: "
      "[{name: v, emptyDir: {w: 4}}]}\n");
  DropUnknown(KindOf(object), object);
  EXPECT_EQ(object.ToString(),
            R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":)"
            R"([{"image":"i","name":"a"}],"volumes":[{"emptyDir":{},"name":"v"}]}})");
}

TEST(ValidateUpdateTest, ASelectorCannotChange) {
  EXPECT_EQ(UpdateErrors(kWeb, Replaced(kWeb, "matchLabels: {app: web}", "matchLabels: {app: x}")),
            "14:5 spec.selector: field is immutable; delete the Deployment and create it anew to "
            "change it\n");
  EXPECT_EQ(UpdateErrors(kWeb, Replaced(kWeb, "replicas: 3", "replicas: 4")), "");
}

TEST(ValidateUpdateTest, IdentityCannotChangeButMayBeLeftOut) {
  constexpr std::string_view kBefore =
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: n, uid: u}\n";
  EXPECT_EQ(UpdateErrors(kBefore, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"), "");
  EXPECT_EQ(UpdateErrors(kBefore, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, uid: v}\n"),
            "3:18 metadata.name: field is immutable; it is \"a\", not \"b\"\n"
            "3:26 metadata.uid: field is immutable; it is \"u\", not \"v\"\n");
}

constexpr std::string_view kPod = R"(apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  terminationGracePeriodSeconds: 30
  containers: [{name: a, image: "i:1"}]
  tolerations: [{key: k, operator: Exists}]
)";

TEST(ValidateUpdateTest, APodCanChangeItsImageGraceAndFurtherTolerations) {
  EXPECT_EQ(UpdateErrors(kPod, Replaced(Replaced(kPod, "i:1", "i:2"), "Exists}",
                                        "Exists}, {key: l, operator: Exists}")),
            "");
  EXPECT_EQ(UpdateErrors(kPod, Replaced(kPod, "Seconds: 30", "Seconds: 5")), "");
}

TEST(ValidateUpdateTest, APodCanChangeNothingElse) {
  EXPECT_EQ(UpdateErrors(kPod, Replaced(kPod, "name: a, image", "command: [x], name: a, image")),
            "6:15 spec.containers: field is immutable in a pod that exists; only images, "
            "activeDeadlineSeconds, terminationGracePeriodSeconds and further tolerations can "
            "change; delete the pod and create it anew\n");
  EXPECT_EQ(UpdateErrors(kPod, Replaced(kPod, "[{key: k, operator: Exists}]", "[]")),
            "5:3 spec.tolerations: a toleration can be added to a pod, but not removed or "
            "changed\n");
}

TEST(ValidateUpdateTest, ASealedConfigMapKeepsItsContent) {
  constexpr std::string_view kSealed =
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nimmutable: true\ndata: {k: v}\n";
  EXPECT_EQ(UpdateErrors(kSealed, Replaced(kSealed, "k: v", "k: w")),
            "5:7 data: field is immutable because `immutable` is set; make an object of another "
            "name\n");
  EXPECT_EQ(UpdateErrors(kSealed, Replaced(kSealed, "immutable: true\n", "")),
            "1:1 immutable: field is immutable once it is true; delete the object instead\n");
  EXPECT_EQ(UpdateErrors(kSealed, Replaced(kSealed, "{name: a}", "{name: a, labels: {x: y}}")), "");
}

TEST(ValidateUpdateTest, AClusterIpStaysUnlessTheTypeGivesItUp) {
  constexpr std::string_view kService =
      "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
      "spec: {type: ClusterIP, clusterIP: 10.96.0.7, ports: [{port: 80}]}\n";
  EXPECT_EQ(UpdateErrors(kService, Replaced(kService, "10.96.0.7", "10.96.0.8")),
            "4:36 spec.clusterIP: field is immutable; it is 10.96.0.7; delete the Service and "
            "create it anew to change it\n");
  EXPECT_EQ(UpdateErrors(kService, Replaced(kService, "clusterIP: 10.96.0.7, ", "")), "");
  EXPECT_EQ(UpdateErrors(kService,
                         "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
                         "spec: {type: ExternalName, externalName: x.example}\n"),
            "");
}

TEST(ValidateUpdateTest, ASecretKeepsItsType) {
  EXPECT_EQ(UpdateErrors("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: Opaque\n",
                         "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: x.io/y\n"),
            "4:7 type: field is immutable; delete the Secret and create it anew to change it\n");
}

}  // namespace
}  // namespace manifests
