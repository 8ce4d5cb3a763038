// What stands in the entries of kinds/all.cc, beside what tables_test and health_test look at.
#include "manifests/kinds/kind_facts.h"

#include <gtest/gtest.h>

#include <set>

#include "manifests/kinds/pod.h"
#include "manifests/schema.h"
#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

base::Json Read(std::string_view yaml) {
  const YamlFile file = ParseYaml(yaml);
  for (const auto& error : file.errors) ADD_FAILURE() << error.message << "\n" << yaml;
  return file.documents.at(0);
}

// Each reference a line: "spec.x: Secret a[key]?", in the order of the walk.
template <typename V>
std::string References(std::string_view resource, const V& object) {
  std::string text;
  ForEachReference(resource, object, [&](const Reference& reference) {
    text += reference.field->ToString() + ": " + std::string(reference.kind) + " " +
            std::string(reference.name);
    if (!reference.key.empty()) text += "[" + std::string(reference.key) + "]";
    text += reference.optional ? "?\n" : "\n";
  });
  return text;
}

TEST(KindFactsTest, EveryEntryIsOfAKindThatIsServedAndStandsOnce) {
  const auto schema = Schema::BuiltIn();
  std::set<std::string_view> seen;
  for (const KindFacts* facts : AllKinds()) {
    EXPECT_NE(schema->FindByResource(facts->resource), nullptr) << facts->resource;
    EXPECT_TRUE(seen.insert(facts->resource).second) << facts->resource;
  }
}

TEST(KindFactsTest, CellsHaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const KindFacts* facts : AllKinds()) {
    for (const NamedCell& cell : facts->cells) {
      EXPECT_TRUE(names.insert(cell.name).second) << cell.name;
    }
  }
}

TEST(KindFactsTest, WhatOthersNeedIsAppliedFirst) {
  const auto before = [](std::string_view a, std::string_view b) { return RankOf(a) < RankOf(b); };
  EXPECT_TRUE(before("namespaces", "resourcequotas"));
  EXPECT_TRUE(before("serviceaccounts", "secrets"));
  EXPECT_TRUE(before("configmaps", "deployments.apps"));
  EXPECT_TRUE(before("services", "deployments.apps"));
  EXPECT_TRUE(before("daemonsets.apps", "pods"));
  EXPECT_TRUE(before("ingressclasses.networking.k8s.io", "ingresses.networking.k8s.io"));
  EXPECT_TRUE(before("ingresses.networking.k8s.io", "widgets.example.com"));
}

TEST(KindFactsTest, AKindWithoutAnEntryHasTheDefault) {
  const KindFacts& facts = FactsOf("widgets.example.com");
  EXPECT_EQ(facts.resource, "");
  EXPECT_TRUE(facts.judged);
  EXPECT_FALSE(facts.settled);
}

TEST(KindFactsTest, APodNamesWhatItReads) {
  constexpr std::string_view kPod = R"(
spec:
  serviceAccountName: robot
  imagePullSecrets: [{name: pull}, {name: ""}]
  volumes:
  - {name: a, secret: {secretName: s, optional: true}}
  - {name: b, configMap: {name: c}}
  - {name: d, projected: {sources: [{secret: {name: p}}, {configMap: {name: q, optional: true}}]}}
  - {name: e, persistentVolumeClaim: {claimName: disk}}
  initContainers: [{envFrom: [{secretRef: {name: i}}]}]
  containers:
  - env:
    - {name: X, valueFrom: {configMapKeyRef: {name: c, key: k}}}
    - {name: Y, valueFrom: {secretKeyRef: {name: s, key: l, optional: true}}}
  ephemeralContainers: [{envFrom: [{configMapRef: {name: f}}]}]
)";
  const base::Json pod = Read(kPod);
  EXPECT_EQ(References("pods", pod),
            "spec.serviceAccountName: ServiceAccount robot\n"
            "spec.initContainers[0].envFrom[0].secretRef.name: Secret i\n"
            "spec.containers[0].env[0].valueFrom.configMapKeyRef.name: ConfigMap c[k]\n"
            "spec.containers[0].env[1].valueFrom.secretKeyRef.name: Secret s[l]?\n"
            "spec.ephemeralContainers[0].envFrom[0].configMapRef.name: ConfigMap f\n"
            "spec.volumes[0].secret.secretName: Secret s?\n"
            "spec.volumes[1].configMap.name: ConfigMap c\n"
            "spec.volumes[2].projected.sources[0].secret.name: Secret p\n"
            "spec.volumes[2].projected.sources[1].configMap.name: ConfigMap q?\n"
            "spec.volumes[3].persistentVolumeClaim.claimName: PersistentVolumeClaim disk\n"
            "spec.imagePullSecrets[0].name: Secret pull\n");
  // As it is stored it names the same.
  EXPECT_EQ(References("pods", base::Document(pod).root()), References("pods", pod));
}

TEST(KindFactsTest, AReferenceKnowsWhereItStands) {
  const base::Json pod = Read("spec:\n  serviceAccountName: robot\n");
  ForEachReference("pods", pod, [](const Reference& reference) {
    EXPECT_EQ(reference.mark, (base::Mark{2, 23}));
  });
}

TEST(KindFactsTest, AnyTemplateNamesWhatItsPodsDo) {
  EXPECT_EQ(
      References("deployments.apps", Read("{spec: {template: {spec: {serviceAccountName: a}}}}")),
      "spec.template.spec.serviceAccountName: ServiceAccount a\n");
  EXPECT_EQ(References("cronjobs.batch", Read("{spec: {jobTemplate: {spec: {template: {spec: "
                                              "{serviceAccountName: a}}}}}}")),
            "spec.jobTemplate.spec.template.spec.serviceAccountName: ServiceAccount a\n");
  EXPECT_EQ(References("configmaps", Read("{data: {a: b}}")), "");
}

TEST(KindFactsTest, AnIngressNamesItsServicesAndCertificates) {
  constexpr std::string_view kIngress = R"(
spec:
  defaultBackend: {service: {name: fallback}}
  tls: [{secretName: cert}, {hosts: [a.example]}]
  rules:
  - http: {paths: [{backend: {service: {name: web}}}, {backend: {resource: {name: bucket}}}]}
  - {host: b.example}
)";
  EXPECT_EQ(References("ingresses.networking.k8s.io", Read(kIngress)),
            "spec.defaultBackend.service.name: Service fallback\n"
            "spec.rules[0].http.paths[0].backend.service.name: Service web\n"
            "spec.tls[0].secretName: Secret cert?\n");
}

TEST(KindFactsTest, NotesSayWhatAPersonWantsToKnow) {
  const auto notes = [](std::string_view resource, std::string_view yaml) {
    std::string text;
    for (const std::string& note : NotesOf(resource, base::Document(Read(yaml)).root())) {
      text += (text.empty() ? "" : ", ") + note;
    }
    return text;
  };
  EXPECT_EQ(notes("pods",
                  "{kind: Pod, spec: {nodeName: n1}, status: {podIP: 10.88.0.4, containerStatuses: "
                  "[{restartCount: 1}, {restartCount: 2}]}}"),
            "n1, 10.88.0.4, 3 restarts");
  EXPECT_EQ(notes("services", "{spec: {clusterIP: 10.96.0.7}}"), "10.96.0.7");
  EXPECT_EQ(notes("deployments.apps",
                  "{spec: {template: {spec: {containers: [{image: 'a:1'}, {image: 'b:2'}]}}}}"),
            "a:1, b:2");
  EXPECT_EQ(notes("configmaps", "{data: {a: b}}"), "");
}

TEST(KindFactsTest, ADeletionLeavesARunningPodItsGracePeriod) {
  const auto grace = [](std::string_view yaml) {
    return FactsOf("pods").lifecycle.grace_seconds(base::Document(Read(yaml)).root());
  };
  EXPECT_EQ(grace("{spec: {nodeName: n1, terminationGracePeriodSeconds: 5}}"), 5);
  EXPECT_EQ(grace("{spec: {nodeName: n1}}"), 30);
  EXPECT_EQ(grace("{spec: {}}"), std::nullopt);
  EXPECT_EQ(grace("{spec: {nodeName: n1}, status: {phase: Succeeded}}"), std::nullopt);
}

TEST(KindFactsTest, WorkloadsAskForPods) {
  const auto count = [](std::string_view resource, std::string_view yaml) -> int64_t {
    const base::Document object(Read(yaml));
    const auto pods = FactsOf(resource).pods(object.root());
    return pods ? pods->count : 0;
  };
  EXPECT_EQ(count("deployments.apps", "{spec: {replicas: 3}}"), 3);
  EXPECT_EQ(count("replicasets.apps", "{spec: {}}"), 1);
  EXPECT_EQ(count("replicationcontrollers", "{spec: {replicas: 2}}"), 2);
  EXPECT_EQ(count("deployments.apps",
                  "{metadata: {deletionTimestamp: '2026-11-22T12:00:00Z'}, spec: {replicas: 3}}"),
            0);
  EXPECT_EQ(count("pods", "{spec: {}}"), 1);
  EXPECT_EQ(count("pods", "{spec: {}, status: {phase: Failed}}"), 0);
  // As many as there are nodes for it, which it does not know.
  EXPECT_EQ(FactsOf("daemonsets.apps").pods, nullptr);
}

TEST(KindFactsTest, QuotasCountAmounts) {
  const auto amounts = [](std::string_view resource, std::string_view yaml) {
    ResourceList list;
    FactsOf(resource).quota_amounts(Read(yaml), list);
    std::string text;
    for (const auto& [name, amount] : list) text += name + "=" + amount.ToHuman() + " ";
    return text;
  };
  EXPECT_EQ(amounts("pods",
                    "{spec: {containers: [{resources: {requests: {cpu: 1}, limits: {memory: 1Gi}}},"
                    " {resources: {requests: {cpu: 2}}}]}}"),
            "cpu=3 limits.memory=1Gi requests.cpu=3 ");
  EXPECT_EQ(amounts("services", "{spec: {type: NodePort, ports: [{port: 80}, {port: 443}]}}"),
            "services.nodeports=2 ");
  EXPECT_EQ(amounts("services", "{spec: {type: ClusterIP, ports: [{port: 80}]}}"), "");
}

TEST(PodTest, WhereAPodsSpecStands) {
  const auto image = [](std::string_view yaml) {
    return std::string(PodSpecOf(Read(yaml))["image"].AsString());
  };
  EXPECT_EQ(image("{kind: Pod, spec: {image: a}}"), "a");
  EXPECT_EQ(image("{kind: Deployment, spec: {template: {spec: {image: b}}}}"), "b");
  EXPECT_EQ(image("{kind: CronJob, spec: {jobTemplate: {spec: {template: {spec: {image: c}}}}}}"),
            "c");
  EXPECT_TRUE(PodSpecOf(Read("{kind: ConfigMap, data: {}}")).IsNull());
}

}  // namespace
}  // namespace manifests
