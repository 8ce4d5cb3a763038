#include "plumb/server/edge/git_routes.h"

#include "plumb/server/edge/ask_loop.h"
#include "state/authorize.h"
#include "state/own_secrets.h"

namespace plumb {
namespace {

// git asks for a password only when it is told that one is missing.
void AskForPassword(base::Exchange& exchange, const std::string& why) {
  base::HttpResponse response;
  response.status = 401;
  response.content_type = "text/plain; charset=utf-8";
  response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"plumb\"");
  response.body = why + "\n";
  exchange.Send(response);
}

std::string QueryOf(const base::HttpRequest& request) {
  std::string query;
  for (const auto& [name, value] : request.query)
    query += (query.empty() ? "" : "&") + name + "=" + value;
  return query;
}

// A push waits for its rollout, and what it asks first is part of it.
bool IsPush(const base::HttpRequest& request) {
  return request.path.ends_with("/git-receive-pack") ||
         request.Query("service") == "git-receive-pack";
}

// Why the user may not, in words for git's output.
base::Status Denied(const base::Identity& identity, std::string_view verb,
                    const std::string& repository, const state::View& view) {
  const state::AccessObject object = state::RepositoryObject(repository);
  std::string text = "user \"" + identity.user + "\" may not " + std::string(verb) +
                     (verb == state::kPush ? " to " : " from ") + repository;
  if (state::AuthorizeByRole(identity, verb, object, view).ok()) {
    text += ": the token is bound to other repositories or verbs";
  } else if (!state::NodeOf(identity).empty()) {
    text += ": nodes use no Git";
  } else if (verb == state::kPush) {
    text += "; a token with the role deployer may";
  } else {
    text += "; a token with the role deployer may, or an administrator lets viewers: kubectl -n " +
            std::string(state::kSystemNamespace) + " annotate gitrepository " + repository + " " +
            std::string(state::kViewersFetchAnnotation) + "=true";
  }
  return base::Status(base::Code::kForbidden, text);
}

base::Status MayUse(const GitAccess& access, const base::Identity& identity, std::string_view verb,
                    const std::string& repository) {
  const base::Result<bool> answer =
      AskLoop<bool>(access.loop, [&access, identity, verb, repository](auto done) {
        const state::View& view = access.store.view();
        const state::AccessObject object = state::RepositoryObject(repository);
        if (state::Authorize(identity, verb, object, view).ok()) return done(true);
        done(Denied(identity, verb, repository, view));
      });
  return answer.status();
}

void Serve(base::Exchange& exchange, gitsync::GitHost& host, const GitAccess& access,
           const Authenticator& authenticate) {
  const base::HttpRequest& request = exchange.incoming().request;
  const base::Result<base::Identity> identity = authenticate(exchange.incoming());
  if (!identity.ok()) return AskForPassword(exchange, std::string(identity.status().message()));
  if (identity->user.empty())
    return AskForPassword(exchange, "a token is needed; see 'plumb token create'");

  gitsync::GitHttpRequest git;
  git.method = request.method;
  git.path = request.path.substr(std::string(kGitPrefix).size());
  git.query = QueryOf(request);
  git.content_type = request.Header("content-type");
  git.protocol = request.Header("git-protocol");
  git.user = identity->user;
  git.groups = identity->groups;
  git.branches = identity->bounds.branches;
  git.may_fetch = [&](const std::string& repository) {
    return MayUse(access, *identity, state::kFetch, repository);
  };
  git.may_push = [&](const std::string& repository) {
    return MayUse(access, *identity, state::kPush, repository);
  };
  // GitHost bounds the pack by its own limit; this one only keeps the reader finite.
  constexpr size_t kMaxBody = size_t{4} << 30;
  git.read_body = [&](const std::function<bool(std::string_view)>& sink) {
    return exchange.ReadBody(kMaxBody, sink);
  };

  gitsync::GitHttpResponse answer;
  answer.send = [&](int status, const std::string& content_type, const std::string& body) {
    base::HttpResponse response;
    response.status = status;
    response.content_type = content_type;
    response.headers.emplace_back("Cache-Control", "no-cache");
    response.body = body;
    exchange.Send(response);
  };
  answer.stream =
      [&](int status, const std::string& content_type,
          const std::function<void(const std::function<bool(std::string_view)>&)>& source) {
        base::HttpResponse head;
        head.status = status;
        head.content_type = content_type;
        head.headers.emplace_back("Cache-Control", "no-cache");
        exchange.Stream(head, source);
      };
  host.Serve(git, answer);
}

}  // namespace

void AddGitRoutes(base::Routes& routes, gitsync::GitHost& host, const GitAccess& access,
                  Authenticator authenticate) {
  routes.AddWorkerHandler(
      kGitPrefix,
      [&host, access, authenticate = std::move(authenticate)](base::Exchange& exchange) {
        Serve(exchange, host, access, authenticate);
      },
      IsPush);
}

}  // namespace plumb
