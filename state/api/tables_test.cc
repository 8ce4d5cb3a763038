// Tables as kubectl's users know them: what each kind's columns say.
#include "state/api/tables.h"

#include <gtest/gtest.h>

#include "manifests/kinds/cells.h"
#include "manifests/yaml/yaml.h"

namespace state {
namespace {

using base::Duration;
using base::Json;
using base::WallTime;

constexpr std::string_view kNow = "2026-11-22T12:00:00Z";

class TablesTest : public testing::Test {
 protected:
  ObjectPtr Read(std::string_view yaml) {
    const manifests::YamlFile file = manifests::ParseYaml(yaml);
    for (const auto& error : file.errors) ADD_FAILURE() << error.message << "\n" << yaml;
    auto object = std::make_shared<Object>();
    object->document = base::Document(file.documents.at(0));
    return object;
  }
  const manifests::Kind& KindOf(const Object& object) {
    const manifests::Kind* kind =
        schema_->FindKind(object["apiVersion"].AsString(), object["kind"].AsString());
    EXPECT_NE(kind, nullptr);
    return *kind;
  }
  // The row's cells of all widths: "web | 1/1 | Running".
  std::string Row(std::string_view yaml) {
    const ObjectPtr object = Read(yaml);
    const Json table = MakeTable(KindOf(*object), {object}, "None", now_, true);
    std::string text;
    for (const Json& cell : table["rows"].At(0)["cells"].Elements()) {
      if (!text.empty()) text += " | ";
      text += cell.IsString() ? std::string(cell.AsString()) : cell.ToString();
    }
    return text;
  }
  // A pod's READY, STATUS and RESTARTS.
  std::string Pod(std::string_view spec, std::string_view status,
                  std::string_view metadata = "name: web") {
    const ObjectPtr object =
        Read("{apiVersion: v1, kind: Pod, metadata: {" + std::string(metadata) + "}, spec: {" +
             std::string(spec) + "}, status: {" + std::string(status) + "}}");
    const Json table = MakeTable(KindOf(*object), {object}, "None", now_, true);
    const Json& cells = table["rows"].At(0)["cells"];
    std::string text(cells.At(1).AsString());
    for (size_t i = 2; i < 4; ++i) text += " " + std::string(cells.At(i).AsString());
    return text;
  }

  std::shared_ptr<const manifests::Schema> schema_ = manifests::Schema::BuiltIn();
  WallTime now_ = *WallTime::Parse(kNow);
};

constexpr std::string_view kOne = "containers: [{name: a, image: i}]";
constexpr std::string_view kTwo = "containers: [{name: a, image: i}, {name: b, image: j}]";
constexpr std::string_view kInit =
    "initContainers: [{name: i}, {name: s, restartPolicy: Always}], containers: [{name: a}]";

TEST_F(TablesTest, EveryCellThatTheTypesNameExists) {
  int cells = 0;
  for (const manifests::Kind* kind : schema_->kinds()) {
    for (const manifests::Column& column : kind->columns) {
      if (!column.path.starts_with('=')) continue;
      ++cells;
      EXPECT_NE(manifests::FindCell(kind->Resource(), column.path.substr(1)), nullptr)
          << kind->kind << column.path;
    }
  }
  EXPECT_GT(cells, 20);
  EXPECT_EQ(manifests::FindCell("pods", "noSuchCell"), nullptr);
  // One kind's cell is no other's.
  EXPECT_EQ(manifests::FindCell("services", "podStatus"), nullptr);
}

TEST_F(TablesTest, AgesAreShort) {
  std::string text;
  for (const int64_t seconds :
       {int64_t{-5}, int64_t{-1}, int64_t{0}, int64_t{5}, int64_t{119}, int64_t{120}, int64_t{190},
        int64_t{600}, int64_t{3 * 3600 - 1}, int64_t{3 * 3600}, int64_t{2 * 3600 + 3600 + 300},
        int64_t{8 * 3600}, int64_t{47 * 3600}, int64_t{76 * 3600}, int64_t{8 * 86400},
        int64_t{400 * 86400}, int64_t{730 * 86400}, int64_t{775 * 86400}, int64_t{3000 * 86400}}) {
    text += manifests::HumanDuration(Duration::Seconds(seconds)) + " ";
  }
  EXPECT_EQ(text,
            "<invalid> 0s 0s 5s 119s 2m 3m10s 10m 179m 3h 3h5m 8h 47h 3d4h 8d 400d 2y 2y45d 8y ");
  EXPECT_EQ(manifests::AgeOf("", now_), "<unknown>");
}

TEST_F(TablesTest, RunningPodShowsAllColumns) {
  EXPECT_EQ(Row(R"(
apiVersion: v1
kind: Pod
metadata: {name: web, creationTimestamp: "2026-11-22T11:00:00Z"}
spec:
  nodeName: n1
  readinessGates: [{conditionType: a}, {conditionType: b}]
  containers: [{name: a, image: i}]
status:
  phase: Running
  podIP: 10.0.0.7
  conditions: [{type: a, status: "True"}, {type: Ready, status: "True"}]
  containerStatuses:
  - name: a
    ready: true
    restartCount: 3
    state: {running: {}}
    lastState: {terminated: {exitCode: 1, finishedAt: "2026-11-22T11:54:30Z"}}
)"),
            "web | 1/1 | Running | 3 (5m30s ago) | 60m | 10.0.0.7 | n1 | <none> | 1/2");
}

TEST_F(TablesTest, PodWithoutStatusesShowsItsPhaseOrReason) {
  EXPECT_EQ(Pod(kTwo, "phase: Pending"), "0/2 Pending 0");
  EXPECT_EQ(Pod(kOne, "phase: Failed, reason: Evicted"), "0/1 Evicted 0");
  EXPECT_EQ(Pod(kOne,
                "phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: "
                "SchedulingGated}]"),
            "0/1 SchedulingGated 0");
}

TEST_F(TablesTest, PodShowsWhyAContainerWaitsOrEnded) {
  const auto with = [this](std::string_view state) {
    return Pod(kOne, "phase: Running, containerStatuses: [{name: a, restartCount: 2, state: {" +
                         std::string(state) + "}}]");
  };
  EXPECT_EQ(with("waiting: {reason: ContainerCreating}"), "0/1 ContainerCreating 2");
  EXPECT_EQ(with("waiting: {reason: CrashLoopBackOff}"), "0/1 CrashLoopBackOff 2");
  EXPECT_EQ(with("waiting: {reason: ImagePullBackOff}"), "0/1 ImagePullBackOff 2");
  EXPECT_EQ(with("terminated: {exitCode: 1, reason: Error}"), "0/1 Error 2");
  EXPECT_EQ(with("terminated: {exitCode: 0, reason: Completed}"), "0/1 Completed 2");
  EXPECT_EQ(with("terminated: {exitCode: 3}"), "0/1 ExitCode:3 2");
  EXPECT_EQ(with("terminated: {exitCode: 137, signal: 9}"), "0/1 Signal:9 2");
}

TEST_F(TablesTest, PodWithARunningContainerIsNotCompleted) {
  const std::string statuses =
      "phase: Running, containerStatuses: [{name: a, state: {terminated: {exitCode: 0, reason: "
      "Completed}}}, {name: b, ready: true, state: {running: {}}}], conditions: [{type: Ready, "
      "status: '";
  EXPECT_EQ(Pod(kTwo, statuses + "True'}]"), "1/2 Running 0");
  EXPECT_EQ(Pod(kTwo, statuses + "False'}]"), "1/2 NotReady 0");
}

TEST_F(TablesTest, DeletedPodIsTerminatingUnlessItHasEnded) {
  const std::string_view deleted = "name: web, deletionTimestamp: '2026-11-22T12:00:00Z'";
  EXPECT_EQ(Pod(kOne, "phase: Running", deleted), "0/1 Terminating 0");
  EXPECT_EQ(Pod(kOne, "phase: Succeeded", deleted), "0/1 Succeeded 0");
  EXPECT_EQ(Pod(kOne, "phase: Running, reason: NodeLost", deleted), "0/1 Unknown 0");
}

TEST_F(TablesTest, InitContainersShowHowFarTheyAre) {
  EXPECT_EQ(Pod(kInit, "phase: Pending, initContainerStatuses: [{name: i, state: {running: {}}}]"),
            "0/2 Init:0/2 0");
  EXPECT_EQ(Pod(kInit,
                "phase: Pending, initContainerStatuses: [{name: i, restartCount: 4, state: "
                "{waiting: {reason: CrashLoopBackOff}}}]"),
            "0/2 Init:CrashLoopBackOff 4");
  EXPECT_EQ(Pod(kInit,
                "phase: Pending, initContainerStatuses: [{name: i, state: {terminated: "
                "{exitCode: 2}}}]"),
            "0/2 Init:ExitCode:2 0");
}

TEST_F(TablesTest, SidecarsCountAsContainers) {
  EXPECT_EQ(Pod(kInit,
                "phase: Running, initContainerStatuses: [{name: i, restartCount: 5, state: "
                "{terminated: {exitCode: 0}}}, {name: s, restartCount: 1, started: true, ready: "
                "true, state: {running: {}}}], containerStatuses: [{name: a, restartCount: 1, "
                "ready: true, state: {running: {}}}]"),
            "2/2 Running 2");
}

TEST_F(TablesTest, Deployment) {
  EXPECT_EQ(Row(R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, creationTimestamp: "2026-11-22T11:59:55Z"}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}, matchExpressions: [{key: t, operator: In, values: [u, x]}]}
  template: {spec: {containers: [{name: a, image: "i:1"}, {name: b, image: "j:2"}]}}
status: {readyReplicas: 2, updatedReplicas: 1}
)"),
            "web | 2/3 | 1 | 0 | 5s | a,b | i:1,j:2 | app=web,t in (u,x)");
}

TEST_F(TablesTest, ServicesShowWhereTheyAreReached) {
  EXPECT_EQ(
      Row(R"(
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  clusterIP: 10.1.0.1
  selector: {b: x, a: w}
  ports: [{port: 80, nodePort: 30080, protocol: TCP}, {port: 53, protocol: UDP}]
)"),
      "web | LoadBalancer | 10.1.0.1 | <pending> | 80:30080/TCP,53/UDP | <unknown> | a=w,b=x");
  EXPECT_EQ(Row("{apiVersion: v1, kind: Service, metadata: {name: h}, spec: {type: ClusterIP, "
                "clusterIP: None}}"),
            "h | ClusterIP | None | <none> | <none> | <unknown> | <none>");
  EXPECT_EQ(Row("{apiVersion: v1, kind: Service, metadata: {name: l}, spec: {type: LoadBalancer, "
                "externalIPs: [9.9.9.9]}, status: {loadBalancer: {ingress: [{ip: 8.8.8.8}]}}}"),
            "l | LoadBalancer | <none> | 8.8.8.8,9.9.9.9 | <none> | <unknown> | <none>");
  EXPECT_EQ(Row("{apiVersion: v1, kind: Service, metadata: {name: e}, spec: {type: ExternalName, "
                "externalName: db.example}}"),
            "e | ExternalName | <none> | db.example | <none> | <unknown> | <none>");
}

TEST_F(TablesTest, EndpointSlicesShowTheFirstThree) {
  EXPECT_EQ(Row(R"(
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web}
addressType: IPv4
ports: [{port: 80}, {name: x}, {}]
endpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}, {addresses: [10.0.0.3]},
  {addresses: [10.0.0.4]}, {addresses: [10.0.0.5]}]
)"),
            "web | IPv4 | 80,x,* | 10.0.0.1,10.0.0.2,10.0.0.3 + 2 more... | <unknown>");
}

TEST_F(TablesTest, IngressesShowHostsAndAddresses) {
  EXPECT_EQ(Row(R"(
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, creationTimestamp: "2026-11-22T11:00:00Z"}
spec:
  ingressClassName: gateway
  tls: [{secretName: cert}]
  rules: [{host: a.example}, {host: b.example}, {}, {host: c.example}, {host: d.example}]
status: {loadBalancer: {ingress: [{ip: 9.9.9.9}, {hostname: lb.example}]}}
)"),
            "web | gateway | a.example,b.example,c.example + 1 more... | 9.9.9.9,lb.example | "
            "80, 443 | 60m");
  EXPECT_EQ(Row("{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: all}, spec: "
                "{defaultBackend: {service: {name: web, port: {number: 80}}}}}"),
            "all | <none> | * |  | 80 | <unknown>");
  EXPECT_EQ(
      Row("{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: c}, spec: "
          "{controller: a.example/b, parameters: {apiGroup: x.example, kind: P, name: set}}}"),
      "c | a.example/b | P.x.example/set | <unknown>");
}

TEST_F(TablesTest, CordonedNode) {
  EXPECT_EQ(Row(R"(
apiVersion: v1
kind: Node
metadata:
  name: n1
  labels: {node-role.kubernetes.io/worker: "", node-role.kubernetes.io/control-plane: ""}
spec: {unschedulable: true}
status:
  conditions: [{type: Ready, status: "False"}]
  addresses: [{type: Hostname, address: n1}, {type: InternalIP, address: 192.168.0.2}]
  nodeInfo: {kubeletVersion: v1.35.0, osImage: Linux, kernelVersion: "6", containerRuntimeVersion: c}
)"),
            "n1 | NotReady,SchedulingDisabled | control-plane,worker | <unknown> | v1.35.0 | "
            "192.168.0.2 | <none> | Linux | 6 | c");
}

TEST_F(TablesTest, DataIsCounted) {
  EXPECT_EQ(Row("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: x, b: y}, "
                "binaryData: {c: eA==}}"),
            "c | 3 | <unknown>");
  EXPECT_EQ(
      Row("{apiVersion: v1, kind: Secret, metadata: {name: s}, type: Opaque, data: {a: eA==}}"),
      "s | Opaque | 1 | <unknown>");
}

TEST_F(TablesTest, EventTellsWhatHappenedToWhat) {
  EXPECT_EQ(Row(R"(
apiVersion: v1
kind: Event
metadata: {name: e}
type: Warning
reason: BackOff
message: "back-off restarting\n"
count: 7
firstTimestamp: "2026-11-22T11:50:00Z"
lastTimestamp: "2026-11-22T11:59:00Z"
involvedObject: {kind: Pod, name: web, fieldPath: "spec.containers{a}"}
source: {component: kubelet, host: n1}
)"),
            "60s | Warning | BackOff | pod/web | spec.containers{a} | kubelet, n1 | "
            "back-off restarting | 10m | 7 | e");
}

TEST_F(TablesTest, QuotaShowsUseOfRequestsAndLimits) {
  EXPECT_EQ(Row(R"(
apiVersion: v1
kind: ResourceQuota
metadata: {name: q}
status:
  hard: {pods: "10", requests.cpu: "2", limits.cpu: "4"}
  used: {pods: "3", limits.cpu: 500m}
)"),
            "q | pods: 3/10, requests.cpu: 0/2 | limits.cpu: 500m/4 | <unknown>");
}

TEST_F(TablesTest, SyncsShowTheirReadyCondition) {
  EXPECT_EQ(Row(R"(
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: g, creationTimestamp: "2026-11-22T10:00:00Z"}
spec: {url: "https://git.example/app"}
status: {conditions: [{type: Ready, status: "True", message: stored artifact}]}
)"),
            "g | https://git.example/app | 120m | True | stored artifact");
}

TEST_F(TablesTest, RowsCarryWhatWasAskedFor) {
  const ObjectPtr object = Read("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {}}");
  const auto row = [&](std::string_view include) {
    return MakeTable(KindOf(*object), {object}, include, now_, true)["rows"].ToString();
  };
  EXPECT_EQ(row("None"), R"([{"cells":["c",0,"<unknown>"]}])");
  EXPECT_EQ(row("Metadata"),
            R"([{"cells":["c",0,"<unknown>"],"object":{"apiVersion":"meta.k8s.io/v1",)"
            R"("kind":"PartialObjectMetadata","metadata":{"name":"c"}}}])");
  EXPECT_EQ(row("Object"), R"([{"cells":["c",0,"<unknown>"],"object":)" +
                               std::string(object->document.Bytes()) + "}]");
}

TEST_F(TablesTest, HeadersAreLeftOutOnRequest) {
  const manifests::Kind& kind = *schema_->FindKind("v1", "ConfigMap");
  EXPECT_EQ(MakeTable(kind, {}, "None", now_, false)["columnDefinitions"].ToString(), "[]");
  EXPECT_EQ(MakeTable(kind, {}, "None", now_, true)["columnDefinitions"].At(1).ToString(),
            R"({"description":"","format":"","name":"Data","priority":0,"type":"string"})");
}

}  // namespace
}  // namespace state
