// status, scale, binding, eviction, finalize, log, exec. Which kind has which, the schema says;
// which verbs each serves and what its body is, the table below.
#include <charconv>

#include "manifests/patch/patch.h"
#include "manifests/selector.h"
#include "state/api/handlers.h"
#include "state/api/render.h"
#include "state/api/status.h"

namespace state {
namespace {

using base::Code;
using base::Json;
using base::Status;

constexpr SubresourceInfo kSubresources[] = {
    {"binding", "", "v1", "Binding", "create"},
    {"eviction", "policy", "v1", "Eviction", "create"},
    {"exec", "", "v1", "PodExecOptions", "create get"},
    {"finalize", "", "", "", "update"},
    {"log", "", "", "", "get"},
    {"scale", "autoscaling", "v1", "Scale", "get patch update"},
    {"status", "", "", "", "get patch update"},
};

Status MethodNotAllowed() {
  return Status(Code::kMethodNotAllowed,
                "the server does not allow this method on the requested resource");
}

bool Serves(const SubresourceInfo& info, std::string_view verb) {
  std::string_view verbs = info.verbs;
  while (!verbs.empty()) {
    const size_t end = std::min(verbs.find(' '), verbs.size());
    if (verbs.substr(0, end) == verb) return true;
    verbs.remove_prefix(std::min(end + 1, verbs.size()));
  }
  return false;
}

// A revision or uid in the body's metadata is a precondition.
Status CheckPreconditions(const Call& call, const Object& current, const Json& body) {
  const Json& metadata = body["metadata"];
  const std::string_view version = metadata["resourceVersion"].AsString();
  const std::string_view uid = metadata["uid"].AsString();
  const bool holds = (version.empty() || version == std::to_string(current.revision)) &&
                     (uid.empty() || uid == current.Uid());
  if (holds) return Status();
  return Status(Code::kConflict,
                "Operation cannot be fulfilled on " + call.kind.Resource() + " \"" +
                    call.route.name +
                    "\": the object has been modified; please apply your changes to the latest "
                    "version and try again");
}

base::Result<Answer> HandleStatus(const Call& call, std::string_view verb) {
  if (verb == "get") return HandleGet(call);
  if (verb == "patch" && IsApply(call.request)) return HandleApplyStatus(call);
  ASSIGN_OR_RETURN(const WriteOptions options, ParseWriteOptions(call.request));
  ASSIGN_OR_RETURN(const ObjectPtr current, Existing(call));
  const Json before = current->document.ToJson();
  Json wanted;
  if (verb == "patch") {
    ASSIGN_OR_RETURN(wanted, ApplyPatch(call, *call.kind.root, before));
  } else {
    ASSIGN_OR_RETURN(wanted, ReadObject(call));
  }
  const Json& body = wanted;
  RETURN_IF_ERROR(CheckPreconditions(call, *current, body));
  Json object = before;
  if (const Json* status = body.Find("status")) {
    object.Set("status", *status);
  } else {
    object.Set("status", Json::MakeObject());
  }
  RETURN_IF_ERROR(CheckStatus(call.kind, object, options.unknown));
  if (options.unknown != manifests::UnknownFields::kError)
    manifests::DropUnknown(call.kind, object);
  Draft draft(call.view, call.context);
  ASSIGN_OR_RETURN(ObjectPtr updated,
                   draft.UpdateStatus(call.ObjectKey(), std::as_const(object)["status"]));
  return Finish(call, draft, options, std::move(updated), 200, RenderAsAsked(call));
}

// The message of a body that is of no kind.
const manifests::Message& MessageOf(const Call& call, std::string_view group,
                                    std::string_view name) {
  const manifests::Message* message = call.view.schema()->FindMessage(group, name);
  CHECK(message != nullptr);
  return *message;
}

// autoscaling/v1 Scale of a workload.
Json ScaleOf(const Object& object) {
  Json metadata = Json::MakeObject({{"name", object.key.name}, {"namespace", object.key.ns}});
  for (const char* field : {"uid", "resourceVersion", "creationTimestamp"}) {
    metadata.Set(field, object.Meta(field).AsString());
  }
  Json status = Json::MakeObject({{"replicas", object["status"]["replicas"].AsInt()}});
  const auto selector = manifests::LabelSelector::FromWorkload(object["spec"]["selector"]);
  if (selector.ok() && !selector->IsNothing()) status.Set("selector", selector->ToString());
  return Json::MakeObject(
      {{"apiVersion", "autoscaling/v1"},
       {"kind", "Scale"},
       {"metadata", std::move(metadata)},
       {"spec", Json::MakeObject({{"replicas", object["spec"]["replicas"].AsInt()}})},
       {"status", std::move(status)}});
}

base::Result<Answer> HandleScale(const Call& call, std::string_view verb) {
  ASSIGN_OR_RETURN(const ObjectPtr current, Existing(call));
  const Json before = ScaleOf(*current);
  const manifests::Message& message = MessageOf(call, "autoscaling/v1", "Scale");
  const RenderResult render = [&message, as = call.as](const ObjectPtr& done) {
    return RenderMessage(message, ScaleOf(*done), as);
  };
  if (verb == "get") {
    return Answer(Respond(RenderMessage(message, before, call.as), current->revision));
  }
  if (verb == "patch" && IsApply(call.request)) return HandleApplyScale(call, render);
  ASSIGN_OR_RETURN(const WriteOptions options, ParseWriteOptions(call.request));
  Json wanted;
  if (verb == "patch") {
    ASSIGN_OR_RETURN(wanted, ApplyPatch(call, message, before));
  } else {
    ASSIGN_OR_RETURN(wanted, ReadBody(call, message, "autoscaling/v1", "Scale"));
  }
  const Json& scale = wanted;
  RETURN_IF_ERROR(CheckScale(call, scale));
  RETURN_IF_ERROR(CheckPreconditions(call, *current, scale));
  Json object = current->document.ToJson();
  object["spec"].Set("replicas", scale["spec"]["replicas"].AsInt());
  Draft draft(call.view, call.context);
  ASSIGN_OR_RETURN(ObjectPtr updated,
                   draft.Update(std::move(object), manifests::UnknownFields::kIgnore, "scale"));
  return Finish(call, draft, options, std::move(updated), 200, render);
}

base::Result<Answer> HandleBinding(const Call& call) {
  ASSIGN_OR_RETURN(const WriteOptions options, ParseWriteOptions(call.request));
  ASSIGN_OR_RETURN(const Json binding,
                   ReadBody(call, MessageOf(call, "core/v1", "Binding"), "v1", "Binding"));
  const std::string_view node = binding["target"]["name"].AsString();
  if (node.empty()) {
    return Status(Code::kInvalid,
                  "Binding \"" + call.route.name + "\" is invalid: target.name: Required value",
                  {{"FieldValueRequired", "Required value", "target.name"}});
  }
  Draft draft(call.view, call.context);
  ASSIGN_OR_RETURN(ObjectPtr bound, draft.Bind(call.ObjectKey(), node));
  return Finish(call, draft, options, std::move(bound), 201, RenderSuccess(call));
}

// There are no disruption budgets yet: an eviction is a deletion.
base::Result<Answer> HandleEviction(const Call& call) {
  ASSIGN_OR_RETURN(WriteOptions write, ParseWriteOptions(call.request));
  ASSIGN_OR_RETURN(const Json eviction, ReadBody(call, MessageOf(call, "policy/v1", "Eviction"),
                                                 "policy/v1", "Eviction"));
  const Json& body = eviction["deleteOptions"];
  for (const Json& each : body["dryRun"].Elements()) write.dry_run |= each.AsString() == "All";
  ASSIGN_OR_RETURN(const DeleteOptions options, ParseDeleteOptions(call.request, body));
  Draft draft(call.view, call.context);
  ASSIGN_OR_RETURN(ObjectPtr evicted, draft.Delete(call.ObjectKey(), options));
  return Finish(call, draft, write, std::move(evicted), 201, RenderSuccess(call));
}

// Sets the finalizers of a namespace's spec, and nothing else.
base::Result<Answer> HandleFinalize(const Call& call) {
  ASSIGN_OR_RETURN(const WriteOptions options, ParseWriteOptions(call.request));
  ASSIGN_OR_RETURN(const Json body, ReadObject(call));
  ASSIGN_OR_RETURN(const ObjectPtr current, Existing(call));
  RETURN_IF_ERROR(CheckPreconditions(call, *current, body));
  Json object = current->document.ToJson();
  if (const Json* finalizers = body["spec"].Find("finalizers")) {
    object["spec"].Set("finalizers", *finalizers);
  } else {
    object["spec"].Remove("finalizers");
  }
  Draft draft(call.view, call.context);
  ASSIGN_OR_RETURN(ObjectPtr updated,
                   draft.Update(std::move(object), manifests::UnknownFields::kIgnore, "finalize"));
  return Finish(call, draft, options, std::move(updated), 200, RenderAsAsked(call));
}

Status ReadCount(const base::HttpRequest& request, std::string_view name,
                 std::optional<int64_t>& count) {
  const std::string_view text = request.Query(name);
  if (text.empty()) return Status();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) {
    return Status(
        Code::kBadRequest,
        std::string(name) + ": must be a number of at least 0, not \"" + std::string(text) + "\"");
  }
  count = number;
  return Status();
}

// The container that is meant: the named one, or the only one.
base::Result<std::string> ContainerOf(const Object& pod, std::string_view wanted) {
  std::string names;
  std::string only;
  size_t count = 0;
  for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
    for (const base::Value container : pod["spec"][list].Elements()) {
      const std::string_view name = container["name"].AsString();
      if (!wanted.empty() && name == wanted) return std::string(name);
      if (std::string_view(list) != "containers") continue;
      only = name;
      names += (count++ == 0 ? "" : " ") + only;
    }
  }
  if (!wanted.empty()) {
    return Status(Code::kBadRequest,
                  "container " + std::string(wanted) + " is not valid for pod " + pod.key.name);
  }
  if (count == 1) return only;
  return Status(Code::kBadRequest, "a container name must be specified for pod " + pod.key.name +
                                       ", choose one of: [" + names + "]");
}

// The pod that a stream leads to, and its node.
struct Target {
  ObjectPtr pod;
  std::string node;
  std::string container;
};

base::Result<Target> TargetOf(const Call& call) {
  Target target;
  ASSIGN_OR_RETURN(target.pod, Existing(call));
  ASSIGN_OR_RETURN(target.container, ContainerOf(*target.pod, call.request.Query("container")));
  target.node = (*target.pod)["spec"]["nodeName"].AsString();
  if (!target.node.empty()) return target;
  return Status(Code::kBadRequest,
                "pod " + call.route.name + " does not have a host assigned: it is not scheduled");
}

base::Result<Answer> HandleLog(const Call& call) {
  const base::HttpRequest& request = call.request;
  ASSIGN_OR_RETURN(const Target target, TargetOf(call));
  LogRequest log{.pod = target.pod->key, .container = target.container};
  log.follow = QueryFlag(request, "follow");
  log.previous = QueryFlag(request, "previous");
  log.timestamps = QueryFlag(request, "timestamps");
  std::optional<int64_t> since_seconds;
  RETURN_IF_ERROR(ReadCount(request, "tailLines", log.tail_lines));
  RETURN_IF_ERROR(ReadCount(request, "limitBytes", log.limit_bytes));
  RETURN_IF_ERROR(ReadCount(request, "sinceSeconds", since_seconds));
  const std::string_view since_time = request.Query("sinceTime");
  if (!since_time.empty() && since_seconds) {
    return Status(Code::kBadRequest, "at most one of sinceTime or sinceSeconds may be specified");
  }
  if (!since_time.empty()) {
    ASSIGN_OR_RETURN(log.since, base::WallTime::Parse(since_time));
  } else if (since_seconds) {
    log.since = call.context.now - base::Duration::Seconds(*since_seconds);
  }
  return Answer(PodStream{target.node, std::move(log)});
}

base::Result<Answer> HandleExec(const Call& call) {
  const base::HttpRequest& request = call.request;
  ASSIGN_OR_RETURN(const Target target, TargetOf(call));
  ExecRequest exec{.pod = target.pod->key, .container = target.container};
  size_t bytes = 0;
  for (const auto& [name, value] : request.query) {
    if (name != "command") continue;
    bytes += value.size();
    exec.command.push_back(value);
  }
  exec.stdin_open = QueryFlag(request, "stdin");
  exec.stdout_open = QueryFlag(request, "stdout");
  exec.stderr_open = QueryFlag(request, "stderr");
  exec.terminal = QueryFlag(request, "tty");
  const std::string_view phase = (*target.pod)["status"]["phase"].AsString();
  if (phase == "Succeeded" || phase == "Failed") {
    return Status(
        Code::kBadRequest,
        "cannot exec into a container in a completed pod; current phase is " + std::string(phase));
  }
  if (exec.command.empty()) {
    return Status(Code::kBadRequest, "you must specify at least one command for the container");
  }
  if (bytes > kMaxExecCommandBytes) {
    return Status(Code::kTooLarge,
                  "the command is longer than " + std::to_string(kMaxExecCommandBytes) + " bytes");
  }
  if (!exec.stdin_open && !exec.stdout_open && !exec.stderr_open) {
    return Status(Code::kBadRequest, "you must specify at least one of stdin, stdout, stderr");
  }
  if (exec.terminal && exec.stderr_open) {
    return Status(Code::kBadRequest,
                  "tty and stderr cannot both be true: a terminal has one output");
  }
  return Answer(PodStream{target.node, std::move(exec)});
}

}  // namespace

Status CheckScale(const Call& call, const Json& scale) {
  const Json& replicas = scale["spec"]["replicas"];
  if (replicas.IsNull() || (replicas.IsInt() && replicas.AsInt() >= 0)) return Status();
  const std::string message =
      "Invalid value: " + replicas.ToString() + ": must be a number of at least 0";
  return Status(
      Code::kInvalid,
      "Scale.autoscaling \"" + call.route.name + "\" is invalid: spec.replicas: " + message,
      {{"FieldValueInvalid", message, "spec.replicas"}});
}

// What is wrong elsewhere was so before.
Status CheckStatus(const manifests::Kind& kind, const Json& object,
                   manifests::UnknownFields unknown) {
  std::vector<manifests::Problem> errors = manifests::Validate(kind, object, unknown).errors;
  std::erase_if(errors, [](const manifests::Problem& problem) {
    return !problem.field.starts_with("status");
  });
  if (errors.empty()) return Status();
  const std::string_view name = object["metadata"]["name"].AsString();
  return AsDecodingError(manifests::ToStatus(kind, name, errors), kind);
}

const SubresourceInfo* FindSubresource(const manifests::Kind& kind, std::string_view name) {
  const auto& has = kind.subresources;
  if (std::find(has.begin(), has.end(), name) == has.end()) return nullptr;
  for (const SubresourceInfo& info : kSubresources) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

bool IsStream(std::string_view subresource) {
  return subresource == "log" || subresource == "exec";
}

base::Result<Answer> HandleSubresource(const Call& call, std::string_view verb) {
  const SubresourceInfo* info = FindSubresource(call.kind, call.route.subresource);
  if (info == nullptr)
    return Status(Code::kNotFound, "the server could not find the requested resource");
  if (!Serves(*info, verb)) return MethodNotAllowed();
  if (info->name == "status") return HandleStatus(call, verb);
  if (info->name == "scale") return HandleScale(call, verb);
  if (info->name == "binding") return HandleBinding(call);
  if (info->name == "eviction") return HandleEviction(call);
  if (info->name == "finalize") return HandleFinalize(call);
  if (info->name == "exec") return HandleExec(call);
  return HandleLog(call);
}

}  // namespace state
