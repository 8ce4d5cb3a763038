#include "nodeagent/hub/relevance.h"

#include <gtest/gtest.h>

namespace nodeagent {
namespace {

TEST(References, OfEverythingThatAPodCanName) {
  state::Object pod;
  pod.key = {"pods", "ns", "p"};
  pod.document = *base::Document::Parse(R"({"spec":{
    "imagePullSecrets":[{"name":"pull"}],
    "volumes":[{"configMap":{"name":"v1"}},{"secret":{"secretName":"v2"}},
      {"projected":{"sources":[{"configMap":{"name":"p1"}},{"secret":{"name":"p2"}}]}},
      {"emptyDir":{}}],
    "initContainers":[{"envFrom":[{"secretRef":{"name":"i1"}}]}],
    "containers":[{"env":[{"valueFrom":{"configMapKeyRef":{"name":"e1"}}},
      {"valueFrom":{"secretKeyRef":{"name":"e2"}}},{"value":"x"}],
      "envFrom":[{"configMapRef":{"name":"e1"}}]}]}})");
  std::string text;
  for (const state::Key& key : References(pod)) text += key.ToString() + ", ";
  EXPECT_EQ(text,
            "configmaps ns/e1, configmaps ns/p1, configmaps ns/v1, secrets ns/e2, secrets ns/i1, "
            "secrets ns/p2, secrets ns/pull, secrets ns/v2, ");
}

TEST(References, NoneToASecretOfPlumbItself) {
  state::Object pod;
  pod.document = *base::Document::Parse(R"({"spec":{
    "volumes":[{"secret":{"secretName":"plumb.ca"}},{"secret":{"secretName":"hook"}},
      {"configMap":{"name":"plumb.ca"}}]}})");
  for (const char* ns : {"plumb-system", "shop"}) {
    pod.key = {"pods", ns, "p"};
    std::string text;
    for (const state::Key& key : References(pod)) text += key.ToString() + ", ";
    EXPECT_EQ(text, pod.key.ns == "shop" ? "configmaps shop/plumb.ca, secrets shop/hook, "
                                           "secrets shop/plumb.ca, "
                                         : "configmaps plumb-system/plumb.ca, "
                                           "secrets plumb-system/hook, ");
  }
}

}  // namespace
}  // namespace nodeagent
