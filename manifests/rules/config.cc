// Keys become file names and environment variables, so their syntax is narrow, and a key may stand
// in one of the maps only. Secrets of a known type must have the keys that the type promises;
// stringData counts, because it is folded into data.
#include "manifests/rules/config.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "manifests/member_changes.h"
#include "manifests/rules/edit.h"
#include "manifests/syntax.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

// Bytes that base64 text stands for.
size_t DecodedSize(std::string_view text) {
  size_t digits = 0;
  for (const char c : text) digits += c != '=' && c != '\n' && c != '\r' ? 1 : 0;
  return digits * 3 / 4;
}

// Standard alphabet, padded.
std::string EncodeBase64(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0);
    }
    for (size_t j = 0; j < 4; ++j) {
      text += j <= count ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

void CheckKeys(const Json& map, std::string_view path, Report& report) {
  for (const auto& [key, value] : map.Members()) {
    if (auto complaint = CheckFormat("configmapkey", key)) {
      report.Add("FieldValueInvalid", JoinKey(path, key), *complaint, value.key_mark);
    }
  }
}

void CheckSize(size_t bytes, const Json& object, Report& report) {
  if (bytes <= kMaxConfigBytes) return;
  report.TooLong("data",
                 "the values have " + std::to_string(bytes) + " bytes, at most " +
                     std::to_string(kMaxConfigBytes) + " are allowed",
                 object["data"].IsNull() ? object : object["data"]);
}

struct SecretType {
  std::string_view type;
  std::array<std::string_view, 2> keys;  // the second may be empty
  bool any;                              // one of them is enough
};
constexpr SecretType kSecretTypes[] = {
    {"kubernetes.io/tls", {"tls.crt", "tls.key"}, false},
    {"kubernetes.io/dockercfg", {".dockercfg"}, false},
    {"kubernetes.io/dockerconfigjson", {".dockerconfigjson"}, false},
    {"kubernetes.io/basic-auth", {"username", "password"}, true},
    {"kubernetes.io/ssh-auth", {"ssh-privatekey"}, false},
};

void CheckSecretType(const Json& object, Report& report) {
  const std::string_view type = object["type"].AsString();
  for (const SecretType& known : kSecretTypes) {
    if (known.type != type) continue;
    size_t found = 0;
    std::string missing;
    for (const std::string_view key : known.keys) {
      if (key.empty()) continue;
      if (object["data"].Has(key) || object["stringData"].Has(key)) {
        ++found;
      } else {
        missing += (missing.empty() ? "" : known.any ? " or " : " and ") + std::string(key);
      }
    }
    if (missing.empty() || (known.any && found > 0)) return;
    report.Required("data", "a Secret of type " + std::string(type) + " needs " + missing,
                    object["data"].IsNull() ? object : object["data"]);
  }
  if (type == "kubernetes.io/service-account-token" &&
      object["metadata"]["annotations"]["kubernetes.io/service-account.name"].AsString().empty()) {
    report.Required("metadata.annotations[kubernetes.io/service-account.name]",
                    "which service account is the token for? Name it here", object["metadata"]);
  }
}

}  // namespace

void CheckConfigMap(const Json& object, Report& report) {
  const Json& data = object["data"];
  const Json& binary = object["binaryData"];
  CheckKeys(data, "data", report);
  CheckKeys(binary, "binaryData", report);
  size_t bytes = 0;
  for (const auto& [key, value] : data.Members()) bytes += value.AsString().size();
  for (const auto& [key, value] : binary.Members()) {
    bytes += DecodedSize(value.AsString());
    if (!data.Has(key)) continue;
    report.Duplicate(JoinKey("binaryData", key), "the key stands in data too", value);
  }
  CheckSize(bytes, object, report);
}

void CheckSecret(const Json& object, Report& report) {
  const Json& data = object["data"];
  const Json& text = object["stringData"];
  CheckKeys(data, "data", report);
  CheckKeys(text, "stringData", report);
  size_t bytes = 0;
  for (const auto& [key, value] : text.Members()) bytes += value.AsString().size();
  for (const auto& [key, value] : data.Members()) {
    if (!text.Has(key)) bytes += DecodedSize(value.AsString());
  }
  CheckSize(bytes, object, report);
  CheckSecretType(object, report);
}

void CheckSealed(const Json& before, const Json& after, Report& report) {
  if (!before["immutable"].AsBool()) return;
  const Json& immutable = after["immutable"];
  if (!immutable.AsBool()) {
    report.Forbidden("immutable", "field is immutable once it is true; delete the object instead",
                     immutable.IsNull() ? after : immutable);
  }
  for (const std::string_view field : {"data", "binaryData", "stringData"}) {
    const Json& value = after[field];
    if (value == before[field]) continue;
    report.Forbidden(
        std::string(field),
        "field is immutable because `immutable` is set; make an object of another name",
        value.IsNull() ? after : value);
  }
}

void DefaultSecret(Json& object) {
  const Json text = std::as_const(object)["stringData"];
  if (!text.IsObject()) return;
  const Json* data = object.Find("data");
  if (!IsAbsent(data) && !data->IsObject()) return;
  for (const auto& [key, value] : text.Members()) {
    // What is no text is the validator's to refuse.
    if (!value.IsString() && !value.IsNull()) return;
  }
  Json& target = object["data"];
  MemberChanges changes(target);
  for (const auto& [key, value] : text.Members()) {
    Json bytes = EncodeBase64(value.AsString());
    if (Json* known = target.Find(key)) {
      *known = std::move(bytes);
    } else {
      changes.Add(key, std::move(bytes));
    }
  }
  changes.Finish();
  if (target.IsNull()) object.Remove("data");
  object.Remove("stringData");
}

}  // namespace manifests
