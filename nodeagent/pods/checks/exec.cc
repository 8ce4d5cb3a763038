// A command in the container: exit code 0.
#include "nodeagent/pods/checks/check_kind.h"

namespace nodeagent {
namespace {

Check ReadExec(const PodContext&, base::Value, base::Value body) {
  Check check;
  check.kind = Check::Kind::kExec;
  for (base::Value word : body["command"].Elements()) check.command.emplace_back(word.AsString());
  return check;
}

}  // namespace

extern const CheckKind kExecCheck = {.field = "exec", .read = ReadExec};

}  // namespace nodeagent
