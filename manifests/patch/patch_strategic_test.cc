#include <gtest/gtest.h>

#include "manifests/patch/patch.h"
#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

using base::Json;

Json Yaml(std::string_view text) {
  const YamlFile file = ParseYaml(text);
  EXPECT_TRUE(file.errors.empty()) << text;
  return file.documents.empty() ? Json::MakeObject() : file.documents[0];
}

std::string Patched(std::string_view message, std::string_view object, std::string_view patch) {
  const Message* found = Schema::BuiltIn()->FindMessage("core/v1", message);
  EXPECT_NE(found, nullptr) << message;
  const base::Result<Json> result = StrategicMergePatch(*found, Yaml(object), Yaml(patch));
  return result.ok() ? result->ToString() : result.status().ToString();
}

struct Case {
  std::string object;
  std::string patch;
  std::string expected;
};

void CheckPodSpec(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(Patched("PodSpec", c.object, c.patch), c.expected) << c.object << "\n" << c.patch;
  }
}

TEST(StrategicMergePatchTest, MergesMapsAndReplacesScalars) {
  CheckPodSpec({
      {"{nodeName: a, hostname: b}", "{nodeName: c}", R"({"hostname":"b","nodeName":"c"})"},
      {"{nodeName: a, hostname: b}", "{nodeName: ~}", R"({"hostname":"b"})"},
      {"{hostname: b}", "{nodeName: ~}", R"({"hostname":"b"})"},
      {"{nodeSelector: {a: b, c: d}}", "{nodeSelector: {a: ~, e: f}}",
       R"({"nodeSelector":{"c":"d","e":"f"}})"},
      {"{}", "{nodeSelector: {a: ~, e: f}}", R"({"nodeSelector":{"e":"f"}})"},
      {"{securityContext: {runAsUser: 1, fsGroup: 2}}", "{securityContext: {fsGroup: 3}}",
       R"({"securityContext":{"fsGroup":3,"runAsUser":1}})"},
      {"{unknown: {a: 1, l: [1]}}", "{unknown: {b: 2, l: [2]}}",
       R"({"unknown":{"a":1,"b":2,"l":[2]}})"},
  });
}

TEST(StrategicMergePatchTest, MergesListsByTheirKey) {
  CheckPodSpec({
      {"containers: [{name: a, image: x}, {name: b, image: y}]",
       "containers: [{name: b, image: z}]",
       R"({"containers":[{"image":"x","name":"a"},{"image":"z","name":"b"}]})"},
      {"containers: [{name: a, env: [{name: A, value: '1'}, {name: B, value: '2'}]}]",
       "containers: [{name: a, env: [{name: B, value: '3'}]}]",
       R"({"containers":[{"env":[{"name":"A","value":"1"},{"name":"B","value":"3"}],"name":"a"}]})"},
      {"{}", "containers: [{name: a, image: x, tty: ~}]",
       R"({"containers":[{"image":"x","name":"a"}]})"},
      {"containers: [{name: a, ports: [{containerPort: 80}]}]",
       "containers: [{name: a, ports: [{containerPort: 80, name: http}]}]",
       R"({"containers":[{"name":"a","ports":[{"containerPort":80,"name":"http"}]}]})"},
  });
}

TEST(StrategicMergePatchTest, ANewElementStandsInFrontAsInKubernetes) {
  CheckPodSpec(
      {{"containers: [{name: a}, {name: b}]", "containers: [{name: c}]",
        R"({"containers":[{"name":"c"},{"name":"a"},{"name":"b"}]})"},
       {"containers: [{name: a}, {name: b}, {name: c}]",
        "containers: [{name: c, tty: true}, {name: a, tty: true}]",
        R"({"containers":[{"name":"b"},{"name":"c","tty":true},{"name":"a","tty":true}]})"}});
}

TEST(StrategicMergePatchTest, ReplacesListsWithoutAKey) {
  CheckPodSpec({
      {"tolerations: [{key: a}]", "tolerations: [{key: b}]", R"({"tolerations":[{"key":"b"}]})"},
      {"containers: [{name: a, args: [x, y]}]", "containers: [{name: a, args: [z]}]",
       R"({"containers":[{"args":["z"],"name":"a"}]})"},
  });
}

TEST(StrategicMergePatchTest, DeletesAndReplacesElements) {
  CheckPodSpec({
      {"containers: [{name: a}, {name: b}]", "containers: [{name: a, $patch: delete}]",
       R"({"containers":[{"name":"b"}]})"},
      {"containers: [{name: a}]", "containers: [{name: b, $patch: delete}]",
       R"({"containers":[{"name":"a"}]})"},
      {"containers: [{name: a}, {name: b}]",
       "containers: [{$patch: replace}, {name: c}, {name: d}]",
       R"({"containers":[{"name":"c"},{"name":"d"}]})"},
      {"containers: [{name: a, image: x}]", "containers: [{name: a, $patch: merge, tty: true}]",
       R"({"containers":[{"image":"x","name":"a","tty":true}]})"},
      {"{}", "containers: [{name: a, $patch: delete}]", R"({"containers":[]})"},
  });
}

TEST(StrategicMergePatchTest, ReplacesAndDeletesMaps) {
  CheckPodSpec({
      {"securityContext: {runAsUser: 1}", "securityContext: {$patch: replace, fsGroup: 2}",
       R"({"securityContext":{"fsGroup":2}})"},
      {"securityContext: {runAsUser: 1}", "securityContext: {$patch: delete}",
       R"({"securityContext":{}})"},
      {"nodeName: a", "{$patch: replace, hostname: b}", R"({"hostname":"b"})"},
  });
}

TEST(StrategicMergePatchTest, RetainsOnlyTheKeysNamed) {
  CheckPodSpec({
      {"volumes: [{name: v, emptyDir: {}}]",
       "volumes: [{name: v, $retainKeys: [name, configMap], configMap: {name: c}}]",
       R"({"volumes":[{"configMap":{"name":"c"},"name":"v"}]})"},
      {"volumes: [{name: v, emptyDir: {}}]",
       "volumes: [{name: v, $retainKeys: [name], configMap: {name: c}}]",
       "BadRequest: the strategic merge patch is malformed: it sets \"configMap\", which its "
       "$retainKeys "
       "lacks; add it there"},
      {"volumes: []", "volumes: [{name: v, $retainKeys: x}]",
       "BadRequest: the strategic merge patch is malformed: $retainKeys is no list"},
  });
}

TEST(StrategicMergePatchTest, SetsTheOrderOfElements) {
  CheckPodSpec({
      {"containers: [{name: a}, {name: b}, {name: c}]",
       "$setElementOrder/containers: [{name: c}, {name: a}]",
       R"({"containers":[{"name":"b"},{"name":"c"},{"name":"a"}]})"},
      {"containers: [{name: a}, {name: b}]",
       "{$setElementOrder/containers: [{name: a}, {name: k}, {name: b}], containers: [{name: k}]}",
       R"({"containers":[{"name":"a"},{"name":"k"},{"name":"b"}]})"},
      {"containers: [{name: a}, {name: s}, {name: b}]",
       "{$setElementOrder/containers: [{name: a}, {name: b}], containers: [{name: b, tty: true}]}",
       R"({"containers":[{"name":"a"},{"name":"s"},{"name":"b","tty":true}]})"},
      {"containers: [{name: a}]",
       "{$setElementOrder/containers: [{name: a}], containers: [{name: k}]}",
       "BadRequest: the strategic merge patch is malformed: $setElementOrder/containers lacks an "
       "element of "
       "the patch, or has another order; make them agree"},
      {"{}", "$setElementOrder/containers: [{name: a}]", "{}"},
      {"containers: []", "$setElementOrder/containers: x",
       "BadRequest: the strategic merge patch is malformed: $setElementOrder/containers is no "
       "list"},
  });
}

TEST(StrategicMergePatchTest, MergesListsOfScalarsAsSets) {
  const Message* meta = Schema::BuiltIn()->FindMessage("meta/v1", "ObjectMeta");
  ASSERT_NE(meta, nullptr);
  const auto patched = [&](std::string_view object, std::string_view patch) {
    const base::Result<Json> result = StrategicMergePatch(*meta, Yaml(object), Yaml(patch));
    return result.ok() ? result->ToString() : result.status().ToString();
  };
  EXPECT_EQ(patched("finalizers: [a, b]", "finalizers: [c, b]"), R"({"finalizers":["c","a","b"]})");
  EXPECT_EQ(patched("finalizers: [a, b]", "$deleteFromPrimitiveList/finalizers: [a, x]"),
            R"({"finalizers":["b"]})");
  EXPECT_EQ(
      patched("finalizers: [a, b]",
              "{$deleteFromPrimitiveList/finalizers: [a], $setElementOrder/finalizers: [c, b], "
              "finalizers: [c]}"),
      R"({"finalizers":["c","b"]})");
  EXPECT_EQ(patched("finalizers: [a]", "$deleteFromPrimitiveList/finalizers: a"),
            "BadRequest: the strategic merge patch is malformed: "
            "$deleteFromPrimitiveList/finalizers is no list");
}

TEST(StrategicMergePatchTest, RefusesMalformedPatches) {
  CheckPodSpec({
      {"{}", "[1]", "BadRequest: the strategic merge patch is malformed: it is no map"},
      {"{}", "{$patch: remove}",
       "BadRequest: the strategic merge patch is malformed: $patch is \"remove\"; write merge, "
       "replace or delete"},
      {"containers: [{name: a}]", "containers: [{image: x}]",
       "BadRequest: the strategic merge patch is malformed: an element of containers has no "
       "\"name\", its merge "
       "key; add it"},
      {"containers: [{name: a}]", "containers: [a]",
       "BadRequest: the strategic merge patch is malformed: an element of containers has no "
       "\"name\", its merge "
       "key; add it"},
  });
}

TEST(StrategicMergePatchTest, AnElementOfTwoKeysIsFoundByBoth) {
  const auto ports = [](const std::string& object, const std::string& patch) {
    return Patched("Container", "{name: c, ports: [" + object + "]}", patch);
  };
  const std::string both =
      "{containerPort: 53, protocol: TCP}, {containerPort: 53, protocol: UDP, name: dns}";
  EXPECT_EQ(ports(both, "{ports: [{containerPort: 53, protocol: UDP, name: udp}]}"),
            R"({"name":"c","ports":[{"containerPort":53,"protocol":"TCP"},)"
            R"({"containerPort":53,"name":"udp","protocol":"UDP"}]})");
  EXPECT_EQ(ports(both, "{ports: [{$patch: delete, containerPort: 53, protocol: UDP}]}"),
            R"({"name":"c","ports":[{"containerPort":53,"protocol":"TCP"}]})");
  EXPECT_EQ(
      ports("{containerPort: 53, protocol: TCP}", "{ports: [{containerPort: 53, protocol: UDP}]}"),
      R"({"name":"c","ports":[{"containerPort":53,"protocol":"UDP"},)"
      R"({"containerPort":53,"protocol":"TCP"}]})");
}

// kubectl's order has the first key alone: named once, it is that element whose second key changes.
TEST(StrategicMergePatchTest, AnOrderThatNamesAKeyOnceMeansTheElementThatHasIt) {
  const std::string one = "{ports: [{containerPort: 53, protocol: TCP, name: dns}]}";
  EXPECT_EQ(Patched("Container", one,
                    "{$setElementOrder/ports: [{containerPort: 53}], ports: [{containerPort: 53, "
                    "protocol: UDP}]}"),
            R"({"ports":[{"containerPort":53,"name":"dns","protocol":"UDP"}]})");
  EXPECT_EQ(Patched("Container", one,
                    "{$setElementOrder/ports: [{containerPort: 53}, {containerPort: 53}], ports: "
                    "[{containerPort: 53, protocol: UDP}]}"),
            R"({"ports":[{"containerPort":53,"name":"dns","protocol":"TCP"},)"
            R"({"containerPort":53,"protocol":"UDP"}]})");
}

// kubectl's patches leave out what they do not change, the second key too.
TEST(StrategicMergePatchTest, WithoutTheSecondKeyItIsTheOnlyOneOrThatOfTheDefault) {
  const auto ports = [](const std::string& object, const std::string& patch) {
    return Patched("Container", "{ports: [" + object + "]}", patch);
  };
  EXPECT_EQ(ports("{containerPort: 53, protocol: UDP}",
                  "{$setElementOrder/ports: [{containerPort: 53}], ports: [{containerPort: 53, "
                  "name: dns}]}"),
            R"({"ports":[{"containerPort":53,"name":"dns","protocol":"UDP"}]})");
  EXPECT_EQ(ports("{containerPort: 53, protocol: UDP}, {containerPort: 53, protocol: TCP}",
                  "{$setElementOrder/ports: [{containerPort: 53}, {containerPort: 53}], ports: "
                  "[{containerPort: 53, name: tcp}]}"),
            R"({"ports":[{"containerPort":53,"protocol":"UDP"},)"
            R"({"containerPort":53,"name":"tcp","protocol":"TCP"}]})");
  EXPECT_EQ(ports("", "{ports: [{containerPort: 80}]}"), R"({"ports":[{"containerPort":80}]})");
}

}  // namespace
}  // namespace manifests
