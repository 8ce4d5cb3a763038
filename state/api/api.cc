// In order: who may (403), whether there is such a resource (404), whether it knows the verb (405),
// whether the client takes what is served (406); then the verb's own rules.
#include "state/api/api.h"

#include "state/api/authorize.h"
#include "state/api/handlers.h"
#include "state/api/status.h"

namespace state {
namespace {

using base::Code;
using base::Status;

Answer Failed(const Status& status, const About& about) {
  Answer answer;
  answer.response = FailureAnswer(status, about);
  return answer;
}

Status NoSuchPath() {
  return Status(Code::kNotFound, "the server could not find the requested resource");
}

bool ServesVerb(const Call& call, std::string_view verb) {
  const bool one = !call.route.name.empty();
  if (verb.empty()) return false;
  if (verb == "create") return !one && (!call.kind.namespaced || !call.route.ns.empty());
  if (verb == "update" || verb == "patch") return one;
  if (verb == "deletecollection") {
    return !one && call.kind.plural != "namespaces" &&
           (!call.kind.namespaced || !call.route.ns.empty());
  }
  return true;
}

// Namespaced resources stand in a namespace when they are named; cluster-scoped ones never do.
bool ScopeFits(const ApiRoute& route, const manifests::Kind& kind) {
  if (!kind.namespaced) return route.ns.empty();
  return route.name.empty() || !route.ns.empty();
}

base::Result<Answer> Dispatch(const Call& call, std::string_view verb) {
  if (verb == "get") return HandleGet(call);
  if (verb == "list") return HandleList(call);
  if (verb == "watch") return HandleWatch(call);
  if (verb == "create") return HandleCreate(call);
  if (verb == "update") return HandleUpdate(call);
  if (verb == "patch") return HandlePatch(call);
  if (verb == "delete") return HandleDelete(call);
  return HandleDeleteCollection(call);
}

}  // namespace

Api::Api(std::shared_ptr<const manifests::Schema> schema, VersionInfo version)
    : schema_(std::move(schema)), version_(std::move(version)) {}

Answer Api::Handle(const base::HttpRequest& request, const View& view,
                   const DraftContext& context) const {
  const ApiRoute route = ParseRoute(request.segments);
  const manifests::Kind* kind =
      route.is_resource ? schema_->FindResource(route.group, route.version, route.plural) : nullptr;
  const About about{kind, route.name};
  if (const Status allowed = Authorize(request, route, view); !allowed.ok())
    return Failed(allowed, about);
  if (!route.is_resource) {
    const bool is_openapi = !request.segments.empty() && request.segments.front() == "openapi";
    std::optional<base::HttpResponse> found =
        is_openapi ? OpenApi(request) : Discover(request, *schema_, version_);
    if (!found) return Failed(NoSuchPath(), about);
    Answer answer;
    answer.response = *std::move(found);
    return answer;
  }
  if (kind == nullptr || !ScopeFits(route, *kind)) return Failed(NoSuchPath(), about);
  base::Result<Answer> answer = HandleResource(request, view, context, route, *kind);
  return answer.ok() ? *std::move(answer) : Failed(answer.status(), about);
}

// They follow from the schema alone, and cost some milliseconds to make.
std::optional<base::HttpResponse> Api::OpenApi(const base::HttpRequest& request) const {
  if (request.method != "GET") return std::nullopt;
  const auto kept = openapi_.find(request.segments);
  if (kept != openapi_.end()) return kept->second;
  std::optional<base::HttpResponse> made = Discover(request, *schema_, version_);
  if (made) openapi_.emplace(request.segments, *made);
  return made;
}

base::Result<Answer> Api::HandleResource(const base::HttpRequest& request, const View& view,
                                         const DraftContext& context, const ApiRoute& route,
                                         const manifests::Kind& kind) const {
  const std::string verb = VerbOf(request, route);
  const bool only_json = !route.subresource.empty() && route.subresource != "status";
  Call call{request, view, context, route, kind, Representation()};
  if (route.subresource != "log") {
    ASSIGN_OR_RETURN(call.as, Negotiate(request, only_json));
  }
  if (!route.subresource.empty()) return HandleSubresource(call, verb);
  if (!ServesVerb(call, verb)) {
    return Status(Code::kMethodNotAllowed,
                  "the server does not allow this method on the requested resource");
  }
  return Dispatch(call, verb);
}

}  // namespace state
