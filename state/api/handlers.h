// The verbs, one function each, as api.cc calls them. Pure. Failures come back as a Status; api.cc
// makes them a response.
#pragma once

#include "state/api/api.h"
#include "state/api/media.h"
#include "state/api/paths.h"
#include "state/draft.h"

namespace state {

// A request for a resource that exists, by someone who may.
struct Call {
  const base::HttpRequest& request;
  const View& view;
  const DraftContext& context;
  const ApiRoute& route;
  const manifests::Kind& kind;
  Representation as;

  // For what the answer keeps beyond the call.
  manifests::KindPtr HeldKind() const { return view.schema()->Hold(kind); }
  Key ObjectKey() const { return Key{kind.Resource(), route.ns, route.name}; }
};

// read.cc
base::Result<Answer> HandleGet(const Call& call);
base::Result<Answer> HandleList(const Call& call);
base::Result<Answer> HandleWatch(const Call& call);
base::Status NotFound(const Call& call);
// Null and kNotFound's case is the caller's.
base::Result<ObjectPtr> Existing(const Call& call);
Response Respond(Body body, Revision at_least);

// write.cc
base::Result<Answer> HandleCreate(const Call& call);
base::Result<Answer> HandleUpdate(const Call& call);
base::Result<Answer> HandlePatch(const Call& call);
base::Result<Answer> HandleDelete(const Call& call);
base::Result<Answer> HandleDeleteCollection(const Call& call);

// What writes have in common.
struct WriteOptions {
  bool dry_run = false;
  manifests::UnknownFields unknown = manifests::UnknownFields::kWarn;
};
// Who writes: the authenticated user; as manager of fields the query's fieldManager, or else what
// the client calls itself, as in Kubernetes.
ActorPtr ActorOf(const base::HttpRequest& request);
base::Result<WriteOptions> ParseWriteOptions(const base::HttpRequest& request);
// Gives `object` the path's name and namespace, or says that it has others.
base::Status MatchPath(const Call& call, base::Json& object);
// The body, of `message`, and of the kind `api_version` `kind` if it says which.
base::Result<base::Json> ReadBody(const Call& call, const manifests::Message& message,
                                  const std::string& api_version, const std::string& kind);
// The same, of the resource's own kind.
base::Result<base::Json> ReadObject(const Call& call);
// `body` with that type; kBadRequest if it names another.
base::Result<base::Json> CheckType(base::Json body, const std::string& api_version,
                                   const std::string& kind);
// The body as a patch of `current`, whose fields are `message`'s.
base::Result<base::Json> ApplyPatch(const Call& call, const manifests::Message& message,
                                    const base::Json& current);
// DeleteOptions from a JSON object and the query.
base::Result<DeleteOptions> ParseDeleteOptions(const base::HttpRequest& request,
                                               const base::Json& body);

// The answer to a write: commits the draft, then renders `object` as it was committed.
using RenderResult = std::function<Body(const ObjectPtr&)>;
Answer Finish(const Call& call, const Draft& draft, const WriteOptions& options, ObjectPtr object,
              int http_status, RenderResult render);
RenderResult RenderAsAsked(const Call& call);
RenderResult RenderSuccess(const Call& call);  // a Status, for what answers no object

// apply.cc
bool IsApply(const base::HttpRequest& request);
base::Result<Answer> HandleApply(const Call& call);
base::Result<Answer> HandleApplyStatus(const Call& call);
base::Result<Answer> HandleApplyScale(const Call& call, const RenderResult& render);

// What a scale asks for is a number of replicas.
base::Status CheckScale(const Call& call, const base::Json& scale);
// kInvalid for what is wrong in the status of `object`.
base::Status CheckStatus(const manifests::Kind& kind, const base::Json& object,
                         manifests::UnknownFields unknown = manifests::UnknownFields::kError);

// subresources.cc; kMethodNotAllowed for what the subresource does not do.
base::Result<Answer> HandleSubresource(const Call& call, std::string_view verb);

// discovery.cc. Documents about what is served, for which the whole schema is read.
bool IsDiscovery(const base::HttpRequest& request);
// No answer for paths that are not discovery's, or of health and version. A null `openapi` is made.
std::optional<base::HttpResponse> Discover(const base::HttpRequest& request,
                                           const manifests::Schema& schema, const OpenApi* openapi,
                                           const VersionInfo& version);
// The verbs that a subresource serves, and the kind of its body. Null if there is no such one.
struct SubresourceInfo {
  std::string_view name;
  std::string_view group, version, kind;  // of the body; an empty kind is the parent's
  std::string_view verbs;                 // in discovery's order, separated by spaces
};
const SubresourceInfo* FindSubresource(const manifests::Kind& kind, std::string_view name);
// True for the subresources whose answer is a stream to the pod's node.
bool IsStream(std::string_view subresource);

}  // namespace state
