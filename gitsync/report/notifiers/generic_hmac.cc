// As generic, with the header X-Signature: "sha256=" and the HMAC of the body in hexadecimal, under
// the bytes of the Secret's token as they are.
#include "base/net/hmac.h"
#include "gitsync/report/notifiers/generic.h"

namespace gitsync {
namespace {

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

base::Status Address(const Attempt& attempt, state::HttpCall& call) {
  ASSIGN_OR_RETURN(const std::string token, attempt.secret.Get("token"));
  RETURN_IF_ERROR(SetFluxHeaders(attempt, call));
  SetHeader(call, "X-Signature", "sha256=" + Hex(base::HmacSha256(token, call.body)));
  return base::Status();
}

}  // namespace

extern constinit const Notifier kGenericHmacNotifier = {
    .type = "generic-hmac",
    .token = "must name a Secret whose key token signs what is sent",
    .body = FluxEventBody,
    .address = Address,
    .since_errands = true,
};

}  // namespace gitsync
