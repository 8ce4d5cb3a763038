#include "plumb/server/edge/git_routes.h"

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

void Serve(base::Exchange& exchange, gitsync::GitHost& host, const Authenticator& authenticate) {
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
  git.may_push = MayPush(*identity);
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

void AddGitRoutes(base::Routes& routes, gitsync::GitHost& host, Authenticator authenticate) {
  routes.AddWorkerHandler(
      kGitPrefix,
      [&host, authenticate = std::move(authenticate)](base::Exchange& exchange) {
        Serve(exchange, host, authenticate);
      },
      IsPush);
}

}  // namespace plumb
