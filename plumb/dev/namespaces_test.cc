#include "plumb/dev/namespaces.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "base/edge/files.h"

namespace plumb {
namespace {

constexpr char kDirectory[] = "/run/netns";

// In a mount namespace of its own, in which nobody has shared /run/netns.
void OnFreshMachine(const std::function<void()>& work) {
  std::thread([&work] {
    ASSERT_EQ(unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    while (umount2(kDirectory, MNT_DETACH) == 0) {
    }
    work();
  }).join();
}

// As ip(8) does when it adds a namespace.
void ShareAsIpDoes() {
  if (mount("", kDirectory, "none", MS_SHARED | MS_REC, nullptr) == 0) return;
  ASSERT_EQ(mount(kDirectory, kDirectory, "none", MS_BIND | MS_REC, nullptr), 0);
  ASSERT_EQ(mount("", kDirectory, "none", MS_SHARED | MS_REC, nullptr), 0);
}

TEST(NamespacesTest, WhatWasMadeBeforeIpAddsOneCanBeRemoved) {
  OnFreshMachine([] {
    const std::string name = "plumb-test-" + std::to_string(getpid());
    const base::Status made = CreateNamespace(name);
    ASSERT_TRUE(made.ok()) << made.ToString();
    ShareAsIpDoes();
    EXPECT_TRUE(ReadNamespaceId(NamespacePath(name)));
    EXPECT_EQ(DeleteNamespace(NamespacePath(name)).ToString(), "OK");
    EXPECT_EQ(ListNamespaces(name).size(), 0u);
    unlink(NamespacePath(name).c_str());
  });
}

}  // namespace
}  // namespace plumb
