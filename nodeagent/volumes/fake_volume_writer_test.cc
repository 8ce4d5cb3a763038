#include "nodeagent/testing/fake_volume_writer.h"

#include <gtest/gtest.h>

#include "nodeagent/testing/volume_writer_contract.h"

namespace nodeagent {
namespace {

class FakeWorld final : public VolumeWriterWorld {
 public:
  base::LoopRunner& runner() override { return runner_; }
  VolumeWriter& writer() override { return writer_; }
  std::string directory() override { return "/pods/uid"; }
  std::string Read(const std::string& path) override { return writer_.Read(path); }
  void Put(const std::string& path, const std::string& content) override {
    writer_.SetFile(path, content);
  }

 private:
  base::SimRunner runner_;
  base::Faults faults_{1};
  FakeVolumeWriter writer_{runner_.loop(), faults_};
};

std::unique_ptr<VolumeWriterWorld> MakeFake() { return std::make_unique<FakeWorld>(); }

INSTANTIATE_TEST_SUITE_P(VolumeWriters, VolumeWriterContract,
                         testing::Values(VolumeWriterUnderTest{"Fake", &MakeFake}),
                         VolumeWriterName);

}  // namespace
}  // namespace nodeagent
