// In order: who may (403), whether there is such a resource (404), whether it knows the verb (405),
// whether the client takes what is served (406); then the verb's own rules.
#include "state/api/api.h"

#include <utility>

#include "manifests/wire/protobuf.h"
#include "state/api/handlers.h"
#include "state/api/request_access.h"
#include "state/api/status.h"

namespace state {
namespace {

using base::Code;
using base::Status;

Answer Failed(const Status& status, const About& about,
              const Representation& as = Representation()) {
  return Response{.http = FailureAnswer(status, about, as)};
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

// Streams are what they are, whatever is asked for. The bodies of subresources have no tables.
base::Result<Representation> AnswerForm(const base::HttpRequest& request, const ApiRoute& route,
                                        const manifests::Kind& kind, std::string_view verb) {
  if (IsStream(route.subresource)) return Representation();
  const bool own = route.subresource.empty() || route.subresource == "status";
  Offer offer;
  offer.forms = own;
  offer.protobuf = !own || manifests::HasWireForm(*kind.root);
  offer.watch = verb == "watch";
  return Negotiate(request, offer);
}

base::Result<Answer> Dispatch(const Call& call, std::string_view verb) {
  if (!call.route.subresource.empty()) return HandleSubresource(call, verb);
  if (!ServesVerb(call, verb)) {
    return Status(Code::kMethodNotAllowed,
                  "the server does not allow this method on the requested resource");
  }
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

Api::Api(VersionInfo version, std::shared_ptr<const OpenApi> openapi)
    : version_(std::move(version)), openapi_(std::move(openapi)) {}

Answer Api::Handle(const base::HttpRequest& request, const View& view,
                   const DraftContext& context) const {
  const ApiRoute route = ParseRoute(request.segments);
  const manifests::Schema& schema = *view.schema();
  const manifests::Kind* kind =
      route.is_resource ? schema.FindResource(route.group, route.version, route.plural) : nullptr;
  const About about{kind, route.name};
  if (const Status allowed = AuthorizeRequest(request, route, view); !allowed.ok())
    return Failed(allowed, about);
  if (!route.is_resource) {
    const OpenApi* openapi =
        openapi_ != nullptr && openapi_->IsOf(schema) ? openapi_.get() : nullptr;
    std::optional<base::HttpResponse> found = Discover(request, schema, openapi, version_);
    if (!found) return Failed(NoSuchPath(), about);
    return Response{.http = *std::move(found)};
  }
  if (kind == nullptr || !ScopeFits(route, *kind)) return Failed(NoSuchPath(), about);
  const std::string verb = VerbOf(request, route);
  const base::Result<Representation> as = AnswerForm(request, route, *kind, verb);
  if (!as.ok()) return Failed(as.status(), about);
  DraftContext by_client = context;
  by_client.actor = ActorOf(request);
  base::Result<Answer> answer = Dispatch({request, view, by_client, route, *kind, *as}, verb);
  return answer.ok() ? *std::move(answer) : Failed(answer.status(), about, *as);
}

}  // namespace state
