#include "nodeagent/edge/volume_writer.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "base/edge/files.h"
#include "base/edge/testing/real_runner.h"
#include "nodeagent/edge/sub_path.h"
#include "nodeagent/testing/volume_writer_contract.h"

namespace nodeagent {
namespace {

class DiskWorld final : public VolumeWriterWorld {
 public:
  DiskWorld() { CHECK(mkdtemp(root_.data()) != nullptr); }
  ~DiskWorld() override {
    UnmountEntries(root_ + "/pod/subpaths/main-0");
    UnmountEntries(root_ + "/pod/subpaths/main-1");
    (void)base::RemoveTree(root_);
  }
  base::LoopRunner& runner() override { return runner_; }
  VolumeWriter& writer() override { return *writer_; }
  std::string directory() override { return root_ + "/pod"; }
  std::string Read(const std::string& path) override {
    const auto text = base::ReadFile(path, 1 << 20);
    if (text.ok()) return *text;
    return text.status().code() == base::Code::kNotFound ? "absent" : text.status().ToString();
  }
  void Put(const std::string& path, const std::string& content) override {
    std::ofstream(path) << content;
  }

 private:
  std::string root_ = "/tmp/plumb-volumes-XXXXXX";
  base::RealRunner runner_;
  const std::unique_ptr<VolumeWriter> writer_ = NewVolumeWriter(runner_.loop());
};

std::unique_ptr<VolumeWriterWorld> MakeDisk() { return std::make_unique<DiskWorld>(); }

INSTANTIATE_TEST_SUITE_P(VolumeWriters, VolumeWriterContract,
                         testing::Values(VolumeWriterUnderTest{"Disk", &MakeDisk}),
                         VolumeWriterName);

}  // namespace
}  // namespace nodeagent
