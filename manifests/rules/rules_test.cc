// One kind's rules a test: what is wrong, where, and what to do.
#include <gtest/gtest.h>

#include "manifests/validate.h"
#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

using base::Json;

// "field: message" a line.
std::string Errors(std::string_view text) {
  YamlFile file = ParseYaml(text);
  EXPECT_TRUE(file.errors.empty()) << file.errors[0].message;
  EXPECT_EQ(file.documents.size(), 1u);
  const Json object = file.documents.empty() ? Json() : std::move(file.documents[0]);
  const Kind* kind =
      Schema::BuiltIn()->FindKind(object["apiVersion"].AsString(), object["kind"].AsString());
  CHECK(kind != nullptr);
  std::string shown;
  for (const Problem& problem : Validate(*kind, object, UnknownFields::kError).errors) {
    EXPECT_NE(problem.mark.line, 0u) << problem.field << " has no place";
    shown += problem.field + ": " + problem.message + "\n";
  }
  return shown;
}

// Not operator+: gcc 12 sees phantom overlaps in it.
std::string Cat(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

std::string PodErrors(std::string_view spec) {
  return Errors(Cat({"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n", spec}));
}

std::string ContainerErrors(std::string_view fields) {
  return PodErrors(Cat({"  containers:\n  - name: a\n    image: i\n", fields}));
}

std::string DeploymentErrors(std::string_view spec) {
  return Errors(Cat({"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n", spec}));
}

std::string ServiceErrors(std::string_view spec) {
  return Errors(Cat({"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: ", spec, "\n"}));
}

constexpr std::string_view kTemplate =
    "  template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: i}]}}\n";

TEST(PodRulesTest, AMountNeedsItsVolume) {
  EXPECT_EQ(ContainerErrors("    volumeMounts: [{name: conf, mountPath: /etc/a}]\n"
                            "  volumes: [{name: config}]\n"),
            "spec.containers[0].volumeMounts[0].name: there is no volume conf; add it to the pod's "
            "volumes\n");
}

TEST(PodRulesTest, AffinityBetweenPodsHasReadableSelectorsAndKeys) {
  EXPECT_EQ(PodErrors("  containers: [{name: a, image: i}]\n"
                      "  affinity:\n"
                      "    podAffinity:\n"
                      "      requiredDuringSchedulingIgnoredDuringExecution:\n"
                      "      - topologyKey: zone\n"
                      "        matchLabelKeys: [rev]\n"
                      "      - topologyKey: zone\n"
                      "        labelSelector: {matchLabels: {rev: \"1\"}}\n"
                      "        matchLabelKeys: [rev]\n"
                      "        mismatchLabelKeys: [rev]\n"
                      "    podAntiAffinity:\n"
                      "      preferredDuringSchedulingIgnoredDuringExecution:\n"
                      "      - weight: 1\n"
                      "        podAffinityTerm:\n"
                      "          topologyKey: zone\n"
                      "          labelSelector: {matchExpressions: [{key: a, operator: In}]}\n"),
            "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"
            ".matchLabelKeys: needs a labelSelector beside it; add one or remove this\n"
            "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[1]"
            ".matchLabelKeys[0]: stands in labelSelector too; keep one of the two\n"
            "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[1]"
            ".mismatchLabelKeys[0]: stands in matchLabelKeys too; keep one of the two\n"
            "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]"
            ".podAffinityTerm.labelSelector.matchExpressions[0].values: operator In needs "
            "values\n");
}

TEST(PodRulesTest, FewestDomainsNeedAConstraintThatIsObeyed) {
  EXPECT_EQ(PodErrors("  containers: [{name: a, image: i}]\n"
                      "  topologySpreadConstraints:\n"
                      "  - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, "
                      "minDomains: 2}\n"),
            "spec.topologySpreadConstraints[0].minDomains: works with whenUnsatisfiable "
            "DoNotSchedule only; remove it\n");
}

TEST(PodRulesTest, MountPathsDiffer) {
  EXPECT_EQ(ContainerErrors("    volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /a}]"
                            "\n  volumes: [{name: v}]\n"),
            "spec.containers[0].volumeMounts[1]: mountPath /a stands in the list twice\n");
}

TEST(PodRulesTest, AVolumeHasOneSource) {
  EXPECT_EQ(ContainerErrors("  volumes:\n  - {name: v, emptyDir: {}, configMap: {}}\n"
                            "  - {name: w, secret: {}}\n"),
            "spec.volumes[0]: can have only one of configMap and emptyDir; remove the others\n"
            "spec.volumes[0].configMap.name: which ConfigMap? Name it here\n"
            "spec.volumes[1].secret.secretName: which Secret? Name it here\n");
}

TEST(PodRulesTest, AnEnvironmentVariableHasOneSource) {
  EXPECT_EQ(ContainerErrors(
                "    env:\n"
                "    - {name: A, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}\n"
                "    - {name: B, valueFrom: {}}\n"
                "    - {name: C, valueFrom: {fieldRef: {fieldPath: spec.colour}}}\n"
                "    - {name: D, valueFrom: {configMapKeyRef: {key: k}, secretKeyRef: {name: s, "
                "key: k}}}\n"
                "    - {name: E, valueFrom: {resourceFieldRef: {resource: cpu}}}\n"
                "    - {name: F=, value: x}\n"
                "    envFrom: [{prefix: P_}]\n"),
            "spec.containers[0].env[0].valueFrom: value is set too; keep one of the two\n"
            "spec.containers[0].env[1].valueFrom: needs one of configMapKeyRef, secretKeyRef, "
            "fieldRef, resourceFieldRef, fileKeyRef\n"
            "spec.containers[0].env[2].valueFrom.fieldRef.fieldPath: must be one of metadata.name, "
            "metadata.namespace, metadata.uid, spec.nodeName, spec.serviceAccountName, "
            "status.hostIP, status.hostIPs, status.podIP, status.podIPs, metadata.labels['KEY'], "
            "metadata.annotations['KEY']\n"
            "spec.containers[0].env[3].valueFrom: can have only one of configMapKeyRef and "
            "secretKeyRef; remove the others\n"
            "spec.containers[0].env[3].valueFrom.configMapKeyRef.name: which ConfigMap? Name it "
            "here\n"
            "spec.containers[0].env[4].valueFrom.resourceFieldRef.resource: must be limits. or "
            "requests. and one of cpu, memory, ephemeral-storage\n"
            "spec.containers[0].env[5].name: \"F=\" is not a name of an environment variable: use "
            "printable ASCII characters without '=', like \"LOG_LEVEL\"\n"
            "spec.containers[0].envFrom[0]: needs one of configMapRef, secretRef\n");
}

TEST(PodRulesTest, AProbeHasOneHandler) {
  EXPECT_EQ(ContainerErrors("    livenessProbe: {successThreshold: 2, tcpSocket: {port: 80}}\n"
                            "    readinessProbe: {periodSeconds: 3}\n"
                            "    startupProbe: {exec: {}, httpGet: {port: 70000}}\n"),
            "spec.containers[0].livenessProbe.successThreshold: must be 1 for liveness and startup "
            "probes\n"
            "spec.containers[0].readinessProbe: needs one of exec, httpGet, tcpSocket, grpc\n"
            "spec.containers[0].startupProbe: can have only one of exec and httpGet; remove the "
            "others\n"
            "spec.containers[0].startupProbe.exec.command: which command? List its words here\n"
            "spec.containers[0].startupProbe.httpGet.port: must be between 1 and 65535, not "
            "70000\n");
}

TEST(PodRulesTest, RequestsStayWithinLimits) {
  EXPECT_EQ(ContainerErrors("    resources:\n"
                            "      requests: {cpu: 2, memory: 1Gi, gpu: 1, example.com/gpu: 500m}\n"
                            "      limits: {cpu: 1500m, memory: 1024Mi, ephemeral-storage: -1}\n"),
            "spec.containers[0].resources.requests[cpu]: 2 is more than the limit, 1500m\n"
            "spec.containers[0].resources.requests[gpu]: is no resource: use cpu, memory, "
            "ephemeral-storage, or a name with a domain, like example.com/gpu\n"
            "spec.containers[0].resources.requests[example.com/gpu]: must be a whole number\n"
            "spec.containers[0].resources.limits[ephemeral-storage]: must not be negative\n");
}

TEST(PodRulesTest, PortNamesAndHostPortsDiffer) {
  EXPECT_EQ(ContainerErrors("    ports:\n"
                            "    - {name: http, containerPort: 80, hostPort: 80}\n"
                            "    - {name: http, containerPort: 81, hostPort: 80}\n"),
            "spec.containers[0].ports[1].name: the name http is used twice\n"
            "spec.containers[0].ports[1].hostPort: the host port 80 is used twice\n");
}

TEST(PodRulesTest, AnInitContainerIsNotProbed) {
  EXPECT_EQ(PodErrors("  initContainers:\n"
                      "  - {name: i, image: i, livenessProbe: {tcpSocket: {port: 1}}}\n"
                      "  - {name: s, image: i, restartPolicy: Always, readinessProbe: {tcpSocket: "
                      "{port: 1}}}\n"
                      "  containers: [{name: a, image: i}]\n"),
            "spec.initContainers[0].livenessProbe: an init container runs once and ends; remove "
            "this field\n");
}

TEST(PodRulesTest, TolerationsAndAffinityMakeSense) {
  EXPECT_EQ(ContainerErrors(
                "  tolerations:\n"
                "  - {operator: Equal}\n"
                "  - {key: a, operator: Exists, value: b}\n"
                "  - {key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 1}\n"
                "  affinity:\n    nodeAffinity:\n"
                "      requiredDuringSchedulingIgnoredDuringExecution:\n"
                "        nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In}, {key: b, "
                "operator: Gt, values: [x]}, {key: c, operator: Exists, values: [z]}]}]\n"),
            "spec.tolerations[0].operator: without a key it must be Exists\n"
            "spec.tolerations[1].value: operator Exists takes no value; remove it\n"
            "spec.tolerations[2].effect: tolerationSeconds needs the effect NoExecute\n"
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
            "nodeSelectorTerms[0].matchExpressions[0].values: operator In needs values\n"
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
            "nodeSelectorTerms[0].matchExpressions[1].values: operator Gt needs one integer, as a "
            "string\n"
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
            "nodeSelectorTerms[0].matchExpressions[2].values: operator Exists takes no values\n");
}

TEST(WorkloadRulesTest, ASelectorFindsItsTemplatesPods) {
  EXPECT_EQ(DeploymentErrors(Cat({"  selector: {matchLabels: {app: b}}\n", kTemplate})),
            "spec.template.metadata.labels: the selector (app=b) does not find these pods; give "
            "the template the labels that it asks for\n");
  EXPECT_EQ(
      DeploymentErrors(Cat({"  selector: {matchExpressions: [{key: app, operator: In, values: "
                            "[a]}]}\n",
                            kTemplate})),
      "");
}

TEST(WorkloadRulesTest, ASelectorIsRequiredAndNotEmpty) {
  EXPECT_EQ(DeploymentErrors(kTemplate), "spec.selector: is required; add it\n");
  EXPECT_EQ(DeploymentErrors(Cat({"  selector: {}\n", kTemplate})),
            "spec.selector: an empty selector would find every pod; set matchLabels\n");
}

TEST(WorkloadRulesTest, ATemplatesPodsAreKeptRunning) {
  EXPECT_EQ(DeploymentErrors("  selector: {matchLabels: {app: a}}\n"
                             "  template: {metadata: {labels: {app: a}}, spec: {restartPolicy: "
                             "Never, containers: [{name: a, image: i}]}}\n"),
            "spec.template.spec.restartPolicy: must be Always here, because the pods are kept "
            "running\n");
}

TEST(WorkloadRulesTest, AReplicationControllersSelectorIsAMap) {
  const auto errors = [](std::string_view spec) {
    return Errors(
        Cat({"apiVersion: v1\nkind: ReplicationController\nmetadata: {name: a}\nspec:\n", spec}));
  };
  EXPECT_EQ(errors(Cat({"  selector: {app: a}\n", kTemplate})), "");
  EXPECT_EQ(errors(Cat({"  selector: {app: b}\n", kTemplate})),
            "spec.template.metadata.labels: the selector (app=b) does not find these pods; give "
            "the template the labels that it asks for\n");
  EXPECT_EQ(errors(kTemplate),
            "spec.selector: an empty selector would find every pod; give it, or the template, "
            "labels\n");
}

TEST(WorkloadRulesTest, ADaemonSetHasEitherNoPodForAWhileOrTwo) {
  const auto errors = [](std::string_view strategy) {
    return Errors(
        Cat({"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: a}\nspec:\n"
             "  selector: {matchLabels: {app: a}}\n",
             kTemplate, "  updateStrategy: ", strategy, "\n"}));
  };
  const std::string at = "spec.updateStrategy.rollingUpdate";
  EXPECT_EQ(errors("{}"), "");
  EXPECT_EQ(errors("{rollingUpdate: {maxSurge: 10%, maxUnavailable: 0}}"), "");
  EXPECT_EQ(errors("{rollingUpdate: {maxSurge: 1}}"),
            at + ".maxSurge: cannot be set beside maxUnavailable; set that to 0\n");
  EXPECT_EQ(errors("{rollingUpdate: {maxUnavailable: 0%}}"),
            at + ".maxSurge: cannot be 0 when maxUnavailable is 0 too: no pod could ever be "
                 "replaced\n");
  EXPECT_EQ(errors("{rollingUpdate: {maxUnavailable: many}}"),
            at + ".maxUnavailable: must be a number or a percentage like 25%\n");
  EXPECT_EQ(errors("{type: OnDelete, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}"),
            at + ": has no meaning with type OnDelete; remove it\n");
}

TEST(WorkloadRulesTest, ARollingUpdateCanMove) {
  const std::string head = Cat({"  selector: {matchLabels: {app: a}}\n", kTemplate});
  EXPECT_EQ(DeploymentErrors(Cat({head,
                                  "  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: "
                                  "0%}}\n"})),
            "spec.strategy.rollingUpdate.maxUnavailable: cannot be 0 when maxSurge is 0 too: no "
            "pod could ever be replaced\n");
  EXPECT_EQ(DeploymentErrors(Cat({head,
                                  "  strategy: {rollingUpdate: {maxSurge: lots, "
                                  "maxUnavailable: 120%}}\n"})),
            "spec.strategy.rollingUpdate.maxSurge: must be a number or a percentage like 25%\n"
            "spec.strategy.rollingUpdate.maxUnavailable: must be at most 100%\n");
  EXPECT_EQ(DeploymentErrors(Cat({head, "  strategy: {type: Recreate, rollingUpdate: {}}\n"})),
            "spec.strategy.rollingUpdate: has no meaning with type Recreate; remove it\n");
  EXPECT_EQ(DeploymentErrors(Cat({head, "  minReadySeconds: 60\n  progressDeadlineSeconds: 60\n"})),
            "spec.progressDeadlineSeconds: must be more than minReadySeconds\n");
}

TEST(ServiceRulesTest, PortsAreNeededUnlessHeadlessOrExternal) {
  EXPECT_EQ(ServiceErrors("{selector: {app: a}}"),
            "spec.ports: a Service needs at least one port\n");
  EXPECT_EQ(ServiceErrors("{selector: {app: a}, clusterIP: None}"), "");
  EXPECT_EQ(ServiceErrors("{type: ExternalName, externalName: db.example.com.}"), "");
  EXPECT_EQ(ServiceErrors("{type: ExternalName}"),
            "spec.externalName: an ExternalName Service needs the name it stands for\n");
}

TEST(ServiceRulesTest, SeveralPortsAreToldApart) {
  EXPECT_EQ(ServiceErrors("{ports: [{port: 80}, {name: a, port: 81}, {name: a, port: 82}, {name: "
                          "b, port: 81, protocol: TCP}]}"),
            "spec.ports[0].name: each of several ports needs a name\n"
            "spec.ports[2].name: the name a is used twice\n"
            "spec.ports[3]: port 81, protocol TCP stands in the list twice\n");
}

TEST(ServiceRulesTest, AddressesFitTheType) {
  EXPECT_EQ(ServiceErrors("{clusterIP: 10.96.1, ports: [{port: 80, nodePort: 30080}]}"),
            "spec.clusterIP: must be None or an IP address; leave it out to be given one\n"
            "spec.ports[0].nodePort: needs the type NodePort or LoadBalancer\n");
}

TEST(ConfigRulesTest, KeysAndSizeAreLimited) {
  EXPECT_EQ(Errors("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
                   "data: {\"a/b\": x, c: z}\nbinaryData: {c: AAAA, d: \"%%\"}\n"),
            "data[a/b]: \"a/b\" is not a key of a ConfigMap or Secret: use letters, digits, '-', "
            "'_' and '.', at most 253 characters, not \".\" and with no \"..\" at the start, like "
            "\"app.conf\"\n"
            "binaryData[c]: the key stands in data too\n"
            "binaryData[d]: is not base64: encode the bytes (base64 -w0), or use a field for plain "
            "text\n");
  EXPECT_EQ(Errors(Cat({"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: ",
                        std::string((1u << 20) + 1, 'x'), "}\n"})),
            "data: the values have 1048577 bytes, at most 1048576 are allowed\n");
}

TEST(ConfigRulesTest, ASecretHasTheKeysOfItsType) {
  EXPECT_EQ(Errors("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: kubernetes.io/tls\n"
                   "data: {tls.crt: AAAA}\n"),
            "data: a Secret of type kubernetes.io/tls needs tls.key\n");
  EXPECT_EQ(Errors("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"
                   "type: kubernetes.io/basic-auth\nstringData: {password: x}\n"),
            "");
  EXPECT_EQ(Errors("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: secret!}\n"),
            "data[a]: is not base64: encode the bytes (base64 -w0), or use a field for plain "
            "text\n");
}

TEST(ClusterRulesTest, ALimitRangeCanHold) {
  EXPECT_EQ(Errors("apiVersion: v1\nkind: LimitRange\nmetadata: {name: a}\nspec:\n  limits:\n"
                   "  - {type: Container, min: {cpu: 2}, max: {cpu: 1}, default: {memory: 1Gi}, "
                   "defaultRequest: {memory: 2Gi}}\n"
                   "  - {type: Pod, default: {cpu: 1}}\n"
                   "  - {type: Container}\n"),
            "spec.limits[0].min[cpu]: 2 is more than max, 1\n"
            "spec.limits[0].defaultRequest[memory]: 2Gi is more than default, 1Gi\n"
            "spec.limits[1].default: has no meaning for type Pod; use type Container\n"
            "spec.limits[2].type: there are two items of type Container\n");
}

TEST(ClusterRulesTest, AQuotaCountsFromZero) {
  EXPECT_EQ(Errors("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: a}\n"
                   "spec: {hard: {requests.cpu: 4, pods: \"-1\", count/deployments.apps: 5}}\n"),
            "spec.hard[pods]: must not be negative\n");
}

TEST(ClusterRulesTest, ANodesTaintsDiffer) {
  EXPECT_EQ(Errors("apiVersion: v1\nkind: Node\nmetadata: {name: a}\nspec:\n  taints: [{key: a, "
                   "effect: NoSchedule}, {key: a, effect: NoExecute}, {key: a, effect: "
                   "NoSchedule}]\n"),
            "spec.taints[2]: there are two taints a:NoSchedule\n");
}

TEST(EndpointSliceRulesTest, AddressesAreOfTheirType) {
  EXPECT_EQ(Errors("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a}\n"
                   "addressType: IPv4\nports: [{port: 80}, {port: 81}]\n"
                   "endpoints: [{addresses: [10.0.0.1, \"2001:db8::1\", web]}]\n"),
            "ports[1].name: each port needs a name of its own\n"
            "endpoints[0].addresses[1]: must be an IPv4 address, as addressType says\n"
            "endpoints[0].addresses[2]: must be an IPv4 address, as addressType says\n");
}

// What a write takes, a restore takes.
TEST(FluxRulesTest, AHostedRepositoryHasANameAndABranchThatCanBeMade) {
  const auto errors = [](std::string_view name, std::string_view ns, std::string_view branch) {
    return Errors(Cat(
        {"apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: "
         "{name: ",
         name, ", namespace: ", ns,
         "}\nspec: {interval: 1m, url: \"https://x/a.git\", ref: {branch: \"", branch, "\"}}\n"}));
  };
  const std::string no_branch =
      "spec.ref.branch: it cannot name a branch; use a name that git check-ref-format accepts, "
      "such "
      "as main\n";
  EXPECT_EQ(errors("shop", "plumb-system", "main"), "");
  EXPECT_EQ(errors("shop", "plumb-system", ""), "");
  EXPECT_EQ(errors("shop", "plumb-system", "release/1.0"), "");
  for (const std::string_view branch :
       {"a b", "a..b", "a.lock", "/a", "a/", "a//b", ".a", "a/.b", "a~1", "a^", "a:b", "a?", "a*",
        "a[", "a\\\\b", "a@{0}", "a.", "a\\u0007", "a\\x7f"}) {
    EXPECT_EQ(errors("shop", "plumb-system", branch), no_branch) << branch;
    EXPECT_EQ(errors("my.repo", "default", branch), no_branch) << branch;
  }
  EXPECT_EQ(errors("shop", "plumb-system", std::string(230, 'a')), no_branch);
  EXPECT_EQ(errors("shop", "plumb-system", "plumb/status"),
            "spec.ref.branch: plumb writes this branch itself; deploy another one\n");
  EXPECT_EQ(errors("my.repo", "plumb-system", "main"),
            "metadata.name: it becomes a repository's name: use at most 63 lower-case letters, "
            "digits and '-', with a letter or digit at both ends\n");
  EXPECT_EQ(errors("my.repo", "default", "main"), "");
}

TEST(FluxRulesTest, AGitRepositoryIsReachedByHttpOrSsh) {
  constexpr std::string_view kHead =
      "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: a}\n";
  EXPECT_EQ(Errors(Cat({kHead, "spec: {url: /srv/a.git, interval: 5}\n"})),
            "spec.url: must start with https://, http:// or ssh://\n"
            "spec.interval: must be a duration like 1m30s, not the number 5\n");
  EXPECT_EQ(Errors(Cat({kHead,
                        "spec: {url: \"ssh://git@example.com/a\", interval: 1m, "
                        "ref: {branch: main}}\n"})),
            "");
}

TEST(FluxRulesTest, AKustomizationNamesItsSource) {
  EXPECT_EQ(Errors("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
                   "metadata: {name: a}\nspec: {interval: 10x, prune: true, sourceRef: {kind: Git, "
                   "name: a}}\n"),
            "spec.interval: \"10x\" is not a duration: write numbers with units: 300ms, 1m30s, "
            "2h\n"
            "spec.sourceRef.kind: must be one of GitRepository, OCIRepository, Bucket, "
            "ExternalArtifact, not \"Git\"\n");
}

TEST(FluxRulesTest, WhatIsNotActedOnDrawsAWarning) {
  const auto warnings = [](std::string_view yaml) {
    const Json object = ParseYaml(yaml).documents.at(0);
    const Kind* kind =
        Schema::BuiltIn()->FindKind(object["apiVersion"].AsString(), object["kind"].AsString());
    std::string text;
    for (const Problem& warning : Validate(*kind, object, UnknownFields::kError).warnings) {
      text += warning.field + ": " + warning.message + "\n";
    }
    return text;
  };
  EXPECT_EQ(warnings("apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\n"
                     "metadata: {name: a}\nspec: {providerRef: {name: p}, eventSources: "
                     "[{kind: Kustomization, name: b}, {kind: Bucket, name: b}]}\n"),
            "spec.eventSources[1].kind: only Kustomization, a repository's deploys, is acted on\n");
}

// "field: message" a line.
std::string Warnings(std::string_view spec) {
  const YamlFile file =
      ParseYaml(Cat({"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n", spec}));
  EXPECT_TRUE(file.errors.empty()) << spec;
  std::string shown;
  for (const Problem& problem : Validate(*Schema::BuiltIn()->FindKind("v1", "Pod"),
                                         file.documents.at(0), UnknownFields::kError)
                                    .warnings) {
    EXPECT_NE(problem.mark.line, 0u) << problem.field << " has no place";
    shown += problem.field + ": " + problem.message + "\n";
  }
  return shown;
}

std::string ContainerWarnings(std::string_view fields) {
  return Warnings(Cat({"  containers:\n  - name: a\n    image: i\n", fields}));
}

TEST(PodRulesTest, BytesThatNothingStartsInAreWarnedOf) {
  EXPECT_EQ(
      ContainerWarnings("    resources: {limits: {memory: 256m}, requests: {memory: 128m}}\n"
                        "  volumes: [{name: v, emptyDir: {sizeLimit: 512}}]\n"),
      "spec.containers[0].resources.limits[memory]: fractional byte value \"256m\" is "
      "invalid, must be an integer: m is a thousandth of a byte; did you mean 256M or 256Mi?\n"
      "spec.containers[0].resources.requests[memory]: fractional byte value \"128m\" is "
      "invalid, must be an integer: m is a thousandth of a byte; did you mean 128M or 128Mi?\n"
      "spec.volumes[0].emptyDir.sizeLimit: plumb does not act on all of this yet: a volume on "
      "disk is not limited\n"
      "spec.volumes[0].emptyDir.sizeLimit: 512 is 512 bytes, too few for anything; did you "
      "mean 512Mi?\n");
  EXPECT_EQ(ContainerWarnings("    resources: {limits: {cpu: 256m, memory: 256Mi}}\n"), "");
}

TEST(PodRulesTest, WhatANodeCannotAskIsWarnedOf) {
  EXPECT_EQ(
      ContainerWarnings("    livenessProbe: {httpGet: {port: 80, host: web.shop, path: \"/a b\", "
                        "httpHeaders: [{name: \"A:\", value: b}]}}\n"
                        "    readinessProbe: {tcpSocket: {port: 80, host: db}}\n"
                        "    startupProbe: {httpGet: {port: 80, host: 10.0.0.1, path: /a}}\n"),
      "spec.containers[0].livenessProbe.httpGet.host: a node asks addresses, not names: write "
      "an IP address, or leave it out for the pod's own; a name of a virtual host is the "
      "header Host of httpHeaders\n"
      "spec.containers[0].livenessProbe.httpGet.path: a request's path has printable ASCII "
      "characters without spaces; write others as %20 and the like\n"
      "spec.containers[0].livenessProbe.httpGet.httpHeaders[0].name: is no name of a header\n"
      "spec.containers[0].readinessProbe.tcpSocket.host: a node asks addresses, not names: "
      "write an IP address, or leave it out for the pod's own; a name of a virtual host is "
      "the header Host of httpHeaders\n");
}

TEST(PodRulesTest, FilesOfAPodHoldNoLinesButTheirOwn) {
  EXPECT_EQ(PodErrors("  containers: [{name: a, image: i}]\n"
                      "  hostAliases: [{ip: 10.0.0.1, hostnames: [\"a\\n1.2.3.4 b\"]}]\n")
                .substr(0, 36),
            "spec.hostAliases[0].hostnames[0]: \"a");
  EXPECT_EQ(PodErrors("  containers: [{name: a, image: i}]\n"
                      "  volumes: [{name: v, configMap: {name: c, items: [{key: k, path: "
                      "..data}]}}]\n")
                .substr(0, 48),
            "spec.volumes[0].configMap.items[0].path: \"..data");
}

TEST(PodRulesTest, ManyMountsOfManyVolumesAreFound) {
  std::string mounts, volumes;
  for (int i = 0; i < 5'000; ++i) {
    const std::string n = std::to_string(i);
    mounts += (i > 0 ? ", " : "") + ("{name: v" + n + ", mountPath: /m" + n + "}");
    volumes += (i > 0 ? ", " : "") + ("{name: v" + n + ", emptyDir: {}}");
  }
  EXPECT_EQ(ContainerErrors("    volumeMounts: [" + mounts + "]\n  volumes: [" + volumes + "]\n"),
            "");
}

TEST(ServiceRulesTest, EndpointsAndExternalAddressesAreThoseOfHosts) {
  EXPECT_EQ(ServiceErrors("{ports: [{port: 80}], externalIPs: [127.0.0.1, 10.0.0.1, ff02::1]}"),
            "spec.externalIPs[0]: 127.0.0.1 is a loopback address; name one of a host\n"
            "spec.externalIPs[2]: ff02::1 is a multicast address; name one of a host\n");
  EXPECT_EQ(Errors("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a}\n"
                   "addressType: IPv4\nendpoints: [{addresses: [169.254.169.254]}, {addresses: "
                   "[10.0.0.1]}, {addresses: [0.0.0.0]}]\n"),
            "endpoints[0].addresses[0]: 169.254.169.254 is a link-local address, as of a cloud's "
            "metadata; name one of a host\n"
            "endpoints[2].addresses[0]: 0.0.0.0 is the unspecified address; name one of a host\n");
}

TEST(ServiceRulesTest, ANodePortIsOneOfAProtocol) {
  EXPECT_EQ(ServiceErrors("{type: NodePort, ports: [{name: a, port: 53, protocol: TCP, nodePort: "
                          "30053}, {name: b, port: 53, protocol: UDP, nodePort: 30053}]}"),
            "");
}

}  // namespace
}  // namespace manifests
