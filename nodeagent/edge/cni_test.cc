#include "nodeagent/edge/cni.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/edge/files.h"

namespace nodeagent {
namespace {

TEST(CniTest, ConfigurationNamesBridgeAndRange) {
  EXPECT_EQ(CniConfigText({.directory = "/cni",
                           .data_directory = "/leases",
                           .pod_cidr = "10.88.1.0/24",
                           .mtu = 1450}),
            R"({"cniVersion":"1.0.0","name":"plumb","plugins":[)"
            R"({"bridge":"cni0","hairpinMode":true,"ipMasq":false,)"
            R"("ipam":{"dataDir":"/leases","ranges":[[{"subnet":"10.88.1.0/24"}]],)"
            R"("routes":[{"dst":"0.0.0.0/0"}],"type":"host-local"},)"
            R"("isGateway":true,"mtu":1450,"type":"bridge"}]})");
}

TEST(CniTest, WritingMakesTheDirectoriesAndReplacesTheFile) {
  char directory[] = "/tmp/plumb-cni-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  CniOptions options{.directory = std::string(directory) + "/conf",
                     .data_directory = std::string(directory) + "/leases",
                     .pod_cidr = "10.88.1.0/24"};
  EXPECT_TRUE(WriteCniConfig(options).ok());
  options.pod_cidr = "10.88.2.0/24";
  EXPECT_TRUE(WriteCniConfig(options).ok());
  const auto text = base::ReadFile(options.directory + "/" + kCniFile, 4096);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, CniConfigText(options));
  EXPECT_TRUE(base::ListDirectory(options.data_directory).ok());
  EXPECT_TRUE(base::RemoveTree(directory).ok());
}

}  // namespace
}  // namespace nodeagent
