// Server-side apply: PATCH with application/apply-patch+yaml (or +json). The body is what the field
// manager wants of the object, which is created if it is not there; unlike other patches it must
// name its manager, and may be forced. The Draft does it; here stands what is the request's own.
#include "base/json.h"
#include "manifests/yaml/yaml.h"
#include "state/admission/node_restriction.h"
#include "state/api/handlers.h"
#include "state/api/media.h"
#include "state/api/status.h"

namespace state {
namespace {

using base::Code;
using base::Json;
using base::Status;

base::Result<Json> ParseConfiguration(const std::string& body) {
  const size_t first = body.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && body[first] == '{') {
    base::Result<Json> json = base::ParseJson(body);
    if (json.ok()) return json;
  }
  manifests::YamlFile file = manifests::ParseYaml(body);
  if (!file.errors.empty()) {
    const manifests::TextError& error = file.errors.front();
    return Status(Code::kBadRequest, "error decoding YAML: line " +
                                         std::to_string(error.mark.line) + ": " + error.message);
  }
  if (file.documents.size() != 1 || !file.documents.front().IsObject())
    return Status(Code::kBadRequest, "an apply patch must hold one object");
  return std::move(file.documents.front());
}

base::Result<Json> ReadConfiguration(const Call& call, const std::string& api_version,
                                     const std::string& kind) {
  if (call.request.Query("fieldManager").empty()) {
    return Status(
        Code::kInvalid,
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for "
        "apply patch",
        {{"FieldValueRequired", "Required value: is required for apply patch", "fieldManager"}});
  }
  ASSIGN_OR_RETURN(const Json configuration, ParseConfiguration(call.request.body));
  return CheckType(configuration, api_version, kind);
}

}  // namespace

bool IsApply(const base::HttpRequest& request) {
  const std::vector<MediaType> types = ParseMediaTypes(request.Header("content-type"));
  return !types.empty() && (types.front().type == "application/apply-patch+yaml" ||
                            types.front().type == "application/apply-patch+json");
}

base::Result<Answer> HandleApply(const Call& call) {
  ASSIGN_OR_RETURN(const WriteOptions options, ParseWriteOptions(call.request));
  ASSIGN_OR_RETURN(Json configuration,
                   ReadConfiguration(call, call.kind.ApiVersion(), call.kind.kind));
  RETURN_IF_ERROR(MatchPath(call, configuration));
  const bool create = call.view.Get(call.ObjectKey()) == nullptr;
  if (create) RETURN_IF_ERROR(CheckNodeCreates(call.context.actor, call.ObjectKey()));
  Draft draft(call.view, call.context);
  base::Result<ObjectPtr> applied =
      draft.Apply(std::move(configuration), {.force = QueryFlag(call.request, "force")});
  if (!applied.ok()) return AsDecodingError(applied.status(), call.kind);
  return Finish(call, draft, options, *std::move(applied), create ? 201 : 200, RenderAsAsked(call));
}

base::Result<Answer> HandleApplyStatus(const Call& call) {
  ASSIGN_OR_RETURN(const WriteOptions options, ParseWriteOptions(call.request));
  ASSIGN_OR_RETURN(Json configuration,
                   ReadConfiguration(call, call.kind.ApiVersion(), call.kind.kind));
  RETURN_IF_ERROR(MatchPath(call, configuration));
  Draft draft(call.view, call.context);
  ASSIGN_OR_RETURN(ObjectPtr applied,
                   draft.Apply(std::move(configuration), {.force = QueryFlag(call.request, "force"),
                                                          .subresource = "status"}));
  RETURN_IF_ERROR(CheckStatus(call.kind, applied->document.ToJson()));
  return Finish(call, draft, options, std::move(applied), 200, RenderAsAsked(call));
}

base::Result<Answer> HandleApplyScale(const Call& call, const RenderResult& render) {
  ASSIGN_OR_RETURN(const WriteOptions options, ParseWriteOptions(call.request));
  ASSIGN_OR_RETURN(const Json scale, ReadConfiguration(call, "autoscaling/v1", "Scale"));
  RETURN_IF_ERROR(CheckScale(call, scale));
  Json configuration =
      Json::MakeObject({{"apiVersion", call.kind.ApiVersion()}, {"kind", call.kind.kind}});
  RETURN_IF_ERROR(MatchPath(call, configuration));
  if (const Json& replicas = scale["spec"]["replicas"]; replicas.IsInt())
    configuration["spec"].Set("replicas", replicas);
  Draft draft(call.view, call.context);
  base::Result<ObjectPtr> applied =
      draft.Apply(std::move(configuration),
                  {.force = QueryFlag(call.request, "force"), .subresource = "scale"});
  if (!applied.ok()) return applied.status();
  return Finish(call, draft, options, *std::move(applied), 200, render);
}

}  // namespace state
