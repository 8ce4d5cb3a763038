#include <gtest/gtest.h>

#include "base/rng.h"
#include "manifests/patch/patch.h"
#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

using base::Json;

Json Parsed(std::string_view text) {
  const YamlFile file = ParseYaml(text);
  EXPECT_TRUE(file.errors.empty()) << text;
  return file.documents.empty() ? Json::MakeObject() : file.documents[0];
}

const Message& Find(std::string_view group, std::string_view name) {
  const Message* message = Schema::BuiltIn()->FindMessage(group, name);
  CHECK(message != nullptr);
  return *message;
}

struct MergeCase {
  std::string original;
  std::string modified;
  std::string current;
  std::string expected;  // "applied": nothing changes
};

void Check(const Message& message, const std::vector<MergeCase>& cases) {
  for (const MergeCase& c : cases) {
    const Json original = Parsed(c.original);
    const Json modified = Parsed(c.modified);
    const Json current = Parsed(c.current);
    const Json merged = ThreeWayMerge(message, original, modified, current);
    const bool applied = IsApplied(message, original, modified, current);
    EXPECT_EQ(applied, merged == current) << c.modified;
    EXPECT_EQ(applied ? "applied" : merged.ToString(), c.expected)
        << c.modified << "\nover " << c.current;
  }
}

void CheckPodSpec(const std::vector<MergeCase>& cases) { Check(Find("core/v1", "PodSpec"), cases); }

TEST(ThreeWayMergeTest, SetsRemovesAndLeavesTheRest) {
  CheckPodSpec({
      {"{}", "nodeName: a", "hostname: h", R"({"hostname":"h","nodeName":"a"})"},
      {"{}", "nodeName: a", "nodeName: b", R"({"nodeName":"a"})"},
      {"{}", "nodeName: a", "{nodeName: a, hostname: h}", "applied"},
      {"{nodeName: a, hostname: h}", "nodeName: a", "{nodeName: a, hostname: x}",
       R"({"nodeName":"a"})"},
      {"{nodeName: a, hostname: h}", "nodeName: a", "{nodeName: a, subdomain: s}", "applied"},
      {"{}", "{}", "nodeName: a", "applied"},
      {"securityContext: {runAsUser: 1}", "{}", "securityContext: {runAsUser: 1, fsGroup: 2}",
       "{}"},
      {"securityContext: {runAsUser: 1, fsGroup: 2}", "securityContext: {fsGroup: 2}",
       "securityContext: {runAsUser: 1, fsGroup: 2, runAsGroup: 3}",
       R"({"securityContext":{"fsGroup":2,"runAsGroup":3}})"},
      {"{}", "nodeName: a", "nodeName: {b: c}", R"({"nodeName":"a"})"},
      {"{}", "securityContext: {}", "{}", R"({"securityContext":{}})"},
  });
}

TEST(ThreeWayMergeTest, NullIsNotSet) {
  CheckPodSpec({
      {"{}", "nodeName: ~", "nodeName: a", "applied"},
      {"nodeName: a", "nodeName: ~", "nodeName: a", "{}"},
      {"{}", "securityContext: {fsGroup: ~, runAsUser: 1}", "{}",
       R"({"securityContext":{"runAsUser":1}})"},
      {"{}", "nodeName: ~", "{}", "applied"},
      {"{}", "nodeName: a", "nodeName: ~", R"({"nodeName":"a"})"},
  });
}

TEST(ThreeWayMergeTest, MapsMergeByTheirKeys) {
  CheckPodSpec({
      {"nodeSelector: {a: 'x', b: 'x'}", "nodeSelector: {a: 'y'}",
       "nodeSelector: {a: 'x', b: 'x', c: 'x'}", R"({"nodeSelector":{"a":"y","c":"x"}})"},
      {"nodeSelector: {a: 'x'}", "{}", "nodeSelector: {a: 'x', c: 'x'}",
       R"({"nodeSelector":{"c":"x"}})"},
      {"nodeSelector: {a: 'x'}", "{}", "nodeSelector: {a: 'x'}", "{}"},
      {"nodeSelector: {a: 'x'}", "{}", "nodeSelector: {c: 'x'}", "applied"},
  });
}

TEST(ThreeWayMergeTest, AmountsCompareByValue) {
  CheckPodSpec({
      {"{}", "containers: [{name: a, resources: {limits: {memory: 1Gi, cpu: 1}}}]",
       "containers: [{name: a, resources: {limits: {memory: 1024Mi, cpu: 1000m}}}]", "applied"},
      {"{}", "containers: [{name: a, resources: {limits: {memory: 1G}}}]",
       "containers: [{name: a, resources: {limits: {memory: 1Gi}}}]",
       R"({"containers":[{"name":"a","resources":{"limits":{"memory":"1G"}}}]})"},
      {"{}", "nodeName: 1Gi", "nodeName: 1024Mi", R"({"nodeName":"1Gi"})"},
  });
}

TEST(ThreeWayMergeTest, ListsMergeByTheirKeys) {
  CheckPodSpec({
      {"{}", "containers: [{name: a, image: z}]",
       "containers: [{name: a, image: x, tty: true}, {name: injected}]",
       R"({"containers":[{"image":"z","name":"a","tty":true},{"name":"injected"}]})"},
      {"containers: [{name: a}, {name: b}]", "containers: [{name: a}]",
       "containers: [{name: a}, {name: b}, {name: injected}]",
       R"({"containers":[{"name":"a"},{"name":"injected"}]})"},
      {"containers: [{name: a, image: x, tty: true}]", "containers: [{name: a, image: x}]",
       "containers: [{name: a, image: x, tty: true, stdin: true}]",
       R"({"containers":[{"image":"x","name":"a","stdin":true}]})"},
      {"volumes: [{name: a}]", "{}", "volumes: [{name: a}, {name: injected}]",
       R"({"volumes":[{"name":"injected"}]})"},
      {"volumes: [{name: a}]", "{}", "volumes: [{name: a}]", "{}"},
      {"volumes: [{name: a}]", "{}", "volumes: [{name: injected}]", "applied"},
      {"{}", "containers: [{name: a}]", "{}", R"({"containers":[{"name":"a"}]})"},
  });
}

TEST(ThreeWayMergeTest, ListsTakeTheOrderOfModified) {
  CheckPodSpec({
      {"{}", "containers: [{name: b}, {name: a}]", "containers: [{name: a}, {name: b}]",
       R"({"containers":[{"name":"b"},{"name":"a"}]})"},
      {"{}", "containers: [{name: a}, {name: k}, {name: b}]",
       "containers: [{name: a}, {name: s}, {name: b}]",
       R"({"containers":[{"name":"a"},{"name":"k"},{"name":"s"},{"name":"b"}]})"},
      {"{}", "containers: [{name: a}, {name: b}]",
       "containers: [{name: s}, {name: a}, {name: t}, {name: b}, {name: u}]", "applied"},
  });
}

TEST(ThreeWayMergeTest, PortsOfOneNumberStayApart) {
  CheckPodSpec({
      {"{}",
       "containers: [{name: a, ports: [{containerPort: 53, protocol: UDP, name: u}, "
       "{containerPort: 53}]}]",
       "containers: [{name: a, ports: [{containerPort: 53, protocol: UDP}, {containerPort: 53, "
       "protocol: TCP}]}]",
       R"({"containers":[{"name":"a","ports":[{"containerPort":53,"name":"u","protocol":"UDP"},)"
       R"({"containerPort":53,"protocol":"TCP"}]}]})"},
  });
}

TEST(ThreeWayMergeTest, AListWithAKeyTwiceOrWithoutIsReplaced) {
  CheckPodSpec({
      {"{}", "containers: [{name: a, env: [{name: A, value: '1'}, {name: A, value: '2'}]}]",
       "containers: [{name: a, env: [{name: A, value: '1'}, {name: B}]}]",
       R"({"containers":[{"env":[{"name":"A","value":"1"},{"name":"A","value":"2"}],"name":"a"}]})"},
      {"{}", "containers: [{name: a, env: [{name: A, value: '1'}, {name: A, value: '2'}]}]",
       "containers: [{name: a, env: [{name: A, value: '1'}, {name: A, value: '2'}]}]", "applied"},
      {"{}", "containers: [{image: x}]", "containers: [{name: a}]",
       R"({"containers":[{"image":"x"}]})"},
  });
}

TEST(ThreeWayMergeTest, OtherListsAreReplaced) {
  CheckPodSpec({
      {"{}", "tolerations: [{key: a}]", "tolerations: [{key: a}, {key: b}]",
       R"({"tolerations":[{"key":"a"}]})"},
      {"{}", "tolerations: [{key: a}]", "tolerations: [{key: a}]", "applied"},
      {"tolerations: [{key: a}]", "{}", "tolerations: [{key: a}, {key: b}]", "{}"},
  });
}

TEST(ThreeWayMergeTest, ListsOfScalarsMergeAsSets) {
  Check(Find("meta/v1", "ObjectMeta"),
        {
            {"finalizers: [a, b]", "finalizers: [b, c]", "finalizers: [a, s, b]",
             R"({"finalizers":["s","b","c"]})"},
            {"{}", "finalizers: [a]", "finalizers: [s, a]", "applied"},
            {"finalizers: [a]", "{}", "finalizers: [a, s]", R"({"finalizers":["s"]})"},
        });
}

TEST(ThreeWayMergeTest, AChangedUnionKeepsOnlyWhatModifiedNames) {
  CheckPodSpec({
      {"volumes: [{name: v, emptyDir: {}}]", "volumes: [{name: v, configMap: {name: c}}]",
       "volumes: [{name: v, emptyDir: {}}]",
       R"({"volumes":[{"configMap":{"name":"c"},"name":"v"}]})"},
      {"{}", "volumes: [{name: v, configMap: {name: c}}]",
       "volumes: [{name: v, secret: {secretName: s}}]",
       R"({"volumes":[{"configMap":{"name":"c"},"name":"v"}]})"},
      {"{}", "volumes: [{name: v, configMap: {name: c}}]",
       "volumes: [{name: v, configMap: {name: c, defaultMode: 420}}]", "applied"},
  });
}

TEST(ThreeWayMergeTest, AWholeDeploymentIsAppliedOverItsDefaults) {
  const Kind* kind = Schema::BuiltIn()->FindKind("apps/v1", "Deployment");
  ASSERT_NE(kind, nullptr);
  const std::string manifest = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}, creationTimestamp: null}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: 'web:1', ports: [{containerPort: 80}], resources: {requests: {cpu: 0.5}}}
)";
  const std::string current = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default, uid: u, labels: {app: web}, annotations: {a: b}, creationTimestamp: '2026-01-01T00:00:00Z'}
spec:
  replicas: 3
  progressDeadlineSeconds: 600
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      restartPolicy: Always
      containers:
      - {name: web, image: 'web:1', imagePullPolicy: IfNotPresent, ports: [{containerPort: 80, protocol: TCP}], resources: {requests: {cpu: 500m}}}
status: {replicas: 3}
)";
  Check(*kind->root, {{manifest, manifest, current, "applied"}});
}

// Properties, over random objects of few names so that they meet

Json RandomValue(base::Rng& rng, int depth) {
  static const std::vector<std::string> kKeys = {
      "name",          "containers",      "volumes",     "env",       "ports",
      "containerPort", "nodeSelector",    "tolerations", "resources", "limits",
      "memory",        "securityContext", "finalizers",  "emptyDir",  "image"};
  if (depth == 0 || rng.Chance(1, 4)) {
    switch (rng.Below(5)) {
      case 0: return Json();
      case 1: return Json(static_cast<int64_t>(rng.Below(2)));
      case 2: return Json(rng.Chance(1, 2) ? "1Gi" : "1024Mi");
      default: return Json(rng.Chance(1, 2) ? "a" : "b");
    }
  }
  if (rng.Chance(1, 2)) {
    Json list = Json::MakeArray();
    for (uint64_t i = rng.Below(4); i > 0; --i) {
      Json element = RandomValue(rng, depth - 1);
      if (rng.Chance(3, 4) && element.IsObject())
        element.Set("name", Json(std::string(1, static_cast<char>('a' + rng.Below(4)))));
      list.Append(std::move(element));
    }
    return list;
  }
  Json map = Json::MakeObject();
  for (uint64_t i = rng.Below(6); i > 0; --i)
    map.Set(kKeys[rng.Below(kKeys.size())], RandomValue(rng, depth - 1));
  return map;
}

// Now and then a value of `like` as it is, so that the three have much in common.
Json Variant(base::Rng& rng, const Json& like, int depth) {
  if (rng.Chance(1, 8)) return RandomValue(rng, depth);
  if (rng.Chance(1, 2)) return like;
  Json result = like;
  if (result.IsObject()) {
    for (Json::Member& member : result.MutableMembers())
      member.value = Variant(rng, member.value, depth - 1);
  } else if (result.IsArray()) {
    for (Json& element : result.MutableElements()) element = Variant(rng, element, depth - 1);
  }
  return result;
}

Json RandomPodSpec(base::Rng& rng) {
  Json spec = RandomValue(rng, 5);
  while (!spec.IsObject()) spec = RandomValue(rng, 5);
  return spec;
}

TEST(ThreeWayMergeTest, AppliedMeansThatAMergeChangesNothingAndMergingTwiceIsMergingOnce) {
  const Message& message = Find("core/v1", "PodSpec");
  base::Rng rng(7);
  int applied_count = 0;
  for (int round = 0; round < 30'000; ++round) {
    const Json original = RandomPodSpec(rng);
    Json modified = Variant(rng, original, 5);
    if (!modified.IsObject()) modified = Json::MakeObject();
    Json current = Variant(rng, rng.Chance(1, 2) ? modified : original, 5);
    if (!current.IsObject()) current = Json::MakeObject();
    const std::string what =
        original.ToString() + "\n" + modified.ToString() + "\n" + current.ToString();
    const Json merged = ThreeWayMerge(message, original, modified, current);
    const bool applied = IsApplied(message, original, modified, current);
    applied_count += applied;
    ASSERT_EQ(applied, merged == current) << what;
    ASSERT_TRUE(IsApplied(message, original, modified, merged)) << what << "\n"
                                                                << merged.ToString();
    ASSERT_TRUE(IsApplied(message, modified, modified, merged)) << what << "\n"
                                                                << merged.ToString();
  }
  EXPECT_GT(applied_count, 1000);
  EXPECT_LT(applied_count, 29'000);
}

TEST(ThreeWayTest, WhatMeansNothingIsThereIfItIsLeftOut) {
  Check(Find("core/v1", "PodSpec"),
        {
            {"{}", "{hostNetwork: false, volumes: [], nodeSelector: {}, nodeName: ''}", "{}",
             "applied"},
            {"{}", "{containers: [{name: a, env: [{name: E, value: ''}]}]}",
             "{containers: [{name: a, env: [{name: E}]}]}", "applied"},
            {"{}", "{tolerations: [{key: a, value: ''}]}", "{tolerations: [{key: a}]}", "applied"},
            {"{}", "{hostNetwork: false}", "{hostNetwork: true}", R"({"hostNetwork":false})"},
            {"{}", "{securityContext: {}}", "{}", R"({"securityContext":{}})"},
            {"{}", "{nodeSelector: {a: ''}}", "{}", R"({"nodeSelector":{"a":""}})"},
        });
}

}  // namespace
}  // namespace manifests
