#include "base/sha1.h"

#include <array>
#include <bit>
#include <cstdint>

namespace base {
namespace {

using State = std::array<uint32_t, 5>;
inline constexpr size_t kBlockBytes = 64;

uint32_t ReadWord(const char* at) {
  uint32_t word = 0;
  for (int i = 0; i < 4; ++i) word = word << 8 | static_cast<unsigned char>(at[i]);
  return word;
}

void AppendWord(uint32_t word, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(word >> shift & 0xff);
}

// The round's mixing function and constant (FIPS 180-4, 4.1.1 and 4.2.1).
uint32_t Mix(int round, uint32_t b, uint32_t c, uint32_t d) {
  if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999;
  if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

void AddBlock(const char* block, State& state) {
  std::array<uint32_t, 80> words;
  for (size_t i = 0; i < 16; ++i) words[i] = ReadWord(block + 4 * i);
  for (size_t i = 16; i < 80; ++i) {
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  }
  auto [a, b, c, d, e] = state;
  for (int i = 0; i < 80; ++i) {
    const uint32_t next = std::rotl(a, 5) + Mix(i, b, c, d) + e + words[static_cast<size_t>(i)];
    e = d, d = c, c = std::rotl(b, 30), b = a, a = next;
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e};
}

}  // namespace

std::string Sha1Bytes(std::string_view data) {
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const uint64_t bits = uint64_t{data.size()} * 8;
  for (; data.size() >= kBlockBytes; data.remove_prefix(kBlockBytes)) AddBlock(data.data(), state);
  std::string tail(data);
  tail += '\x80';
  while (tail.size() % kBlockBytes != kBlockBytes - 8) tail += '\0';
  AppendWord(static_cast<uint32_t>(bits >> 32), tail);
  AppendWord(static_cast<uint32_t>(bits), tail);
  for (size_t at = 0; at < tail.size(); at += kBlockBytes) AddBlock(tail.data() + at, state);
  std::string digest;
  for (const uint32_t word : state) AppendWord(word, digest);
  return digest;
}

std::string Sha1Hex(std::string_view data) {
  std::string hex;
  for (const char c : Sha1Bytes(data)) {
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

}  // namespace base
