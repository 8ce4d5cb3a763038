// A ViewCache that survives its agent, for tests.
#pragma once

#include <optional>

#include "nodeagent/session/view_cache.h"

namespace nodeagent {

class MemoryViewCache final : public ViewCache {
 public:
  std::optional<CachedView> Load() override { return saved; }
  base::Status Save(const CachedView& view) override {
    saved = view;
    return {};
  }
  std::optional<CachedView> saved;
};

}  // namespace nodeagent
