#include "state/writer.h"

#include <gtest/gtest.h>

#include <string>

#include "manifests/yaml/yaml.h"
#include "state/testing/test_cluster.h"

namespace state {
namespace {

class WriterTest : public testing::Test {
 protected:
  base::Result<ObjectPtr> Generate(Draft& draft) {
    const manifests::YamlFile file = manifests::ParseYaml(
        "apiVersion: v1\n"
        "kind: ConfigMap\n"
        "metadata: {generateName: a-, namespace: default}\n");
    return draft.Create(file.documents.front());
  }

  TestCluster cluster_;
  Writer writer_{cluster_.loop, cluster_.store(), cluster_.Context(), ProgramActor("test")};
};

TEST_F(WriterTest, ADraftIsOfTheNewestStateAndTheTimeThatItIs) {
  cluster_.AddNamespace("team");
  cluster_.Settle(base::Duration::Minutes(5));
  const Draft draft = writer_.NewDraft();
  EXPECT_EQ(draft.view().revision(), cluster_.store().revision());
  EXPECT_EQ(draft.context().now, cluster_.loop.now().wall);
  EXPECT_EQ(draft.Finish().actor->manager, "test");
}

TEST_F(WriterTest, NoTwoDraftsMakeTheSameNames) {
  Draft first = writer_.NewDraft(), second = writer_.NewDraft();
  const auto a = Generate(first), b = Generate(second);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_NE((*a)->key.name, (*b)->key.name);
  EXPECT_NE((*a)->Uid(), (*b)->Uid());
}

TEST_F(WriterTest, WhatChangedNothingWaitsForWhatIsNotDurableYet) {
  std::string told;
  Draft draft = writer_.NewDraft();
  ASSERT_TRUE(Generate(draft).ok());
  ASSERT_TRUE(writer_.Commit(draft).ok());
  ASSERT_TRUE(writer_.Commit(writer_.NewDraft()).ok());
  writer_.WhenDurable([&] { told += "durable "; });
  EXPECT_EQ(told, "");
  cluster_.Settle();
  writer_.WhenDurable([&] { told += "at once"; });
  EXPECT_EQ(told, "durable at once");
}

}  // namespace
}  // namespace state
