#include "scheduler/daemon_fit.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "manifests/yaml/yaml.h"

namespace scheduler {
namespace {

base::Json FromYaml(std::string_view text) {
  manifests::YamlFile file = manifests::ParseYaml(text);
  CHECK(file.errors.empty() && file.documents.size() == 1);
  return std::move(file.documents[0]);
}

// "runs", "stays" (no new pod is made, one that is there stays) or "goes".
std::string Fit(std::string_view pod_spec, std::string_view node) {
  state::Object object;
  object.key = {"nodes", "", "n1"};
  object.document = base::Document(FromYaml(node));
  const base::Document spec{FromYaml(pod_spec)};
  const DaemonFit fit = FitsDaemon(spec.root(), object);
  return fit.should_run && fit.should_continue ? "runs" : fit.should_continue ? "stays" : "goes";
}

std::string OnTainted(std::string_view pod_spec, std::string_view key, std::string_view effect) {
  return Fit(pod_spec, "spec: {taints: [{key: " + std::string(key) +
                           ", value: v, effect: " + std::string(effect) + "}]}");
}

TEST(DaemonFitTest, ANodeIsChosenByNameSelectorAndAffinity) {
  constexpr std::string_view kNode = "metadata: {labels: {disk: ssd}}";
  EXPECT_EQ(Fit("{}", kNode), "runs");
  EXPECT_EQ(Fit("{nodeName: n1}", kNode), "runs");
  EXPECT_EQ(Fit("{nodeName: n2}", kNode), "goes");
  EXPECT_EQ(Fit("{nodeSelector: {disk: ssd}}", kNode), "runs");
  EXPECT_EQ(Fit("{nodeSelector: {disk: tape}}", kNode), "goes");
  const auto affinity = [](const std::string& op) {
    return "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
           "{nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: " +
           op + "}]}]}}}";
  };
  EXPECT_EQ(Fit(affinity("Exists"), kNode), "runs");
  EXPECT_EQ(Fit(affinity("DoesNotExist"), kNode), "goes");
}

TEST(DaemonFitTest, ATaintKeepsOffAndOnlyNoExecuteDrivesOff) {
  EXPECT_EQ(OnTainted("{}", "gpu", "PreferNoSchedule"), "runs");
  EXPECT_EQ(OnTainted("{}", "gpu", "NoSchedule"), "stays");
  EXPECT_EQ(OnTainted("{}", "gpu", "NoExecute"), "goes");
  const std::string_view tolerant = "{tolerations: [{key: gpu, operator: Exists}]}";
  EXPECT_EQ(OnTainted(tolerant, "gpu", "NoSchedule"), "runs");
  EXPECT_EQ(OnTainted(tolerant, "gpu", "NoExecute"), "runs");
}

TEST(DaemonFitTest, DaemonsBearANodeInTrouble) {
  EXPECT_EQ(OnTainted("{}", "node.kubernetes.io/not-ready", "NoExecute"), "runs");
  EXPECT_EQ(OnTainted("{}", "node.kubernetes.io/unreachable", "NoExecute"), "runs");
  EXPECT_EQ(OnTainted("{}", "node.kubernetes.io/disk-pressure", "NoSchedule"), "runs");
  EXPECT_EQ(OnTainted("{}", "node.kubernetes.io/unschedulable", "NoSchedule"), "runs");
  EXPECT_EQ(OnTainted("{}", "node.kubernetes.io/not-ready", "NoSchedule"), "stays");
  EXPECT_EQ(OnTainted("{}", "node.kubernetes.io/network-unavailable", "NoSchedule"), "stays");
  EXPECT_EQ(
      OnTainted("{hostNetwork: true}", "node.kubernetes.io/network-unavailable", "NoSchedule"),
      "runs");
  EXPECT_EQ(Fit("{}", "spec: {unschedulable: true}"), "runs");
}

}  // namespace
}  // namespace scheduler
