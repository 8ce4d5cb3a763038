// The event's form is that of event.toolkit.fluxcd.io/v1beta1. The keys of its metadata come
// without the group that Flux's controllers put before them; the Alert's metadata does not replace
// the revision. A message is required: a deploy that went well has one here, too.
#include "gitsync/report/notifiers/generic.h"

#include <algorithm>
#include <utility>

#include "gitsync/plan/repository.h"
#include "manifests/yaml/yaml.h"

namespace gitsync {
namespace {

using base::Code;
using base::Json;
using base::Status;

constexpr std::string_view kReporter = "plumb";

std::string_view ReasonOf(DeployPhase phase) {
  switch (phase) {
    case DeployPhase::kProgressing: return "Progressing";
    case DeployPhase::kHealthy: return "ReconciliationSucceeded";
    case DeployPhase::kFailed: return "HealthCheckFailed";
    case DeployPhase::kSuperseded: return "Superseded";
  }
  return "";
}

std::string MessageOf(const Deploy& deploy) {
  if (!deploy.message.empty()) return deploy.message;
  return "deploy of " + deploy.revision + ": " + std::string(PhaseName(deploy.phase));
}

bool SameName(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

// Those that say where a request goes and where it ends are not the Secret's to set.
bool IsFraming(std::string_view name) {
  constexpr std::string_view kFraming[] = {"connection", "content-length", "host",
                                           "transfer-encoding"};
  return std::any_of(std::begin(kFraming), std::end(kFraming),
                     [&](std::string_view each) { return SameName(each, name); });
}

Status AddHeaders(const std::string& yaml, state::HttpCall& call) {
  const Status bad(Code::kInvalid, "the Secret's headers are no mapping of names to texts in YAML");
  const manifests::YamlFile file = manifests::ParseYaml(yaml);
  if (!file.errors.empty() || file.documents.size() != 1) return bad;
  if (!file.documents[0].IsObject()) return bad;
  for (const auto& [name, value] : file.documents[0].Members()) {
    if (value.IsObject() || value.IsArray() || value.IsNull()) return bad;
    if (IsFraming(name)) {
      return Status(Code::kInvalid, "the Secret's headers may not set " + name);
    }
    SetHeader(call, name, value.IsString() ? std::string(value.AsString()) : value.ToString());
  }
  return Status();
}

}  // namespace

void SetHeader(state::HttpCall& call, const std::string& name, std::string value) {
  for (auto& [known, text] : call.headers) {
    if (SameName(known, name)) {
      text = std::move(value);
      return;
    }
  }
  call.headers.emplace_back(name, std::move(value));
}

std::string FluxEventBody(const DeployEvent& event) {
  const Deploy& deploy = event.deploy;
  const state::Object& application = event.application;
  const bool failed = deploy.phase == DeployPhase::kFailed;
  Json metadata = event.metadata;
  metadata.Set("revision", deploy.revision);
  return Json::MakeObject({{"involvedObject",
                            Json::MakeObject({{"apiVersion", application["apiVersion"].ToJson()},
                                              {"kind", application["kind"].ToJson()},
                                              {"name", application.key.name},
                                              {"namespace", application.key.ns},
                                              {"uid", application.Uid()}})},
                           {"severity", failed ? "error" : "info"},
                           {"timestamp", deploy.since.ToString()},
                           {"message", MessageOf(deploy)},
                           {"reason", ReasonOf(deploy.phase)},
                           {"metadata", std::move(metadata)},
                           {"reportingController", kReporter}})
      .ToString();
}

Status SetFluxHeaders(const Attempt& attempt, state::HttpCall& call) {
  call.headers = {{"Content-Type", "application/json"},
                  {"User-Agent", "plumb"},
                  {"Gotk-Component", std::string(kReporter)}};
  if (!attempt.secret.Has("headers")) return Status();
  ASSIGN_OR_RETURN(const std::string yaml, attempt.secret.Get("headers"));
  return AddHeaders(yaml, call);
}

extern constinit const Notifier kGenericNotifier = {
    .type = "generic",
    .token = "",
    .body = FluxEventBody,
    .address = SetFluxHeaders,
    .since_errands = true,
};

}  // namespace gitsync
