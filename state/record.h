// The records of the store's log, as bytes.
//
//   key    "l" + revision, 8 bytes big-endian: the order of keys is the order of revisions
//   value  1 byte flags (1 removed, 2 last of its transaction, 4 fields have managers), then
//          resource, namespace and name, each as a varint length and bytes, then the managers, then
//          the document's canonical JSON; then 4 bytes CRC-32C of all before, little-endian
//   key    "m/format"  decimal number of the format
//   key    "m/floor"   decimal revision: the log is complete after it
//   key    "m/writer"  decimal number of the store that may write: one more each time it is opened
//
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "state/object.h"

namespace state {

inline constexpr int kFormatVersion = 3;  // 1 has no managers of fields, 2 no vault
inline constexpr std::string_view kFormatKey = "m/format";
inline constexpr std::string_view kFloorKey = "m/floor";
inline constexpr std::string_view kWriterKey = "m/writer";
inline constexpr std::string_view kLogFirst = "l";
inline constexpr std::string_view kLogLast = "m";

struct Record {
  bool removed = false;
  bool last = false;  // of its transaction
  ObjectPtr object;
};

std::string RecordKey(Revision revision);
base::Result<Revision> ParseRecordKey(std::string_view key);
std::string EncodeRecord(const Record& record);
// How many bytes that has.
size_t RecordSize(const Record& record);
// kCorruption if the bytes are not those of EncodeRecord.
base::Result<Record> DecodeRecord(Revision revision, std::string_view bytes);

}  // namespace state
