// The grammar of protobuf's wire format: varints, tags, lengths. What stands in them is
// protobuf.h's business.
//
// Pure; one owner. A WireWriter appends to a string of its caller's; a WireReader reads bytes that
// must outlive it, and never beyond their end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace manifests {

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

class WireWriter {
 public:
  explicit WireWriter(std::string& out) : out_(out) {}

  // A negative number takes ten bytes, as an int32 does, too.
  void Varint(uint32_t number, int64_t value);
  void Fixed64(uint32_t number, uint64_t bits);
  void Bytes(uint32_t number, std::string_view bytes);

  // A message of bytes that follow: what is written between Open and Close. Close moves them if
  // their length needs more than a byte.
  size_t Open(uint32_t number);
  void Close(size_t open);

 private:
  void Raw(uint64_t value);
  void Tag(uint32_t number, WireType type);
  std::string& out_;
};

// One field as it stands in the bytes.
struct WireField {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;      // of a varint; the bits of a fixed number
  std::string_view bytes;  // of kBytes
};

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  bool AtEnd() const { return rest_.empty(); }
  // kBadRequest for bytes that end too early, groups, and numbers that no field can have.
  base::Result<WireField> Next();
  // A bare varint, as in a packed list.
  base::Result<uint64_t> Varint();
  base::Result<uint64_t> Fixed(size_t size);

 private:
  std::string_view rest_;
};

}  // namespace manifests
