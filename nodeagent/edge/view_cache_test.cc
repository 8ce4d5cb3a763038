#include "nodeagent/edge/view_cache.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/edge/files.h"
#include "nodeagent/testing/view_cache_contract.h"

namespace nodeagent {
namespace {

class FileWorld final : public ViewCacheWorld {
 public:
  FileWorld() { CHECK(mkdtemp(root_.data()) != nullptr); }
  ~FileWorld() override { (void)base::RemoveTree(root_); }
  ViewCache& Open() override {
    cache_ = std::make_unique<FileViewCache>(root_ + "/view");
    return *cache_;
  }

 private:
  std::string root_ = "/tmp/plumb-view-XXXXXX";
  std::unique_ptr<FileViewCache> cache_;
};

std::unique_ptr<ViewCacheWorld> MakeFile() { return std::make_unique<FileWorld>(); }

INSTANTIATE_TEST_SUITE_P(ViewCaches, ViewCacheContract,
                         testing::Values(ViewCacheUnderTest{"File", &MakeFile}), ViewCacheName);

}  // namespace
}  // namespace nodeagent
