// Checksums and hashes, the same in every process and on every machine. For telling contents apart,
// not for secrets. Pure, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace base {

// CRC-32C (Castagnoli), as in RFC 3720.
uint32_t Crc32c(std::string_view bytes);

// FNV-1a of 64 bits.
uint64_t Fnv64(std::string_view bytes);

// A short name for a content: 32 hexadecimal digits.
std::string Fingerprint(std::string_view content);

}  // namespace base
