// The vault begins with its authority: where that Secret is, everything is, since all was put in by
// one transaction. A token's name is free text, so the Secret is called after it where that makes a
// valid name, else after its digest; what it is called means nothing.
#include "plumb/server/vault.h"

#include <algorithm>
#include <charconv>

#include "base/base64.h"
#include "base/log.h"
#include "base/words.h"
#include "manifests/syntax.h"
#include "state/authorize.h"
#include "state/own_secrets.h"

namespace plumb {
namespace {

using base::Code;
using base::Json;
using base::Status;

constexpr const char* kCaName = "plumb.ca";
constexpr const char* kJoinName = "plumb.join";
constexpr const char* kTokenPrefix = "plumb.token.";
constexpr const char* kDeniedName = "plumb.denied";
constexpr std::string_view kNodePrefix = "node.";  // of the keys of kDeniedName

constexpr const char* kCaType = "kubernetes.io/tls";
constexpr const char* kJoinType = "plumb.dev/join";
constexpr const char* kTokenType = "plumb.dev/token";
constexpr const char* kDeniedType = "plumb.dev/denied";

constexpr size_t kMaxNameBytes = 253;  // of an object
constexpr size_t kDigestInName = 16;
constexpr size_t kMaxSerialDigits = 40;  // RFC 5280: 20 bytes

state::Key KeyOf(std::string name) {
  return {"secrets", std::string(state::kSystemNamespace), std::move(name)};
}

using Data = std::vector<std::pair<std::string, std::string>>;

Json Encoded(const Data& data) {
  Json encoded = Json::MakeObject();
  for (const auto& [key, value] : data) encoded.Set(key, base::Base64Encode(value));
  return encoded;
}

Status CreateSecret(state::Draft& draft, const std::string& name, std::string_view type,
                    const Data& data) {
  return draft
      .Create(Json::MakeObject(
          {{"apiVersion", "v1"},
           {"kind", "Secret"},
           {"metadata", Json::MakeObject({{"name", name}, {"namespace", state::kSystemNamespace}})},
           {"type", type},
           {"data", Encoded(data)}}))
      .status();
}

// Sets values in a Secret, which is made if there is none.
Status SetInSecret(state::Draft& draft, const std::string& name, std::string_view type,
                   const Data& data) {
  const state::ObjectPtr old = draft.view().Get(KeyOf(name));
  if (old == nullptr) return CreateSecret(draft, name, type, data);
  Json secret = old->document.ToJson();
  for (const auto& [key, value] : data) secret["data"].Set(key, base::Base64Encode(value));
  return draft.Update(std::move(secret)).status();
}

// Zero for what is no time.
base::WallTime TimeOf(std::string_view text) {
  const base::Result<base::WallTime> time = base::WallTime::Parse(text);
  return time.ok() ? *time : base::WallTime();
}

// Empty if there is no such text.
std::string ValueOf(const state::Object& secret, std::string_view key) {
  base::Result<std::string> value = base::Base64Decode(secret["data"][key].AsString());
  return value.ok() ? *std::move(value) : std::string();
}

std::string SecretNameOf(const TokenInfo& token) {
  std::string name = kTokenPrefix + token.name;
  if (name.size() <= kMaxNameBytes && manifests::IsDns1123Subdomain(name)) return name;
  return kTokenPrefix + token.sha256.substr(0, kDigestInName);
}

bool IsToken(const state::Object& secret) {
  return state::IsOwnSecret(secret.key) && secret["type"].AsString() == kTokenType;
}

// What a token is bound to; where that cannot be read, to what there is nowhere.
std::vector<std::string> BoundOf(const state::Object& secret, std::string_view key) {
  std::vector<std::string> words = base::WordsOfLines(ValueOf(secret, key));
  if (words.empty() && !secret["data"][key].IsNull()) words = {"?"};
  return words;
}

// What cannot be read of its bounds leaves a token that is good for nothing.
TokenInfo TokenOf(const state::Object& secret) {
  TokenInfo token{ValueOf(secret, "name"), ValueOf(secret, "role"), ValueOf(secret, "sha256")};
  if (const std::string expires = ValueOf(secret, "expires"); !expires.empty()) {
    token.expires = TimeOf(expires);
    if (token.expires.IsZero()) token.expires = base::WallTime::FromSeconds(1);
  }
  const std::string uses = ValueOf(secret, "uses");
  std::from_chars(uses.data(), uses.data() + uses.size(), token.uses);
  token.node = ValueOf(secret, "node");
  token.bounds = {BoundOf(secret, "repositories"), BoundOf(secret, "branches"),
                  BoundOf(secret, "verbs")};
  return token;
}

Status CreateToken(state::Draft& draft, const TokenInfo& token) {
  Data data = {{"name", token.name}, {"role", token.role}, {"sha256", token.sha256}};
  const auto add = [&](const char* key, std::string value) {
    if (!value.empty()) data.emplace_back(key, std::move(value));
  };
  add("expires", token.expires.IsZero() ? "" : token.expires.ToString());
  add("uses", token.uses == 0 ? "" : std::to_string(token.uses));
  add("node", token.node);
  add("repositories", base::LinesOf(token.bounds.repositories));
  add("branches", base::LinesOf(token.bounds.branches));
  add("verbs", base::LinesOf(token.bounds.verbs));
  return CreateSecret(draft, SecretNameOf(token), kTokenType, data);
}

state::ObjectPtr FindToken(const state::View& view, const std::string& name) {
  for (const state::ObjectPtr& secret : view.List("secrets", state::kSystemNamespace)) {
    if (IsToken(*secret) && TokenOf(*secret).name == name) return secret;
  }
  return nullptr;
}

// A line of its own is a word's form in the Secret.
Status CheckWords(const std::vector<std::string>& words, const std::string& what) {
  for (const std::string& word : words) {
    const bool plain = !word.empty() && std::none_of(word.begin(), word.end(), [](char c) {
      return static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    });
    if (!plain) return Status(Code::kInvalid, "\"" + word + "\" is no name of a " + what);
  }
  return Status();
}

Status CheckToken(const TokenInfo& token, base::WallTime now) {
  const bool role = token.IsJoin() ||
                    std::find(std::begin(kRoles), std::end(kRoles), token.role) != std::end(kRoles);
  if (!role) {
    return Status(Code::kInvalid,
                  "there is no role \"" + token.role + "\"; roles are admin, deployer and viewer");
  }
  if (token.name.empty()) return Status(Code::kInvalid, "a token needs a name");
  if (token.IsExpired(now)) return Status(Code::kInvalid, "the token would have expired already");
  if (token.IsJoin() && !token.bounds.empty()) {
    return Status(Code::kInvalid, "a join token is for nodes, not for repositories");
  }
  if (!token.IsJoin() && (token.uses != 0 || !token.node.empty())) {
    return Status(Code::kInvalid, "uses and a node's name are for join tokens; see --join");
  }
  if (token.uses < 0) return Status(Code::kInvalid, "a token has one use or more");
  RETURN_IF_ERROR(CheckWords(token.bounds.repositories, "repository"));
  RETURN_IF_ERROR(CheckWords(token.bounds.branches, "branch"));
  return CheckWords(token.bounds.verbs, "verb");
}

}  // namespace

bool HasVault(const state::View& view) { return view.Get(KeyOf(kCaName)) != nullptr; }

base::Result<VaultContents> ReadVault(const state::View& view) {
  const state::ObjectPtr ca = view.Get(KeyOf(kCaName)), join = view.Get(KeyOf(kJoinName));
  if (ca == nullptr) {
    return Status(Code::kNotFound, "the cluster has no certificate authority yet");
  }
  VaultContents contents;
  contents.ca_certificate = ValueOf(*ca, "tls.crt");
  contents.ca_key = ValueOf(*ca, "tls.key");
  if (join != nullptr) {
    contents.join_secret = ValueOf(*join, "secret");
    contents.join_expires = TimeOf(ValueOf(*join, "expires"));
  }
  const bool whole = !contents.ca_certificate.empty() && !contents.ca_key.empty() &&
                     (join == nullptr || !contents.join_secret.empty());
  if (!whole) {
    return Status(Code::kCorruption, std::string("the Secrets ") + kCaName + " and " + kJoinName +
                                         " of " + std::string(state::kSystemNamespace) +
                                         " are not whole; restore a backup");
  }
  contents.tokens = TokensOf(view);
  return contents;
}

namespace {

// Before the vault was, anybody could give a Secret such a name: none of those is one of it.
Status DropNamesakes(state::Draft& draft) {
  std::vector<state::ObjectPtr> namesakes;
  for (const state::ObjectPtr& secret : draft.view().List("secrets", state::kSystemNamespace)) {
    if (state::IsOwnSecret(secret->key)) namesakes.push_back(secret);
  }
  for (const state::ObjectPtr& secret : namesakes) {
    base::LogWarning("a Secret goes: its name is one of plumb's own now",
                     {{"secret", secret->key.ToString()}});
    if (!secret->Meta("finalizers").empty()) {
      Json object = secret->document.ToJson();
      object["metadata"].Set("finalizers", Json::MakeArray());
      RETURN_IF_ERROR(draft.Update(std::move(object)).status());
    }
    if (draft.view().Get(secret->key) != nullptr) {
      RETURN_IF_ERROR(draft.Delete(secret->key, {}).status());
    }
  }
  return Status();
}

}  // namespace

Status EnsureVault(state::Draft& draft, const std::function<base::Result<VaultContents>()>& first) {
  if (HasVault(draft.view())) return Status();
  ASSIGN_OR_RETURN(const VaultContents contents, first());
  RETURN_IF_ERROR(DropNamesakes(draft));
  RETURN_IF_ERROR(
      CreateSecret(draft, kCaName, kCaType,
                   {{"tls.crt", contents.ca_certificate}, {"tls.key", contents.ca_key}}));
  RETURN_IF_ERROR(SetJoinSecret(draft, contents.join_secret, contents.join_expires));
  for (const TokenInfo& token : contents.tokens) RETURN_IF_ERROR(CreateToken(draft, token));
  return Status();
}

std::vector<TokenInfo> TokensOf(const state::View& view) {
  std::vector<TokenInfo> tokens;
  for (const state::ObjectPtr& secret : view.List("secrets", state::kSystemNamespace)) {
    if (IsToken(*secret)) tokens.push_back(TokenOf(*secret));
  }
  std::sort(tokens.begin(), tokens.end(),
            [](const TokenInfo& a, const TokenInfo& b) { return a.name < b.name; });
  return tokens;
}

bool DeniedCertificates::Denies(const std::string& serial, const std::string& user,
                                base::WallTime issued) const {
  if (serials.contains(serial)) return true;
  const auto node = nodes.find(std::string(state::NodeOfUser(user)));
  return node != nodes.end() && issued < node->second;
}

DeniedCertificates DeniedOf(const state::View& view) {
  DeniedCertificates denied;
  const state::ObjectPtr secret = view.Get(KeyOf(kDeniedName));
  if (secret == nullptr) return denied;
  for (const auto& [key, value] : (*secret)["data"].Members()) {
    if (key.starts_with(kNodePrefix)) {
      denied.nodes[std::string(key.substr(kNodePrefix.size()))] = TimeOf(ValueOf(*secret, key));
    } else {
      denied.serials.emplace(key);
    }
  }
  return denied;
}

Status AddToken(state::Draft& draft, const TokenInfo& token) {
  const base::WallTime now = draft.context().now;
  RETURN_IF_ERROR(CheckToken(token, now));
  for (const TokenInfo& each : TokensOf(draft.view())) {
    if (each.IsExpired(now)) {
      RETURN_IF_ERROR(RemoveToken(draft, each.name));
    } else if (each.name == token.name) {
      return Status(Code::kAlreadyExists,
                    "there is a token \"" + token.name + "\"; revoke it or choose another name");
    }
  }
  if (token.IsJoin() && token.name == kOwnJoinToken) {
    return Status(Code::kAlreadyExists, "the server's own join token has that name");
  }
  return CreateToken(draft, token);
}

Status RemoveToken(state::Draft& draft, const std::string& name) {
  if (const state::ObjectPtr secret = FindToken(draft.view(), name))
    return draft.Delete(secret->key, {}).status();
  if (name == kOwnJoinToken && draft.view().Get(KeyOf(kJoinName)) != nullptr)
    return draft.Delete(KeyOf(kJoinName), {}).status();
  return Status(Code::kNotFound, "there is no token \"" + name + "\"; see 'plumb token list'");
}

Status UseToken(state::Draft& draft, const std::string& name) {
  const state::ObjectPtr secret = FindToken(draft.view(), name);
  if (secret == nullptr) return Status();  // the server's own, which has no number of uses
  const int uses = TokenOf(*secret).uses;
  if (uses == 0) return Status();
  if (uses == 1) return draft.Delete(secret->key, {}).status();
  return SetInSecret(draft, secret->key.name, kTokenType, {{"uses", std::to_string(uses - 1)}});
}

Status SetJoinSecret(state::Draft& draft, const std::string& secret, base::WallTime expires) {
  Data data = {{"secret", secret}};
  if (!expires.IsZero()) data.emplace_back("expires", expires.ToString());
  return SetInSecret(draft, kJoinName, kJoinType, data);
}

// Seconds are all that a certificate says of its time: what is issued in the second of the denial
// counts as issued before.
Status DenyNode(state::Draft& draft, const std::string& node) {
  const base::WallTime until = draft.context().now + base::Duration::Seconds(1);
  return SetInSecret(draft, kDeniedName, kDeniedType,
                     {{std::string(kNodePrefix) + node, until.ToString()}});
}

Status DenySerial(state::Draft& draft, const std::string& serial) {
  std::string upper;
  for (const char c : serial) {
    if (c != ':') upper += c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  const bool hexadecimal = !upper.empty() && upper.size() <= kMaxSerialDigits &&
                           upper.find_first_not_of("0123456789ABCDEF") == std::string::npos;
  if (!hexadecimal) {
    return Status(Code::kInvalid, "\"" + serial +
                                      "\" is no serial number; openssl x509 -noout -serial -in "
                                      "FILE says it");
  }
  return SetInSecret(draft, kDeniedName, kDeniedType, {{upper, draft.context().now.ToString()}});
}

}  // namespace plumb
