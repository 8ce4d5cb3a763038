#include "nodeagent/testing/memory_view_cache.h"

#include <gtest/gtest.h>

#include "nodeagent/testing/view_cache_contract.h"

namespace nodeagent {
namespace {

class MemoryWorld final : public ViewCacheWorld {
 public:
  ViewCache& Open() override { return cache_; }

 private:
  MemoryViewCache cache_;
};

std::unique_ptr<ViewCacheWorld> MakeMemory() { return std::make_unique<MemoryWorld>(); }

INSTANTIATE_TEST_SUITE_P(ViewCaches, ViewCacheContract,
                         testing::Values(ViewCacheUnderTest{"Memory", &MakeMemory}), ViewCacheName);

}  // namespace
}  // namespace nodeagent
