#include "state/record.h"

#include <gtest/gtest.h>

namespace state {
namespace {

TEST(RecordTest, ReadsBackWhatItWrote) {
  auto object = std::make_shared<Object>();
  object->key = Key{"deployments.apps", "default", "web"};
  object->document = *base::Document::Parse(R"({"metadata":{"name":"web"},"text":"a\nb"})");
  const base::Result<Record> record = DecodeRecord(7, EncodeRecord(Record{true, true, object}));
  ASSERT_TRUE(record.ok()) << record.status().ToString();
  EXPECT_TRUE(record->removed);
  EXPECT_TRUE(record->last);
  EXPECT_EQ(record->object->key, object->key);
  EXPECT_EQ(record->object->revision, 7u);
  EXPECT_EQ(record->object->document.Bytes(), object->document.Bytes());
}

TEST(RecordTest, KeysSortAsRevisionsDo) {
  EXPECT_LT(RecordKey(1), RecordKey(2));
  EXPECT_LT(RecordKey(255), RecordKey(256));
  EXPECT_LT(RecordKey(1), RecordKey(1ull << 40));
  EXPECT_EQ(*ParseRecordKey(RecordKey(123456789012)), 123456789012u);
}

// The check value of CRC-32C in RFC 3720's catalogue.
}  // namespace
}  // namespace state
