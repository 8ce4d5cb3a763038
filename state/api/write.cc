// create, update, patch, delete, deletecollection. All changes go through a Draft; here stands only
// what is the request's own: bodies, names in the path, patches, dryRun, fieldValidation.
//
// - A body that names no kind, name or namespace takes them from the path; one that names others is
//   refused.
// - dryRun=All goes all the way but the commit.
// - A delete answers the object if it waits for something (grace, finalizers), else a Status.
#include <algorithm>

#include "manifests/apply/managed_fields.h"
#include "manifests/patch/patch.h"
#include "manifests/versions.h"
#include "state/admission/node_restriction.h"
#include "state/api/handlers.h"
#include "state/api/render.h"
#include "state/api/status.h"

namespace state {
namespace {

using base::Code;
using base::Json;
using base::Status;

Status BadRequest(std::string message) { return Status(Code::kBadRequest, std::move(message)); }

base::Result<Answer> UpdateTo(const Call& call, Json object) {
  RETURN_IF_ERROR(MatchPath(call, object));
  ASSIGN_OR_RETURN(const WriteOptions options, ParseWriteOptions(call.request));
  Draft draft(call.view, call.context);
  base::Result<ObjectPtr> updated = draft.Update(std::move(object), options.unknown);
  if (!updated.ok()) return AsDecodingError(updated.status(), call.kind);
  return Finish(call, draft, options, *std::move(updated), 200, RenderAsAsked(call));
}

const ObjectPtr& Committed(const Store::Committed& committed, const ObjectPtr& staged) {
  for (const ObjectPtr& object : committed.objects) {
    if (object->key == staged->key) return object;
  }
  return staged;
}

// An object that never gets a revision shows none.
ObjectPtr WithoutEmptyRevision(const ObjectPtr& object) {
  if (!object->Meta("resourceVersion").AsString().empty()) return object;
  Json json = object->document.ToJson();
  json["metadata"].Remove("resourceVersion");
  auto copy = std::make_shared<Object>(*object);
  copy->document = base::Document(json);
  return copy;
}

// The path of a create has no name: a failure is about the one that the object has or asks for.
std::string NameToTell(const Json& object) {
  const Json& metadata = object["metadata"];
  const std::string_view name = metadata["name"].AsString();
  if (!name.empty()) return std::string(name);
  const std::string_view base = metadata["generateName"].AsString();
  return base.empty() ? std::string() : std::string(base) + "*";
}

Propagation PropagationOf(std::string_view text) {
  if (text == "Background") return Propagation::kBackground;
  if (text == "Foreground") return Propagation::kForeground;
  if (text == "Orphan") return Propagation::kOrphan;
  return Propagation::kDefault;
}

base::Result<Json> DeleteBody(const base::HttpRequest& request) {
  if (request.body.empty()) return Json::MakeObject();
  ASSIGN_OR_RETURN(Json body, ParseBody(request, MetaMessage("DeleteOptions")));
  if (!body.IsObject()) return BadRequest("DeleteOptions must be an object");
  return body;
}

bool AsksDryRun(const Json& body) {
  const Json::Array& asked = body["dryRun"].Elements();
  return std::any_of(asked.begin(), asked.end(),
                     [](const Json& each) { return each.AsString() == "All"; });
}

// Kubernetes' rule for a client that names no manager: "kubectl/v1.35 (linux)" is "kubectl".
std::string ManagerFromUserAgent(std::string_view agent) {
  std::string manager;
  for (const char c : agent.substr(0, agent.find('/'))) {
    if (static_cast<unsigned char>(c) >= ' ' && c != 0x7F) manager += c;
  }
  if (manager.size() > manifests::kMaxManagerBytes) manager.resize(manifests::kMaxManagerBytes);
  return manager;
}

}  // namespace

ActorPtr ActorOf(const base::HttpRequest& request) {
  const std::string_view named = request.Query("fieldManager");
  return std::make_shared<const Actor>(Actor{
      request.identity.user, request.identity.groups,
      named.empty() ? ManagerFromUserAgent(request.Header("user-agent")) : std::string(named)});
}

base::Result<WriteOptions> ParseWriteOptions(const base::HttpRequest& request) {
  WriteOptions options;
  if (request.Query("fieldManager").size() > manifests::kMaxManagerBytes) {
    return Status(Code::kInvalid, "fieldManager: Invalid value: may not be more than " +
                                      std::to_string(manifests::kMaxManagerBytes) + " bytes");
  }
  const std::string_view dry_run = request.Query("dryRun");
  if (!dry_run.empty() && dry_run != "All") {
    return Status(
        Code::kInvalid,
        "dryRun: Unsupported value: \"" + std::string(dry_run) + "\": supported values: \"All\"",
        {{"FieldValueNotSupported", "supported values: \"All\"", "dryRun"}});
  }
  options.dry_run = !dry_run.empty();
  const std::string_view validation = request.Query("fieldValidation");
  if (validation == "Strict") {
    options.unknown = manifests::UnknownFields::kError;
  } else if (validation == "Ignore") {
    options.unknown = manifests::UnknownFields::kIgnore;
  } else if (!validation.empty() && validation != "Warn") {
    return Status(Code::kInvalid,
                  "fieldValidation: Unsupported value: \"" + std::string(validation) +
                      "\": supported values: \"Ignore\", \"Strict\", \"Warn\"",
                  {{"FieldValueNotSupported", "supported values: \"Ignore\", \"Strict\", \"Warn\"",
                    "fieldValidation"}});
  }
  return options;
}

Status MatchPath(const Call& call, Json& object) {
  const Json& metadata = std::as_const(object)["metadata"];
  if (!metadata.IsNull() && !metadata.IsObject()) return BadRequest("metadata: must be an object");
  const std::string_view ns = metadata["namespace"].AsString();
  if (!ns.empty() && ns != call.route.ns) {
    return BadRequest(
        "the namespace of the provided object does not match the namespace sent on "
        "the request");
  }
  const std::string_view name = metadata["name"].AsString();
  if (!call.route.name.empty() && !name.empty() && name != call.route.name) {
    return BadRequest("the name of the object (" + std::string(name) +
                      ") does not match the name on the URL (" + call.route.name + ")");
  }
  if (!call.route.ns.empty()) object["metadata"].Set("namespace", call.route.ns);
  if (!call.route.name.empty()) object["metadata"].Set("name", call.route.name);
  return Status();
}

base::Result<Json> ReadBody(const Call& call, const manifests::Message& message,
                            const std::string& api_version, const std::string& kind) {
  ASSIGN_OR_RETURN(Json body, ParseBody(call.request, message));
  return CheckType(std::move(body), api_version, kind);
}

base::Result<Json> CheckType(Json body, const std::string& api_version, const std::string& kind) {
  if (!body.IsObject()) return BadRequest("the body must be an object of kind " + kind);
  const std::string_view named_version = std::as_const(body)["apiVersion"].AsString();
  const std::string_view named_kind = std::as_const(body)["kind"].AsString();
  if (!named_version.empty() && named_version != api_version) {
    return BadRequest("the API version in the data (" + std::string(named_version) +
                      ") does not match the expected API version (" + api_version + ")");
  }
  if (!named_kind.empty() && named_kind != kind) {
    return BadRequest(std::string(named_kind) + " in version \"" + api_version +
                      "\" cannot be handled as a " + kind);
  }
  body.Set("apiVersion", api_version);
  body.Set("kind", kind);
  return body;
}

base::Result<Json> ReadObject(const Call& call) {
  return ReadBody(call, *call.kind.root, call.kind.ApiVersion(), call.kind.kind);
}

namespace {

enum class PatchType { kJson, kMerge, kStrategic };

base::Result<PatchType> PatchTypeOf(const base::HttpRequest& request) {
  const std::vector<MediaType> types = ParseMediaTypes(request.Header("content-type"));
  const std::string type = types.empty() ? "" : types.front().type;
  if (type == "application/json-patch+json") return PatchType::kJson;
  if (type == "application/merge-patch+json") return PatchType::kMerge;
  if (type == "application/strategic-merge-patch+json") return PatchType::kStrategic;
  return Status(Code::kUnsupportedMediaType,
                "the body of the request was in an unknown format (" + type +
                    ") - accepted media types include: application/json-patch+json, "
                    "application/merge-patch+json, application/strategic-merge-patch+json, "
                    "application/apply-patch+yaml");
}

}  // namespace

base::Result<Json> ApplyPatch(const Call& call, const manifests::Message& message,
                              const Json& current) {
  ASSIGN_OR_RETURN(const PatchType type, PatchTypeOf(call.request));
  if (!call.request.Query("force").empty()) {
    return Status(Code::kInvalid,
                  "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be "
                  "specified for non-apply patch",
                  {{"FieldValueForbidden", "may not be specified for non-apply patch", "force"}});
  }
  base::Result<Json> patch = base::ParseJson(call.request.body);
  if (!patch.ok()) return patch.status().WithContext("the patch is no JSON");
  if (type == PatchType::kJson) return manifests::JsonPatch(current, *patch);
  if (!patch->IsObject()) return BadRequest("the patch must be an object");
  base::Result<Json> patched = type == PatchType::kMerge
                                   ? base::Result<Json>(manifests::MergePatch(current, *patch))
                                   : manifests::StrategicMergePatch(message, current, *patch);
  if (patched.ok() && !patched->IsObject()) return BadRequest("the patch leaves no object");
  return patched;
}

Answer Finish(const Call& call, const Draft& draft, const WriteOptions& options, ObjectPtr object,
              int http_status, RenderResult render) {
  std::vector<std::string> warnings = draft.warnings();
  const auto respond = [http_status, warnings = std::move(warnings),
                        render = std::move(render)](const ObjectPtr& result) {
    base::HttpResponse response = Responding(render(result), http_status);
    AddWarnings(warnings, response);
    return response;
  };
  Transaction transaction = options.dry_run ? Transaction() : draft.Finish();
  if (transaction.empty()) {
    return Response{.http = respond(options.dry_run ? WithoutEmptyRevision(object) : object),
                    .at_least = call.view.revision()};
  }
  Proposed write{.transaction = std::move(transaction)};
  write.render = [respond, object = std::move(object)](const Store::Committed& committed) {
    return respond(Committed(committed, object));
  };
  return write;
}

RenderResult RenderAsAsked(const Call& call) {
  return [kind = call.HeldKind(), as = call.as, now = call.context.now](const ObjectPtr& object) {
    return RenderObject(*kind, object, as, now);
  };
}

RenderResult RenderSuccess(const Call& call) {
  return [kind = call.HeldKind(), as = call.as](const ObjectPtr& object) {
    return RenderMessage(MetaMessage("Status"), SuccessStatus(*kind, *object), as);
  };
}

base::Result<Answer> HandleCreate(const Call& call) {
  ASSIGN_OR_RETURN(const WriteOptions options, ParseWriteOptions(call.request));
  ASSIGN_OR_RETURN(Json object, ReadObject(call));
  RETURN_IF_ERROR(MatchPath(call, object));
  RETURN_IF_ERROR(CheckNodeCreates(
      call.context.actor, Key{call.kind.Resource(), call.route.ns,
                              std::string(std::as_const(object)["metadata"]["name"].AsString())}));
  About about{&call.kind, NameToTell(object)};
  Draft draft(call.view, call.context);
  base::Result<ObjectPtr> created = draft.Create(std::move(object), options.unknown);
  if (!created.ok()) {
    return Answer(Response{
        .http = FailureAnswer(AsDecodingError(created.status(), call.kind), about, call.as)});
  }
  return Finish(call, draft, options, *std::move(created), 201, RenderAsAsked(call));
}

base::Result<Answer> HandleUpdate(const Call& call) {
  ASSIGN_OR_RETURN(Json object, ReadObject(call));
  return UpdateTo(call, std::move(object));
}

base::Result<Answer> HandlePatch(const Call& call) {
  if (IsApply(call.request)) return HandleApply(call);
  RETURN_IF_ERROR(PatchTypeOf(call.request).status());
  ASSIGN_OR_RETURN(const ObjectPtr current, Existing(call));
  ASSIGN_OR_RETURN(Json patched, ApplyPatch(call, *call.kind.root,
                                            manifests::Convert(ToClientJson(*current), call.kind)));
  const bool same_kind =
      std::as_const(patched)["apiVersion"].AsString() == call.kind.ApiVersion() &&
      std::as_const(patched)["kind"].AsString() == call.kind.kind;
  if (!same_kind) return BadRequest("a patch cannot change apiVersion or kind");
  return UpdateTo(call, std::move(patched));
}

base::Result<DeleteOptions> ParseDeleteOptions(const base::HttpRequest& request, const Json& body) {
  DeleteOptions options;
  std::string_view policy = request.Query("propagationPolicy");
  if (policy.empty()) policy = body["propagationPolicy"].AsString();
  options.propagation = PropagationOf(policy);
  if (!policy.empty() && options.propagation == Propagation::kDefault) {
    return Status(Code::kInvalid,
                  "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported "
                  "value: \"" +
                      std::string(policy) +
                      "\": supported values: \"Background\", \"Foreground\", \"Orphan\"");
  }
  if (policy.empty() &&
      (body["orphanDependents"].AsBool() || QueryFlag(request, "orphanDependents")))
    options.propagation = Propagation::kOrphan;
  const Json& grace = body["gracePeriodSeconds"];
  if (grace.IsInt()) options.grace_period_seconds = grace.AsInt();
  if (const std::string_view text = request.Query("gracePeriodSeconds"); !text.empty()) {
    const base::Result<Json> number = base::ParseJson(text);
    if (!number.ok() || !number->IsInt()) return BadRequest("gracePeriodSeconds: must be a number");
    options.grace_period_seconds = number->AsInt();
  }
  if (options.grace_period_seconds.value_or(0) < 0)
    return Status(Code::kInvalid, "gracePeriodSeconds: must be greater than or equal to 0");
  options.uid = body["preconditions"]["uid"].AsString();
  options.resource_version = body["preconditions"]["resourceVersion"].AsString();
  return options;
}

base::Result<Answer> HandleDelete(const Call& call) {
  ASSIGN_OR_RETURN(const Json body, DeleteBody(call.request));
  ASSIGN_OR_RETURN(WriteOptions write, ParseWriteOptions(call.request));
  write.dry_run = write.dry_run || AsksDryRun(body);
  ASSIGN_OR_RETURN(const DeleteOptions options, ParseDeleteOptions(call.request, body));
  Draft draft(call.view, call.context);
  ASSIGN_OR_RETURN(ObjectPtr object, draft.Delete(call.ObjectKey(), options));
  const bool gone = draft.view().Get(call.ObjectKey()) == nullptr;
  return Finish(call, draft, write, std::move(object), 200,
                gone ? RenderSuccess(call) : RenderAsAsked(call));
}

base::Result<Answer> HandleDeleteCollection(const Call& call) {
  ASSIGN_OR_RETURN(const Json body, DeleteBody(call.request));
  ASSIGN_OR_RETURN(WriteOptions write, ParseWriteOptions(call.request));
  write.dry_run = write.dry_run || AsksDryRun(body);
  ASSIGN_OR_RETURN(const DeleteOptions options, ParseDeleteOptions(call.request, body));
  ASSIGN_OR_RETURN(const Selection selection,
                   Selection::Parse(call.request, call.route, call.HeldKind()));
  std::vector<ObjectPtr> found;
  selection.Visit(call.view, selection.FirstKey(), [&](const ObjectPtr& object) {
    found.push_back(object);
    return found.size() <= kMaxTransactionWrites;
  });
  if (found.size() > kMaxTransactionWrites) {
    return Status(Code::kTooLarge, "more than " + std::to_string(kMaxTransactionWrites) +
                                       " objects would be deleted at once; select fewer");
  }
  Draft draft(call.view, call.context);
  for (ObjectPtr& object : found) {
    ASSIGN_OR_RETURN(object, draft.Delete(object->key, options));
  }
  const auto render = [found, kind = call.HeldKind(), as = call.as,
                       now = call.context.now](Revision revision) {
    return Responding(RenderList(*kind, found, ListMeta{revision, "", std::nullopt}, as, now));
  };
  Transaction transaction = write.dry_run ? Transaction() : draft.Finish();
  if (transaction.empty()) {
    return Answer(Response{.http = render(call.view.revision()), .at_least = call.view.revision()});
  }
  return Answer(Proposed{
      .transaction = std::move(transaction),
      .render = [render](const Store::Committed& committed) { return render(committed.last); }});
}

}  // namespace state
