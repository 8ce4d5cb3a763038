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

// What the API does not tell apart is stored, counted and compared as one.
TEST(DraftTest, WritingTheSameOtherwiseChangesNoGeneration) {
  TestCluster cluster;
  cluster.Apply(kDeployment);
  const std::string before = cluster.Field("deployments.apps", "default", "web", "spec");
  for (const char* field : {"nodeSelector: {}", "volumes: []", "tolerations: []",
                            "imagePullSecrets: []", "initContainers: []", "hostNetwork: false",
                            "nodeName: \"\"", "affinity: ~", "hostAliases: ~"}) {
    cluster.Apply(Replace(kDeployment, "containers:", std::string(field) + "\n      containers:"));
    EXPECT_EQ(cluster.Field("deployments.apps", "default", "web", "spec"), before) << field;
    EXPECT_EQ(cluster.Field("deployments.apps", "default", "web", "metadata.generation"), "1");
  }
  cluster.Apply(
      Replace(kDeployment, "containers:", "terminationGracePeriodSeconds: 0\n      containers:"));
  EXPECT_EQ(cluster.Field("deployments.apps", "default", "web", "metadata.generation"), "2")
      << "a zero that is a value";
}

TEST(DraftTest, AnObjectThatWasStoredOtherwiseIsTheSame) {
  TestCluster cluster;
  cluster.Apply(kDeployment);
  // As an earlier plumb stored it.
  const ObjectPtr web = cluster.Get("deployments.apps", "default", "web");
  base::Json old = web->document.ToJson();
  base::Json& spec = old["spec"];
  spec["selector"].Set("matchExpressions", base::Json::MakeArray());
  spec["template"]["spec"].Set("volumes", base::Json::MakeArray());
  spec["template"]["spec"].Set("hostNetwork", false);
  Transaction transaction;
  transaction.writes.push_back({web->key, base::Document(old), web->revision});
  ASSERT_TRUE(cluster.store().Commit(transaction).ok());
  cluster.Apply(kDeployment);
  EXPECT_EQ(cluster.Field("deployments.apps", "default", "web", "metadata.generation"), "1");
}

// A rule that is younger than an object keeps nobody from the rest of it.
TEST(DraftTest, WhatWasWrongBeforeStaysAndNothingIsAddedToIt) {
  TestCluster cluster;
  cluster.Apply(kDeployment);
  const ObjectPtr web = cluster.Get("deployments.apps", "default", "web");
  base::Json old = web->document.ToJson();
  const auto alias = [](const char* host) {
    return base::Json::MakeArray({base::Json::MakeObject(
        {{"ip", "10.0.0.1"}, {"hostnames", base::Json::MakeArray({host})}})});
  };
  old["spec"]["template"]["spec"].Set("hostAliases", alias("*.example.com"));
  Transaction transaction;
  transaction.writes.push_back({web->key, base::Document(old), web->revision});
  ASSERT_TRUE(cluster.store().Commit(transaction).ok());

  Draft draft(cluster.store().view(), cluster.Context());
  base::Json wanted = draft.view().Get(web->key)->document.ToJson();
  wanted["spec"].Set("replicas", 7);
  EXPECT_TRUE(draft.Update(wanted).ok());
  wanted["spec"]["template"]["spec"].Set("hostAliases", alias("two words"));
  EXPECT_FALSE(draft.Update(wanted).ok());
}

TEST(DraftTest, ANullOfAMapIsStoredAsItsEmptyValue) {
  TestCluster cluster;
  cluster.Apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {LEVEL: info, P: }\n");
  EXPECT_EQ(cluster.Field("configmaps", "default", "c", "data"), R"({"LEVEL":"info","P":""})");
  Draft draft(cluster.store().view(), cluster.Context());
  const auto file = manifests::ParseYaml(
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied, namespace: default}\n"
      "data: {LEVEL: info, P: }\n");
  const auto applied = draft.Apply(file.documents.at(0));
  ASSERT_TRUE(applied.ok()) << applied.status().ToString();
  EXPECT_EQ((**applied)["data"].Bytes(), R"({"LEVEL":"info","P":""})");
}

TEST(DraftTest, WhatWasFilledInForAnotherTypeGoes) {
  TestCluster cluster;
  const auto service = [](const std::string& spec) {
    return "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {" + spec +
           ", ports: [{port: 80}]}\n";
  };
  const auto change = [&](const std::string& path, const std::string& value) {
    Draft draft(cluster.store().view(), cluster.Context());
    base::Json object = cluster.Get("services", "default", "s")->document.ToJson();
    object["spec"].Set(path, value);
    const auto updated = draft.Update(std::move(object));
    if (!updated.ok()) return updated.status().ToString();
    EXPECT_TRUE(cluster.store().Commit(draft.Finish()).ok());
    return std::string("OK");
  };
  cluster.Apply(service("type: NodePort, sessionAffinity: ClientIP"));
  EXPECT_EQ(change("type", "ClusterIP"), "OK");
  EXPECT_EQ(cluster.Field("services", "default", "s", "spec.ports[0].nodePort"), "absent");
  EXPECT_EQ(change("sessionAffinity", "None"), "OK");
  EXPECT_EQ(cluster.Field("services", "default", "s", "spec.sessionAffinityConfig"), "absent");
  EXPECT_EQ(change("externalName", "a.example"), "OK");
  EXPECT_EQ(change("type", "ExternalName"), "OK");
  EXPECT_EQ(cluster.Field("services", "default", "s", "spec.clusterIP"), "absent");
  EXPECT_EQ(change("type", "ClusterIP"), "OK");
  EXPECT_EQ(cluster.Field("services", "default", "s", "spec.externalName"), "absent");
}

TEST(AdmissionTest, ReservedAddressesAreTheClustersOwn) {
  TestCluster cluster;
  const auto named = [&](const std::string& name, const std::string& address) {
    const std::string answer =
        cluster.Try("apiVersion: v1\nkind: Service\nmetadata: {name: " + name +
                    "}\nspec: {clusterIP: " + address + ", ports: [{port: 53}]}\n");
    return answer.find("is reserved for the cluster itself") != std::string::npos ? "reserved"
                                                                                  : answer;
  };
  for (const char* address :
       {"10.96.0.0", "10.96.0.1", "10.96.0.10", "10.96.255.250", "10.96.255.255"}) {
    EXPECT_EQ(named("thief", address), "reserved") << address;
  }
  EXPECT_EQ(named("thief", "10.96.0.11"), "OK");
  EXPECT_EQ(named("kubernetes", "10.96.0.10"), "reserved");
  EXPECT_EQ(named("kubernetes", "10.96.0.1"), "OK") << "the API server's";
  DraftContext context = cluster.Context();
  context.actor = ProgramActor("plumb-gitsync");
  Draft draft(cluster.store().view(), context);
  base::Json object = cluster.Get("services", "default", "kubernetes")->document.ToJson();
  object["metadata"]["labels"].Set("a", "b");
  EXPECT_TRUE(draft.Update(object).ok()) << "it may be changed";
  ASSERT_TRUE(draft.Delete({"services", "default", "kubernetes"}, {}).ok());
  object["metadata"].Remove("resourceVersion");
  EXPECT_FALSE(draft.Create(std::move(object)).ok()) << "but not made by a repository";
}

TEST(AdmissionTest, ANodePortIsTakenByProtocolAndToldByItsPlace) {
  TestCluster cluster;
  const auto service = [&](const std::string& name, const std::string& ports) {
    return cluster.Try("apiVersion: v1\nkind: Service\nmetadata: {name: " + name +
                       "}\nspec: {type: NodePort, ports: [" + ports + "]}\n");
  };
  EXPECT_EQ(service("a",
                    "{name: t, port: 53, nodePort: 30053}, {name: u, port: 53, protocol: UDP, "
                    "nodePort: 30053}"),
            "OK");
  EXPECT_EQ(service("b", "{name: x, port: 1, protocol: SCTP, nodePort: 30053}"), "OK");
  EXPECT_EQ(service("c", "{name: p, port: 1}, {name: q, port: 2, nodePort: 30053}"),
            "Invalid: Service \"c\" is invalid: spec.ports[1].nodePort: 30053 is taken");
}

// One draft, the state between its writes never being kept.
class HandOverTest : public testing::Test {
 protected:
  static base::Json Service(const std::string& name, int node_port) {
    const auto file = manifests::ParseYaml(
        "{apiVersion: v1, kind: Service, metadata: {name: " + name +
        ", namespace: default}, spec: {type: NodePort, ports: [{port: 80, nodePort: " +
        std::to_string(node_port) + "}]}}");
    return file.documents.at(0);
  }
  static base::Json Config(const std::string& name) {
    return manifests::ParseYaml("{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name +
                                ", namespace: default}}")
        .documents.at(0);
  }
  Draft NewDraft() {
    Draft draft(cluster_.store().view(), cluster_.Context());
    draft.JudgeAtEnd();
    return draft;
  }
  void Commit(Draft& draft) {
    EXPECT_EQ(Settled(draft), "");
    ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  }
  static std::string Settled(Draft& draft) {
    std::string text;
    for (const Draft::Refusal& refusal : draft.Settle())
      text += refusal.key.name + ": " + std::string(refusal.why.message()) + "\n";
    return text;
  }
  void Update(Draft& draft, base::Json object) {
    const auto updated = draft.Update(std::move(object));
    EXPECT_TRUE(updated.ok()) << updated.status().ToString();
  }
  void Create(Draft& draft, base::Json object) {
    const auto created = draft.Create(std::move(object));
    EXPECT_TRUE(created.ok()) << created.status().ToString();
  }

  TestCluster cluster_;
};

TEST_F(HandOverTest, APortGoesToWhoComesInThePlaceOfWhoGoes) {
  Draft first = NewDraft();
  Create(first, Service("old", 30401));
  Create(first, Service("two", 30402));
  Commit(first);

  Draft renamed = NewDraft();
  Create(renamed, Service("new", 30401));
  ASSERT_TRUE(renamed.Delete({"services", "default", "old"}, {}).ok());
  Commit(renamed);

  Draft swapped = NewDraft();
  Update(swapped, Service("new", 30402));
  Update(swapped, Service("two", 30401));
  Commit(swapped);
  EXPECT_EQ(cluster_.Field("services", "default", "new", "spec.ports[0].nodePort"), "30402");
  EXPECT_EQ(cluster_.Field("services", "default", "two", "spec.ports[0].nodePort"), "30401");
}

// A field that was taken, and may not change either.
TEST_F(HandOverTest, WhatIsRefusedForAnotherReasonIsNotJudgedAtTheEnd) {
  const auto at = [](const std::string& name, const std::string& address) {
    return manifests::ParseYaml("{apiVersion: v1, kind: Service, metadata: {name: " + name +
                                ", namespace: default}, spec: {clusterIP: " + address +
                                ", ports: [{port: 80}]}}")
        .documents.at(0);
  };
  Draft first = NewDraft();
  Create(first, at("a", "10.96.77.77"));
  Create(first, at("b", "10.96.77.78"));
  Commit(first);

  Draft draft = NewDraft();
  EXPECT_FALSE(draft.Update(at("b", "10.96.77.77")).ok());
  EXPECT_EQ(Settled(draft), "");
  EXPECT_TRUE(draft.Finish().empty());
}

TEST_F(HandOverTest, WhoHasNoRightToItIsRefusedAndWhatHungOnItToo) {
  Draft first = NewDraft();
  Create(first, Service("a", 30401));
  Create(first, Service("b", 30402));
  Create(first, Service("c", 30403));
  Commit(first);

  Draft draft = NewDraft();
  Update(draft, Service("a", 30403));  // which c keeps
  Update(draft, Service("b", 30401));  // which a does not give up, then
  Create(draft, Service("d", 30405));
  EXPECT_EQ(Settled(draft),
            "a: Service \"a\" is invalid: spec.ports[0].nodePort: 30403 is taken\n"
            "b: Service \"b\" is invalid: spec.ports[0].nodePort: 30401 is taken\n");
  ASSERT_EQ(draft.Finish().writes.size(), 1u);
  EXPECT_EQ(draft.Finish().writes[0].key.name, "d");
}

TEST_F(HandOverTest, APlaceInAQuotaToo) {
  cluster_.Apply(
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: few}\nspec: {hard: {configmaps: "
      "2}}\n");
  Draft first = NewDraft();
  Create(first, Config("one"));
  Create(first, Config("two"));
  Commit(first);

  Draft draft = NewDraft();
  Create(draft, Config("three"));
  Create(draft, Config("four"));
  ASSERT_TRUE(draft.Delete({"configmaps", "default", "one"}, {}).ok());
  EXPECT_EQ(Settled(draft),
            "four: configmaps \"four\" is forbidden: exceeded quota few: configmaps: requested 1, "
            "used 2, limited to 2\n");
  ASSERT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
  EXPECT_EQ(cluster_.Names("configmaps"), "default/three default/two");
}

TEST_F(HandOverTest, AQuotaIsSummedOnceADraft) {
  cluster_.Apply(
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: many}\n"
      "spec: {hard: {configmaps: 1000, count/secrets: 10}}\n");
  Draft first = NewDraft();
  for (int i = 0; i < 300; ++i) Create(first, Config("c" + std::to_string(i)));
  Commit(first);
  View view = cluster_.store().view();
  size_t visits = 0;
  view.CountVisits(&visits);
  Draft draft(view, cluster_.Context());
  for (int i = 0; i < 100; ++i) Create(draft, Config("d" + std::to_string(i)));
  EXPECT_LE(visits, 300u + 3 * 100u);  // all once, and a few for each that comes
}

TEST(AdmissionTest, AQuotaOnClaimsDoesNotConcernPods) {
  TestCluster cluster;
  cluster.Apply(
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {requests.storage: "
      "1Gi, persistentvolumeclaims: 1, gold.storageclass.storage.k8s.io/requests.storage: 1Gi, "
      "requests.example.com/gpu: 1, limits.ephemeral-storage: 1Gi}}\n");
  EXPECT_EQ(cluster.Try(kPod), "OK");
  cluster.Apply(
      "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: c}\nspec: {hard: {limits.cpu: 1}}\n");
  EXPECT_EQ(cluster.Try(Replace(kPod, "{name: web}", "{name: two}")),
            "Forbidden: pods \"two\" is forbidden: quota c demands that every container sets "
            "limits.cpu (or a LimitRange gives a default)");
}

TEST(AdmissionTest, ANewPodSaysItsQualityOfService) {
  TestCluster cluster;
  const auto quality = [&](const std::string& name, const std::string& resources) {
    cluster.Apply("apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
                  "}\nspec: {containers: [{name: c, image: i, resources: {" + resources + "}}]}\n");
    return cluster.Field("pods", "default", name, "status.qosClass");
  };
  EXPECT_EQ(quality("a", ""), "\"BestEffort\"");
  EXPECT_EQ(quality("b", "requests: {cpu: 1}"), "\"Burstable\"");
  EXPECT_EQ(quality("c", "limits: {cpu: 1, memory: 1Gi}"), "\"Guaranteed\"");
}

}  // namespace
}  // namespace state
