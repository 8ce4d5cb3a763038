// Answers are JSON, or protobuf where the kind has such a form and the client prefers it. It may
// ask for a Table (kubectl get; JSON only) or for metadata only, each in v1 or v1beta1. It lists
// what it takes: the greatest weight ("q=") that is served wins, then the first.
#include "state/api/media.h"

#include <algorithm>
#include <charconv>

#include "manifests/wire/protobuf.h"
#include "manifests/yaml/yaml.h"

namespace state {
namespace {

using base::Code;
using base::Status;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view TakeUntil(std::string_view& text, char end) {
  const size_t at = std::min(text.find(end), text.size());
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return Trim(taken);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// True if this entry is served, as `form`.
bool Serves(const MediaType& wanted, const Offer& offer, Representation& form) {
  form = Representation();
  if (wanted.type == manifests::kProtobufType) {
    form.wire = Representation::Wire::kProtobuf;
    if (!offer.protobuf) return false;
  } else if (wanted.type != "application/json" && wanted.type != "*/*" &&
             wanted.type != "application/*") {
    return false;
  }
  const std::string_view stream = wanted.Parameter("stream");
  if (!stream.empty() && (!offer.watch || stream != "watch")) return false;
  const std::string_view as = wanted.Parameter("as");
  if (as.empty()) return true;
  const std::string_view version = wanted.Parameter("v");
  if (!offer.forms || wanted.Parameter("g") != "meta.k8s.io" ||
      (version != "v1" && version != "v1beta1"))
    return false;
  form.version = version;
  if (as == "Table") {
    form.form = Representation::Form::kTable;
    return form.wire == Representation::Wire::kJson;
  }
  form.form = Representation::Form::kPartial;
  return as == "PartialObjectMetadata" || as == "PartialObjectMetadataList";
}

// "q=0.5" in thousandths; 1000 if it is not there or no weight. RFC 9110, 12.4.2.
int WeightOf(const MediaType& type) {
  const std::string_view text = type.Parameter("q");
  double weight = 1;
  std::from_chars(text.data(), text.data() + text.size(), weight);
  return weight >= 0 && weight <= 1 ? static_cast<int>(weight * 1000) : 1000;
}

// What is accepted, most wanted first; equals in the order of the header.
std::vector<MediaType> ByWeight(std::string_view accept) {
  std::vector<MediaType> types = ParseMediaTypes(accept);
  std::erase_if(types, [](const MediaType& type) { return WeightOf(type) == 0; });
  std::stable_sort(types.begin(), types.end(), [](const MediaType& a, const MediaType& b) {
    return WeightOf(a) > WeightOf(b);
  });
  return types;
}

Status NotAcceptable(const Offer& offer) {
  std::string types = "application/json";
  if (offer.protobuf) types += ", " + std::string(manifests::kProtobufType);
  if (offer.forms) {
    types +=
        ", application/json;as=Table;v=v1;g=meta.k8s.io, "
        "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
  }
  return Status(Code::kNotAcceptable, "only the following media types are accepted: " + types);
}

}  // namespace

std::string_view MediaType::Parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return {};
}

std::vector<MediaType> ParseMediaTypes(std::string_view header) {
  std::vector<MediaType> types;
  while (!header.empty()) {
    std::string_view entry = TakeUntil(header, ',');
    if (entry.empty()) continue;
    MediaType type{Lower(TakeUntil(entry, ';')), {}};
    while (!entry.empty()) {
      std::string_view value = TakeUntil(entry, ';');
      std::string name = Lower(TakeUntil(value, '='));
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
        value = value.substr(1, value.size() - 2);
      type.parameters.emplace_back(std::move(name), std::string(value));
    }
    types.push_back(std::move(type));
  }
  return types;
}

base::Result<Representation> Negotiate(const base::HttpRequest& request, const Offer& offer) {
  const std::string_view accept = request.Header("accept");
  Representation form;
  bool found = accept.empty();
  for (const MediaType& wanted : ByWeight(accept)) {
    if ((found = Serves(wanted, offer, form))) break;
  }
  if (!found) return NotAcceptable(offer);
  const std::string_view include = request.Query("includeObject");
  if (!include.empty()) {
    if (include != "None" && include != "Metadata" && include != "Object") {
      return Status(Code::kBadRequest, "includeObject must be None, Metadata or Object, not \"" +
                                           std::string(include) + "\"");
    }
    form.include_object = include;
  }
  return form;
}

base::Result<base::Json> ParseBody(const base::HttpRequest& request,
                                   const manifests::Message& message) {
  const std::vector<MediaType> types = ParseMediaTypes(request.Header("content-type"));
  const std::string type = types.empty() ? "application/json" : types.front().type;
  if (type == "application/json") {
    base::Result<base::Json> body = base::ParseJson(request.body);
    if (!body.ok()) return body.status().WithContext("the body is no JSON");
    return body;
  }
  if (type == "application/yaml" || type == "application/x-yaml" || type == "text/yaml") {
    manifests::YamlFile file = manifests::ParseYaml(request.body);
    if (!file.errors.empty()) {
      const manifests::TextError& error = file.errors.front();
      return Status(Code::kBadRequest, "the body is no YAML: line " +
                                           std::to_string(error.mark.line) + ": " + error.message);
    }
    if (file.documents.size() != 1)
      return Status(Code::kBadRequest, "the body must hold one YAML document");
    return std::move(file.documents.front());
  }
  std::string accepted = "application/json, application/yaml";
  if (manifests::HasWireForm(message)) {
    if (type == manifests::kProtobufType) return manifests::DecodeBody(message, request.body);
    accepted += ", " + std::string(manifests::kProtobufType);
  }
  return Status(Code::kUnsupportedMediaType, "the body of the request was in an unknown format (" +
                                                 type +
                                                 ") - accepted media types include: " + accepted);
}

}  // namespace state
