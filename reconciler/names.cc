#include "reconciler/names.h"

#include "base/hash.h"
#include "base/status.h"

namespace reconciler {
namespace {

// 27 letters: seven of them hold more than the 32 bits of the checksum.
constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";

}  // namespace

std::string NameHash(std::string_view content, size_t length) {
  CHECK(length <= kMaxNameHash);
  uint32_t rest = base::Crc32c(content);
  std::string hash;
  for (size_t i = 0; i < length; ++i, rest /= kAlphabet.size()) {
    hash += kAlphabet[rest % kAlphabet.size()];
  }
  return hash;
}

}  // namespace reconciler
