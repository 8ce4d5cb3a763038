// FakeVolumeWriter: a VolumeWriter that keeps files in memory, on a Loop's (virtual) time.
//
// Fault points: volumes.write.error, volumes.prepare.error, volumes.remove.error,
// volumes.read.error. Loop only. Like a disk it outlives its agent.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/faults.h"
#include "base/loop.h"
#include "nodeagent/volumes/volume_writer.h"

namespace nodeagent {

class FakeVolumeWriter final : public VolumeWriter {
 public:
  FakeVolumeWriter(base::Loop& loop, base::Faults& faults) : loop_(loop), faults_(faults) {}

  // The content of "DIRECTORY/volumes/NAME/PATH" or "DIRECTORY/files/PATH"; "absent" if it is not
  // there.
  std::string Read(const std::string& path) const;
  void SetFile(const std::string& path, const std::string& content) { files_[path] = content; }
  size_t file_count() const { return files_.size(); }
  uint64_t writes() const { return writes_; }  // of volumes

  void Write(const std::string& directory, std::vector<VolumeWrite> volumes,
             DoneStatus done) override;
  void Prepare(const std::string& directory, std::vector<FileContent> files,
               std::vector<SubPath> sub_paths, DoneStatus done) override;
  void ReadMessage(const std::string& file, const std::string& log_path,
                   Done<std::string> done) override;
  void Remove(const std::vector<std::string>& directories, DoneStatus done) override;

 private:
  void RemoveBelow(const std::string& directory);
  void Answer(const char* verb, DoneStatus done);

  base::Loop& loop_;
  base::Faults& faults_;
  std::map<std::string, std::string> files_;   // content by path; a directory is a path with "/"
  std::map<std::string, std::string> places_;  // what the place of a sub-path shows
  uint64_t writes_ = 0;
};

}  // namespace nodeagent
