#include <gtest/gtest.h>

#include "scheduler/testing/cluster_text.h"

namespace scheduler {
namespace {

TEST(HostPortsPluginTest, APortOfTheNodeIsTakenOnce) {
  const std::string cluster =
      "node n1\n"
      "node n2\n"
      "pod a on n1 port=80\n";
  EXPECT_EQ(Ask("NodePorts", cluster, "pod b port=80"),
            "n1 with host port 80 taken\n"
            "n2 fits\n");
  EXPECT_EQ(Ask("NodePorts", cluster, "pod b port=81"),
            "n1 fits\n"
            "n2 fits\n");
  EXPECT_EQ(Ask("NodePorts", cluster, "pod b"), "no opinion");
}

TEST(HostPortsPluginTest, AnAddressOfItsOwnCollidesWithItselfAndWithAll) {
  const std::string cluster = "node n1\npod a on n1 port=80/10.0.0.1\n";
  const std::string taken = "n1 with host port 80 taken\n";
  EXPECT_EQ(Ask("NodePorts", cluster, "pod b port=80/10.0.0.2"), "n1 fits\n");
  EXPECT_EQ(Ask("NodePorts", cluster, "pod b port=80/10.0.0.1"), taken);
  EXPECT_EQ(Ask("NodePorts", cluster, "pod b port=80"), taken);
}

TEST(HostPortsPluginTest, WakesWhenAPodLeaves) {
  EXPECT_EQ(
      WhatWakes("NodePorts", "node n1\npod a on n1 port=80\n", "node n1 zone=a\n", "pod b port=80"),
      "a");
}

}  // namespace
}  // namespace scheduler
