// The real kubectl against a real server: all that is done without a node. What only the API's own
// code decides is tested in state/edge/api_kubectl_test.cc.
#include <map>

#include "tests/kubectl/kubectl_fixture.h"

namespace plumb {
namespace {

constexpr std::string_view kWeb = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example/web:1"}]}
)";

constexpr std::string_view kOneOfEach = R"(
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: conf}, data: {a: one}}
---
{apiVersion: v1, kind: Secret, metadata: {name: hidden}, stringData: {a: one}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {name: quota}, spec: {hard: {pods: 10, limits.cpu: 4}}}
---
{apiVersion: v1, kind: LimitRange, metadata: {name: limits}, spec: {limits: [{type: Container, max: {cpu: 2}, default: {cpu: 100m}}]}}
---
{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: lease}, spec: {holderIdentity: me}}
---
{apiVersion: v1, kind: ReplicationController, metadata: {name: none}, spec: {replicas: 0, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: nowhere}, spec: {selector: {matchLabels: {a: c}}, template: {metadata: {labels: {a: c}}, spec: {nodeSelector: {no: where}, containers: [{name: c, image: i}]}}}}
---
{apiVersion: v1, kind: Node, metadata: {name: n1}}
---
{apiVersion: v1, kind: Pod, metadata: {name: one}, spec: {containers: [{name: c, image: i}]}}
)";

// It tolerates all: no agent makes the nodes of these tests ready.
constexpr std::string_view kAgent = R"(
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {tolerations: [{operator: Exists}], containers: [{name: agent, image: "example/web:1"}]}
)";

std::string Replace(std::string_view text, std::string_view from, std::string_view to) {
  std::string copy(text);
  const size_t at = copy.find(from);
  EXPECT_NE(at, copy.npos) << from;
  return copy.replace(at, from.size(), to);
}

TEST_F(KubectlTest, WideTablesHaveTheColumnsOfKubernetes) {
  Apply(kWeb);
  Kubectl("wait --for=jsonpath={.status.updatedReplicas}=2 deployment/web --timeout=30s");
  Apply(kOneOfEach);
  Kubectl("wait --for=jsonpath={.status.used.pods}=3 resourcequota/quota --timeout=30s");
  Kubectl("wait --for=create endpointslice -l kubernetes.io/service-name=web --timeout=30s");
  Kubectl("wait --for=create controllerrevision -l a=c --timeout=30s");
  const std::map<std::string, std::string> columns = {
      {"pods", "NAME|READY|STATUS|RESTARTS|AGE|IP|NODE|NOMINATED NODE|READINESS GATES"},
      {"deployments", "NAME|READY|UP-TO-DATE|AVAILABLE|AGE|CONTAINERS|IMAGES|SELECTOR"},
      {"replicasets", "NAME|DESIRED|CURRENT|READY|AGE|CONTAINERS|IMAGES|SELECTOR"},
      {"replicationcontrollers", "NAME|DESIRED|CURRENT|READY|AGE|CONTAINERS|IMAGES|SELECTOR"},
      {"daemonsets",
       "NAME|DESIRED|CURRENT|READY|UP-TO-DATE|AVAILABLE|NODE SELECTOR|AGE|CONTAINERS|IMAGES|"
       "SELECTOR"},
      {"controllerrevisions", "NAME|CONTROLLER|REVISION|AGE"},
      {"services", "NAME|TYPE|CLUSTER-IP|EXTERNAL-IP|PORT(S)|AGE|SELECTOR"},
      {"endpointslices", "NAME|ADDRESSTYPE|PORTS|ENDPOINTS|AGE"},
      {"nodes",
       "NAME|STATUS|ROLES|AGE|VERSION|INTERNAL-IP|EXTERNAL-IP|OS-IMAGE|KERNEL-VERSION|"
       "CONTAINER-RUNTIME"},
      {"events", "LAST SEEN|TYPE|REASON|OBJECT|SUBOBJECT|SOURCE|MESSAGE|FIRST SEEN|COUNT|NAME"},
      {"resourcequotas", "NAME|REQUEST|LIMIT|AGE"},
      {"limitranges", "NAME|CREATED AT"},
      {"leases", "NAME|HOLDER|AGE"},
      {"configmaps", "NAME|DATA|AGE"},
      {"secrets", "NAME|TYPE|DATA|AGE"},
      {"serviceaccounts", "NAME|SECRETS|AGE"},
      {"namespaces", "NAME|STATUS|AGE"},
  };
  for (const auto& [kind, header] : columns) {
    EXPECT_EQ(Header(Kubectl("get " + kind + " -o wide")), header) << kind;
  }
  EXPECT_EQ(Header(Kubectl("get pods -A")), "NAMESPACE|NAME|READY|STATUS|RESTARTS|AGE");
  EXPECT_EQ(Kubectl("get resourcequota quota --no-headers").substr(0, 40),
            "quota   pods: 3/10   limits.cpu: 100m/4 ");
}

TEST_F(KubectlTest, DescribeKnowsEveryKind) {
  Apply(kWeb);
  Apply(kOneOfEach);
  Kubectl("wait --for=create endpointslice -l kubernetes.io/service-name=web --timeout=30s");
  for (const char* object :
       {"deployment/web", "service/web", "configmap/conf", "secret/hidden", "serviceaccount/robot",
        "resourcequota/quota", "limitrange/limits", "lease/lease", "node/n1", "pod/one",
        "daemonset/nowhere", "replicationcontroller/none", "namespace/default"}) {
    const std::string said = Kubectl(std::string("describe ") + object);
    EXPECT_TRUE(said.starts_with("Name: ")) << object << ": " << said;
  }
  for (const char* kind : {"replicasets", "endpointslices", "events"}) {
    const std::string said = Kubectl(std::string("describe ") + kind);
    EXPECT_TRUE(said.starts_with("Name: ")) << kind << ": " << said;
  }
}

TEST_F(KubectlTest, GetSelectsAndPrints) {
  Apply(kWeb);
  Kubectl("wait --for=create pod -l app=web --timeout=30s");
  Apply(kOneOfEach);
  EXPECT_EQ(Kubectl("get pods -l app!=web -o name"), "pod/one\n");
  EXPECT_EQ(Kubectl("get pods --field-selector metadata.name=one -o name"), "pod/one\n");
  EXPECT_EQ(Kubectl("get pods --field-selector status.phase!=Pending -o name"), "");
  EXPECT_EQ(Kubectl("get cm conf -o jsonpath={.data.a}"), "one");
  EXPECT_EQ(Kubectl("get cm conf -o custom-columns=N:.metadata.name --no-headers"), "conf\n");
  EXPECT_EQ(Kubectl("get cm conf -o go-template={{.data.a}}"), "one");
  EXPECT_EQ(Kubectl("get lease,cm --sort-by=.metadata.name -o name"),
            "configmap/conf\nconfigmap/kube-root-ca.crt\nlease.coordination.k8s.io/lease\n");
  EXPECT_EQ(Kubectl("get pods --field-selector colour=red"),
            "exit 1: Error from server (BadRequest): Unable to find \"/v1, Resource=pods\" that "
            "match label selector \"\", field selector \"colour=red\": Unable to find pods by "
            "field selector: field label not supported: colour\n");
}

TEST_F(KubectlTest, ApplyPrunesFieldsAndADryRunChangesNothing) {
  constexpr std::string_view kTwo =
      "{apiVersion: v1, kind: ConfigMap, metadata: {name: conf}, data: {a: one, b: two}}";
  constexpr std::string_view kOne =
      "{apiVersion: v1, kind: ConfigMap, metadata: {name: conf}, data: {a: one}}";
  EXPECT_EQ(Kubectl("apply --dry-run=server -f -", kTwo),
            "configmap/conf created (server dry run)\n");
  EXPECT_EQ(Kubectl("diff -f -", kTwo).substr(0, 6), "exit 1");
  EXPECT_EQ(Kubectl("apply -f -", kTwo), "configmap/conf created\n");
  EXPECT_EQ(Kubectl("diff -f -", kTwo), "");
  EXPECT_NE(Kubectl("diff -f -", kOne).find("\n-  b: two\n"), std::string::npos);
  EXPECT_EQ(Kubectl("apply -f -", kOne), "configmap/conf configured\n");
  EXPECT_EQ(Kubectl("get cm conf -o jsonpath={.data}"), "{\"a\":\"one\"}");
  EXPECT_EQ(Kubectl("apply -f -", kOne), "configmap/conf unchanged\n");
}

TEST_F(KubectlTest, FieldsThatAreNotActedOnDrawAWarning) {
  EXPECT_EQ(Kubectl("apply -f -",
                    "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {hostUsers: false, "
                    "containers: [{name: c, image: i}]}}"),
            "pod/p created\nWarning: spec.hostUsers: accepted, but plumb does not act on this "
            "field yet\n");
}

TEST_F(KubectlTest, DeletionTakesDependentsAsItIsTold) {
  Apply(kWeb);
  Kubectl("wait --for=create replicaset -l app=web --timeout=30s");
  EXPECT_EQ(Kubectl("delete deployment web --cascade=orphan"),
            "deployment.apps \"web\" deleted from " + ns() + " namespace\n");
  EXPECT_EQ(Kubectl("get replicasets -o jsonpath={.items[*].metadata.ownerReferences}"), "");
  Apply(kWeb);  // adopts
  Kubectl("wait --for=condition=Progressing deployment/web --timeout=30s");
  EXPECT_EQ(Kubectl("delete deployment web --cascade=foreground --timeout=30s"),
            "deployment.apps \"web\" deleted from " + ns() + " namespace\n");
  EXPECT_EQ(Kubectl("get replicasets,pods -o name"), "");
  Apply(
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: n1, containers: "
      "[{name: c, image: i}]}}");
  EXPECT_EQ(Kubectl("delete pod p --grace-period=7 --wait=false"),
            "pod \"p\" deleted from " + ns() + " namespace\n");
  EXPECT_EQ(Kubectl("get pod p -o jsonpath={.metadata.deletionGracePeriodSeconds}"), "7");
  EXPECT_EQ(Kubectl("get pod p --no-headers").substr(0, 24), "p     0/1   Terminating ");
  Kubectl("delete pod p --grace-period=0 --force");
  EXPECT_EQ(Kubectl("get pods -o name"), "");
}

TEST_F(KubectlTest, WaitSeesWhatItIsTold) {
  Apply(kWeb);
  EXPECT_EQ(Kubectl("wait --for=jsonpath={.status.updatedReplicas}=2 deployment/web --timeout=30s"),
            "deployment.apps/web condition met\n");
  MakeReady("app=web", 2);
  EXPECT_EQ(Kubectl("wait --for=condition=Available deployment/web --timeout=30s"),
            "deployment.apps/web condition met\n");
  Kubectl("delete deployment web --wait=false");
  EXPECT_EQ(Kubectl("wait --for=delete deployment/web --timeout=30s").find("exit"),
            std::string::npos);
}

TEST_F(KubectlTest, RolloutsAreFollowedHeldUndoneAndRestarted) {
  Apply(Replace(kWeb, "replicas: 2", "replicas: 1\n  strategy: {type: Recreate}"));
  MakeReady("app=web", 1);
  EXPECT_EQ(Kubectl("rollout status deployment/web --timeout=30s").find("exit"), std::string::npos);
  EXPECT_EQ(Kubectl("rollout pause deployment/web"), "deployment.apps/web paused\n");
  Kubectl("set image deployment/web web=example/web:2");
  EXPECT_EQ(Kubectl("rollout history deployment/web"),
            "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n\n");
  EXPECT_EQ(Kubectl("rollout resume deployment/web"), "deployment.apps/web resumed\n");
  MakeReady("app=web", 1);
  EXPECT_EQ(Kubectl("rollout status deployment/web --timeout=30s"),
            "deployment \"web\" successfully rolled out\n");
  EXPECT_EQ(Kubectl("rollout history deployment/web"),
            "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n");
  EXPECT_NE(Kubectl("rollout history deployment/web --revision=1").find("example/web:1"),
            std::string::npos);
  EXPECT_EQ(Kubectl("rollout undo deployment/web"), "deployment.apps/web rolled back\n");
  MakeReady("app=web", 1);
  EXPECT_EQ(Kubectl("get pods -l app=web -o jsonpath={.items[*].spec.containers[0].image}"),
            "example/web:1");
  EXPECT_EQ(Kubectl("rollout restart deployment/web"), "deployment.apps/web restarted\n");
  MakeReady("app=web", 1);
  EXPECT_EQ(Kubectl("scale deployment/web --replicas=0 --current-replicas=1"),
            "deployment.apps/web scaled\n");
  EXPECT_EQ(Kubectl("wait --for=jsonpath={.status.observedGeneration}=7 deployment/web "
                    "--timeout=30s"),
            "deployment.apps/web condition met\n");
}

TEST_F(KubectlTest, NodesAreCordonedTaintedAndDrained) {
  Apply("{apiVersion: v1, kind: Node, metadata: {name: n1}}");
  Apply(
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: n1, containers: "
      "[{name: c, image: i}]}}");
  EXPECT_EQ(Kubectl("cordon n1"), "node/n1 cordoned\n");
  EXPECT_EQ(Kubectl("uncordon n1"), "node/n1 uncordoned\n");
  EXPECT_EQ(Kubectl("taint node n1 colour=red:NoSchedule"), "node/n1 tainted\n");
  EXPECT_EQ(Kubectl("taint node n1 colour-"), "node/n1 untainted\n");
  EXPECT_EQ(Kubectl("drain n1 --force --grace-period=0 --timeout=30s"),
            "node/n1 cordoned\nevicting pod " + ns() +
                "/p\npod/p evicted\nnode/n1 drained\nWarning: deleting Pods that declare no "
                "controller: " +
                ns() + "/p\n");
}

TEST_F(KubectlTest, DaemonSetsAreFollowedUndoneAndRestarted) {
  Apply("{apiVersion: v1, kind: Node, metadata: {name: n1}}");
  Apply(kAgent);
  MakeReady("app=agent", 1);
  EXPECT_NE(Kubectl("rollout status daemonset/agent --timeout=30s").find("successfully"),
            std::string::npos);
  // Nobody runs here as the node, so the test ends what is told to end.
  const std::string end_old = "delete pods -l app=agent --force --grace-period=0 --wait=false";
  Kubectl("set image daemonset/agent agent=example/web:2");
  Kubectl(end_old);
  MakeReady("app=agent", 1);
  EXPECT_EQ(Kubectl("rollout status daemonset/agent --timeout=30s"),
            "daemon set \"agent\" successfully rolled out\n");
  EXPECT_EQ(
      Kubectl("rollout history daemonset/agent"),
      "daemonset.apps/agent \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n");
  EXPECT_NE(Kubectl("rollout history daemonset/agent --revision=1").find("example/web:1"),
            std::string::npos);
  EXPECT_EQ(Kubectl("rollout undo daemonset/agent"), "daemonset.apps/agent rolled back\n");
  Kubectl(end_old);
  MakeReady("app=agent", 1);
  EXPECT_EQ(Kubectl("get pods -l app=agent -o jsonpath={.items[*].spec.containers[0].image}"),
            "example/web:1");
  EXPECT_EQ(
      Kubectl("rollout history daemonset/agent"),
      "daemonset.apps/agent \nREVISION  CHANGE-CAUSE\n2         <none>\n3         <none>\n\n");
  EXPECT_EQ(Kubectl("rollout restart daemonset/agent"), "daemonset.apps/agent restarted\n");
  Kubectl(end_old);
  MakeReady("app=agent", 1);
  EXPECT_EQ(Kubectl("rollout status daemonset/agent --timeout=30s"),
            "daemon set \"agent\" successfully rolled out\n");
}

TEST_F(KubectlTest, ADrainLeavesTheDaemonsToTheirNode) {
  Apply("{apiVersion: v1, kind: Node, metadata: {name: n1}}");
  Kubectl(
      "patch node n1 --subresource=status --type=merge -p "
      "{\"status\":{\"allocatable\":{\"cpu\":\"1\",\"memory\":\"1Gi\",\"pods\":\"9\"}}}");
  Apply(kAgent);
  Kubectl("wait --for=create pod -l app=agent --timeout=30s");
  EXPECT_NE(Kubectl("wait --for=jsonpath={.spec.nodeName}=n1 pod -l app=agent --timeout=30s")
                .find("condition met"),
            std::string::npos);
  EXPECT_NE(Kubectl("drain n1 --timeout=30s").find("cannot delete DaemonSet-managed Pods"),
            std::string::npos);
  const std::string said = Kubectl("drain n1 --ignore-daemonsets --timeout=30s");
  EXPECT_NE(said.find("node/n1 drained"), std::string::npos) << said;
  EXPECT_EQ(Kubectl("get daemonset agent -o jsonpath={.status.desiredNumberScheduled}"), "1");
}

TEST_F(KubectlTest, RunExposeLabelAndAnnotateWork) {
  EXPECT_EQ(Kubectl("run p --image=example/web:1 --labels=app=p --port=80"), "pod/p created\n");
  EXPECT_EQ(Kubectl("expose pod p --name=front --port=8080"), "service/front exposed\n");
  EXPECT_EQ(Kubectl("get service front -o jsonpath={.spec.selector.app}:{.spec.ports[0].port}:{"
                    ".spec.ports[0].targetPort}"),
            "p:8080:8080");
  EXPECT_EQ(Kubectl("label pod p tier=front"), "pod/p labeled\n");
  EXPECT_EQ(Kubectl("label pod p tier-"), "pod/p unlabeled\n");
  EXPECT_EQ(Kubectl("annotate pod p note=hello"), "pod/p annotated\n");
  EXPECT_EQ(Kubectl("get pod p -o jsonpath={.metadata.labels}:{.metadata.annotations.note}"),
            "{\"app\":\"p\"}:hello");
}

TEST_F(KubectlTest, TheClusterDescribesItself) {
  EXPECT_TRUE(SortedWords(Kubectl("api-versions"))
                  .starts_with("apps/v1 coordination.k8s.io/v1 discovery.k8s.io/v1 "));
  EXPECT_EQ(SortedWords(Kubectl("api-resources --namespaced=false -o name")),
            "ingressclasses.networking.k8s.io namespaces nodes");
  EXPECT_NE(Kubectl("cluster-info").find("is running at"), std::string::npos);
  EXPECT_EQ(Kubectl("config current-context").find("exit"), std::string::npos);
  EXPECT_NE(Kubectl("config view").find("DATA+OMITTED"), std::string::npos);
  EXPECT_NE(Kubectl("version").find("Server Version: v1.35"), std::string::npos);
  EXPECT_NE(Kubectl("explain pod.spec.containers.resources").find("limits\t<map[string]Quantity>"),
            std::string::npos);
  EXPECT_EQ(Kubectl("get --raw /readyz"), "ok");
}

// Their bodies are protobuf; what follows from them is the controllers'.
TEST_F(KubectlTest, WhatCreateMakesIsActedOn) {
  EXPECT_EQ(Kubectl("create quota few --hard=pods=1"), "resourcequota/few created\n");
  EXPECT_EQ(Kubectl("create deployment web --image=example/web:1 --replicas=1"),
            "deployment.apps/web created\n");
  EXPECT_EQ(Kubectl("create service clusterip web --tcp=80:8080"), "service/web created\n");
  MakeReady("app=web", 1);
  EXPECT_EQ(Kubectl("rollout status deployment/web --timeout=30s"),
            "deployment \"web\" successfully rolled out\n");
  Kubectl("wait --for=jsonpath={.status.used.pods}=1 resourcequota/few --timeout=30s");
  EXPECT_EQ(Kubectl("get quota few -o jsonpath={.status.used.pods}"), "1");
}

TEST_F(KubectlTest, WhatIsNotServedIsSaid) {
  Apply(kOneOfEach);
  EXPECT_EQ(Kubectl("top node"), "exit 1: error: Metrics API not available\n");
  const std::string not_found =
      "exit 1: Error from server (NotFound): the server could not find the requested resource\n";
  EXPECT_EQ(Kubectl("auth can-i get pods"), not_found);
}

}  // namespace
}  // namespace plumb
