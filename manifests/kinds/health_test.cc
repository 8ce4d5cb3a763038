// The product's verdict, kind by kind: what an object says about itself, and what is made of it.
#include "manifests/kinds/health.h"

#include <gtest/gtest.h>

#include "manifests/kinds/kind_facts.h"
#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

// "progressing: 1/3 available"
std::string Judge(std::string_view resource, std::string_view yaml) {
  const YamlFile file = ParseYaml(yaml);
  for (const auto& error : file.errors) ADD_FAILURE() << error.message << "\n" << yaml;
  const base::Document object(file.documents.at(0));
  const Health health = HealthOf(resource, object.root());
  constexpr const char* kLevels[] = {"healthy", "progressing", "failed"};
  const std::string level = kLevels[static_cast<int>(health.level)];
  return health.reason.empty() ? level : level + ": " + health.reason;
}

struct Row {
  std::string_view resource, object, verdict;
};

TEST(HealthTest, EachKindByItsOwnRule) {
  constexpr std::string_view kDeployments = "deployments.apps", kSets = "replicasets.apps",
                             kDaemons = "daemonsets.apps";
  const Row rows[] = {
      // Deployments
      {kDeployments, "{spec: {paused: true}}", "progressing: paused"},
      {kDeployments, "{spec: {replicas: 3}, status: {updatedReplicas: 1, replicas: 4}}",
       "progressing: 1/3 updated"},
      {kDeployments,
       "{spec: {replicas: 3}, status: {updatedReplicas: 3, availableReplicas: 2, replicas: 3}}",
       "progressing: 2/3 available"},
      {kDeployments,
       "{spec: {replicas: 3}, status: {updatedReplicas: 3, availableReplicas: 3, replicas: 4}}",
       "progressing: 1 of an older version left"},
      {kDeployments, "{spec: {}, status: {updatedReplicas: 1, availableReplicas: 1, replicas: 1}}",
       "healthy: 1/1 available"},
      {kDeployments, "{spec: {replicas: 0}, status: {}}", "healthy: 0/0 available"},
      {kDeployments,
       "{status: {conditions: [{type: Progressing, status: 'False', reason: "
       "ProgressDeadlineExceeded, message: too late}, {type: ReplicaFailure, status: 'True', "
       "reason: FailedCreate, message: quota}]}}",
       "failed: ProgressDeadlineExceeded: too late; FailedCreate: quota"},
      {kDeployments,
       "{spec: {replicas: 2}, status: {conditions: [{type: ReplicaFailure, status: 'True', "
       "message: quota}]}}",
       "progressing: 0/2 updated; quota"},
      // ReplicaSets
      {kSets, "{spec: {replicas: 2}, status: {availableReplicas: 2}}", "healthy: 2/2 available"},
      {kSets, "{spec: {replicas: 2}, status: {availableReplicas: 1}}",
       "progressing: 1/2 available"},
      {kSets,
       "{spec: {replicas: 2}, status: {conditions: [{type: ReplicaFailure, status: 'True', reason: "
       "FailedCreate, message: quota}]}}",
       "failed: FailedCreate: quota"},
      {"replicationcontrollers", "{spec: {replicas: 2}, status: {availableReplicas: 1}}",
       "progressing: 1/2 available"},
      // DaemonSets
      {kDaemons,
       "{status: {desiredNumberScheduled: 3, updatedNumberScheduled: 2, numberAvailable: 3}}",
       "progressing: 2/3 updated"},
      {kDaemons,
       "{status: {desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2}}",
       "progressing: 2/3 available"},
      {kDaemons,
       "{status: {desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3}}",
       "healthy: 3/3 available"},
      {kDaemons, "{status: {desiredNumberScheduled: 0}}", "healthy: 0/0 available"},
      {kDaemons, "{spec: {updateStrategy: {type: OnDelete}}, status: {desiredNumberScheduled: 3}}",
       "healthy: updated when its pods are deleted"},
      // Pods
      {"pods", "{}", "progressing: starting"},
      {"pods", "{status: {phase: Running}}", "progressing: not ready"},
      {"pods", "{status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}}",
       "healthy: ready"},
      {"pods", "{status: {phase: Succeeded}}", "healthy: succeeded"},
      {"pods", "{status: {phase: Failed}}", "failed: failed"},
      {"pods", "{status: {phase: Failed, reason: Evicted}}", "failed: Evicted"},
      {"pods",
       "{status: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: "
       "Unschedulable, message: no node}]}}",
       "progressing: Unschedulable: no node"},
      // Services
      {"services", "{spec: {type: ClusterIP}}", "healthy"},
      {"services", "{spec: {type: LoadBalancer}}", "progressing: waits for an address"},
      {"services",
       "{spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{ip: 9.9.9.9}]}}}",
       "healthy"},
      {"namespaces", "{}", "healthy: active"},
      {"configmaps", "{}", "healthy"},
      // Ready is not a Namespace's to say.
      {"namespaces", "{status: {conditions: [{type: Ready, status: 'False'}]}}", "healthy: active"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Judge(row.resource, row.object), row.verdict) << row.resource << " " << row.object;
  }
}

TEST(HealthTest, OtherKindsByTheirConditions) {
  const auto with = [](std::string_view conditions) {
    return Judge("widgets.example.com",
                 "{status: {conditions: [" + std::string(conditions) + "]}}");
  };
  EXPECT_EQ(with(""), "healthy");
  EXPECT_EQ(with("{type: Ready, status: 'True', reason: Done}"), "healthy");
  EXPECT_EQ(with("{type: Ready, status: 'False', reason: Broken, message: no key}"),
            "failed: Broken: no key");
  EXPECT_EQ(with("{type: Ready, status: Unknown, message: wait}"), "progressing: wait");
  EXPECT_EQ(with("{type: Reconciling, status: 'True', reason: Busy}, "
                 "{type: Ready, status: 'False', reason: Old}"),
            "progressing: Busy");
  EXPECT_EQ(with("{type: Stalled, status: 'True', reason: Stuck}, "
                 "{type: Reconciling, status: 'True', reason: Busy}"),
            "failed: Stuck");
}

TEST(HealthTest, DeletionAndStaleReportsComeFirst) {
  EXPECT_EQ(Judge("pods",
                  "{metadata: {deletionTimestamp: '2026-11-22T12:00:00Z'}, "
                  "status: {phase: Failed}}"),
            "progressing: being deleted");
  const std::string_view stale = "progressing: not yet looked at by its controller";
  EXPECT_EQ(Judge("widgets.example.com",
                  "{metadata: {generation: 2}, status: {observedGeneration: 1, conditions: "
                  "[{type: Ready, status: 'True'}]}}"),
            stale);
  // These have a controller that reports what it saw; others may never.
  EXPECT_EQ(Judge("deployments.apps", "{metadata: {generation: 1}, spec: {replicas: 0}}"), stale);
  for (const std::string_view resource :
       {"replicasets.apps", "replicationcontrollers", "daemonsets.apps"}) {
    EXPECT_EQ(Judge(resource, "{metadata: {generation: 1}, spec: {replicas: 0}}"), stale);
  }
  EXPECT_EQ(Judge("services", "{metadata: {generation: 1}}"), "healthy");
}

}  // namespace
}  // namespace manifests
