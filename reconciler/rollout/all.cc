#include "base/status.h"
#include "reconciler/rollout/strategy.h"

// One a file of this folder: Name stands for kName, which that file defines.
#define FOR_EACH_STRATEGY(DO) \
  DO(RollingUpdate)           \
  DO(Recreate)

namespace reconciler {

#define DECLARE(NAME) extern const Strategy k##NAME;
FOR_EACH_STRATEGY(DECLARE)
#undef DECLARE

const Strategy& StrategyOf(base::Value spec) {
  const std::string_view type = spec["strategy"]["type"].AsString("RollingUpdate");
#define TRY(NAME) \
  if (type == k##NAME.type) return k##NAME;
  FOR_EACH_STRATEGY(TRY)
#undef TRY
  CHECK(!"the schema names no other strategy");
  return kRollingUpdate;
}

}  // namespace reconciler
