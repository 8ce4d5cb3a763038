#include "servicemesh/network/node_routes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace servicemesh {
namespace {

Ipv4 Ip(const char* text) { return *Ipv4::Parse(text); }
base::Cidr Range(const char* text) { return *base::Cidr::Parse(text); }

RoutePlan Plan(std::vector<NodeNetwork> nodes, std::vector<Ipv4> local = {}) {
  return PlanRoutes("n1", std::move(nodes),
                    {Range("10.96.0.0/16"), Range("10.88.0.0/13"), /*node_prefix_length=*/24},
                    std::move(local));
}

const NodeNetwork kN1{"n1", Ip("10.89.0.1"), Range("10.88.1.0/24")};
const NodeNetwork kN2{"n2", Ip("10.89.0.2"), Range("10.88.2.0/24")};
const NodeNetwork kN3{"n3", Ip("10.89.0.3"), Range("10.88.3.0/24")};

TEST(RoutesTest, PeersAreReachedThroughTheirNodesAndServicesByTheRules) {
  EXPECT_EQ(ToIpBatch({}, Plan({kN3, kN1, kN2}, {Ip("10.96.0.10")})),
            "address replace 10.96.0.10/32 dev lo\n"
            "route replace 10.88.2.0/24 via 10.89.0.2 proto 112\n"
            "route replace 10.88.3.0/24 via 10.89.0.3 proto 112\n"
            "route replace 10.96.0.0/16 dev lo src 10.89.0.1 proto 112\n");
}

TEST(RoutesTest, ChangeTouchesOnlyWhatChanged) {
  NodeNetwork moved = kN3;
  moved.ip = Ip("10.89.0.33");
  EXPECT_EQ(ToIpBatch(Plan({kN1, kN2, kN3}), Plan({kN1, moved})),
            "route replace 10.88.3.0/24 via 10.89.0.33 proto 112\n"
            "route delete 10.88.2.0/24 proto 112\n");
  EXPECT_EQ(ToIpBatch(Plan({kN1, kN2}), Plan({kN2, kN1})), "");
}

TEST(RoutesTest, NodeWithoutARangeHasNoRouteYet) {
  const RoutePlan plan = Plan({kN1, {"n4", Ip("10.89.0.4")}, {"n5", {}, Range("10.88.5.0/24")}});
  EXPECT_EQ(plan.left_out,
            (std::vector<std::string>{"no route to the pods of node n4: it has no pod range yet",
                                      "no route to the pods of node n5: it has no address yet"}));
  EXPECT_EQ(plan.routes.size(), 1u);
}

TEST(RoutesTest, OverlappingRangeGoesToNobodyElse) {
  const RoutePlan plan = Plan({kN2,
                               kN1,
                               {"aa", Ip("10.89.0.7"), Range("10.88.1.128/25")},
                               {"n6", Ip("10.89.0.6"), Range("10.88.2.128/25")},
                               {"n7", Ip("10.89.0.8"), Range("10.96.4.0/24")}});
  EXPECT_EQ(plan.left_out,
            (std::vector<std::string>{
                "no route to the pods of node aa: its pod range 10.88.1.128/25 overlaps that of "
                "node n1",
                "no route to the pods of node n6: its pod range 10.88.2.128/25 overlaps that of "
                "node n2",
                "no route to the pods of node n7: its pod range 10.96.4.0/24 overlaps the service "
                "range"}));
  EXPECT_EQ(plan.routes.size(), 2u);
}

// Whoever can write a Node must not draw other people's traffic to it.
TEST(RoutesTest, RangeOutsideOfTheClustersOrLargerThanAShareGetsNoRoute) {
  const RoutePlan plan = Plan({kN1,
                               {"aaa", Ip("10.89.0.7"), Range("128.0.0.0/1")},
                               {"bbb", Ip("10.89.0.8"), Range("192.168.7.0/24")},
                               {"ccc", Ip("10.89.0.9"), Range("10.88.4.0/23")},
                               {"ddd", Ip("10.89.0.10"), Range("10.80.0.0/12")}});
  EXPECT_EQ(plan.left_out,
            (std::vector<std::string>{
                "no route to the pods of node aaa: its pod range 128.0.0.0/1 is not inside the "
                "cluster's, 10.88.0.0/13; --pod-cidr must be the server's",
                "no route to the pods of node bbb: its pod range 192.168.7.0/24 is not inside the "
                "cluster's, 10.88.0.0/13; --pod-cidr must be the server's",
                "no route to the pods of node ccc: its pod range 10.88.4.0/23 is larger than a "
                "node's share, a prefix of 24 bits",
                "no route to the pods of node ddd: its pod range 10.80.0.0/12 is not inside the "
                "cluster's, 10.88.0.0/13; --pod-cidr must be the server's"}));
  EXPECT_EQ(plan.routes.size(), 1u);
}

}  // namespace
}  // namespace servicemesh
