// The health service of the pod's port (grpc.health.v1): it is serving.
#include "nodeagent/pods/checks/check_kind.h"

namespace nodeagent {
namespace {

Check ReadGrpc(const PodContext& context, base::Value container, base::Value body) {
  Check check;
  check.kind = Check::Kind::kGrpc;
  check.host = context.ip;
  check.port = PortOf(container, body["port"]);
  check.service = body["service"].AsString();
  return check;
}

}  // namespace

extern const CheckKind kGrpcCheck = {.field = "grpc", .read = ReadGrpc};

}  // namespace nodeagent
