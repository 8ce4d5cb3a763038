// The reason of a failure comes from its code. Two are told apart by their cause: a revision that
// is not there yet is a Timeout that asks for another try. Invalid names the kind, all others the
// resource, as kubectl's sentences expect it; and of an Invalid kubectl prints the causes alone, so
// there is always one. It may quote what a client sent: it is made text.
#include "state/api/status.h"

#include <algorithm>

#include "base/utf8.h"
#include "state/api/render.h"

namespace state {
namespace {

using base::Code;
using base::Json;

constexpr std::string_view kUnknownField = "UnknownField";
constexpr int kRetryAfterSeconds = 1;

bool IsRetriable(Code code) {
  return code == Code::kTimeout || code == Code::kTooManyRequests || code == Code::kUnavailable;
}

Json CausesOf(const base::Status& status) {
  Json causes = Json::MakeArray();
  for (const base::Cause& cause : status.causes()) {
    Json entry =
        Json::MakeObject({{"reason", cause.reason}, {"message", base::ToUtf8(cause.message)}});
    if (!cause.field.empty()) entry.Set("field", cause.field);
    causes.Append(std::move(entry));
  }
  if (causes.empty() && status.code() == Code::kInvalid) {
    causes.Append(Json::MakeObject(
        {{"reason", "FieldValueInvalid"}, {"message", base::ToUtf8(status.message())}}));
  }
  return causes;
}

}  // namespace

Json FailureStatus(const base::Status& status, const About& about) {
  const base::CodeInfo& info = base::InfoOf(status.code());
  Json details = Json::MakeObject();
  if (about.kind != nullptr) {
    const bool names_kind = status.code() == Code::kInvalid;
    if (!about.name.empty()) details.Set("name", about.name);
    if (!about.kind->group.empty()) details.Set("group", about.kind->group);
    details.Set("kind", names_kind ? about.kind->kind : about.kind->plural);
  }
  if (Json causes = CausesOf(status); !causes.empty()) details.Set("causes", std::move(causes));
  if (IsRetriable(status.code())) details.Set("retryAfterSeconds", kRetryAfterSeconds);
  Json body = Json::MakeObject({{"kind", "Status"},
                                {"apiVersion", "v1"},
                                {"metadata", Json::MakeObject()},
                                {"status", "Failure"},
                                {"message", base::ToUtf8(status.message())},
                                {"reason", info.reason},
                                {"code", info.http_status}});
  if (!details.empty()) body.Set("details", std::move(details));
  return body;
}

base::HttpResponse FailureAnswer(const base::Status& status, const About& about,
                                 const Representation& as) {
  base::HttpResponse response =
      Responding(RenderMessage(MetaMessage("Status"), FailureStatus(status, about), as),
                 base::InfoOf(status.code()).http_status);
  if (IsRetriable(status.code()))
    response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  return response;
}

Json SuccessStatus(const manifests::Kind& kind, const Object& object) {
  Json details =
      Json::MakeObject({{"name", object.key.name}, {"kind", kind.plural}, {"uid", object.Uid()}});
  if (!kind.group.empty()) details.Set("group", kind.group);
  return Json::MakeObject({{"kind", "Status"},
                           {"apiVersion", "v1"},
                           {"metadata", Json::MakeObject()},
                           {"status", "Success"},
                           {"details", std::move(details)}});
}

base::Status AsDecodingError(const base::Status& status, const manifests::Kind& kind) {
  if (status.code() != Code::kInvalid) return status;
  std::string unknown;
  for (const base::Cause& cause : status.causes()) {
    if (cause.reason != kUnknownField) continue;
    unknown += (unknown.empty() ? "" : ", ") + ("unknown field \"" + cause.field + "\"");
  }
  if (unknown.empty()) return status;
  return base::Status(Code::kBadRequest, kind.kind + " in version \"" + kind.version +
                                             "\" cannot be handled as a " + kind.kind +
                                             ": strict decoding error: " + unknown);
}

void AddWarnings(const std::vector<std::string>& warnings, base::HttpResponse& response) {
  for (size_t i = 0; i < std::min(warnings.size(), kMaxWarnings); ++i) {
    std::string text = warnings[i];
    const size_t colon = text.find(": unknown field");
    if (colon != std::string::npos) text = "unknown field \"" + text.substr(0, colon) + "\"";
    std::string quoted;
    for (char c : text) {
      if (c == '"' || c == '\\') quoted += '\\';
      if (static_cast<unsigned char>(c) >= ' ') quoted += c;
    }
    response.headers.emplace_back("Warning", "299 - \"" + quoted + "\"");
  }
}

}  // namespace state
