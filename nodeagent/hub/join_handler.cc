// Rules:
// - A token vouches for the name that it is bound to, else for any; a node's certificate only for
//   that node (renewal), and only while there is a Node of its name.
// - The name of a live node is its own: only its certificate renews it, or a token that an
//   administrator has bound to the name.
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

base::Result<Joined> HandleJoin(const JoinRequest& request, const KnownNode& node,
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
  const bool certified = request.certified_node == request.node;
  const std::string digest = authority.sha256_hex(request.secret);
  const AcceptedToken* vouches = nullptr;
  for (const AcceptedToken& token : tokens) {
    const bool same = authority.equal_in_constant_time(digest, token.secret_sha256);
    const bool valid = token.expires.IsZero() || now < token.expires;
    const bool named = token.node.empty() || token.node == request.node;
    if (same && valid && named && !request.secret.empty()) vouches = &token;
  }
  Joined joined;
  if (!(certified && node.exists)) {
    if (vouches == nullptr && certified) {
      return base::Status(base::Code::kUnauthorized,
                          "node " + request.node +
                              " was removed from the cluster; to have it back, join with a token: "
                              "\"plumb token create --join\"");
    }
    if (vouches == nullptr) {
      return base::Status(base::Code::kUnauthorized,
                          "the token is unknown, revoked, expired or for another node; make one "
                          "with \"plumb token create --join\" on the server");
    }
    if (node.live && vouches->node.empty() && !certified) {
      return base::Status(base::Code::kConflict,
                          "node " + request.node +
                              " is live, and its name its own; choose another --node-name, or let "
                              "this machine take it over: \"plumb token create --join --node " +
                              request.node + "\"");
    }
    joined.token = vouches->name;
  }
  ASSIGN_OR_RETURN(joined.answer, authority.sign(request.node, request.csr_pem));
  return joined;
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
