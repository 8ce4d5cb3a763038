// Rules:
// - A Secret's `data` and a ConfigMap's `binaryData` are base64; a ConfigMap's `data` is text.
// - `stringData` never reaches the store: admission folds it into `data`.
#include "nodeagent/volumes/sources.h"

#include <cstdint>
#include <optional>

namespace nodeagent {
namespace {

std::optional<uint32_t> Sextet(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<uint32_t>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<uint32_t>(c - 'a' + 26);
  if (c >= '0' && c <= '9') return static_cast<uint32_t>(c - '0' + 52);
  if (c == '+') return 62;
  if (c == '/') return 63;
  return std::nullopt;
}

base::Result<state::ObjectPtr> Find(const PodContext& context, std::string_view resource,
                                    std::string_view kind, std::string_view name) {
  if (context.view != nullptr) {
    state::ObjectPtr object = context.view->Get(resource, context.Namespace(), name);
    if (object != nullptr) return object;
  }
  const std::string what = std::string(kind) + " \"" + std::string(name) + "\"";
  if (!context.complete) {
    return base::Status(base::Code::kUnavailable,
                        what + " is not known yet: waiting for the control plane");
  }
  return base::Status(base::Code::kNotFound, what + " not found in namespace \"" +
                                                 std::string(context.Namespace()) +
                                                 "\"; create it, or make the reference optional");
}

base::Status AddDecoded(base::Value data, std::string_view kind, std::string_view name,
                        Entries& entries) {
  for (const auto& [key, value] : data.Members()) {
    auto bytes = DecodeBase64(value.AsString());
    if (!bytes.ok()) {
      return bytes.status().WithContext(std::string(kind) + " \"" + std::string(name) +
                                        "\" key \"" + std::string(key) + "\"");
    }
    entries.insert_or_assign(std::string(key), *std::move(bytes));
  }
  return {};
}

}  // namespace

base::Result<std::string> DecodeBase64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  uint32_t buffer = 0;
  int bits = 0;
  for (char c : text) {
    if (c == '\n' || c == '\r') continue;
    const std::optional<uint32_t> sextet = Sextet(c);
    if (!sextet) return base::Status(base::Code::kInvalid, "the value is not base64");
    buffer = (buffer << 6 | *sextet) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>(buffer >> bits & 0xff));
  }
  return bytes;
}

base::Result<Entries> ConfigMapEntries(const PodContext& context, std::string_view name,
                                       bool optional) {
  const auto object = Find(context, "configmaps", "configmap", name);
  if (!object.ok() && optional && object.status().code() == base::Code::kNotFound) {
    return Entries();
  }
  if (!object.ok()) return object.status();
  Entries entries;
  for (const auto& [key, value] : (**object)["data"].Members()) {
    entries.insert_or_assign(std::string(key), std::string(value.AsString()));
  }
  RETURN_IF_ERROR(AddDecoded((**object)["binaryData"], "configmap", name, entries));
  return entries;
}

base::Result<Entries> SecretEntries(const PodContext& context, std::string_view name,
                                    bool optional) {
  const auto object = Find(context, "secrets", "secret", name);
  if (!object.ok() && optional && object.status().code() == base::Code::kNotFound) {
    return Entries();
  }
  if (!object.ok()) return object.status();
  Entries entries;
  RETURN_IF_ERROR(AddDecoded((**object)["data"], "secret", name, entries));
  return entries;
}

base::Status MissingKey(std::string_view kind, std::string_view name, std::string_view key) {
  return base::Status(base::Code::kNotFound, std::string(kind) + " \"" + std::string(name) +
                                                 "\" has no key \"" + std::string(key) +
                                                 "\"; add it, or make the reference optional");
}

}  // namespace nodeagent
