// Signing as the Standard Webhooks specification says it, with a shared secret (v1). Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "base/time.h"

namespace gitsync {

inline constexpr size_t kMinSecretBytes = 24;
inline constexpr size_t kMaxSecretBytes = 64;

// The key that "whsec_" and base64, or base64 alone, stand for; spaces around it are left out.
// kInvalid, without the secret in the message.
base::Result<std::string> ParseSigningSecret(std::string_view text);

// The value of webhook-signature: "v1," and HMAC-SHA256 over "ID.TIMESTAMP.BODY" in base64.
std::string SignWebhook(const std::string& key, std::string_view id, base::WallTime timestamp,
                        std::string_view body);

}  // namespace gitsync
