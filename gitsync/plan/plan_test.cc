#include "gitsync/plan/plan.h"

#include <gtest/gtest.h>

#include "gitsync/plan/apply_manifest.h"
#include "gitsync/testing/plan_fixture.h"

namespace gitsync {
namespace {

const Files kShop = {{"conf.yaml", kConfig}, {"ns.yaml", kNamespace}, {"web.yaml", kWeb}};

TEST_F(PlanTest, ObjectsAreCreatedInTheOrderOfTheirKinds) {
  EXPECT_EQ(Push(kShop),
            "would create     namespaces shop\n"
            "would create     configmaps shop/conf\n"
            "would create     deployments.apps shop/web\n"
            "would create 3\n");
  EXPECT_EQ(Inventory(), "configmaps shop/conf, deployments.apps shop/web, namespaces shop, ");
  EXPECT_EQ(cluster_.Field(kInventories, kSystemNamespace, "site", "entries[1]"),
            R"({"id":"shop_web_apps_Deployment","v":"v1"})");
}

TEST_F(PlanTest, ASecondPushOfTheSameTreeWritesNothing) {
  Push(kShop);
  const state::Revision before = cluster_.store().revision();
  EXPECT_EQ(Push(kShop), "3 unchanged\n");
  unsure_.clear();  // as after a restart
  EXPECT_EQ(Push(kShop), "3 unchanged\n");
  EXPECT_EQ(cluster_.store().revision(), before);
}

TEST_F(PlanTest, OnlyWhatChangedIsLookedAt) {
  Push(kShop);
  Files files = kShop;
  files["conf.yaml"] = Replace(kConfig, "two", "three");
  const SyncPlan plan = Plan("site", Set(files));
  EXPECT_EQ(Text(plan), "would configure  configmaps shop/conf\nwould configure 1; 2 unchanged\n");
  EXPECT_EQ(plan.untouched, 2u);
  unsure_["site"] = std::make_shared<const std::set<state::Key>>(
      std::set<state::Key>{{"deployments.apps", "shop", "web"}});
  EXPECT_EQ(Plan("site", Set(files)).untouched, 1u);
}

TEST_F(PlanTest, AnInventoryThatWasLostIsWrittenAgain) {
  Push(kShop);
  cluster_.Delete("inventories.plumb.dev", "plumb-system", "site");
  EXPECT_EQ(Push(kShop), "3 unchanged\n");
  EXPECT_EQ(Inventory(), "configmaps shop/conf, deployments.apps shop/web, namespaces shop, ");
}

TEST_F(PlanTest, FieldsThatOthersSetStayAndThoseThatLeaveTheManifestGo) {
  Push(kShop);
  ByHand(Replace(kConfig, "a: one, b: two", "a: one, b: two, c: a program's"));
  Files files = kShop;
  files["conf.yaml"] = Replace(kConfig, ", b: two", "");
  EXPECT_EQ(Push(files), "would configure  configmaps shop/conf\nwould configure 1; 2 unchanged\n");
  EXPECT_EQ(Data(), R"({"a":"one","c":"a program's"})");
}

// A field that Git names has Git's value, whoever holds it.
TEST_F(PlanTest, AFieldThatAnotherManagerTookComesBack) {
  Push(kShop);
  Set("kubectl-edit", "a", "three");
  EXPECT_EQ(Push(kShop), "would configure  configmaps shop/conf\nwould configure 1; 2 unchanged\n");
  Set("some-operator", "a", "three");
  EXPECT_EQ(Push(kShop), "would configure  configmaps shop/conf\nwould configure 1; 2 unchanged\n");
  EXPECT_EQ(Data(), R"({"a":"one","b":"two"})");
  EXPECT_EQ(Push(kShop), "3 unchanged\n");
}

// One that it does not name goes if only people's tools hold it.
TEST_F(PlanTest, WhatPeopleAddedByHandGoes) {
  Push(kShop);
  Set("kubectl-edit", "c", "by hand");
  EXPECT_EQ(Push(kShop), "would configure  configmaps shop/conf\nwould configure 1; 2 unchanged\n");
  EXPECT_EQ(Data(), R"({"a":"one","b":"two"})");
  Set("some-operator", "c", "kept");
  EXPECT_EQ(Push(kShop), "3 unchanged\n");
  EXPECT_EQ(Data(), R"({"a":"one","b":"two","c":"kept"})");
}

TEST_F(PlanTest, WhatCameAsAScaleOrARestartIsNobodysDrift) {
  Files files = kShop;
  files["web.yaml"] = Replace(kWeb, "  replicas: 2\n", "");
  Push(files);
  Edit("kubectl", "scale", {"deployments.apps", "shop", "web"},
       [](base::Json& web) { web["spec"].Set("replicas", 5); });
  Edit("kubectl-rollout", "", {"deployments.apps", "shop", "web"}, [](base::Json& web) {
    web["spec"]["template"]["metadata"]["annotations"].Set("kubectl.kubernetes.io/restartedAt",
                                                           "2026-01-01T00:00:00Z");
  });
  EXPECT_EQ(Push(files), "3 unchanged\n");
  Edit("kubectl-edit", "", {"deployments.apps", "shop", "web"},
       [](base::Json& web) { web["spec"].Set("paused", true); });
  EXPECT_EQ(Push(files),
            "would configure  deployments.apps shop/web\nwould configure 1; 2 unchanged\n");
  const auto web = [&](const std::string& path) {
    return cluster_.Field("deployments.apps", "shop", "web", path);
  };
  EXPECT_EQ(web("spec.paused"), "absent");
  EXPECT_EQ(web("spec.replicas"), "5");
  EXPECT_EQ(web("spec.template.metadata.annotations"),
            R"({"kubectl.kubernetes.io/restartedAt":"2026-01-01T00:00:00Z"})");
}

// Flux's ways of leaving others their part.
TEST_F(PlanTest, AnAnnotationSaysHowToApply) {
  const auto conf = [](const std::string& mode) {
    return Replace(
        kConfig, "namespace: shop}",
        "namespace: shop, annotations: {kustomize.toolkit.fluxcd.io/ssa: " + mode + "}}");
  };
  Files files = kShop;
  files["conf.yaml"] = conf("Ignore");
  EXPECT_EQ(Judge(files, {.allow_missing = true}),
            "would create     namespaces shop\n"
            "would skip       configmaps shop/conf (an annotation asks to leave it alone)\n"
            "would create     deployments.apps shop/web\n"
            "would create 2, skip 1\n");
  files["conf.yaml"] = conf("Merge");
  Push(files);
  Set("kubectl-edit", "c", "by hand");
  EXPECT_EQ(Push(files), "3 unchanged\n");
  files["conf.yaml"] = conf("IfNotPresent");
  EXPECT_EQ(Push(files),
            "would skip       configmaps shop/conf (an annotation asks to leave it alone)\n"
            "would skip 1; 2 unchanged\n");
}

// An earlier plumb kept no managers, but what it had applied, in an annotation.
TEST_F(PlanTest, WhatAnEarlierPlumbAppliedIsTakenOver) {
  Push({{"ns.yaml", kNamespace}});
  const std::string last =
      R"('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"conf","namespace":"shop"},)"
      R"("data":{"a":"one","b":"two"}}')";
  ByHand(Replace(Replace(kConfig, "namespace: shop}",
                         "namespace: shop, annotations: {plumb.dev/last-applied: " + last + "}}"),
                 "b: two", "b: two, c: somebody's"));
  ForgetManagers({"configmaps", "shop", "conf"});
  const Files files = {{"ns.yaml", kNamespace}, {"conf.yaml", Replace(kConfig, ", b: two", "")}};
  EXPECT_EQ(Push(files), "would configure  configmaps shop/conf\nwould configure 1; 1 unchanged\n");
  EXPECT_EQ(Data(), R"({"a":"one","c":"somebody's"})");
  EXPECT_EQ(cluster_.Field("configmaps", "shop", "conf", "metadata.annotations"), "absent");
  EXPECT_EQ(Push(files), "2 unchanged\n");
}

TEST_F(PlanTest, ExactlyWhatLeftTheCommitIsPruned) {
  Push(kShop);
  ByHand("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine, namespace: shop}\n");
  Files files = kShop;
  files.erase("web.yaml");
  EXPECT_EQ(Push(files),
            "would prune      deployments.apps shop/web\nwould prune 1; 2 unchanged\n");
  EXPECT_EQ(cluster_.Names("deployments.apps"), "");
  EXPECT_EQ(cluster_.Names("configmaps"), "shop/conf shop/mine");
  EXPECT_EQ(Inventory(), "configmaps shop/conf, namespaces shop, ");
}

TEST_F(PlanTest, KustomizationMaySuspendTheRepositoryOrItsPruning) {
  const auto set = [this](std::string_view field, bool value) {
    base::Json kustomization =
        cluster_.store().view().Get(KustomizationKey("site"))->document.ToJson();
    kustomization["spec"].Set(field, value);
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    ASSERT_TRUE(draft.Update(std::move(kustomization)).ok());
    Commit(draft.Finish());
  };
  const Files files = {{"ns.yaml", kNamespace}, {"conf.yaml", kConfig}};
  Push(files);
  set("prune", false);
  EXPECT_EQ(Push({{"ns.yaml", kNamespace}}),
            "would skip       configmaps shop/conf (not pruned: spec.prune of the Kustomization is "
            "false)\nwould skip 1; 1 unchanged\n");
  set("suspend", true);
  EXPECT_EQ(Push(files),
            ".: the repository is suspended; set spec.suspend of its Kustomization to false to go "
            "on\n");
  set("suspend", false);
  set("prune", true);
  EXPECT_EQ(Push({{"ns.yaml", kNamespace}}),
            "would prune      configmaps shop/conf\nwould prune 1; 1 unchanged\n");
}

constexpr char kDaemonPod[] =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: shop}\nspec:\n"
    "  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec:\n"
    "      hostNetwork: true\n      containers: [{name: c, image: i}]\n";

TEST_F(PlanTest, PodsThatTheirNamespaceForbidsAreRefusedAtTheirLine) {
  cluster_.Apply(
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: plumb-system, annotations: "
      "{plumb.dev/pod-security-default: baseline}}\n");
  EXPECT_EQ(Judge({{"ns.yaml", kNamespace}, {"web.yaml", kDaemonPod}}),
            "web.yaml:9:20: spec.template.spec.hostNetwork: must not be true (Pod Security "
            "baseline:latest; to allow it: kubectl label namespace shop "
            "pod-security.kubernetes.io/enforce=privileged)\n");
  const std::string allowed =
      Replace(kNamespace, "name: shop",
              "name: shop, labels: {pod-security.kubernetes.io/enforce: privileged}");
  EXPECT_EQ(Push({{"ns.yaml", allowed}, {"web.yaml", kDaemonPod}}),
            "would create     namespaces shop\nwould create     deployments.apps shop/d\n"
            "would create 2\n");
  // What is there is not judged again, what comes new is.
  EXPECT_EQ(
      Push({{"ns.yaml", kNamespace}, {"web.yaml", Replace(kDaemonPod, "image: i", "image: j")}}),
      "would configure  namespaces shop\nwould configure  deployments.apps shop/d\n"
      "would configure 2\n");
  EXPECT_EQ(Judge({{"ns.yaml", kNamespace},
                   {"web.yaml", Replace(kDaemonPod, "hostNetwork: true", "hostPID: true")}}),
            "web.yaml:9:16: spec.template.spec.hostPID: must not be true (Pod Security "
            "baseline:latest; to allow it: kubectl label namespace shop "
            "pod-security.kubernetes.io/enforce=privileged)\n");
}

TEST_F(PlanTest, PruneSkipsWhatAsksToBeKept) {
  Push({{"a.yaml",
         "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: "
         "{kustomize.toolkit.fluxcd.io/prune: disabled}}\n"},
        {"b.yaml",
         "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, annotations: "
         "{argocd.argoproj.io/sync-options: Prune=false}}\n"},
        {"ns.yaml", kNamespace}});
  EXPECT_EQ(Push({{"ns.yaml", kNamespace}}),
            "would skip       configmaps default/a (not pruned: an annotation asks to keep it)\n"
            "would skip       configmaps default/b (not pruned: an annotation asks to keep it)\n"
            "would skip 2; 1 unchanged\n");
  EXPECT_EQ(cluster_.Names("configmaps"), "default/a default/b");
  EXPECT_EQ(Inventory(), "namespaces shop, ");
}

// Whoever could write an Inventory must not end with it what the application does not own.
TEST_F(PlanTest, PruneNeverLeavesOwnershipAndScope) {
  const Files files = {{"ns.yaml", kNamespace}, {"conf.yaml", kConfig}};
  Push(files);
  ByHand(
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: precious, namespace: shop}\n---\n"
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: flux, namespace: shop, labels: "
      "{kustomize.toolkit.fluxcd.io/name: site, kustomize.toolkit.fluxcd.io/namespace: "
      "flux-system}}\n---\n"
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: outside, namespace: default, labels: "
      "{kustomize.toolkit.fluxcd.io/name: site}}\n");
  state::Draft draft(cluster_.store().view(), cluster_.Context());
  base::Json kustomization = draft.view().Get(KustomizationKey("site"))->document.ToJson();
  kustomization["metadata"]["annotations"].Set(kNamespacesAnnotation, "shop");
  ASSERT_TRUE(draft.Update(std::move(kustomization)).ok());
  std::set<state::Key> keys =
      *ReadInventory(cluster_.store().view(), *cluster_.schema, "site").keys;
  for (const auto& [ns, name] : {std::pair("shop", "precious"), std::pair("shop", "flux"),
                                 std::pair("default", "outside")}) {
    keys.insert({"configmaps", ns, name});
  }
  ASSERT_TRUE(RecordInventory(draft, "site", keys).ok());
  Commit(draft.Finish());
  EXPECT_EQ(
      Push(files),
      "would skip       configmaps default/outside (not pruned: it is outside of the "
      "application's namespaces)\n"
      "would skip       configmaps shop/flux (not pruned: it is not labelled as deployed)\n"
      "would skip       configmaps shop/precious (not pruned: it is not labelled as deployed)\n"
      "would skip 3; 2 unchanged\n");
  EXPECT_EQ(cluster_.Names("configmaps"), "default/outside shop/conf shop/flux shop/precious");
  EXPECT_EQ(Inventory(), "configmaps shop/conf, namespaces shop, ");
}

TEST_F(PlanTest, AnEmptyCommitPrunesOnlyIfThePushSaysSo) {
  Push(kShop);
  EXPECT_EQ(
      Judge({}),
      ".: the commit deploys nothing, which would prune all 3 objects of the repository; push "
      "with -o allow-empty if that is meant\n");
  Push({}, PushOptions{.allow_empty = true});
  EXPECT_EQ(cluster_.Names("deployments.apps") + cluster_.Names("configmaps"), "");
}

TEST_F(PlanTest, EveryErrorOfAPushIsReported) {
  EXPECT_EQ(
      Judge({{"a.yaml", Replace(kConfig, "namespace: shop", "namespace: nowhere")},
             {"b.yaml", "kind: x\n"},
             {"ns.yaml", kNamespace},
             {"web.yaml", Replace(Replace(kWeb, "replicas: 2", "replica: two"), "image", "imag")}}),
      "a.yaml:3:35: namespace nowhere does not exist; add a Namespace manifest, or correct "
      "metadata.namespace\n"
      "b.yaml:1:1: this document has no apiVersion and kind, so it is no Kubernetes object; "
      "correct "
      "it, or if it is no manifest move the file out of what is deployed or list it in "
      ".sourceignore\n"
      "web.yaml:5:3: spec.replica: unknown field; did you mean replicas?\n"
      "web.yaml:11:9: spec.template.spec.containers[0].image: is required; add it\n"
      "web.yaml:12:9: spec.template.spec.containers[0].imag: unknown field; did you mean image?\n");
}

TEST_F(PlanTest, AMissingReferenceIsNamedAtItsLine) {
  const Files files = {{"ns.yaml", kNamespace}, {"web.yaml", kWeb}};
  EXPECT_EQ(
      Judge(files),
      "web.yaml:13:41: spec.template.spec.containers[0].envFrom[0].configMapRef.name: namespace "
      "shop would have no ConfigMap \"conf\"; add it, correct the name, or push with -o "
      "allow-missing\n");
  EXPECT_EQ(Judge(files, PushOptions{.allow_missing = true}),
            "would create     namespaces shop\nwould create     deployments.apps shop/web\nwould "
            "create 2\n");
}

TEST_F(PlanTest, PruningWhatAnUnchangedWorkloadNeedsIsAnError) {
  Push(kShop);
  EXPECT_EQ(Judge({{"ns.yaml", kNamespace}, {"web.yaml", kWeb}}).substr(0, 15), "web.yaml:13:41:");
}

TEST_F(PlanTest, WhatNobodyCouldAddIsNotMissing) {
  // No kind is served for a volume's claim; the account "default" comes by itself.
  const std::string text = Judge({{"p.yaml",
                                   "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
                                   "  serviceAccountName: default\n"
                                   "  containers: [{name: a, image: i}]\n"
                                   "  volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]"
                                   "\n"}});
  EXPECT_EQ(text.find("would have no"), std::string::npos) << text;
  EXPECT_NE(text.find("would create     pods default/p"), std::string::npos) << text;
}

TEST_F(PlanTest, AnIngressNeedsItsServicesAndNothingActsOnIt) {
  constexpr std::string_view kWebService =
      "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n";
  constexpr std::string_view kIngress =
      "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec:\n"
      "  tls: [{secretName: cert}]\n"
      "  defaultBackend: {service: {name: web, port: {number: 80}}}\n";
  EXPECT_EQ(
      Judge({{"i.yaml", std::string(kIngress)}}),
      "i.yaml:6:36: spec.defaultBackend.service.name: namespace default would have no Service "
      "\"web\"; add it, correct the name, or push with -o allow-missing\n"
      "warning: i.yaml:2:7: kind: accepted, but plumb does not act on this kind yet\n");
  const Files both = {{"i.yaml", std::string(kIngress)}, {"s.yaml", std::string(kWebService)}};
  EXPECT_EQ(Push(both),
            "warning: i.yaml:2:7: kind: accepted, but plumb does not act on this kind yet\n"
            "would create     services default/web\n"
            "would create     ingresses.networking.k8s.io default/web\nwould create 2\n");
  // An Ingress that did not change is looked at when its Service goes.
  EXPECT_EQ(Judge({{"i.yaml", std::string(kIngress)}}).substr(0, 12), "i.yaml:6:36:");
}

TEST_F(PlanTest, AWorkloadThatExceedsTheQuotaIsAnErrorAtItsReplicas) {
  Files files = kShop;
  files["quota.yaml"] =
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: shop}\nspec: {hard: "
      "{pods: 2}}\n";
  Push(files);
  files["web.yaml"] = Replace(kWeb, "replicas: 2", "replicas: 3");
  EXPECT_EQ(
      Judge(files),
      "web.yaml:5:13: quota q allows pods 2, and the workloads of namespace shop would take 3; "
      "lower replicas or requests, or raise the quota\n");
  files["web.yaml"] = Replace(kWeb, "replicas: 2", "replicas: 1");
  EXPECT_EQ(Judge(files),
            "would configure  deployments.apps shop/web\nwould configure 1; 3 unchanged\n");
}

TEST_F(PlanTest, OnlyErrorsThatThePushBringsRefuseIt) {
  Push({{"ns.yaml", kNamespace}, {"web.yaml", kWeb}}, PushOptions{.allow_missing = true});
  Files files = {{"ns.yaml", kNamespace},
                 {"web.yaml", Replace(kWeb, "replicas: 2", "replicas: 4")}};
  const std::string text = Judge(files);
  EXPECT_TRUE(
      text.starts_with("warning: web.yaml:13:41: spec.template.spec.containers[0].envFrom[0]"))
      << text;
  EXPECT_TRUE(text.ends_with(
      "would configure  deployments.apps shop/web\nwould configure 1; 1 unchanged\n"))
      << text;
  files["bad.yaml"] = "kind: x\n";
  EXPECT_EQ(Judge(files).substr(0, 13), "bad.yaml:1:1:");
}

TEST_F(PlanTest, AWayBackToATreeThatWasAppliedIsNeverBlocked) {
  const Files first = {{"ns.yaml", kNamespace}, {"conf.yaml", kConfig}, {"web.yaml", kWeb}};
  Push(first);
  Push({{"ns.yaml", kNamespace}});
  ByHand(
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: shop}\nspec: "
      "{hard: {pods: 1}}\n");
  EXPECT_EQ(
      Push(first),
      "warning: web.yaml:5:13: quota q allows pods 1, and the workloads of namespace shop would "
      "take 2; lower replicas or requests, or raise the quota\n"
      "would create     configmaps shop/conf\nwould create     deployments.apps shop/web\n"
      "would create 2; 1 unchanged\n");
  EXPECT_EQ(cluster_.Names("deployments.apps"), "shop/web");
}

TEST_F(PlanTest, AnUnreadableManifestThatIsForgivenPrunesNothing) {
  Push(kShop);
  Files files = kShop;
  files["web.yaml"] = "kind: [\n";
  ManifestSet set = Set(files);
  set.tree = Set(kShop).tree;  // as if it had been applied before
  const SyncPlan plan = Plan("site", set);
  EXPECT_EQ(plan.errors.size(), 0u);
  EXPECT_EQ(
      PlanLines(plan)[0],
      "would skip       deployments.apps shop/web (not pruned: some manifests could not be read)");
}

TEST_F(PlanTest, HandOverBetweenRepositoriesNeverDeletes) {
  Push(kShop);
  const std::string uid = cluster_.Field("configmaps", "shop", "conf", "metadata.uid");
  const Files moved = {{"conf.yaml", kConfig}};
  EXPECT_EQ(
      Judge(moved, {}, "other"),
      "conf.yaml:1:1: configmaps shop/conf is deployed by repository site; remove it from one "
      "of the two, or push with -o take-over to move it here\n");
  EXPECT_EQ(Push(moved, PushOptions{.take_over = true}, "other"),
            "would hand over  configmaps shop/conf (from repository site)\nwould hand over 1\n");
  EXPECT_EQ(Inventory("site"), "deployments.apps shop/web, namespaces shop, ");
  EXPECT_EQ(Inventory("other"), "configmaps shop/conf, ");
  EXPECT_EQ(Push({{"ns.yaml", kNamespace}, {"web.yaml", kWeb}}), "2 unchanged\n");
  EXPECT_EQ(cluster_.Field("configmaps", "shop", "conf", "metadata.uid"), uid);
}

TEST_F(PlanTest, WavesCommitOneByOneAndPruningIsTheLast) {
  Push({{"ns.yaml", kNamespace}, {"conf.yaml", kConfig}});
  const Files files = {
      {"a.yaml",
       "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop, annotations: "
       "{plumb.dev/wave: \"1\"}}\n"},
      {"b.yaml",
       "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: shop, annotations: "
       "{argocd.argoproj.io/sync-wave: \"-1\"}}\n"},
      {"ns.yaml", kNamespace}};
  Push(files);
  EXPECT_EQ(cluster_.Names("configmaps"), "shop/b shop/conf");
  Push(files);
  EXPECT_EQ(cluster_.Names("configmaps"), "shop/a shop/b");
  EXPECT_EQ(Inventory(), "configmaps shop/a, configmaps shop/b, namespaces shop, ");
  EXPECT_EQ(Judge({{"a.yaml", Replace(files.at("a.yaml"), "\"1\"", "\"x\"")}}),
            "a.yaml:3:68: plumb.dev/wave: a wave is a whole number in quotes, such as \"1\"\n");
}

TEST_F(PlanTest, ASecretsValuesAreNotCopied) {
  Push({{"s.yaml",
         "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: "
         "hunter2}\ndata: {token: aHVudGVyMw==}\n"}});
  const std::string annotations = cluster_.Field("secrets", "default", "s", "metadata.annotations");
  EXPECT_EQ(annotations, "absent");
  EXPECT_EQ(cluster_.Field("secrets", "default", "s", "data"),
            R"({"password":"aHVudGVyMg==","token":"aHVudGVyMw=="})");
  Push({{"s.yaml",
         "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {token: "
         "aHVudGVyMw==}\n"}});
  EXPECT_EQ(cluster_.Field("secrets", "default", "s", "data"), R"({"token":"aHVudGVyMw=="})");
}

TEST_F(PlanTest, AnUnknownPushOptionNamesThoseThereAre) {
  EXPECT_EQ(ParsePushOptions({"nowait", "force"}).status().ToString(),
            "Invalid: push option \"force\" is unknown; there are allow-empty, allow-missing, "
            "dry-run, nowait, take-over");
}

// Also of a repository that may touch the namespace.
TEST_F(PlanTest, ASecretOfPlumbItselfIsRefused) {
  const Files files = {
      {"token.yaml",
       "apiVersion: v1\nkind: Secret\nmetadata: {name: plumb.token.eve, namespace: "
       "plumb-system}\ntype: plumb.dev/token\nstringData: {name: eve, role: admin, sha256: "
       "'aa'}\n"}};
  EXPECT_EQ(Text(Plan("site", Set(files))),
            "token.yaml:3:46: this repository may not touch namespace plumb-system, only any but "
            "plumb-system; correct metadata.namespace, or allow it with plumb repo\n");
  EXPECT_EQ(
      Text(Plan("site", Set(files, {.namespaces = {"shop", "plumb-system"}}))),
      "token.yaml:1:1: secrets \"plumb.token.eve\" is forbidden: in plumb-system the names "
      "that begin with \"plumb.\" are plumb's own; choose another name, or use plumb token\n");
}

}  // namespace
}  // namespace gitsync
