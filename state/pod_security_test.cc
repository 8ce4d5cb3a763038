#include "state/pod_security.h"

#include <gtest/gtest.h>

#include "manifests/yaml/yaml.h"
#include "state/draft.h"
#include "state/testing/test_cluster.h"

namespace state {
namespace {

constexpr char kSystem[] =
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: plumb-system, annotations: "
    "{plumb.dev/pod-security-default: baseline}}\n";

class PodSecurityAdmissionTest : public testing::Test {
 protected:
  PodSecurityAdmissionTest() { cluster_.Apply(kSystem); }

  static base::Json Read(const std::string& yaml) {
    manifests::YamlFile file = manifests::ParseYaml(yaml);
    CHECK(file.errors.empty() && file.documents.size() == 1);
    return std::move(file.documents[0]);
  }
  // What a client that creates or changes this is told: the warnings, the error.
  std::string Write(const std::string& yaml, ActorPtr actor = nullptr) {
    DraftContext context = cluster_.Context();
    context.actor = std::move(actor);
    Draft draft(cluster_.store().view(), context);
    base::Json object = Read(yaml);
    const base::Json& metadata = std::as_const(object)["metadata"];
    const manifests::Kind* kind = draft.schema().FindKind(
        std::as_const(object)["apiVersion"].AsString(), std::as_const(object)["kind"].AsString());
    const bool is_new =
        draft.view().Get(kind->Resource(), kind->namespaced ? metadata["namespace"].AsString() : "",
                         metadata["name"].AsString()) == nullptr;
    const auto written = is_new ? draft.Create(std::move(object)) : draft.Update(std::move(object));
    std::string said;
    for (const std::string& warning : draft.warnings()) said += warning + "\n";
    if (!written.ok()) return said + written.status().ToString();
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
    return said;
  }
  void Edit(const Key& key, const std::function<void(base::Json&)>& edit) {
    Draft draft(cluster_.store().view(), cluster_.Context());
    base::Json object = draft.view().Get(key)->document.ToJson();
    edit(object);
    const auto written = draft.Update(std::move(object));
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  }
  static std::string Namespace(const std::string& labels) {
    return "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {" + labels + "}}\n";
  }
  static std::string Pod(const std::string& spec, const std::string& ns = "shop",
                         const std::string& name = "a") {
    return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", namespace: " + ns +
           "}\nspec: {containers: [{name: c, image: i}], " + spec + "}\n";
  }
  static std::string Deployment(const std::string& spec, const std::string& image = "i") {
    return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: shop}\n"
           "spec:\n  selector: {matchLabels: {a: b}}\n  template:\n"
           "    metadata: {labels: {a: b}}\n    spec: {containers: [{name: c, image: " +
           image + "}], " + spec + "}\n";
  }

  TestCluster cluster_;
};

TEST_F(PodSecurityAdmissionTest, APodThatAsksTooMuchIsRefusedWithTheWayOut) {
  ASSERT_EQ(Write(Namespace("")), "");
  EXPECT_EQ(Write(Pod("hostPID: true")),
            "Forbidden: pods \"a\" is forbidden: violates PodSecurity \"baseline:latest\": "
            "spec.hostPID: must not be true; to allow it: kubectl label namespace shop "
            "pod-security.kubernetes.io/enforce=privileged");
  EXPECT_EQ(Write(Namespace("pod-security.kubernetes.io/enforce: privileged")), "");
  EXPECT_EQ(Write(Pod("hostPID: true")), "");
}

TEST_F(PodSecurityAdmissionTest, PodsOfPlumbsOwnPartsAreRefusedTheSame) {
  ASSERT_EQ(Write(Namespace("")), "");
  EXPECT_NE(Write(Pod("hostPID: true"), ProgramActor("plumb-controllers")), "");
}

TEST_F(PodSecurityAdmissionTest, ATemplateIsWarnedOf) {
  ASSERT_EQ(Write(Namespace("")), "");
  EXPECT_EQ(
      Write(Deployment("hostNetwork: true")),
      "would violate PodSecurity \"baseline:latest\": spec.template.spec.hostNetwork: must not "
      "be true\n");
}

TEST_F(PodSecurityAdmissionTest, ALabelsLevelAndVersionHold) {
  ASSERT_EQ(Write(Namespace("pod-security.kubernetes.io/enforce: restricted, "
                            "pod-security.kubernetes.io/enforce-version: v1.7")),
            "");
  EXPECT_EQ(
      Write(Pod("hostUsers: true")),
      "Forbidden: pods \"a\" is forbidden: violates PodSecurity \"restricted:v1.7\": "
      "spec.containers[0].securityContext.runAsNonRoot: must be true, here or for the pod; to "
      "allow it: kubectl label --overwrite namespace shop "
      "pod-security.kubernetes.io/enforce=privileged");
  EXPECT_EQ(Write(Pod("securityContext: {runAsNonRoot: true}")), "");
}

TEST_F(PodSecurityAdmissionTest, AWarnedOfPodIsMade) {
  ASSERT_EQ(Write(Namespace("pod-security.kubernetes.io/warn: restricted, "
                            "pod-security.kubernetes.io/warn-version: v1.7")),
            "");
  const std::string warning =
      "would violate PodSecurity \"restricted:v1.7\": spec.containers[0].securityContext."
      "runAsNonRoot: must be true, here or for the pod\n";
  EXPECT_EQ(Write(Pod("restartPolicy: Never")), warning);
  ASSERT_NE(cluster_.store().view().Get("pods", "shop", "a"), nullptr);
  EXPECT_EQ(Write(Deployment("dnsPolicy: Default")),
            "would violate PodSecurity \"restricted:v1.7\": spec.template.spec.containers[0]."
            "securityContext.runAsNonRoot: must be true, here or for the pod\n");
}

TEST_F(PodSecurityAdmissionTest, TheClustersOwnNamespacesAreExempt) {
  cluster_.Apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}\n");
  EXPECT_EQ(Write(Pod("hostPID: true", "kube-system")), "");
  EXPECT_EQ(Write(Pod("hostPID: true", "plumb-system")), "");
}

TEST_F(PodSecurityAdmissionTest, LabelsThatNameNoPolicyAreRefused) {
  EXPECT_EQ(Write(Namespace("pod-security.kubernetes.io/enforce: high, "
                            "pod-security.kubernetes.io/audit-version: '1.2'")),
            "Invalid: Namespace \"shop\" is invalid: "
            "[metadata.labels[pod-security.kubernetes.io/enforce]: must be privileged, baseline or "
            "restricted, metadata.labels[pod-security.kubernetes.io/audit-version]: must be latest "
            "or a version like v1.35]");
}

TEST_F(PodSecurityAdmissionTest, WhatWasStoredBeforeIsNotJudgedAgain) {
  ASSERT_EQ(Write(Namespace("pod-security.kubernetes.io/enforce: privileged")), "");
  ASSERT_EQ(Write(Pod("hostPID: true")), "");
  ASSERT_EQ(Write(Deployment("hostPID: true")), "");
  EXPECT_EQ(Write(Namespace("pod-security.kubernetes.io/enforce: baseline")),
            "existing pods in namespace \"shop\" violate the new PodSecurity enforce level "
            "\"baseline:latest\": a: spec.hostPID: must not be true\n");
  Edit({"pods", "shop", "a"},
       [](base::Json& pod) { pod["metadata"]["labels"].Set("seen", "yes"); });
  EXPECT_EQ(Write(Deployment("hostPID: true", "j")), "");
  EXPECT_EQ(
      Write(Deployment("hostPID: true, hostIPC: true")),
      "would violate PodSecurity \"baseline:latest\": spec.template.spec.hostIPC: must not be "
      "true\n");
}

TEST_F(PodSecurityAdmissionTest, DataWithoutADefaultForbidsNothing) {
  Edit({"namespaces", "", "plumb-system"},
       [](base::Json& ns) { ns["metadata"].Remove("annotations"); });
  EXPECT_EQ(DefaultPodSecurity(cluster_.store().view()), std::nullopt);
  ASSERT_EQ(Write(Namespace("")), "");
  EXPECT_EQ(Write(Pod("hostPID: true")), "");
}

TEST_F(PodSecurityAdmissionTest, NewDataConfinesAndOlderDataStaysAsItIs) {
  using Level = manifests::PodSecurityLevel;
  Edit({"namespaces", "", "plumb-system"},
       [](base::Json& ns) { ns["metadata"].Remove("annotations"); });
  const auto settled = [&](bool is_new, std::optional<Level> told) {
    Draft draft(cluster_.store().view(), cluster_.Context());
    EXPECT_TRUE(SettlePodSecurity(draft, is_new, told).ok());
    const std::optional<Level> level = DefaultPodSecurity(draft.view());
    return level ? manifests::ToString(manifests::PodSecurityPolicy{*level}) : "nothing";
  };
  EXPECT_EQ(settled(true, std::nullopt), "baseline:latest");
  EXPECT_EQ(settled(false, std::nullopt), "nothing");
  EXPECT_EQ(settled(false, Level::kRestricted), "restricted:latest");
  EXPECT_EQ(settled(true, Level::kPrivileged), "privileged:latest");
}

}  // namespace
}  // namespace state
