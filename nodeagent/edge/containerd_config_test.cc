#include "nodeagent/edge/containerd_config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "nodeagent/edge/process_identity.h"

namespace nodeagent {
namespace {

// The line of the configuration that sets `key`, or "".
std::string Setting(const std::string& text, const std::string& key) {
  const size_t begin = text.find("\n" + key + " = ");
  return begin == std::string::npos
             ? ""
             : text.substr(begin + 1, text.find('\n', begin + 1) - begin - 1);
}

TEST(ContainerdConfigTest, EverythingIsInItsDirectory) {
  const std::string text = ContainerdConfigText({.directory = "/data/c"}, {});
  EXPECT_EQ(Setting(text, "root"), R"(root = "/data/c/root")");
  EXPECT_EQ(Setting(text, "state"), R"(state = "/data/c/state")");
  EXPECT_EQ(Setting(text, "address"), R"(address = "/data/c/containerd.sock")");
  EXPECT_EQ(Setting(text, "conf_dir"), R"(conf_dir = "/data/c/cni")");
  EXPECT_EQ(Setting(text, "Root"), R"(Root = "/data/c/state/runc")");
  EXPECT_EQ(Setting(text, "sandbox_image"), R"(sandbox_image = "plumb.dev/pause:1")");
}

TEST(ContainerdConfigTest, MachineDecidesOomScoreAndSnapshotter) {
  const ContainerdOptions options{.directory = "/c"};
  const std::string able = ContainerdConfigText(options, {true, true});
  const std::string unable = ContainerdConfigText(options, {false, false});
  EXPECT_EQ(Setting(able, "restrict_oom_score_adj"), "restrict_oom_score_adj = false");
  EXPECT_EQ(Setting(unable, "restrict_oom_score_adj"), "restrict_oom_score_adj = true");
  EXPECT_EQ(Setting(able, "snapshotter"), R"(snapshotter = "overlayfs")");
  EXPECT_EQ(Setting(unable, "snapshotter"), R"(snapshotter = "native")");
}

TEST(ContainerdConfigTest, PlainRegistriesGetAnHttpEndpointAndQuotesAreEscaped) {
  const std::string text = ContainerdConfigText(
      {.directory = "/c",
       .plain_http_registries = {"registry.test:5000", "a\"b", "images:1=http://192.0.2.1:5000"}},
      {});
  EXPECT_NE(text.find("registry.mirrors.\"registry.test:5000\"]\n"
                      "endpoint = [\"http://registry.test:5000\"]\n"),
            std::string::npos);
  EXPECT_NE(text.find(R"(registry.mirrors."a\"b"])"), std::string::npos);
  EXPECT_NE(text.find("registry.mirrors.\"images:1\"]\nendpoint = [\"http://192.0.2.1:5000\"]\n"),
            std::string::npos);
}

TEST(ProcessIdentityTest, IsReadBackAndKnowsItsOwnProcessOnly) {
  const auto self = ProcessIdentity::Of(getpid());
  ASSERT_TRUE(self.has_value());
  EXPECT_TRUE(self->IsAlive());
  const auto same = ProcessIdentity::Parse(self->ToString());
  ASSERT_TRUE(same.has_value());
  EXPECT_EQ(same->ToString(), self->ToString());
  ProcessIdentity other = *self;
  ++other.start;  // the pid of a process that ended, given to us
  EXPECT_FALSE(other.IsAlive());
  EXPECT_FALSE(ProcessIdentity::Parse("nonsense").has_value());
  EXPECT_FALSE(ProcessIdentity::Parse("").has_value());
}

}  // namespace
}  // namespace nodeagent
