#include "state/draft.h"

#include <gtest/gtest.h>

#include <set>

#include "manifests/yaml/yaml.h"
#include "state/cluster_namespaces.h"
#include "state/own_secrets.h"
#include "state/testing/test_cluster.h"

namespace state {
namespace {

constexpr char kPod[] = R"(
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers: [{name: web, image: "hello:1"}]
)";

constexpr char kDeployment[] = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "hello:1"}]
)";

std::string Replace(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST(DraftTest, ACreatedObjectGetsItsSystemFields) {
  TestCluster cluster;
  cluster.Apply(kDeployment);
  EXPECT_EQ(cluster.Field("deployments.apps", "default", "web", "metadata.generation"), "1");
  EXPECT_EQ(cluster.Field("deployments.apps", "default", "web", "metadata.creationTimestamp"),
            "\"2026-09-21T14:13:20Z\"");
  EXPECT_EQ(cluster.Field("deployments.apps", "default", "web", "metadata.uid").size(), 38u);
  EXPECT_EQ(cluster.Field("deployments.apps", "default", "web", "spec.strategy.type"),
            "\"RollingUpdate\"");
}

TEST(DraftTest, TheGenerationCountsChangesOfTheSpecOnly) {
  TestCluster cluster;
  cluster.Apply(kDeployment);
  cluster.Apply(Replace(kDeployment, "{name: web}", "{name: web, labels: {a: b}}"));
  EXPECT_EQ(cluster.Field("deployments.apps", "default", "web", "metadata.generation"), "1");
  cluster.Apply(Replace(kDeployment, "replicas: 2", "replicas: 3"));
  EXPECT_EQ(cluster.Field("deployments.apps", "default", "web", "metadata.generation"), "2");
}

TEST(DraftTest, AnUpdateThatChangesNothingWritesNothing) {
  TestCluster cluster;
  cluster.Apply(kDeployment);
  const Revision before = cluster.store().revision();
  cluster.Apply(kDeployment);
  EXPECT_EQ(cluster.store().revision(), before);
}

TEST(DraftTest, AnUpdateLeavesTheStatusAlone) {
  TestCluster cluster;
  cluster.Apply(kDeployment);
  cluster.SetStatus("deployments.apps", "default", "web", "{replicas: 2}");
  cluster.Apply(Replace(kDeployment, "replicas: 2", "replicas: 3"));
  EXPECT_EQ(cluster.Field("deployments.apps", "default", "web", "status.replicas"), "2");
}

TEST(DraftTest, AStaleResourceVersionIsAConflict) {
  TestCluster cluster;
  cluster.Apply(kDeployment);
  EXPECT_EQ(cluster.Try(Replace(kDeployment, "{name: web}", "{name: web, resourceVersion: \"1\"}")),
            "Conflict: Operation cannot be fulfilled on deployments.apps \"web\": the object has "
            "been modified; please "
            "apply your changes to the latest version and try again");
}

TEST(DraftTest, NothingIsCreatedInAMissingOrEndingNamespace) {
  TestCluster cluster;
  EXPECT_EQ(cluster.Try(Replace(kPod, "{name: web}", "{name: web, namespace: nowhere}")),
            "NotFound: namespaces \"nowhere\" not found");
  cluster.AddNamespace("leaving");
  cluster.Delete("namespaces", "", "leaving");
  EXPECT_EQ(cluster.Field("namespaces", "", "leaving", "status.phase"), "\"Terminating\"");
  EXPECT_EQ(cluster.Try(Replace(kPod, "{name: web}", "{name: web, namespace: leaving}")),
            "Forbidden: pods \"web\" is forbidden: unable to create new content in namespace "
            "leaving because it is "
            "being terminated");
}

TEST(DraftTest, AnUnboundPodGoesAtOnceABoundOneGetsItsGracePeriod) {
  TestCluster cluster;
  cluster.AddNode("n1");
  cluster.Apply(kPod);
  cluster.Delete("pods", "default", "web");
  EXPECT_EQ(cluster.Names("pods"), "");
  cluster.Apply(kPod);
  cluster.Bind("default", "web", "n1");
  cluster.Delete("pods", "default", "web");
  EXPECT_EQ(cluster.Field("pods", "default", "web", "metadata.deletionGracePeriodSeconds"), "30");
  cluster.Delete("pods", "default", "web", DeleteOptions{.grace_period_seconds = 0});
  EXPECT_EQ(cluster.Names("pods"), "");
}

TEST(DraftTest, AnObjectWithAFinalizerWaitsForIt) {
  TestCluster cluster;
  cluster.Apply(
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, finalizers: [example.com/hold]}\n");
  cluster.Delete("configmaps", "default", "c");
  EXPECT_NE(cluster.Field("configmaps", "default", "c", "metadata.deletionTimestamp"), "absent");
  cluster.Apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n");
  EXPECT_EQ(cluster.Names("configmaps"), "");
}

TEST(DraftTest, LaterChangesSeeEarlierOnesAndCommitTogether) {
  TestCluster cluster;
  cluster.Apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n" +
                Replace(kPod, "{name: web}", "{name: web, namespace: shop}"));
  EXPECT_EQ(cluster.Names("pods"), "shop/web");
}

TEST(AdmissionTest, ServicesGetAddressesOfTheirOwn) {
  TestCluster cluster;
  const std::string service =
      "apiVersion: v1\nkind: Service\nmetadata: {name: NAME}\nspec: {ports: [{port: 80}]}\n";
  cluster.Apply(Replace(service, "NAME", "a"));
  cluster.Apply(Replace(service, "NAME", "b"));
  const std::string a = cluster.Field("services", "default", "a", "spec.clusterIP");
  EXPECT_NE(a, cluster.Field("services", "default", "b", "spec.clusterIP"));
  EXPECT_EQ(a.substr(0, 7), "\"10.96.");
  cluster.Apply(Replace(service, "NAME", "a"));
  EXPECT_EQ(cluster.Field("services", "default", "a", "spec.clusterIP"), a)
      << "it keeps its address";
  EXPECT_EQ(cluster.Try(
                Replace(Replace(service, "NAME", "c"), "spec: {", "spec: {clusterIP: " + a + ", ")),
            "Invalid: Service \"c\" is invalid: spec.clusterIP: " + a.substr(1, a.size() - 2) +
                " is taken");
}

TEST(AdmissionTest, AServiceLooksAtNoOtherForItsAddressAndPorts) {
  TestCluster cluster;
  const std::string service =
      "apiVersion: v1\nkind: Service\nmetadata: {name: NAME}\n"
      "spec: {type: NodePort, ports: [{name: a, port: 80}, {name: b, port: 81}]}\n---\n";
  std::string all;
  for (int i = 0; i < 50; ++i) all += Replace(service, "NAME", "s" + std::to_string(i));
  cluster.Apply(all);
  std::set<std::string> taken;
  for (const ObjectPtr& each : cluster.store().view().List("services")) {
    EXPECT_TRUE(taken.emplace((*each)["spec"]["clusterIP"].Bytes()).second);
    for (base::Value port : (*each)["spec"]["ports"].Elements())
      EXPECT_TRUE(taken.emplace(port["nodePort"].Bytes()).second);
  }
  View view = cluster.store().view();
  size_t visits = 0;
  view.CountVisits(&visits);
  Draft draft(view, cluster.Context());
  const auto file = manifests::ParseYaml(Replace(service, "NAME", "more, namespace: default"));
  const auto created = draft.Create(file.documents.at(0));
  EXPECT_TRUE(created.ok()) << created.status().ToString();
  EXPECT_LE(visits, 3u);  // those that have what is tried first
}

TEST(AdmissionTest, AQuotaSaysWhatIsExceeded) {
  TestCluster cluster;
  cluster.Apply(
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: 1}}\n");
  cluster.Apply(kPod);
  EXPECT_EQ(cluster.Try(Replace(kPod, "{name: web}", "{name: two}")),
            "Forbidden: pods \"two\" is forbidden: exceeded quota q: pods: requested 1, used 1, "
            "limited to 1");
}

TEST(AdmissionTest, AQuotaWithScopesCountsThePodsInThem) {
  TestCluster cluster;
  const auto scoped = [&cluster](const std::string& name, const std::string& scopes) {
    cluster.Apply("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: " + name +
                  "}\nspec: {hard: {pods: 0, configmaps: 0}, " + scopes + "}\n");
  };
  int pods = 0;
  const auto refusing = [&cluster, &pods](const std::string& more) {
    const std::string answer =
        cluster.Try(Replace(Replace(kPod, "spec:\n", "spec:\n" + more), "{name: web}",
                            "{name: pod-" + std::to_string(++pods) + "}"));
    const size_t at = answer.find("quota ");
    return at == std::string::npos ? answer : answer.substr(at, answer.find(": pods", at) - at);
  };
  scoped("effort", "scopes: [BestEffort, NotTerminating]");
  EXPECT_EQ(refusing(""), "quota effort");
  EXPECT_EQ(refusing("  activeDeadlineSeconds: 5\n"), "OK");
  scoped("ending", "scopes: [Terminating]");
  EXPECT_EQ(refusing("  activeDeadlineSeconds: 5\n"), "quota ending");
  scoped("high",
         "scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: "
         "[high]}, {scopeName: NotTerminating, operator: Exists}]}");
  EXPECT_EQ(refusing("  priorityClassName: low\n"), "quota effort");
  EXPECT_EQ(refusing("  priorityClassName: high\n"), "quota effort");
  cluster.Apply(
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: effort}\n"
      "spec: {hard: {pods: 9}, scopes: [BestEffort, NotTerminating]}\n");
  EXPECT_EQ(refusing("  priorityClassName: low\n"), "OK");
  EXPECT_EQ(refusing("  priorityClassName: high\n"), "quota high");
  EXPECT_EQ(cluster.Try("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"), "OK")
      << "a quota with scopes counts pods only";
}

TEST(AdmissionTest, ALimitRangeBoundsTheLimitByTheRequest) {
  TestCluster cluster;
  cluster.Apply(
      "apiVersion: v1\nkind: LimitRange\nmetadata: {name: l}\n"
      "spec: {limits: [{type: Container, maxLimitRequestRatio: {memory: 2}}]}\n");
  const auto with = [&cluster](const std::string& resources) {
    return cluster.Try(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
        "spec: {containers: [{name: c, image: i, resources: {" +
        resources + "}}]}\n");
  };
  const std::string refusal =
      "Forbidden: pods \"p\" is forbidden: container c must have a request and a limit of memory, "
      "the limit at most 2 times the request";
  EXPECT_EQ(with("requests: {memory: 1Gi}, limits: {memory: 3Gi}"), refusal);
  EXPECT_EQ(with("requests: {memory: 1Gi}"), refusal);
  EXPECT_EQ(with("requests: {memory: 1Gi}, limits: {memory: 2Gi}"), "OK");
}

TEST(AdmissionTest, APodTakesThePullSecretsOfItsServiceAccount) {
  TestCluster cluster;
  cluster.Apply(
      "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default}\n"
      "imagePullSecrets: [{name: registry}]\n");
  cluster.Apply(kPod);
  EXPECT_EQ(cluster.Field("pods", "default", "web", "spec.imagePullSecrets"),
            R"([{"name":"registry"}])");
}

TEST(AdmissionTest, AGatedPodSaysSoAndMayLoseItsGatesOnly) {
  TestCluster cluster;
  const auto pod = [](const std::string& gates) {
    return Replace(kPod, "spec:\n", "spec:\n  schedulingGates: [" + gates + "]\n");
  };
  cluster.Apply(pod("{name: a.example/wait}, {name: b.example/wait}"));
  const ObjectPtr web = cluster.Get("pods", "default", "web");
  EXPECT_EQ((*web)["status"]["conditions"].At(0)["reason"].AsString(), "SchedulingGated");
  EXPECT_NE(cluster.Try(pod("{name: c.example/wait}")).find("removed from a pod, but not added"),
            std::string::npos);
  EXPECT_EQ(cluster.Try(pod("{name: a.example/wait}")), "OK");
}

TEST(AdmissionTest, ALimitRangeFillsInAndBounds) {
  TestCluster cluster;
  cluster.Apply(R"(
apiVersion: v1
kind: LimitRange
metadata: {name: l}
spec: {limits: [{type: Container, default: {memory: 64Mi}, defaultRequest: {memory: 32Mi}, max: {memory: 1Gi}}]}
)");
  cluster.Apply(kPod);
  EXPECT_EQ(cluster.Field("pods", "default", "web", "spec.containers[0].resources"),
            R"({"limits":{"memory":"64Mi"},"requests":{"memory":"32Mi"}})");
  EXPECT_EQ(cluster.Try(Replace(Replace(kPod, "{name: web}", "{name: big}"), "image: \"hello:1\"",
                                "image: x, resources: {limits: {memory: 2Gi}}")),
            "Forbidden: pods \"big\" is forbidden: container web must have a limit of at most 1Gi "
            "of memory");
}

// plumb's own Secrets: what each of several writers may do.
class OwnSecretsTest : public testing::Test {
 protected:
  OwnSecretsTest() {
    cluster_.AddNamespace("plumb-system");
    Draft draft = As(VaultActor());
    EXPECT_TRUE(draft.Create(Secret("plumb.ca")).ok());
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  }

  static base::Json Secret(std::string_view name, std::string_view ns = "plumb-system") {
    return base::Json::MakeObject(
        {{"apiVersion", "v1"},
         {"kind", "Secret"},
         {"metadata", base::Json::MakeObject({{"name", name}, {"namespace", ns}})}});
  }
  Draft As(const ActorPtr& actor) {
    DraftContext context = cluster_.Context();
    context.actor = actor;
    return Draft(cluster_.store().view(), context);
  }
  // Create, update, apply, delete: a word each.
  std::string May(const ActorPtr& actor) {
    base::Json changed = Secret("plumb.ca");
    changed.Set("data", base::Json::MakeObject({{"a", "YQ=="}}));
    const base::Status tried[] = {
        As(actor).Create(Secret("plumb.other")).status(), As(actor).Update(changed).status(),
        As(actor).Apply(changed, {.force = true}).status(),
        As(actor).Delete({"secrets", "plumb-system", "plumb.ca"}, {}).status()};
    std::string text;
    for (const base::Status& status : tried) {
      text += status.ok() ? "yes " : std::string(base::ReasonOf(status.code())) + " ";
    }
    return text;
  }

  TestCluster cluster_;
};

TEST_F(OwnSecretsTest, OnlyPlumbWritesThem) {
  const auto person = [](const char* manager) {
    return std::make_shared<const Actor>(Actor{"ann", {"plumb:admin"}, manager, false});
  };
  EXPECT_EQ(May(VaultActor()), "yes yes yes yes ");
  EXPECT_EQ(May(person("kubectl")), "Forbidden Forbidden Forbidden Forbidden ");
  EXPECT_EQ(May(person("plumb-vault")), "Forbidden Forbidden Forbidden Forbidden ");
  EXPECT_EQ(May(ProgramActor("plumb-gitsync")), "Forbidden Forbidden Forbidden Forbidden ");
  EXPECT_EQ(As(person("kubectl")).Create(Secret("plumb.x")).status().ToString(),
            "Forbidden: secrets \"plumb.x\" is forbidden: in plumb-system the names that begin "
            "with \"plumb.\" are plumb's own; choose another name, or use plumb token");
}

TEST_F(OwnSecretsTest, OthersAreAnybodys) {
  const ActorPtr gitsync = ProgramActor("plumb-gitsync");
  EXPECT_TRUE(As(gitsync).Create(Secret("hook")).ok());
  EXPECT_TRUE(As(gitsync).Create(Secret("plumb.ca", "default")).ok());
}

TEST(DraftTest, NamespacesOfTheClusterCannotBeDeleted) {
  TestCluster cluster;
  cluster.AddNamespace("team");
  for (const std::string_view name : kClusterNamespaces) {
    if (name != "default") cluster.AddNamespace(name);
    for (const ActorPtr& actor : {VaultActor(), ActorPtr()}) {
      DraftContext context = cluster.Context();
      context.actor = actor;
      Draft draft(cluster.store().view(), context);
      EXPECT_EQ(draft.Delete({"namespaces", "", std::string(name)}, {}).status().ToString(),
                "Forbidden: namespaces \"" + std::string(name) +
                    "\" is forbidden: this namespace may not be deleted");
    }
  }
  cluster.Delete("namespaces", "", "team");
}

TEST(DraftTest, ADeletionIsTakenBackAsIfItHadNeverBegun) {
  TestCluster cluster;
  cluster.Apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, finalizers: [a/b]}\n");
  const Key key{"configmaps", "default", "a"};
  const auto stored = [&] {
    base::Json object = cluster.store().view().Get(key)->document.ToJson();
    object["metadata"].Remove("resourceVersion");
    return object.ToString();
  };
  const std::string before = stored();
  cluster.Delete("configmaps", "default", "a", {.propagation = Propagation::kForeground});
  EXPECT_NE(stored(), before);
  for (const size_t writes : {1, 0}) {
    Draft draft(cluster.store().view(), cluster.Context());
    ASSERT_TRUE(draft.Undelete(key).ok());
    EXPECT_EQ(draft.Finish().writes.size(), writes);
    ASSERT_TRUE(cluster.store().Commit(draft.Finish()).ok());
    EXPECT_EQ(stored(), before);
  }
  Draft draft(cluster.store().view(), cluster.Context());
  EXPECT_EQ(draft.Undelete({"configmaps", "default", "b"}).status().code(), base::Code::kNotFound);
}

}  // namespace
}  // namespace state
