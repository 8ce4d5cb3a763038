#include "plumb/server/edge/console.h"

#include "base/document.h"
#include "base/words.h"
#include "gitsync/plan/repository.h"
#include "manifests/kinds/conditions.h"
#include "nodeagent/hub/join_handler.h"
#include "state/authorize.h"

namespace plumb {
namespace {

constexpr int64_t kMaxTokenUses = 100'000;  // of a join token: as many nodes as nobody has

// What people ask of tokens, and of repositories but to fetch and push, is administrators' own.
base::Status Admit(const base::Identity& identity, std::string_view verb,
                   const state::AccessObject& object, const state::View& view) {
  if (state::Authorize(identity, verb, object, view).ok()) return base::Status();
  return base::Status(base::Code::kForbidden,
                      "only an administrator may do this; use the kubeconfig of the server");
}

// An empty bound would be none at all, and is no more than a variable that was not set.
base::Result<std::vector<std::string>> BoundOf(const base::Json& body, const std::string& field) {
  const base::Json& list = body[field];
  if (list.IsNull()) return std::vector<std::string>();
  std::vector<std::string> words = base::WordsOf(list);
  const bool whole = list.IsArray() && !words.empty() &&
                     std::none_of(words.begin(), words.end(),
                                  [](const std::string& word) { return word.empty(); });
  if (whole) return words;
  return base::Status(base::Code::kInvalid,
                      field +
                          ": a list of at least one name is needed; leave it out to bind the "
                          "token to none");
}

base::Result<TokenInfo> WantedToken(const base::Json& body, base::WallTime now) {
  TokenInfo token{std::string(body["name"].AsString()), std::string(body["role"].AsString()), ""};
  if (body.Has("ttl")) {
    ASSIGN_OR_RETURN(const base::Duration ttl, base::Duration::Parse(body["ttl"].AsString()));
    token.expires = now + ttl;
  }
  const int64_t uses = body["uses"].AsInt();
  if (uses < 0 || uses > kMaxTokenUses) {
    return base::Status(base::Code::kInvalid,
                        "uses: must be between 1 and " + std::to_string(kMaxTokenUses));
  }
  token.uses = static_cast<int>(uses);
  token.node = body["node"].AsString();
  if (!token.node.empty() && !nodeagent::IsNodeName(token.node))
    return base::Status(base::Code::kInvalid, "\"" + token.node + "\" is no name of a node");
  ASSIGN_OR_RETURN(token.bounds.repositories, BoundOf(body, "repositories"));
  ASSIGN_OR_RETURN(token.bounds.branches, BoundOf(body, "branches"));
  ASSIGN_OR_RETURN(token.bounds.verbs, BoundOf(body, "verbs"));
  return token;
}

state::AccessObject AllTokens() { return {.key = {std::string(state::kTokenResource), "", ""}}; }

base::Status MakeSync(base::Json& object, const base::Json& body) {
  const base::Json& old = object;
  if (old["spec"]["suspend"].AsBool()) {
    return base::Status(base::Code::kConflict,
                        std::string(old["metadata"]["name"].AsString()) +
                            " is suspended; set spec.suspend of its Kustomization to false (plumb "
                            "resume does), and it is applied at once");
  }
  const std::string value(body["requestedAt"].AsString());
  if (value.empty()) return base::Status(base::Code::kInvalid, "requestedAt: a text is needed");
  object["metadata"]["annotations"].Set(gitsync::kRequestedAnnotation, value);
  return base::Status();
}

base::Status MakeSuspended(base::Json& object, const base::Json& body) {
  const base::Json& wanted = body["suspend"];
  if (!wanted.IsBool())
    return base::Status(base::Code::kInvalid, "suspend: true or false is needed");
  object["spec"].Set("suspend", wanted);
  return base::Status();
}

void SendJson(base::Reply& reply, const base::Json& json) {
  base::HttpResponse response;
  response.body = json.ToString() + "\n";
  reply.Send(std::move(response));
}

}  // namespace

Console::Console(base::Loop& loop, state::Store& store, const state::DraftContext& context,
                 gitsync::SyncEngine& engine, Credentials& credentials)
    : store_(store),
      writer_(loop, store, context, state::ProgramActor("plumb-console")),
      engine_(engine),
      credentials_(credentials) {}

void Console::Handle(base::IncomingRequest incoming, std::unique_ptr<base::Reply> reply) {
  const base::Result<base::Identity> identity = credentials_.Authenticate(incoming);
  if (!identity.ok()) return reply->Send(base::FailureResponse(identity.status()));
  if (identity->user.empty()) {
    return reply->Send(
        base::FailureResponse(base::Status(base::Code::kUnauthorized, "a credential is needed")));
  }
  std::shared_ptr<base::Reply> shared = std::move(reply);
  if (ChangeRepository(incoming.request, *identity, shared) ||
      ChangeApplication(incoming.request, *identity, shared) ||
      ChangeToken(incoming.request, *identity, shared)) {
    return;
  }
  const base::Result<base::Json> answer = Answer(incoming.request, *identity);
  if (!answer.ok()) return shared->Send(base::FailureResponse(answer.status()));
  SendJson(*shared, *answer);
}

base::Result<base::Json> Console::Answer(const base::HttpRequest& request,
                                         const base::Identity& identity) {
  const std::string_view what =
      request.segments.size() > 2 ? request.segments[2] : std::string_view();
  if (what == "repositories" && !state::NodeOf(identity).empty())
    return base::Status(base::Code::kForbidden, "nodes use no Git");
  if (what == "repositories" && request.segments.size() == 3 && request.method == "GET")
    return Repositories(identity);
  if (what == "plans" && request.segments.size() == 3 && request.method == "GET") {
    RETURN_IF_ERROR(Admit(identity, "get", {.path = request.path}, store_.view()));
    const gitsync::SyncEngine::PlanCounts plans = engine_.plans();
    return base::Json::MakeObject({{"first", static_cast<int64_t>(plans.first)},
                                   {"again", static_cast<int64_t>(plans.again)}});
  }
  if (what == "tokens") {
    RETURN_IF_ERROR(Admit(identity, "list", AllTokens(), store_.view()));
    if (request.method == "GET") return Tokens();
    return base::Status(base::Code::kMethodNotAllowed, request.method + " is not served here");
  }
  return base::Status(base::Code::kNotFound,
                      "there is nothing at " + request.method + " " + request.path);
}

base::Json Console::Tokens() const {
  base::Json list = base::Json::MakeArray();
  for (const TokenInfo& token : credentials_.Tokens()) {
    base::Json entry = base::Json::MakeObject({{"name", token.name}, {"role", token.role}});
    if (!token.expires.IsZero()) entry.Set("expires", token.expires.ToString());
    if (token.uses != 0) entry.Set("uses", token.uses);
    if (!token.node.empty()) entry.Set("node", token.node);
    const base::CredentialBounds& bounds = token.bounds;
    if (!bounds.repositories.empty()) entry.Set("repositories", base::ListOf(bounds.repositories));
    if (!bounds.branches.empty()) entry.Set("branches", base::ListOf(bounds.branches));
    if (!bounds.verbs.empty()) entry.Set("verbs", base::ListOf(bounds.verbs));
    list.Append(std::move(entry));
  }
  return list;
}

bool Console::ChangeToken(const base::HttpRequest& request, const base::Identity& identity,
                          std::shared_ptr<base::Reply> reply) {
  if (request.segments.size() < 3) return false;
  if (request.segments[2] == "denied" && request.method == "POST")
    return Deny(request, identity, reply), true;
  if (request.segments[2] != "tokens") return false;
  const bool create = request.method == "POST" && request.segments.size() == 3;
  const bool revoke = request.method == "DELETE" && request.segments.size() == 4;
  if (!create && !revoke) return false;
  const base::Status admitted =
      Admit(identity, create ? "create" : "delete", AllTokens(), store_.view());
  if (!admitted.ok()) return reply->Send(base::FailureResponse(admitted)), true;
  if (revoke) {
    const std::string name = request.segments[3];
    credentials_.RevokeToken(name, [reply, name](const base::Status& status) {
      if (!status.ok()) return reply->Send(base::FailureResponse(status));
      SendJson(*reply, base::Json::MakeObject({{"revoked", name}}));
    });
    return true;
  }
  const base::Result<base::Json> body = base::ParseJson(request.body);
  if (!body.ok()) {
    reply->Send(base::FailureResponse(body.status()));
    return true;
  }
  base::Result<TokenInfo> token = WantedToken(*body, writer_.NewContext().now);
  if (!token.ok()) return reply->Send(base::FailureResponse(token.status())), true;
  credentials_.CreateToken(*std::move(token), [reply](const base::Result<std::string>& secret) {
    if (!secret.ok()) return reply->Send(base::FailureResponse(secret.status()));
    SendJson(*reply, base::Json::MakeObject({{"secret", *secret}}));
  });
  return true;
}

void Console::Deny(const base::HttpRequest& request, const base::Identity& identity,
                   const std::shared_ptr<base::Reply>& reply) {
  const base::Status admitted = Admit(identity, "create", AllTokens(), store_.view());
  if (!admitted.ok()) return reply->Send(base::FailureResponse(admitted));
  const base::Result<base::Json> body = base::ParseJson(request.body);
  if (!body.ok()) return reply->Send(base::FailureResponse(body.status()));
  const auto done = [reply](const base::Status& status) {
    if (!status.ok()) return reply->Send(base::FailureResponse(status));
    SendJson(*reply, base::Json::MakeObject({{"done", true}}));
  };
  const std::string node((*body)["node"].AsString()), serial((*body)["serial"].AsString());
  if (!serial.empty()) return credentials_.DenySerial(serial, done);
  if (nodeagent::IsNodeName(node)) return credentials_.DenyNode(node, done);
  done(base::Status(base::Code::kInvalid, "\"" + node + "\" is no name of a node"));
}

base::Json Console::Repositories(const base::Identity& identity) const {
  base::Json list = base::Json::MakeArray();
  for (const std::string& name : gitsync::ApplicationNames(store_.view())) {
    const state::ObjectPtr record = store_.view().Get(gitsync::KustomizationKey(name));
    if (record == nullptr) continue;
    const state::AccessObject source = state::RepositoryObject(gitsync::SourceOf(*record));
    if (!state::Authorize(identity, state::kFetch, source, store_.view()).ok()) continue;
    const base::Value status = (*record)["status"];
    const state::ObjectPtr inventory =
        store_.view().Get(gitsync::kInventories, gitsync::kSystemNamespace, name);
    base::Json entry = base::Json::MakeObject(
        {{"name", name},
         {"repository", gitsync::SourceOf(*record)},
         {"revision", status["lastAppliedRevision"].AsString()},
         {"objects", inventory == nullptr ? int64_t{0} : (*inventory)["count"].AsInt()},
         {"ready", "Unknown"},
         {"message", ""}});
    const base::Value ready = manifests::ConditionOf(status, "Ready");
    if (ready.Exists()) {
      entry.Set("ready", ready["status"].AsString());
      entry.Set("reason", ready["reason"].AsString());
      entry.Set("message", ready["message"].AsString());
    }
    list.Append(std::move(entry));
  }
  return list;
}

bool Console::ChangeRepository(const base::HttpRequest& request, const base::Identity& identity,
                               std::shared_ptr<base::Reply> reply) {
  if (request.segments.size() < 3 || request.segments[2] != "repositories") return false;
  const bool create = request.method == "POST" && request.segments.size() == 3;
  const bool remove = request.method == "DELETE" && request.segments.size() == 4;
  if (!create && !remove) return false;
  const std::string name = remove ? request.segments[3] : "";
  const base::Status admitted =
      Admit(identity, create ? "create" : "delete", state::RepositoryObject(name), store_.view());
  if (!admitted.ok()) return reply->Send(base::FailureResponse(admitted)), true;
  const auto done = [reply](base::Status status) {
    if (!status.ok()) return reply->Send(base::FailureResponse(status));
    SendJson(*reply, base::Json::MakeObject({{"done", true}}));
  };
  if (remove) {
    engine_.DeleteRepository(name, done);
    return true;
  }
  const base::Result<base::Json> body = base::ParseJson(request.body);
  if (!body.ok()) {
    reply->Send(base::FailureResponse(body.status()));
    return true;
  }
  gitsync::RepositorySettings settings;
  if (body->Has("branch")) settings.branch = (*body)["branch"].AsString();
  for (const base::Json& ns : (*body)["namespaces"].Elements()) {
    settings.scope.namespaces.push_back(std::string(ns.AsString()));
  }
  if (body->Has("defaultNamespace"))
    settings.scope.default_namespace = (*body)["defaultNamespace"].AsString();
  engine_.CreateRepository(std::string((*body)["name"].AsString()), settings, done);
  return true;
}

// In the name of who asks, so that the Kustomization's managers tell.
bool Console::ChangeApplication(const base::HttpRequest& request, const base::Identity& identity,
                                std::shared_ptr<base::Reply> reply) {
  if (request.segments.size() != 5 || request.segments[2] != "applications") return false;
  const std::string& name = request.segments[3];
  const std::string& verb = request.segments[4];
  if (request.method != "POST" || (verb != state::kSync && verb != state::kSuspend)) return false;
  const auto change = [&]() -> base::Status {
    const state::AccessObject object = state::ApplicationObject(name);
    RETURN_IF_ERROR(state::Authorize(identity, verb, object, store_.view()));
    const state::ObjectPtr old = store_.view().Get(object.key);
    if (old == nullptr) return gitsync::NoRepository(name);
    ASSIGN_OR_RETURN(const base::Json body, base::ParseJson(request.body));
    base::Json wanted = old->document.ToJson();
    RETURN_IF_ERROR(verb == state::kSync ? MakeSync(wanted, body) : MakeSuspended(wanted, body));
    state::DraftContext context = writer_.NewContext();
    context.actor =
        std::make_shared<const state::Actor>(state::Actor{identity.user, identity.groups, "plumb"});
    state::Draft draft(store_.view(), context);
    RETURN_IF_ERROR(draft.Update(std::move(wanted)).status());
    return writer_.Commit(draft).status();
  };
  if (const base::Status changed = change(); !changed.ok()) {
    reply->Send(base::FailureResponse(changed));
  } else {
    writer_.WhenDurable([reply] { SendJson(*reply, base::Json::MakeObject({{"done", true}})); });
  }
  return true;
}

}  // namespace plumb
