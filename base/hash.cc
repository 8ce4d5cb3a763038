#include "base/hash.h"

#include <array>
#include <cstdio>

namespace base {
namespace {

constexpr std::array<std::array<uint32_t, 256>, 8> MakeCrcTables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78u : 0);
    tables[0][i] = crc;
  }
  for (uint32_t i = 0; i < 256; ++i) {
    for (size_t t = 1; t < 8; ++t)
      tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 255];
  }
  return tables;
}
constexpr auto kCrc = MakeCrcTables();

constexpr uint64_t kFnvOffset = 0xcbf29ce484222325;
constexpr uint64_t kFnvPrime = 0x100000001b3;

}  // namespace

uint32_t Crc32c(std::string_view bytes) {
  uint32_t crc = ~0u;
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  while (bytes.size() >= 8) {
    crc ^= byte(0) | static_cast<uint32_t>(byte(1)) << 8 | static_cast<uint32_t>(byte(2)) << 16 |
           static_cast<uint32_t>(byte(3)) << 24;
    crc = kCrc[7][crc & 255] ^ kCrc[6][crc >> 8 & 255] ^ kCrc[5][crc >> 16 & 255] ^
          kCrc[4][crc >> 24] ^ kCrc[3][byte(4)] ^ kCrc[2][byte(5)] ^ kCrc[1][byte(6)] ^
          kCrc[0][byte(7)];
    bytes.remove_prefix(8);
  }
  for (const char c : bytes) crc = kCrc[0][(crc ^ static_cast<uint8_t>(c)) & 255] ^ (crc >> 8);
  return ~crc;
}

uint64_t Fnv64(std::string_view bytes) {
  uint64_t hash = kFnvOffset;
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * kFnvPrime;
  return hash;
}

// The hash of the content, and of the content read backwards.
std::string Fingerprint(std::string_view content) {
  uint64_t backward = kFnvOffset;
  for (size_t i = content.size(); i-- > 0;)
    backward = (backward ^ static_cast<uint8_t>(content[i])) * kFnvPrime;
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx",
                static_cast<unsigned long long>(Fnv64(content)),
                static_cast<unsigned long long>(backward));
  return text;
}

}  // namespace base
