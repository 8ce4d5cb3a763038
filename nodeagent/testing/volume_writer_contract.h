// What every VolumeWriter promises, as a test suite. An implementation passes it by one line in its
// test:
//   INSTANTIATE_TEST_SUITE_P(VolumeWriters, VolumeWriterContract,
//                            testing::Values(VolumeWriterUnderTest{"Fake", &MakeFake}),
//                            VolumeWriterName);
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "base/testing/loop_runner.h"
#include "nodeagent/volumes/volume_writer.h"

namespace nodeagent {

// Owns a writer, the loop that it answers on, and an empty directory.
class VolumeWriterWorld {
 public:
  virtual ~VolumeWriterWorld() = default;
  virtual base::LoopRunner& runner() = 0;
  virtual VolumeWriter& writer() = 0;
  virtual std::string directory() = 0;  // of a pod; it is not there yet
  // A file as a container sees it; "absent" if there is none.
  virtual std::string Read(const std::string& path) = 0;
  // Writes a file, as a container does; its directory is there.
  virtual void Put(const std::string& path, const std::string& content) = 0;
};

struct VolumeWriterUnderTest {
  std::string name;
  std::unique_ptr<VolumeWriterWorld> (*make)();
};

void PrintTo(const VolumeWriterUnderTest& writer, std::ostream* out);

// Names the cases; being defined beside the suite, it also makes the linker bring the suite in.
std::string VolumeWriterName(const testing::TestParamInfo<VolumeWriterUnderTest>& info);

class VolumeWriterContract : public testing::TestWithParam<VolumeWriterUnderTest> {
 protected:
  // Makes a call on the loop; what it said, when it has answered: "OK".
  std::string Do(const std::function<void(VolumeWriter::DoneStatus)>& call);
  std::string Write(const VolumeWrite& volume);
  std::string Prepare(const std::vector<FileContent>& files,
                      const std::vector<SubPath>& sub_paths = {});
  std::string Message(const std::string& file, const std::string& log);
  std::string Read(const std::string& path) { return world_->Read(pod_ + "/" + path); }

  const std::unique_ptr<VolumeWriterWorld> world_ = GetParam().make();
  const std::string pod_ = world_->directory();
};

}  // namespace nodeagent
