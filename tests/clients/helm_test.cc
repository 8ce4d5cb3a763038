// The real helm against a real server: the life of a release of a chart that the test writes. A
// release is a Secret that helm sends as protobuf; its objects go by server-side apply, as helm does
// it unless it is told otherwise, or by the client's own merge (--server-side=false).
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/kubectl/kubectl_fixture.h"

namespace plumb {
namespace {

constexpr std::string_view kTemplates = R"(
apiVersion: v1
kind: ServiceAccount
metadata: {name: {{ .Release.Name }}-robot}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-conf}
data: {greeting: {{ .Values.greeting | quote }}}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-hidden}
stringData: {password: {{ .Values.password | quote }}}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{port: {{ .Values.port }}, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      serviceAccountName: {{ .Release.Name }}-robot
      containers:
        - name: web
          image: "example/web:{{ .Values.version }}"
          envFrom: [{configMapRef: {name: {{ .Release.Name }}-conf}}]
)";

class HelmTest : public KubectlTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    KubectlTest::SetUp();
    if (IsSkipped()) return;
    if (Helm("version").starts_with("there is no helm")) GTEST_SKIP() << "no helm: run ci/setup";
    chart_ = directory() + "/shop";
    Write("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 0.1.0\n");
    Write("values.yaml",
          "greeting: hello\npassword: secret\nport: 80\nreplicas: 2\nversion: \"1\"\n");
    Write("templates/all.yaml", kTemplates);
  }

  void Write(const std::string& name, std::string_view text) {
    const std::filesystem::path path = chart_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  // "deployed", "failed", ...: of each revision, in order.
  std::string History() {
    std::string states;
    std::istringstream lines(Helm("history web"));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      for (const char* state : {"superseded", "deployed", "failed"}) {
        if (line.find(std::string("\t") + state) == std::string::npos) continue;
        states += (states.empty() ? "" : " ") + std::string(state);
        break;
      }
    }
    return states;
  }
  // image:replicas:greeting:port
  std::string Seen() {
    return Kubectl(
               "get deployment web -o "
               "jsonpath={.spec.template.spec.containers[0].image}:{.spec.replicas}:") +
           Kubectl("get configmap web-conf -o jsonpath={.data.greeting}:") +
           Kubectl("get service web -o jsonpath={.spec.ports[0].port}");
  }

  std::string chart_;
};

TEST_P(HelmTest, AReleaseLivesFromInstallToUninstall) {
  const std::string how = GetParam();
  const std::string installed = Helm("install web " + chart_ + how);
  ASSERT_FALSE(installed.starts_with("exit")) << installed;
  EXPECT_EQ(Seen(), "example/web:1:2:hello:80");
  EXPECT_EQ(Kubectl("get secret web-hidden -o jsonpath={.data.password}"), "c2VjcmV0");
  EXPECT_EQ(Kubectl("get secret sh.helm.release.v1.web.v1 -o jsonpath={.type}"),
            "helm.sh/release.v1");
  EXPECT_EQ(Helm("list -q"), "web\n");
  EXPECT_NE(Helm("status web").find("STATUS: deployed"), std::string::npos);

  const std::string upgraded =
      Helm("upgrade web " + chart_ + how + " --set version=2,greeting=ahoy,replicas=3");
  ASSERT_FALSE(upgraded.starts_with("exit")) << upgraded;
  EXPECT_EQ(Seen(), "example/web:2:3:ahoy:80");
  EXPECT_EQ(History(), "superseded deployed");

  // Refused by validation: nothing of the object changes, the release says so.
  const std::string refused = Helm("upgrade web " + chart_ + how + " --set version=2,port=70000");
  EXPECT_TRUE(refused.starts_with("exit 1: ")) << refused;
  EXPECT_NE(refused.find("spec.ports[0].port"), std::string::npos) << refused;
  EXPECT_EQ(Kubectl("get service web -o jsonpath={.spec.ports[0].port}"), "80");
  EXPECT_EQ(History(), "superseded deployed failed");

  const std::string rolled_back = Helm("rollback web 1" + how);
  ASSERT_FALSE(rolled_back.starts_with("exit")) << rolled_back;
  EXPECT_EQ(Seen(), "example/web:1:2:hello:80");
  EXPECT_EQ(History(), "superseded superseded failed deployed");

  EXPECT_EQ(Helm("uninstall web"), "release \"web\" uninstalled\n");
  EXPECT_EQ(Kubectl("get deployments,services,secrets,serviceaccounts -o name"),
            "serviceaccount/default\n");
  EXPECT_EQ(Helm("list -q"), "");
}

INSTANTIATE_TEST_SUITE_P(Apply, HelmTest, testing::Values("", " --server-side=false"),
                         [](const auto& how) {
                           return std::string(*how.param == 0 ? "ByTheServer" : "ByTheClient");
                         });

class HelmConflictTest : public HelmTest {};

// What somebody else has taken is not overwritten unless that is asked for.
TEST_P(HelmConflictTest, AnUpgradeAsksWhoeverHoldsAField) {
  const std::string installed = Helm("install web " + chart_);
  ASSERT_FALSE(installed.starts_with("exit")) << installed;
  Kubectl("apply --server-side --force-conflicts --field-manager=oncall -f -",
          "{apiVersion: v1, kind: ConfigMap, metadata: {name: web-conf}, data: {greeting: hush}}");
  const std::string upgrade = "upgrade web " + chart_ + " --set greeting=ahoy";
  const std::string refused = Helm(upgrade);
  EXPECT_TRUE(refused.starts_with("exit 1: ")) << refused;
  EXPECT_NE(refused.find("conflict with \"oncall\""), std::string::npos) << refused;
  EXPECT_EQ(Kubectl("get configmap web-conf -o jsonpath={.data.greeting}"), "hush");
  const std::string forced = Helm(upgrade + " --force-conflicts");
  EXPECT_FALSE(forced.starts_with("exit")) << forced;
  EXPECT_EQ(Kubectl("get configmap web-conf -o jsonpath={.data.greeting}"), "ahoy");
}

INSTANTIATE_TEST_SUITE_P(Apply, HelmConflictTest, testing::Values(""));

}  // namespace
}  // namespace plumb
