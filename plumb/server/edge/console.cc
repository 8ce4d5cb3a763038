#include "plumb/server/edge/console.h"

#include "base/document.h"
#include "gitsync/plan/repository.h"
#include "manifests/kinds/conditions.h"

namespace plumb {
namespace {

base::Status OnlyAdministrators() {
  return base::Status(base::Code::kForbidden,
                      "only an administrator may do this; use the kubeconfig of the server");
}

void SendJson(base::Reply& reply, const base::Json& json) {
  base::HttpResponse response;
  response.body = json.ToString() + "\n";
  reply.Send(std::move(response));
}

}  // namespace

void Console::Handle(base::IncomingRequest incoming, std::unique_ptr<base::Reply> reply) {
  const base::Result<base::Identity> identity = credentials_.Authenticate(incoming);
  if (!identity.ok()) return reply->Send(base::FailureResponse(identity.status()));
  if (identity->user.empty()) {
    return reply->Send(
        base::FailureResponse(base::Status(base::Code::kUnauthorized, "a credential is needed")));
  }
  std::shared_ptr<base::Reply> shared = std::move(reply);
  if (ChangeRepository(incoming.request, *identity, shared) ||
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
  if (what == "repositories" && request.segments.size() == 3 && request.method == "GET")
    return Repositories();
  if (what == "plans" && request.segments.size() == 3 && request.method == "GET") {
    const gitsync::SyncEngine::PlanCounts plans = engine_.plans();
    return base::Json::MakeObject({{"first", static_cast<int64_t>(plans.first)},
                                   {"again", static_cast<int64_t>(plans.again)}});
  }
  if (what == "tokens") {
    if (!identity.InGroup("plumb:admin")) return OnlyAdministrators();
    if (request.method == "GET") return Tokens();
    return base::Status(base::Code::kMethodNotAllowed, request.method + " is not served here");
  }
  return base::Status(base::Code::kNotFound,
                      "there is nothing at " + request.method + " " + request.path);
}

base::Json Console::Tokens() const {
  base::Json list = base::Json::MakeArray();
  for (const TokenInfo& token : credentials_.Tokens()) {
    list.Append(base::Json::MakeObject({{"name", token.name}, {"role", token.role}}));
  }
  return list;
}

bool Console::ChangeToken(const base::HttpRequest& request, const base::Identity& identity,
                          std::shared_ptr<base::Reply> reply) {
  if (request.segments.size() < 3 || request.segments[2] != "tokens") return false;
  const bool create = request.method == "POST" && request.segments.size() == 3;
  const bool revoke = request.method == "DELETE" && request.segments.size() == 4;
  if (!create && !revoke) return false;
  if (!identity.InGroup("plumb:admin")) {
    reply->Send(base::FailureResponse(OnlyAdministrators()));
    return true;
  }
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
  credentials_.CreateToken(std::string((*body)["name"].AsString()),
                           std::string((*body)["role"].AsString()),
                           [reply](const base::Result<std::string>& secret) {
                             if (!secret.ok())
                               return reply->Send(base::FailureResponse(secret.status()));
                             SendJson(*reply, base::Json::MakeObject({{"secret", *secret}}));
                           });
  return true;
}

base::Json Console::Repositories() const {
  base::Json list = base::Json::MakeArray();
  for (const std::string& name : gitsync::ApplicationNames(store_.view())) {
    const state::ObjectPtr record = store_.view().Get(gitsync::KustomizationKey(name));
    if (record == nullptr) continue;
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
  if (!identity.InGroup("plumb:admin")) {
    reply->Send(base::FailureResponse(OnlyAdministrators()));
    return true;
  }
  const auto done = [reply](base::Status status) {
    if (!status.ok()) return reply->Send(base::FailureResponse(status));
    SendJson(*reply, base::Json::MakeObject({{"done", true}}));
  };
  if (remove) {
    engine_.DeleteRepository(request.segments[3], done);
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

}  // namespace plumb
