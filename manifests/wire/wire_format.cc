#include "manifests/wire/wire_format.h"

#include <algorithm>

namespace manifests {
namespace {

using base::Code;
using base::Result;

constexpr int kVarintBytes = 10;  // the most that 64 bits take, 7 a byte
constexpr uint64_t kMaxFieldNumber = (1u << 29) - 1;

size_t PutVarint(uint64_t value, char* out) {
  size_t size = 0;
  while (value >= 0x80) {
    out[size++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out[size++] = static_cast<char>(value);
  return size;
}

}  // namespace

void WireWriter::Raw(uint64_t value) {
  char bytes[kVarintBytes];
  out_.append(bytes, PutVarint(value, bytes));
}

void WireWriter::Tag(uint32_t number, WireType type) {
  Raw(uint64_t{number} << 3 | static_cast<uint64_t>(type));
}

void WireWriter::Varint(uint32_t number, int64_t value) {
  Tag(number, WireType::kVarint);
  Raw(static_cast<uint64_t>(value));
}

void WireWriter::Fixed64(uint32_t number, uint64_t bits) {
  Tag(number, WireType::kFixed64);
  for (int shift = 0; shift < 64; shift += 8) out_ += static_cast<char>(bits >> shift);
}

void WireWriter::Bytes(uint32_t number, std::string_view bytes) {
  Tag(number, WireType::kBytes);
  Raw(bytes.size());
  out_ += bytes;
}

size_t WireWriter::Open(uint32_t number) {
  Tag(number, WireType::kBytes);
  out_ += '\0';
  return out_.size();
}

void WireWriter::Close(size_t open) {
  char length[kVarintBytes];
  const size_t size = PutVarint(out_.size() - open, length);
  if (size > 1) out_.insert(open, size - 1, '\0');
  std::copy_n(length, size, out_.begin() + static_cast<std::ptrdiff_t>(open - 1));
}

Result<uint64_t> WireReader::Varint() {
  uint64_t value = 0;
  for (int i = 0; i < kVarintBytes; ++i) {
    if (rest_.empty()) return {Code::kBadRequest, "a number goes beyond the message's end"};
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << (7 * i);
    if (byte < 0x80) return value;
  }
  return {Code::kBadRequest, "a number has more than ten bytes"};
}

Result<uint64_t> WireReader::Fixed(size_t size) {
  if (rest_.size() < size) return {Code::kBadRequest, "a number goes beyond the message's end"};
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= uint64_t{static_cast<uint8_t>(rest_[i])} << (8 * i);
  rest_.remove_prefix(size);
  return value;
}

Result<WireField> WireReader::Next() {
  ASSIGN_OR_RETURN(const uint64_t tag, Varint());
  WireField field;
  if (tag >> 3 == 0 || tag >> 3 > kMaxFieldNumber) {
    return {Code::kBadRequest, std::to_string(tag >> 3) + " is no field number"};
  }
  field.number = static_cast<uint32_t>(tag >> 3);
  switch (tag & 7) {
    case 0: {
      field.type = WireType::kVarint;
      ASSIGN_OR_RETURN(field.value, Varint());
      return field;
    }
    case 1: {
      field.type = WireType::kFixed64;
      ASSIGN_OR_RETURN(field.value, Fixed(8));
      return field;
    }
    case 5: {
      field.type = WireType::kFixed32;
      ASSIGN_OR_RETURN(field.value, Fixed(4));
      return field;
    }
    case 2: break;
    default:
      return {Code::kBadRequest, "field " + std::to_string(field.number) + " has wire type " +
                                     std::to_string(tag & 7) + ", which is not served"};
  }
  field.type = WireType::kBytes;
  ASSIGN_OR_RETURN(const uint64_t size, Varint());
  if (size > rest_.size()) {
    return {Code::kBadRequest, "field " + std::to_string(field.number) + " has " +
                                   std::to_string(size) + " bytes, but only " +
                                   std::to_string(rest_.size()) + " are left"};
  }
  field.bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return field;
}

}  // namespace manifests
