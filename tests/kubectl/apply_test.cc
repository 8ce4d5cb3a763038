// Server-side apply, as the real kubectl does it.
#include "tests/kubectl/kubectl_fixture.h"

namespace plumb {
namespace {

constexpr std::string_view kApplied = R"(
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

std::string Web(int replicas) {
  std::string text(kApplied);
  return text.replace(text.find("replicas: 2"), 11, "replicas: " + std::to_string(replicas));
}

using ApplyTest = KubectlTest;

TEST_F(ApplyTest, ServerSideApplyCreatesConfiguresAndRemoves) {
  EXPECT_EQ(Kubectl("apply --server-side -f -", kApplied),
            "deployment.apps/web serverside-applied\n");
  EXPECT_EQ(Kubectl("apply --server-side -f -", Web(3)),
            "deployment.apps/web serverside-applied\n");
  EXPECT_EQ(Kubectl("get deployment web -o jsonpath={.spec.replicas}"), "3");
  std::string without(kApplied);
  without.replace(without.find(", labels: {app: web}"), 20, "");
  Kubectl("apply --server-side -f -", without);
  EXPECT_EQ(Kubectl("get deployment web -o jsonpath={.metadata.labels}"), "");
}

TEST_F(ApplyTest, ConflictsAreShownAndForced) {
  Kubectl("apply --server-side -f -", kApplied);
  Kubectl("scale deployment web --replicas=5");
  const std::string refused = Kubectl("apply --server-side -f -", kApplied);
  EXPECT_NE(refused.find("error: Apply failed with 1 conflict: conflict with \"kubectl\" with "
                         "subresource \"scale\" using apps/v1: .spec.replicas\n"),
            std::string::npos)
      << refused;
  EXPECT_EQ(Kubectl("apply --server-side --force-conflicts -f -", kApplied),
            "deployment.apps/web serverside-applied\n");
  EXPECT_EQ(Kubectl("get deployment web -o jsonpath={.spec.replicas}"), "2");
  const std::string other = Kubectl("apply --server-side --field-manager=ci -f -", Web(4));
  EXPECT_NE(other.find("conflict with \"kubectl\": .spec.replicas"), std::string::npos) << other;
}

TEST_F(ApplyTest, ClientSideApplyIsTakenOver) {
  Kubectl("apply -f -", kApplied);
  EXPECT_EQ(Kubectl("apply --server-side -f -", Web(3)),
            "deployment.apps/web serverside-applied\n");
  const std::string yaml = Kubectl("get deployment web --show-managed-fields -o yaml");
  EXPECT_NE(yaml.find("manager: kubectl\n    operation: Apply\n"), std::string::npos) << yaml;
  EXPECT_EQ(yaml.find("manager: kubectl-client-side-apply"), std::string::npos) << yaml;
  // What the client had applied and no longer does goes.
  std::string without(Web(3));
  without.replace(without.find(", labels: {app: web}"), 20, "");
  EXPECT_EQ(Kubectl("apply --server-side -f -", without),
            "deployment.apps/web serverside-applied\n");
  EXPECT_EQ(Kubectl("get deployment web -o jsonpath={.metadata.labels}"), "");
}

TEST_F(ApplyTest, ManagedFieldsAreShownOnlyWhenAskedFor) {
  Kubectl("apply --server-side -f -", kApplied);
  EXPECT_EQ(Kubectl("get deployment web -o yaml").find("managedFields"), std::string::npos);
  const std::string yaml = Kubectl("get deployment web -o yaml --show-managed-fields");
  EXPECT_NE(yaml.find("          f:containers:\n"
                      "              k:{\"name\":\"web\"}:\n"
                      "                .: {}\n"
                      "                f:image: {}\n"
                      "                f:name: {}\n"),
            std::string::npos)
      << yaml;
}

TEST_F(ApplyTest, DiffShowsWhatServerSideApplyWouldChange) {
  Kubectl("apply --server-side -f -", kApplied);
  EXPECT_EQ(Kubectl("diff --server-side -f -", kApplied), "");
  const std::string diff = Kubectl("diff --server-side -f -", Web(7));
  EXPECT_NE(diff.find("-  replicas: 2\n+  replicas: 7\n"), std::string::npos) << diff;
  EXPECT_EQ(Kubectl("get deployment web -o jsonpath={.spec.replicas}"), "2");
}

}  // namespace
}  // namespace plumb
