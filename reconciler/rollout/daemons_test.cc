#include "reconciler/rollout/daemons.h"

#include <gtest/gtest.h>

#include <sstream>

namespace reconciler {
namespace {

// A node is R (a pod should run), C (one that is there may stay) or X (none may), with a ! if it
// waits, and its pods, oldest first: o of the old template, n of the new one, upper case if it is
// available, e if it is ending.
std::vector<DaemonNode> Nodes(const std::string& text) {
  std::istringstream in(text);
  std::vector<DaemonNode> nodes;
  for (std::string word; in >> word;) {
    DaemonNode node;
    for (const char c : word) {
      switch (c) {
        case 'R': node.should_run = node.should_continue = true; break;
        case 'C': node.should_continue = true; break;
        case 'X': break;
        case '!': node.waits = true; break;
        case 'e': node.pods.push_back({.ending = true}); break;
        default:
          node.pods.push_back({.updated = c == 'n' || c == 'N', .available = c == 'O' || c == 'N'});
      }
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

// "-NODE.POD ... +NODE ..."
std::string Steps(const DaemonLimits& limits, const std::string& nodes) {
  const DaemonSteps steps = PlanDaemons(limits, Nodes(nodes));
  std::string text;
  for (const auto& [node, pod] : steps.remove)
    text += (text.empty() ? "-" : " -") + std::to_string(node) + "." + std::to_string(pod);
  for (const size_t node : steps.create) text += (text.empty() ? "+" : " +") + std::to_string(node);
  return text;
}

struct Case {
  const char* nodes;
  const char* steps;
  const char* because;
};

void Expect(const DaemonLimits& limits, const std::vector<Case>& cases) {
  for (const Case& each : cases)
    EXPECT_EQ(Steps(limits, each.nodes), each.steps) << each.nodes << ": " << each.because;
}

TEST(Daemons, EachNodeHasOnePod) {
  Expect({.rolling = false}, {{"R R R", "+0 +1 +2", "a pod comes to each node"},
                              {"RN RO", "", "OnDelete replaces nothing"},
                              {"R!", "", "a node waits while its last pod's failure is fresh"},
                              {"Re", "", "a pod that is ending is still there"},
                              {"RNN ROn", "-0.1 -1.1", "of several the oldest stays"},
                              {"CN C", "", "where none is to come, one that is there stays"},
                              {"XNo Xe", "-0.0 -0.1", "where none may stay, all go"}});
}

TEST(Daemons, RollingUpdateStaysWithinMaxUnavailable) {
  Expect({.max_unavailable = 1},
         {{"RO RO RO", "-0.0", "one goes"},
          {"Re RO RO", "", "while it ends, no other does"},
          {"R RO RO", "+0", "when it is gone, the new one comes"},
          {"Rn RO RO", "", "and is waited for"},
          {"RN RO RO", "-1.0", "then the next"},
          {"RN RN RN", "", "the end"},
          {"RO Ro Ro", "-1.0 -2.0", "what is not available goes first, whatever the limit"},
          {"CO RO", "-1.0", "a pod that could not come back is left"}});
  Expect({.max_unavailable = 2}, {{"RO RO RO", "-0.0 -1.0", ""}, {"RO Rn RO", "-0.0", ""}});
}

TEST(Daemons, SurgeHasTheNewPodAvailableBeforeTheOldOneGoes) {
  Expect({.max_surge = 1}, {{"RO RO", "+0", "a new one comes beside the old"},
                            {"ROn RO", "", "and is waited for"},
                            {"RON RO", "-0.0", "then the old one goes"},
                            {"ReN RO", "+1", "and the next node has its turn"},
                            {"Ro RO", "+0 +1", "beside one that is not available, at once"},
                            {"R RO", "+0 +1", ""},
                            {"RONN", "-0.0 -0.2", "never more than one of each"},
                            {"RN RN", "", "the end"}});
}

TEST(Daemons, PercentagesRoundUpAndSomethingAlwaysMoves) {
  const auto limits = [](const char* rolling) {
    const auto spec = base::Document::Parse(std::string(R"({"updateStrategy":{"rollingUpdate":)") +
                                            rolling + "}}");
    const DaemonLimits read = DaemonLimitsOf(spec->root(), 10);
    return std::to_string(read.max_unavailable) + "/" + std::to_string(read.max_surge);
  };
  EXPECT_EQ(limits(R"({"maxUnavailable":"25%","maxSurge":0})"), "3/0");
  EXPECT_EQ(limits(R"({"maxUnavailable":0,"maxSurge":"5%"})"), "0/1");
  EXPECT_EQ(limits(R"({"maxUnavailable":"0%","maxSurge":0})"), "1/0");
}

}  // namespace
}  // namespace reconciler
