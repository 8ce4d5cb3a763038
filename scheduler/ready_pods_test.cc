#include "scheduler/ready_pods.h"

#include <gtest/gtest.h>

namespace scheduler {
namespace {

state::Object Pod(const std::string& name, int priority, const std::string& created) {
  state::Object pod;
  pod.key = {"pods", "default", name};
  pod.document = base::Document(base::Json::MakeObject(
      {{"metadata", base::Json::MakeObject({{"creationTimestamp", created}})},
       {"spec", base::Json::MakeObject({{"priority", priority}})}}));
  return pod;
}

std::string All(ReadyPods& ready) {
  std::string names;
  while (const auto pod = ready.Take()) names += (names.empty() ? "" : " ") + pod->name;
  return names;
}

TEST(ReadyPodsTest, PriorityThenAgeThenNameDecide) {
  ReadyPods ready;
  ready.Insert(Pod("b", 0, "2026-01-01T00:00:01Z"));
  ready.Insert(Pod("a", 0, "2026-01-01T00:00:01Z"));
  ready.Insert(Pod("z-old", 0, "2026-01-01T00:00:00Z"));
  ready.Insert(Pod("z-urgent", 7, "2026-01-01T00:00:02Z"));
  ready.Insert(Pod("a-idle", -7, "2026-01-01T00:00:00Z"));
  EXPECT_EQ(All(ready), "z-urgent z-old a b a-idle");
  EXPECT_TRUE(ready.empty());
}

TEST(ReadyPodsTest, APodIsThereOnceWithItsNewestPriority) {
  ReadyPods ready;
  ready.Insert(Pod("a", 0, "2026-01-01T00:00:00Z"));
  ready.Insert(Pod("b", 1, "2026-01-01T00:00:00Z"));
  ready.Insert(Pod("a", 2, "2026-01-01T00:00:00Z"));
  ready.Erase({"pods", "default", "unknown"});
  EXPECT_EQ(All(ready), "a b");
}

TEST(ReadyPodsTest, AnErasedPodIsNotTried) {
  ReadyPods ready;
  ready.Insert(Pod("a", 0, "2026-01-01T00:00:00Z"));
  ready.Insert(Pod("b", 0, "2026-01-01T00:00:00Z"));
  ready.Erase({"pods", "default", "a"});
  EXPECT_EQ(All(ready), "b");
}

}  // namespace
}  // namespace scheduler
