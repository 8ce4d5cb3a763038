// Rules:
// - A subscript names one label or annotation ('' if it is not there); without one, labels and
//   annotations are lines of key="value", sorted, the value quoted as a Go string.
// - A resource is divided by the divisor and rounded up. A limit that is not set is what the node
//   has; a request that is not set is 0.
#include "nodeagent/downward_api.h"

#include <algorithm>
#include <cstdio>

#include "manifests/quantity.h"

namespace nodeagent {
namespace {

std::string GoQuoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          char escape[8];
          std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(c));
          out += escape;
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

std::string Lines(base::Value map) {
  std::string lines;
  for (const auto& [key, value] : map.Members()) {
    if (!lines.empty()) lines += '\n';
    lines += std::string(key) + "=" + GoQuoted(value.AsString());
  }
  return lines;
}

// The key in "metadata.labels['KEY']", or nothing.
std::string_view Subscript(std::string_view path, std::string_view field) {
  if (!path.starts_with(field)) return {};
  path.remove_prefix(field.size());
  if (path.size() < 5 || !path.starts_with("['") || !path.ends_with("']")) return {};
  return path.substr(2, path.size() - 4);
}

int64_t AllocatableMillis(const PodContext& context, std::string_view resource) {
  if (resource == "cpu") return context.node.cpu_millis;
  if (resource == "memory") return context.node.memory_bytes * 1000;
  return 0;
}

}  // namespace

int64_t LimitMillis(const PodContext& context, base::Value container, std::string_view resource) {
  const base::Value limit = container["resources"]["limits"][resource];
  if (limit.Exists()) return manifests::Quantity::Of(limit).MilliValue();
  return AllocatableMillis(context, resource);
}

base::Result<std::string> FieldValue(const PodContext& context, std::string_view path) {
  const base::Value metadata = context.pod["metadata"];
  for (const char* field : {"name", "namespace", "uid"}) {
    if (path == "metadata." + std::string(field)) return std::string(metadata[field].AsString());
  }
  for (const char* field : {"labels", "annotations"}) {
    const std::string whole = "metadata." + std::string(field);
    if (path == whole) return Lines(metadata[field]);
    if (const std::string_view key = Subscript(path, whole); !key.empty()) {
      return std::string(metadata[field][key].AsString());
    }
  }
  if (path == "spec.nodeName") return context.node.name;
  if (path == "spec.serviceAccountName") {
    return std::string(context.pod["spec"]["serviceAccountName"].AsString());
  }
  if (path == "status.hostIP" || path == "status.hostIPs") return context.node.ip;
  if (path == "status.podIP" || path == "status.podIPs") {
    if (!context.ip.empty()) return context.ip;
    return base::Status(base::Code::kUnavailable, "the pod has no address yet");
  }
  return base::Status(base::Code::kInvalid, "fieldRef \"" + std::string(path) +
                                                "\" is not served; see the documentation of the "
                                                "downward API for the fields that are");
}

base::Result<std::string> ResourceValue(const PodContext& context, base::Value container,
                                        base::Value reference) {
  const std::string_view other = reference["containerName"].AsString();
  if (!other.empty()) {
    container = Named(context.pod["spec"]["containers"], other);
    if (!container.Exists()) container = Named(context.pod["spec"]["initContainers"], other);
    if (!container.Exists()) {
      return base::Status(base::Code::kInvalid, "resourceFieldRef names container \"" +
                                                    std::string(other) +
                                                    "\", which the pod does not have");
    }
  }
  const std::string_view path = reference["resource"].AsString();
  const size_t dot = path.find('.');
  const std::string_view kind = path.substr(0, dot);
  if (dot == std::string_view::npos || (kind != "limits" && kind != "requests")) {
    return base::Status(base::Code::kInvalid, "resourceFieldRef \"" + std::string(path) +
                                                  "\" is not served; write limits.cpu, "
                                                  "requests.memory or the like");
  }
  const std::string_view resource = path.substr(dot + 1);
  const int64_t millis =
      kind == "limits"
          ? LimitMillis(context, container, resource)
          : manifests::Quantity::Of(container["resources"]["requests"][resource]).MilliValue();
  int64_t divisor = manifests::Quantity::Of(reference["divisor"]).MilliValue();
  if (divisor <= 0) divisor = 1000;
  return std::to_string(millis / divisor + (millis % divisor > 0 ? 1 : 0));
}

}  // namespace nodeagent
