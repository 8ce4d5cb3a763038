// A connection that is accepted.
#include "nodeagent/pods/checks/check_kind.h"

namespace nodeagent {
namespace {

Check ReadTcpSocket(const PodContext& context, base::Value container, base::Value body) {
  Check check;
  check.kind = Check::Kind::kTcp;
  check.host = HostOf(context, body);
  check.port = PortOf(container, body["port"]);
  return check;
}

}  // namespace

extern const CheckKind kTcpSocketCheck = {.field = "tcpSocket", .read = ReadTcpSocket};

}  // namespace nodeagent
