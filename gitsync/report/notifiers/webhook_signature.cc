#include "gitsync/report/notifiers/webhook_signature.h"

#include <algorithm>

#include "base/base64.h"
#include "base/net/hmac.h"

namespace gitsync {

base::Result<std::string> ParseSigningSecret(std::string_view text) {
  constexpr std::string_view kPrefix = "whsec_";
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = std::min(text.find_first_not_of(kSpace), text.size());
  text.remove_prefix(first);
  text = text.substr(0, text.find_last_not_of(kSpace) + 1);
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  base::Result<std::string> key = base::Base64Decode(text);
  if (!key.ok() || key->size() < kMinSecretBytes || key->size() > kMaxSecretBytes) {
    return base::Status(base::Code::kInvalid,
                        "the Secret's token is no signing secret: it must be \"whsec_\" and the "
                        "base64 of " +
                            std::to_string(kMinSecretBytes) + " to " +
                            std::to_string(kMaxSecretBytes) +
                            " bytes; echo whsec_$(openssl rand -base64 32) makes one");
  }
  return key;
}

std::string SignWebhook(const std::string& key, std::string_view id, base::WallTime timestamp,
                        std::string_view body) {
  std::string text(id);
  text += "." + std::to_string(timestamp.seconds()) + ".";
  text += body;
  return "v1," + base::Base64Encode(base::HmacSha256(key, text));
}

}  // namespace gitsync
