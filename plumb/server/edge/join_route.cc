#include "plumb/server/edge/join_route.h"

#include "base/log.h"
#include "nodeagent/edge/grpc_transport.h"
#include "nodeagent/hub/join_handler.h"

namespace plumb {
namespace {

constexpr base::Duration kNodeLifetime = base::Duration::Hours(24 * 90);
constexpr const char* kNodeGroup = "system:nodes";

std::string CertifiedNode(const base::IncomingRequest& incoming) {
  if (incoming.certificate == nullptr) return {};
  const std::string& user = incoming.certificate->common_name;
  const std::string prefix = nodeagent::kNodeUserPrefix;
  return user.starts_with(prefix) ? user.substr(prefix.size()) : std::string();
}

base::Result<nodeagent::JoinAnswer> Join(const base::IncomingRequest& incoming,
                                         const Credentials& credentials, base::WallTime now) {
  if (incoming.request.method != "POST") {
    return base::Status(base::Code::kMethodNotAllowed, "a join is a POST");
  }
  ASSIGN_OR_RETURN(nodeagent::JoinRequest request,
                   nodeagent::DecodeJoinRequest(incoming.request.body));
  request.certified_node = CertifiedNode(incoming);
  nodeagent::JoinAuthority authority;
  authority.sha256_hex = base::Sha256Hex;
  authority.equal_in_constant_time = base::EqualInConstantTime;
  authority.sign = [&](const std::string& node,
                       const std::string& csr) -> base::Result<nodeagent::JoinAnswer> {
    ASSIGN_OR_RETURN(
        std::string certificate,
        base::SignRequest(credentials.ca(), csr, {nodeagent::kNodeUserPrefix + node, {kNodeGroup}},
                          {now, kNodeLifetime}));
    return nodeagent::JoinAnswer{std::move(certificate), credentials.ca().cert_pem};
  };
  const nodeagent::AcceptedToken token = {"join", base::Sha256Hex(credentials.join_secret()),
                                          base::WallTime()};
  ASSIGN_OR_RETURN(nodeagent::JoinAnswer answer,
                   nodeagent::HandleJoin(request, {token}, now, authority));
  base::LogInfo("node joined", {{"node", request.node}, {"address", incoming.peer_address}});
  return answer;
}

}  // namespace

void AddJoinRoute(base::Loop& loop, base::Routes& routes, const Credentials& credentials) {
  routes.AddLoopHandler(
      nodeagent::kJoinPath,
      [&loop, &credentials](base::IncomingRequest incoming, std::unique_ptr<base::Reply> reply) {
        const base::Result<nodeagent::JoinAnswer> answer =
            Join(incoming, credentials, loop.now().wall);
        if (!answer.ok()) return reply->Send(base::FailureResponse(answer.status()));
        base::HttpResponse response;
        response.body = nodeagent::EncodeJoinAnswer(*answer);
        reply->Send(std::move(response));
      });
}

}  // namespace plumb
