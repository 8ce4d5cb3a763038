// The vault begins with its authority: where that Secret is, everything is, since all was put in by
// one transaction. A token's name is free text, so the Secret is called after it where that makes a
// valid name, else after its digest; what it is called means nothing.
#include "plumb/server/vault.h"

#include <algorithm>

#include "base/base64.h"
#include "base/log.h"
#include "manifests/syntax.h"
#include "state/own_secrets.h"

namespace plumb {
namespace {

using base::Code;
using base::Json;
using base::Status;

constexpr const char* kCaName = "plumb.ca";
constexpr const char* kJoinName = "plumb.join";
constexpr const char* kTokenPrefix = "plumb.token.";

constexpr const char* kCaType = "kubernetes.io/tls";
constexpr const char* kJoinType = "plumb.dev/join";
constexpr const char* kTokenType = "plumb.dev/token";

constexpr size_t kMaxNameBytes = 253;  // of an object
constexpr size_t kDigestInName = 16;

state::Key KeyOf(std::string name) {
  return {"secrets", std::string(state::kSystemNamespace), std::move(name)};
}

using Data = std::vector<std::pair<std::string_view, std::string_view>>;

Status CreateSecret(state::Draft& draft, const std::string& name, std::string_view type,
                    const Data& data) {
  Json encoded = Json::MakeObject();
  for (const auto& [key, value] : data) encoded.Set(key, base::Base64Encode(value));
  return draft
      .Create(Json::MakeObject(
          {{"apiVersion", "v1"},
           {"kind", "Secret"},
           {"metadata", Json::MakeObject({{"name", name}, {"namespace", state::kSystemNamespace}})},
           {"type", type},
           {"data", std::move(encoded)}}))
      .status();
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

TokenInfo TokenOf(const state::Object& secret) {
  return {ValueOf(secret, "name"), ValueOf(secret, "role"), ValueOf(secret, "sha256")};
}

Status CreateToken(state::Draft& draft, const TokenInfo& token) {
  return CreateSecret(draft, SecretNameOf(token), kTokenType,
                      {{"name", token.name}, {"role", token.role}, {"sha256", token.sha256}});
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
  if (join != nullptr) contents.join_secret = ValueOf(*join, "secret");
  if (contents.ca_certificate.empty() || contents.ca_key.empty() || contents.join_secret.empty()) {
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
  RETURN_IF_ERROR(CreateSecret(draft, kJoinName, kJoinType, {{"secret", contents.join_secret}}));
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

Status AddToken(state::Draft& draft, const TokenInfo& token) {
  if (std::find(std::begin(kRoles), std::end(kRoles), token.role) == std::end(kRoles)) {
    return Status(Code::kInvalid,
                  "there is no role \"" + token.role + "\"; roles are admin, deployer and viewer");
  }
  if (token.name.empty()) return Status(Code::kInvalid, "a token needs a name");
  for (const TokenInfo& each : TokensOf(draft.view())) {
    if (each.name == token.name) {
      return Status(Code::kAlreadyExists,
                    "there is a token \"" + token.name + "\"; revoke it or choose another name");
    }
  }
  return CreateToken(draft, token);
}

Status RemoveToken(state::Draft& draft, const std::string& name) {
  for (const state::ObjectPtr& secret : draft.view().List("secrets", state::kSystemNamespace)) {
    if (!IsToken(*secret) || TokenOf(*secret).name != name) continue;
    return draft.Delete(secret->key, {}).status();
  }
  return Status(Code::kNotFound, "there is no token \"" + name + "\"; see 'plumb token list'");
}

}  // namespace plumb
