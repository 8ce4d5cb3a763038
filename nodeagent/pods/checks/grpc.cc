// A connection to the pod's port: its health service is not asked.
#include "nodeagent/pods/checks/check_kind.h"

namespace nodeagent {
namespace {

Check ReadGrpc(const PodContext& context, base::Value container, base::Value body) {
  Check check;
  check.kind = Check::Kind::kTcp;
  check.host = context.ip;
  check.port = PortOf(container, body["port"]);
  return check;
}

}  // namespace

extern const CheckKind kGrpcCheck = {.field = "grpc", .read = ReadGrpc};

}  // namespace nodeagent
