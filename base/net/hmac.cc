#include "base/net/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/status.h"

namespace base {

std::string HmacSha256(std::string_view key, std::string_view data) {
  constexpr size_t kDigestBytes = 32;
  std::string digest(kDigestBytes, '\0');
  unsigned int length = 0;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(data.data()), data.size(),
             reinterpret_cast<unsigned char*>(digest.data()), &length) != nullptr);
  return digest;
}

}  // namespace base
