#include "plumb/server/edge/join_route.h"

#include "base/log.h"
#include "nodeagent/edge/grpc_transport.h"
#include "nodeagent/hub/join_handler.h"
#include "state/authorize.h"

namespace plumb {
namespace {

constexpr base::Duration kNodeLifetime = base::Duration::Hours(24 * 90);
constexpr const char* kNodeGroup = "system:nodes";

// The node that the connection's certificate is of; empty if there is none that counts.
std::string CertifiedNode(const base::IncomingRequest& incoming, const Credentials& credentials) {
  if (incoming.certificate == nullptr) return {};
  if (!credentials.Counts(*incoming.certificate)) return {};
  return std::string(state::NodeOfUser(incoming.certificate->common_name));
}

std::vector<nodeagent::AcceptedToken> JoinTokens(const Credentials& credentials) {
  std::vector<nodeagent::AcceptedToken> tokens;
  for (const TokenInfo& token : credentials.Tokens()) {
    if (token.IsJoin()) tokens.push_back({token.name, token.sha256, token.expires, token.node});
  }
  return tokens;
}

base::Result<nodeagent::Joined> Join(const base::IncomingRequest& incoming,
                                     const JoinSource& source) {
  if (incoming.request.method != "POST") {
    return base::Status(base::Code::kMethodNotAllowed, "a join is a POST");
  }
  ASSIGN_OR_RETURN(nodeagent::JoinRequest request,
                   nodeagent::DecodeJoinRequest(incoming.request.body));
  const Credentials& credentials = source.credentials;
  const base::WallTime now = source.loop.now().wall;
  request.certified_node = CertifiedNode(incoming, credentials);
  nodeagent::JoinAuthority authority;
  authority.sha256_hex = base::Sha256Hex;
  authority.equal_in_constant_time = base::EqualInConstantTime;
  authority.sign = [&](const std::string& node,
                       const std::string& csr) -> base::Result<nodeagent::JoinAnswer> {
    ASSIGN_OR_RETURN(std::string certificate,
                     base::SignRequest(credentials.ca(), csr, {state::NodeUser(node), {kNodeGroup}},
                                       {now, kNodeLifetime}));
    return nodeagent::JoinAnswer{std::move(certificate), credentials.ca().cert_pem};
  };
  const state::ObjectPtr node = source.store.view().Get("nodes", "", request.node);
  const nodeagent::KnownNode facts{.exists = node != nullptr && !node->Deleting(),
                                   .live = source.hub.IsLive(request.node)};
  ASSIGN_OR_RETURN(nodeagent::Joined joined,
                   nodeagent::HandleJoin(request, facts, JoinTokens(credentials), now, authority));
  base::LogInfo("node joined", {{"node", request.node},
                                {"address", incoming.peer_address},
                                {"by", joined.token.empty() ? "its certificate" : joined.token}});
  return joined;
}

}  // namespace

void AddJoinRoute(base::Routes& routes, const JoinSource& source) {
  routes.AddLoopHandler(nodeagent::kJoinPath, [source](base::IncomingRequest incoming,
                                                       std::unique_ptr<base::Reply> reply) {
    const base::Result<nodeagent::Joined> joined = Join(incoming, source);
    if (!joined.ok()) {
      base::LogWarning("join refused", {{"address", incoming.peer_address},
                                        {"why", std::string(joined.status().message())}});
      return reply->Send(base::FailureResponse(joined.status()));
    }
    const auto answer =
        [shared = std::shared_ptr<base::Reply>(std::move(reply)),
         body = nodeagent::EncodeJoinAnswer(joined->answer)](const base::Status& used) {
          if (!used.ok()) return shared->Send(base::FailureResponse(used));
          base::HttpResponse response;
          response.body = body;
          shared->Send(std::move(response));
        };
    joined->token.empty() ? answer(base::Status())
                          : source.credentials.UseToken(joined->token, answer);
  });
}

}  // namespace plumb
