// The order makes a crash harmless. Files are read while the vault is empty, and removed once what
// they said is durable in it; in between, at worst, both are there, and the next start removes the
// files. A vault that is filled is never filled again. The authority's certificate stays, as a copy
// for people.
#include "plumb/server/edge/old_files.h"

#include <algorithm>

#include "base/document.h"
#include "base/edge/files.h"
#include "base/log.h"

namespace plumb {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;

base::Result<std::vector<TokenInfo>> ReadTokens(const std::string& path) {
  std::vector<TokenInfo> tokens;
  ASSIGN_OR_RETURN(const std::string text, base::ReadFileIfThere(path, kMaxFileBytes));
  if (text.empty()) return tokens;
  const base::Result<base::Json> json = base::ParseJson(text);
  if (!json.ok()) return json.status().WithContext(path);
  const base::Status bad(base::Code::kInvalid,
                         path +
                             ": it is no list of tokens, each with name, role and sha256; mend "
                             "it, or remove it to begin without tokens");
  if (!json->IsArray()) return bad;
  for (const base::Json& each : json->Elements()) {
    if (each["name"].AsString().empty() || each["sha256"].AsString().empty()) return bad;
    tokens.push_back({std::string(each["name"].AsString()), std::string(each["role"].AsString()),
                      std::string(each["sha256"].AsString())});
  }
  return tokens;
}

bool Holds(const VaultContents& vault, const TokenInfo& token) {
  return std::any_of(vault.tokens.begin(), vault.tokens.end(), [&](const TokenInfo& each) {
    return each.name == token.name && each.role == token.role && each.sha256 == token.sha256;
  });
}

base::Status RemoveIfKept(const std::string& path, bool kept) {
  if (kept) return base::RemoveTree(path);
  base::LogWarning("a file is not read any more: the store has something else", {{"file", path}});
  return base::Status();
}

}  // namespace

base::Result<std::optional<VaultContents>> ReadOldFiles(const DataDirectory& data) {
  VaultContents old;
  ASSIGN_OR_RETURN(old.ca_key, base::ReadFileIfThere(data.old_ca_key(), kMaxFileBytes));
  if (old.ca_key.empty()) return std::optional<VaultContents>();
  ASSIGN_OR_RETURN(old.ca_certificate, base::ReadFileIfThere(data.ca_certificate(), kMaxFileBytes));
  ASSIGN_OR_RETURN(old.join_secret, base::ReadFileIfThere(data.old_join_secret(), kMaxFileBytes));
  if (old.ca_certificate.empty()) {
    return base::Status(base::Code::kInvalid,
                        data.old_ca_key() + " is there, but " + data.ca_certificate() +
                            " is not; put it back, or remove the key for a new authority");
  }
  ASSIGN_OR_RETURN(old.tokens, ReadTokens(data.old_tokens()));
  return std::optional(std::move(old));
}

base::Status RemoveOldFiles(const DataDirectory& data, const VaultContents& vault) {
  ASSIGN_OR_RETURN(const std::string key, base::ReadFileIfThere(data.old_ca_key(), kMaxFileBytes));
  if (!key.empty() && key != vault.ca_key) {
    return base::Status(base::Code::kConflict,
                        data.old_ca_key() +
                            " is not the key of the authority in the store (Secret "
                            "plumb.ca); remove the file to go on with the store's");
  }
  if (!key.empty()) RETURN_IF_ERROR(base::RemoveTree(data.old_ca_key()));
  ASSIGN_OR_RETURN(const std::string join,
                   base::ReadFileIfThere(data.old_join_secret(), kMaxFileBytes));
  if (!join.empty()) {
    RETURN_IF_ERROR(RemoveIfKept(data.old_join_secret(), join == vault.join_secret));
  }
  ASSIGN_OR_RETURN(const std::vector<TokenInfo> tokens, ReadTokens(data.old_tokens()));
  ASSIGN_OR_RETURN(const std::string text, base::ReadFileIfThere(data.old_tokens(), kMaxFileBytes));
  if (text.empty()) return base::Status();
  return RemoveIfKept(data.old_tokens(),
                      std::all_of(tokens.begin(), tokens.end(),
                                  [&](const TokenInfo& token) { return Holds(vault, token); }));
}

}  // namespace plumb
