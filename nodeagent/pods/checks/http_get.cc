// A request: an answer of 200 to 399.
#include "nodeagent/pods/checks/check_kind.h"

namespace nodeagent {
namespace {

Check ReadHttpGet(const PodContext& context, base::Value container, base::Value body) {
  Check check;
  check.kind = Check::Kind::kHttp;
  check.host = HostOf(context, body);
  check.port = PortOf(container, body["port"]);
  check.tls = body["scheme"].AsString() == "HTTPS";
  check.path = body["path"].AsString();
  if (!check.path.starts_with('/')) check.path.insert(0, 1, '/');
  for (base::Value header : body["httpHeaders"].Elements()) {
    check.headers.emplace_back(header["name"].AsString(), header["value"].AsString());
  }
  return check;
}

}  // namespace

extern const CheckKind kHttpGetCheck = {.field = "httpGet", .read = ReadHttpGet};

}  // namespace nodeagent
