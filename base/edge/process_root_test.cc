#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/edge/files.h"
#include "base/edge/process.h"

namespace base {
namespace {

TEST(ProcessRootTest, ChildRunsInTheNetworkNamespaceGiven) {
  const std::string name = "plumb-test-" + std::to_string(getpid());
  ASSERT_EQ(RunChecked({"ip", "netns", "add", name}).status().ToString(), "OK");
  ProcessOptions options;
  options.argv = {"readlink", "/proc/self/ns/net"};
  options.network_namespace = "/run/netns/" + name;
  const Result<RunOutput> run = RunProcess(options, {}, Duration::Minutes(1));
  const Result<std::string> inode =
      RunChecked({"stat", "--dereference", "--format", "net:[%i]", options.network_namespace});
  const Result<std::string> removed = RunChecked({"ip", "netns", "delete", name});
  EXPECT_EQ(removed.status().ToString(), "OK");
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  ASSERT_TRUE(inode.ok()) << inode.status().ToString();
  EXPECT_EQ(run->error, "");
  EXPECT_EQ(run->output, *inode);
}

// Mounts the directory `from` at `to` for its life.
class BindMount {
 public:
  BindMount(const std::string& from, const std::string& to) : to_(to) {
    EXPECT_EQ(mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr), 0);
  }
  ~BindMount() { EXPECT_EQ(umount2(to_.c_str(), MNT_DETACH), 0); }

 private:
  std::string to_;
};

TEST(FilesRootTest, RemoveTreeStopsAtAMountPointAlsoOnTheSameFileSystem) {
  std::string root = testing::TempDir() + "/plumb-mount-XXXXXX";
  ASSERT_NE(mkdtemp(root.data()), nullptr);
  ASSERT_TRUE(MakeDirectories(root + "/outside", 0755).ok());
  ASSERT_TRUE(MakeDirectories(root + "/tree/mounted", 0755).ok());
  ASSERT_TRUE(WriteFileAtomic(root + "/outside/precious", "x", 0644).ok());
  {
    const BindMount bind(root + "/outside", root + "/tree/mounted");
    EXPECT_EQ(RemoveTree(root + "/tree").ToString(),
              "Conflict: cannot remove " + root + "/tree/mounted: it is a mount point; unmount it");
    EXPECT_EQ(RemoveTree(root + "/tree/mounted").code(), Code::kConflict);
  }
  EXPECT_EQ(*ReadFile(root + "/outside/precious", 10), "x");
  EXPECT_EQ(RemoveTree(root).ToString(), "OK");
}

}  // namespace
}  // namespace base
