#include "state/record.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace state {
namespace {

TEST(RecordTest, ReadsBackWhatItWrote) {
  auto object = std::make_shared<Object>();
  object->key = Key{"deployments.apps", "default", "web"};
  object->document = *base::Document::Parse(R"({"metadata":{"name":"web"},"text":"a\nb"})");
  const std::string bytes = EncodeRecord(Record{true, true, object});
  EXPECT_EQ(RecordSize(Record{true, true, object}), bytes.size());
  const base::Result<Record> record = DecodeRecord(7, bytes);
  ASSERT_TRUE(record.ok()) << record.status().ToString();
  EXPECT_TRUE(record->removed);
  EXPECT_TRUE(record->last);
  EXPECT_EQ(record->object->key, object->key);
  EXPECT_EQ(record->object->revision, 7u);
  EXPECT_EQ(record->object->document.Bytes(), object->document.Bytes());
}

TEST(RecordTest, ManagersReadBack) {
  auto object = std::make_shared<Object>();
  object->key = Key{"pods", "default", "web"};
  object->document = *base::Document::Parse(R"({"metadata":{"name":"web"}})");
  const auto managers = manifests::ParseManagedFields(*base::ParseJson(
      R"([{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:containers":{)"
      R"("k:{\"name\":\"a\"}":{".":{},"f:image":{}}}}},"manager":"kubectl","operation":"Apply",)"
      R"("time":"2026-11-28T01:02:03Z"},{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":)"
      R"({"f:status":{"f:phase":{}}},"manager":"plumb-node","operation":"Update",)"
      R"("subresource":"status","time":"2026-11-28T01:02:04Z"}])"));
  ASSERT_TRUE(managers.ok()) << managers.status().ToString();
  object->managers = std::make_shared<const manifests::ManagedFields>(*managers);
  const std::string bytes = EncodeRecord(Record{false, true, object});
  EXPECT_EQ(RecordSize(Record{false, true, object}), bytes.size());
  const base::Result<Record> record = DecodeRecord(7, bytes);
  ASSERT_TRUE(record.ok()) << record.status().ToString();
  std::string was, is;
  AppendJson(*object, was);
  AppendJson(*record->object, is);
  EXPECT_EQ(is, was);
  EXPECT_NE(is.find(R"("operation":"Apply")"), std::string::npos) << is;
}

// What format 1 wrote: no flag, and no managers between the key and the document.
TEST(RecordTest, RecordsOfFormatOneHaveNoManagers) {
  std::string bytes = std::string(
                          "\x02\x04pods\x07"
                          "default\x03web",
                          18) +
                      R"({"metadata":{"name":"web"}})";
  const uint32_t crc = base::Crc32c(bytes);
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(crc >> shift);
  const base::Result<Record> record = DecodeRecord(7, bytes);
  ASSERT_TRUE(record.ok()) << record.status().ToString();
  EXPECT_EQ(record->object->managers, nullptr);
  EXPECT_EQ(record->object->Meta("name").AsString(), "web");
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
