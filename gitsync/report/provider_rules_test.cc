#include "gitsync/report/provider_rules.h"

#include <gtest/gtest.h>

#include "manifests/yaml/yaml.h"
#include "state/testing/test_cluster.h"

namespace gitsync {
namespace {

// What a draft says of a Provider with this spec: "ERROR" lines, then "warning: ..." lines.
std::string Judge(const std::string& spec) {
  state::TestCluster cluster;
  cluster.config.checks = {kProviderCheck};
  state::Draft draft(cluster.store().view(), cluster.Context());
  const auto created = draft.Create(
      manifests::ParseYaml("apiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\n"
                           "metadata: {name: a, namespace: default}\nspec: " +
                           spec + "\n")
          .documents.at(0));
  std::string text;
  for (const base::Cause& cause : created.status().causes()) {
    text += cause.field + ": " + cause.message + "\n";
  }
  EXPECT_EQ(created.ok(), text.empty());
  for (const std::string& warning : draft.warnings()) text += "warning: " + warning + "\n";
  return text;
}

TEST(ProviderRulesTest, AStandardWebhookNeedsASecretAndAnHttpAddress) {
  EXPECT_EQ(Judge("{type: standard-webhook, address: \"file:///etc\"}"),
            "spec.secretRef: must name a Secret whose key token signs what is sent: \"whsec_\" and "
            "24 to 64 random bytes in base64\n"
            "spec.address: must start with https:// or http://\n");
  EXPECT_EQ(Judge("{type: standard-webhook, secretRef: {name: s}}"), "");
}

TEST(ProviderRulesTest, AGenericOneNeedsASecretOnlyToSign) {
  EXPECT_EQ(Judge("{type: generic, address: \"https://h\"}"), "");
  EXPECT_EQ(Judge("{type: generic, address: h}"),
            "spec.address: must start with https:// or http://\n");
  EXPECT_EQ(Judge("{type: generic-hmac, address: \"https://h\"}"),
            "spec.secretRef: must name a Secret whose key token signs what is sent\n");
}

TEST(ProviderRulesTest, OtherTypesAreAcceptedWithAWarningThatNamesTheKnownOnes) {
  EXPECT_EQ(Judge("{type: slack, address: \"ssh://a\"}"),
            "warning: spec.type: \"slack\" is accepted but not acted on; plumb sends to generic, "
            "generic-hmac and standard-webhook\n");
}

}  // namespace
}  // namespace gitsync
