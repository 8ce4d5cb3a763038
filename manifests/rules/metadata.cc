// An object has a name or asks for one with generateName; the namespace may be left out, because a
// request's path or a repository supplies it, but an object of the whole cluster must not have one.
// Names are DNS subdomains, except where a name becomes a label of a host name.
#include "manifests/rules/metadata.h"

#include "manifests/syntax.h"
#include "manifests/walk.h"

namespace manifests {
namespace {

using base::Json;

struct NameFormat {
  std::string_view resource;
  std::string_view format;
};
constexpr NameFormat kNameFormats[] = {
    {"namespaces", "dns1123label"},
    {"services", "dns1035label"},
};

std::string_view NameFormatOf(const Kind& kind) {
  for (const NameFormat& entry : kNameFormats) {
    if (kind.Resource() == entry.resource) return entry.format;
  }
  return "dns1123subdomain";
}

void CheckName(const Kind& kind, const Json& metadata, const Json& object, Report& report) {
  const Json& name = metadata["name"];
  const Json& prefix = metadata["generateName"];
  const std::string_view format = NameFormatOf(kind);
  if (name.AsString().empty() && prefix.AsString().empty()) {
    // What is of the wrong type has been reported already.
    if (!metadata.IsNull() && !metadata.IsObject()) return;
    if (!name.IsNull() && !name.IsString()) return;
    report.Required("metadata.name", "the object needs a name",
                    metadata.IsObject() ? metadata : object);
  } else if (!name.AsString().empty()) {
    if (auto complaint = CheckFormat(format, name.AsString())) {
      report.Invalid("metadata.name", *complaint, name);
    }
  } else {
    // What is appended to the prefix are letters and digits, so it may end with '-'.
    if (auto complaint = CheckFormat(format, std::string(prefix.AsString()) + "x")) {
      report.Invalid("metadata.generateName", *complaint, prefix);
    }
  }
}

void CheckNamespace(const Kind& kind, const Json& metadata, Report& report) {
  const Json& value = metadata["namespace"];
  if (value.AsString().empty()) return;
  if (!kind.namespaced) {
    report.Forbidden("metadata.namespace",
                     "a " + kind.kind + " belongs to no namespace; remove this field", value);
  } else if (auto complaint = CheckFormat("dns1123label", value.AsString())) {
    report.Invalid("metadata.namespace", *complaint, value);
  }
}

void CheckOwners(const Json& metadata, Report& report) {
  const Json* controller = nullptr;
  for (const Json& owner : metadata["ownerReferences"].Elements()) {
    if (!owner["controller"].AsBool()) continue;
    if (controller != nullptr) {
      report.Invalid("metadata.ownerReferences",
                     "only one owner can be the controller, not both " +
                         std::string((*controller)["name"].AsString()) + " and " +
                         std::string(owner["name"].AsString()),
                     owner);
    }
    controller = &owner;
  }
}

void CheckAnnotations(const Json& annotations, std::string_view path, Report& report) {
  size_t bytes = 0;
  for (const auto& [key, value] : annotations.Members()) {
    if (auto complaint = CheckFormat("qualifiedname", key)) {
      report.Add("FieldValueInvalid", std::string(path), *complaint, value.key_mark);
    }
    bytes += key.size() + value.AsString().size();
  }
  if (bytes > kMaxAnnotationBytes) {
    report.TooLong(std::string(path),
                   "the annotations have " + std::to_string(bytes) + " bytes, at most " +
                       std::to_string(kMaxAnnotationBytes) + " are allowed; use a ConfigMap",
                   annotations);
  }
}

}  // namespace

void CheckLabels(const Json& labels, std::string_view path, Report& report) {
  for (const auto& [key, value] : labels.Members()) {
    if (auto complaint = CheckFormat("qualifiedname", key)) {
      report.Add("FieldValueInvalid", std::string(path), *complaint, value.key_mark);
    }
    if (auto complaint = CheckFormat("labelvalue", value.AsString())) {
      report.Invalid(JoinKey(path, key), *complaint, value);
    }
  }
}

void CheckLabelsAndAnnotations(const Json& metadata, std::string_view path, Report& report) {
  CheckLabels(metadata["labels"], Join(path, "labels"), report);
  CheckAnnotations(metadata["annotations"], Join(path, "annotations"), report);
}

void CheckMetadata(const Kind& kind, const Json& object, Report& report) {
  const Json& metadata = object["metadata"];
  CheckName(kind, metadata, object, report);
  CheckNamespace(kind, metadata, report);
  CheckLabelsAndAnnotations(metadata, "metadata", report);
  CheckOwners(metadata, report);
}

void CheckMetadataUpdate(const Json& before, const Json& after, Report& report) {
  constexpr std::string_view kFixed[] = {"name",
                                         "namespace",
                                         "uid",
                                         "creationTimestamp",
                                         "deletionTimestamp",
                                         "deletionGracePeriodSeconds"};
  const Json& was = before["metadata"];
  const Json& is = after["metadata"];
  for (const std::string_view field : kFixed) {
    // Left out means: as it is.
    const Json& value = is[field];
    if (value.IsNull() || value == was[field]) continue;
    report.Invalid(
        Join("metadata", field),
        "field is immutable; it is " + was[field].ToString() + ", not " + value.ToString(), value);
  }
}

}  // namespace manifests
