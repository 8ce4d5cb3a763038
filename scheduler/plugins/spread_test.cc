#include <gtest/gtest.h>

#include "scheduler/testing/cluster_text.h"

namespace scheduler {
namespace {

TEST(SpreadPluginTest, ANodeWithFewerSiblingsScoresBetter) {
  EXPECT_EQ(Ask("Spread",
                "node n1\n"
                "node n2\n"
                "node n3\n"
                "pod a on n1 owner=rs1\n"
                "pod b on n1 owner=rs1\n"
                "pod c on n2 owner=rs1\n"
                "pod d on n3 owner=rs2\n",
                "pod p owner=rs1"),
            "n1 33\n"
            "n2 50\n"
            "n3 100\n");
}

}  // namespace
}  // namespace scheduler
