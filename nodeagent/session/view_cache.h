// ViewCache: where an agent keeps its View, so that it can restart without the control plane.
#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "state/view.h"

namespace nodeagent {

struct CachedView {
  std::string epoch;  // of the history that the View's revision is in
  state::View view;
};

class ViewCache {
 public:
  virtual ~ViewCache() = default;
  // What was saved last; nothing if there is none, or if it does not read back whole: then the
  // agent asks for everything. Blocks.
  virtual std::optional<CachedView> Load() = 0;
  // Replaces what is saved, all or nothing. Blocks; any thread, one call at a time.
  virtual base::Status Save(const CachedView& view) = 0;
};

}  // namespace nodeagent
