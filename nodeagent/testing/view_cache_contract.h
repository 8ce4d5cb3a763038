// What every ViewCache promises, as a test suite. An implementation passes it by one line in its
// test:
//   INSTANTIATE_TEST_SUITE_P(ViewCaches, ViewCacheContract,
//                            testing::Values(ViewCacheUnderTest{"Memory", &MakeMemory}),
//                            ViewCacheName);
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "nodeagent/session/view_cache.h"

namespace nodeagent {

// A place that holds nothing yet.
class ViewCacheWorld {
 public:
  virtual ~ViewCacheWorld() = default;
  // The cache of that place, as an agent that has just started sees it.
  virtual ViewCache& Open() = 0;
};

struct ViewCacheUnderTest {
  std::string name;
  std::unique_ptr<ViewCacheWorld> (*make)();
};

void PrintTo(const ViewCacheUnderTest& cache, std::ostream* out);

// Names the cases; being defined beside the suite, it also makes the linker bring the suite in.
std::string ViewCacheName(const testing::TestParamInfo<ViewCacheUnderTest>& info);

class ViewCacheContract : public testing::TestWithParam<ViewCacheUnderTest> {
 protected:
  // What an agent that starts finds: "EPOCH at REVISION", then "REVISION KEY DOCUMENT" a line.
  std::string Found();

  const std::unique_ptr<ViewCacheWorld> world_ = GetParam().make();
};

}  // namespace nodeagent
