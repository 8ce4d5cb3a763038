// Rules:
// - A token vouches for any node name; a node's certificate only for that node (renewal).
// - Every token is compared in constant time, also after one has matched.
#include "nodeagent/hub/join_handler.h"

#include <algorithm>

#include "base/json.h"

namespace nodeagent {
namespace {

constexpr std::string_view kTokenPrefix = "plumb-";
constexpr size_t kDigestDigits = 64;
constexpr size_t kMaxNodeName = 63;

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::string JoinToken::ToString() const {
  return std::string(kTokenPrefix) + ca_digest + "-" + secret;
}

base::Result<JoinToken> ParseJoinToken(std::string_view text) {
  const base::Status bad(base::Code::kInvalid,
                         "this is no join token; it looks like plumb-<64 hexadecimal "
                         "digits>-<secret>, and \"plumb server\" printed one when it started");
  if (!text.starts_with(kTokenPrefix)) return bad;
  text.remove_prefix(kTokenPrefix.size());
  if (text.size() < kDigestDigits + 2 || text[kDigestDigits] != '-') return bad;
  JoinToken token{std::string(text.substr(0, kDigestDigits)),
                  std::string(text.substr(kDigestDigits + 1))};
  if (!IsHex(token.ca_digest)) return bad;
  return token;
}

bool IsNodeName(std::string_view name) {
  if (name.empty() || name.size() > kMaxNodeName) return false;
  if (name.front() == '-' || name.back() == '-') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

base::Result<JoinAnswer> HandleJoin(const JoinRequest& request,
                                    const std::vector<AcceptedToken>& tokens, base::WallTime now,
                                    const JoinAuthority& authority) {
  if (!IsNodeName(request.node)) {
    return base::Status(base::Code::kInvalid,
                        "a node's name has lower-case letters, digits and '-', at most 63");
  }
  if (request.csr_pem.empty() || request.csr_pem.size() > kMaxCsrBytes) {
    return base::Status(base::Code::kInvalid,
                        "the request has no certificate request, or one of "
                        "more than 16 KiB");
  }
  bool vouched = request.certified_node == request.node;
  const std::string digest = authority.sha256_hex(request.secret);
  for (const AcceptedToken& token : tokens) {
    const bool same = authority.equal_in_constant_time(digest, token.secret_sha256);
    const bool valid = token.expires.IsZero() || now < token.expires;
    vouched |= same && valid && !request.secret.empty();
  }
  if (!vouched) {
    return base::Status(base::Code::kUnauthorized,
                        "the token is unknown, revoked or expired; make one with \"plumb token "
                        "create\" on the server");
  }
  return authority.sign(request.node, request.csr_pem);
}

std::string EncodeJoinRequest(const JoinRequest& request) {
  return base::Json::MakeObject({{"node", request.node},
                                 {"secret", request.secret},
                                 {"certificateRequest", request.csr_pem}})
      .ToString();
}

base::Result<JoinRequest> DecodeJoinRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const base::Json json, base::ParseJson(body));
  return JoinRequest{.node = std::string(json["node"].AsString()),
                     .secret = std::string(json["secret"].AsString()),
                     .csr_pem = std::string(json["certificateRequest"].AsString())};
}

std::string EncodeJoinAnswer(const JoinAnswer& answer) {
  return base::Json::MakeObject({{"certificate", answer.certificate_pem}, {"ca", answer.ca_pem}})
      .ToString();
}

base::Result<JoinAnswer> DecodeJoinAnswer(std::string_view body) {
  ASSIGN_OR_RETURN(const base::Json json, base::ParseJson(body));
  return JoinAnswer{std::string(json["certificate"].AsString()),
                    std::string(json["ca"].AsString())};
}

}  // namespace nodeagent
