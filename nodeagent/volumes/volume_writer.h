// VolumeWriter: what puts a pod's files on the machine. A seam: edge/volume_writer does it,
// testing/fake_volume_writer remembers it.
//
// Called on the loop, answers on the loop, later, exactly once. All verbs are idempotent. A pod's
// files live in one directory of its own, `directory` below:
//   volumes/NAME/...   a volume, mounted whole; a volume of files switches to new content at once
//   files/...          single files that are mounted into containers
//   subpaths/...       what containers mount of a volume that they do not mount whole
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace nodeagent {

struct FileContent {
  std::string path;  // relative, without ".."
  std::string content;
  uint32_t mode = 0644;
};

struct VolumeWrite {
  enum class Kind { kFiles, kDirectory, kHost };
  std::string name;
  Kind kind = Kind::kFiles;
  std::vector<FileContent> files;  // kFiles: all of it, by path
  bool in_memory = false;          // on a tmpfs
  int64_t size_limit = 0;          // bytes, of a directory in memory; 0: none
  std::optional<int64_t> group;    // fsGroup
  std::string host_path;           // kHost
  std::string host_type;           // kHost: "", "DirectoryOrCreate", "File", ... of HostPathVolume
  std::string version;             // equal versions have equal content
};

// What a container mounts of a volume instead of all of it.
struct SubPath {
  std::string base;  // the volume's directory
  std::string path;  // below it
  std::string
      place;  // where it is to be found: below the pod's directory, subpaths/INSTANCE/NUMBER
};
inline constexpr char kSubPathsDirectory[] = "subpaths";

class VolumeWriter {
 public:
  using DoneStatus = std::function<void(base::Status)>;
  template <typename T>
  using Done = std::function<void(base::Result<T>)>;

  virtual ~VolumeWriter() = default;

  virtual void Write(const std::string& directory, std::vector<VolumeWrite> volumes,
                     DoneStatus done) = 0;
  // What a container needs before it is created. Missing sub-paths are made as directories; one
  // that leads out of its volume is kForbidden. A place shows what its sub-path was at this moment,
  // whatever containers put there later, until it is removed or prepared anew.
  virtual void Prepare(const std::string& directory, std::vector<FileContent> files,
                       std::vector<SubPath> sub_paths, DoneStatus done) = 0;
  // What a container said at its end: the file, or, if that is empty and there is a log path, the
  // end of that log. "" if neither says anything.
  virtual void ReadMessage(const std::string& file, const std::string& log_path,
                           Done<std::string> done) = 0;
  // Unmounts and removes all of it; links are not followed, and what a place shows stays.
  virtual void Remove(const std::vector<std::string>& directories, DoneStatus done) = 0;
};

// Kubernetes' limits of termination messages: bytes of the file, bytes and lines of the log.
inline constexpr size_t kMaxMessageBytes = 4096;
inline constexpr size_t kMaxLogMessageBytes = 2048;
inline constexpr size_t kMaxLogMessageLines = 80;

}  // namespace nodeagent
