#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/edge/process.h"
#include "servicemesh/edge/netns.h"

namespace servicemesh {
namespace {

std::string Here() { return std::filesystem::read_symlink("/proc/thread-self/ns/net").string(); }

class NetnsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(base::RunChecked({"ip", "netns", "add", name_}).status().ToString(), "OK");
  }
  void TearDown() override {
    EXPECT_EQ(base::RunChecked({"ip", "netns", "delete", name_}).status().ToString(), "OK");
  }
  const std::string name_ = "plumb-mesh-" + std::to_string(getpid());
  const std::string path_ = "/run/netns/" + name_;
};

TEST_F(NetnsTest, ThreadGoesThereAndBack) {
  const std::string home = Here();
  {
    const auto scope = ScopedNetns::Enter(path_);
    ASSERT_TRUE(scope.ok()) << scope.status().ToString();
    EXPECT_NE(Here(), home);
  }
  EXPECT_EQ(Here(), home);
}

TEST_F(NetnsTest, NamespaceThatIsNotThereIsSaidAndLeavesTheThreadWhereItWas) {
  const std::string home = Here();
  const auto scope = ScopedNetns::Enter(path_ + "-not");
  EXPECT_EQ(scope.status().message(),
            "open the network namespace " + path_ + "-not: No such file or directory");
  EXPECT_EQ(Here(), home);
}

}  // namespace
}  // namespace servicemesh
