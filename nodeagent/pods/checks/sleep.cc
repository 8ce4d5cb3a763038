// Time, of a hook.
#include "nodeagent/pods/checks/check_kind.h"

namespace nodeagent {
namespace {

Check ReadSleep(const PodContext&, base::Value, base::Value body) {
  Check check;
  check.kind = Check::Kind::kSleep;
  check.sleep = base::Duration::Seconds(body["seconds"].AsInt());
  return check;
}

}  // namespace

extern const CheckKind kSleepCheck = {.field = "sleep", .read = ReadSleep};

}  // namespace nodeagent
