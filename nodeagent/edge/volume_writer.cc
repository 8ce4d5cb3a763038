// Rules:
// - A volume of files looks as Kubernetes makes it: the files stand in a hidden directory that is
//   named after their version, `..data` is a link to it, and each name is a link through `..data`.
//   Renaming a new `..data` over the old one switches all files at once; the old directory goes
//   after it. A volume whose `..data` points to the wanted version is left alone, so that an agent
//   that was restarted rewrites nothing.
// - Secrets and volumes in memory are on a tmpfs of their own; where mounting is forbidden, secrets
//   fall back to the disk, readable for root alone above the volume.
// - Nothing that a container could have put in place is followed: sub-paths are opened once and
//   mounted as they were found (sub_path), removal unmounts without following and descends by
//   descriptors.
#include "nodeagent/edge/volume_writer.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string_view>
#include <utility>

#include "base/edge/files.h"
#include "base/lifeline.h"
#include "base/log.h"
#include "nodeagent/edge/log_reader.h"
#include "nodeagent/edge/sub_path.h"

namespace nodeagent {
namespace {

constexpr char kDataLink[] = "..data";
constexpr char kNewDataLink[] = "..data_new";
constexpr mode_t kPodDirectoryMode = 0700;
constexpr mode_t kVolumeMode = 0755;
constexpr mode_t kEmptyDirMode = 0777;

base::Status Write(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return base::ErrnoStatus("cannot write " + path, errno);
    content.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

base::Status WriteFile(const std::string& path, const FileContent& file,
                       std::optional<int64_t> group) {
  base::UniqueFd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) return base::ErrnoStatus("cannot make " + path, errno);
  RETURN_IF_ERROR(Write(fd.get(), file.content, path));
  mode_t mode = file.mode;
  if (group) {
    if (fchown(fd.get(), static_cast<uid_t>(-1), static_cast<gid_t>(*group)) != 0) {
      return base::ErrnoStatus("cannot set the group of " + path, errno);
    }
    mode |= 0440;
  }
  if (fchmod(fd.get(), mode) != 0)
    return base::ErrnoStatus("cannot set the mode of " + path, errno);
  return {};
}

std::string ReadLink(const std::string& path) {
  char target[4096];
  const ssize_t length = readlink(path.c_str(), target, sizeof target);
  return length < 0 ? "" : std::string(target, static_cast<size_t>(length));
}

bool IsMountPoint(const std::string& path) {
  struct stat own, parent;
  return stat(path.c_str(), &own) == 0 && stat((path + "/..").c_str(), &parent) == 0 &&
         own.st_dev != parent.st_dev;
}

base::Status MountMemory(const std::string& path, int64_t size_limit) {
  if (IsMountPoint(path)) return {};
  std::string options = "mode=0755";
  if (size_limit > 0) options += ",size=" + std::to_string(size_limit);
  if (mount("tmpfs", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) == 0) return {};
  return base::ErrnoStatus("cannot mount memory at " + path, errno);
}

std::string FirstName(const std::string& path) { return path.substr(0, path.find('/')); }

base::Status FillVersion(const std::string& directory, const VolumeWrite& volume) {
  RETURN_IF_ERROR(base::RemoveTree(directory));
  RETURN_IF_ERROR(base::MakeDirectories(directory, kVolumeMode));
  for (const FileContent& file : volume.files) {
    const std::string path = directory + "/" + file.path;
    RETURN_IF_ERROR(base::MakeDirectories(path.substr(0, path.rfind('/')), kVolumeMode));
    RETURN_IF_ERROR(WriteFile(path, file, volume.group));
  }
  return {};
}

base::Status ReplaceLink(const std::string& target, const std::string& new_path,
                         const std::string& path) {
  unlink(new_path.c_str());
  if (symlink(target.c_str(), new_path.c_str()) != 0) {
    return base::ErrnoStatus("cannot make the link " + new_path, errno);
  }
  if (rename(new_path.c_str(), path.c_str()) != 0) {
    return base::ErrnoStatus("cannot switch the link " + path, errno);
  }
  return {};
}

// Links for the names of this version, and nothing of the versions before.
base::Status TidyNames(const std::string& directory, const std::string& version,
                       const VolumeWrite& volume) {
  std::set<std::string> names;
  for (const FileContent& file : volume.files) names.insert(FirstName(file.path));
  for (const std::string& name : names) {
    const std::string path = directory + "/" + name;
    const std::string target = std::string(kDataLink) + "/" + name;
    if (ReadLink(path) == target) continue;
    RETURN_IF_ERROR(base::RemoveTree(path));
    if (symlink(target.c_str(), path.c_str()) != 0) {
      return base::ErrnoStatus("cannot make the link " + path, errno);
    }
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> found, base::ListDirectory(directory));
  for (const std::string& name : found) {
    if (name == kDataLink || name == version || names.count(name) != 0) continue;
    RETURN_IF_ERROR(base::RemoveTree(directory + "/" + name));
  }
  return {};
}

base::Status WriteFiles(const std::string& directory, const VolumeWrite& volume) {
  const std::string version = ".." + volume.version;
  if (ReadLink(directory + "/" + kDataLink) != version) {
    RETURN_IF_ERROR(FillVersion(directory + "/" + version, volume));
    RETURN_IF_ERROR(
        ReplaceLink(version, directory + "/" + kNewDataLink, directory + "/" + kDataLink));
  }
  return TidyNames(directory, version, volume);
}

base::Status WriteEmptyDir(const std::string& directory, const VolumeWrite& volume) {
  const mode_t set_group = volume.group ? S_ISGID : 0;
  if (volume.group &&
      chown(directory.c_str(), static_cast<uid_t>(-1), static_cast<gid_t>(*volume.group)) != 0) {
    return base::ErrnoStatus("cannot set the group of " + directory, errno);
  }
  if (chmod(directory.c_str(), kEmptyDirMode | set_group) != 0) {
    return base::ErrnoStatus("cannot set the mode of " + directory, errno);
  }
  return {};
}

base::Status CheckHostPath(const VolumeWrite& volume) {
  const std::string& path = volume.host_path;
  if (volume.host_type == "DirectoryOrCreate") return base::MakeDirectories(path, kVolumeMode);
  if (volume.host_type == "FileOrCreate") {
    const base::UniqueFd file(open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0644));
    if (!file.valid()) return base::ErrnoStatus("cannot make " + path, errno);
    return {};
  }
  if (volume.host_type.empty()) return {};
  struct stat info;
  const bool exists = stat(path.c_str(), &info) == 0;
  const mode_t type = exists ? info.st_mode & S_IFMT : 0;
  const bool fits = (volume.host_type == "Directory" && type == S_IFDIR) ||
                    (volume.host_type == "File" && type == S_IFREG) ||
                    (volume.host_type == "Socket" && type == S_IFSOCK) ||
                    (volume.host_type == "CharDevice" && type == S_IFCHR) ||
                    (volume.host_type == "BlockDevice" && type == S_IFBLK);
  if (fits) return {};
  return base::Status(base::Code::kNotFound,
                      "hostPath " + path +
                          (exists ? " is not of type " : " does not exist; it shall be a ") +
                          volume.host_type);
}

base::Status WriteVolume(const std::string& pod_directory, const VolumeWrite& volume) {
  if (volume.kind == VolumeWrite::Kind::kHost) return CheckHostPath(volume);
  RETURN_IF_ERROR(base::MakeDirectories(pod_directory, kPodDirectoryMode));
  const std::string directory = pod_directory + "/volumes/" + volume.name;
  RETURN_IF_ERROR(base::MakeDirectories(directory, kVolumeMode));
  const bool files = volume.kind == VolumeWrite::Kind::kFiles;
  if (volume.in_memory) {
    const base::Status mounted = MountMemory(directory, volume.size_limit);
    if (!mounted.ok() && !files) return mounted;
    if (!mounted.ok()) {
      base::LogWarning("a volume with secrets is on disk", {{"why", mounted.ToString()}});
    }
  }
  return files ? WriteFiles(directory, volume) : WriteEmptyDir(directory, volume);
}

base::Status WriteAll(const std::string& directory, const std::vector<VolumeWrite>& volumes) {
  for (const VolumeWrite& volume : volumes) {
    const base::Status written = WriteVolume(directory, volume);
    if (!written.ok()) return written.WithContext("volume \"" + volume.name + "\"");
  }
  return {};
}

base::Status PrepareAll(const std::string& directory, const std::vector<FileContent>& files,
                        const std::vector<SubPath>& sub_paths) {
  if (!files.empty()) {
    RETURN_IF_ERROR(base::MakeDirectories(directory, kPodDirectoryMode));
    RETURN_IF_ERROR(base::MakeDirectories(directory + "/files", kPodDirectoryMode));
  }
  for (const FileContent& file : files) {
    RETURN_IF_ERROR(WriteFile(directory + "/files/" + file.path, file, std::nullopt));
  }
  for (const SubPath& sub : sub_paths) RETURN_IF_ERROR(MountSubPath(sub));
  return {};
}

base::Status RemoveAll(const std::vector<std::string>& directories) {
  for (const std::string& directory : directories) {
    UnmountEntries(directory);
    UnmountEntries(directory + "/volumes");
    const std::string sub_paths = directory + "/" + kSubPathsDirectory;
    if (const auto instances = base::ListDirectory(sub_paths); instances.ok()) {
      for (const std::string& instance : *instances) UnmountEntries(sub_paths + "/" + instance);
    }
    RETURN_IF_ERROR(base::RemoveTree(directory));
  }
  return {};
}

base::Result<std::string> MessageOf(const std::string& file, const std::string& log_path) {
  const base::UniqueFd fd(open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (fd.valid()) {
    std::string content(kMaxMessageBytes, '\0');
    const ssize_t length = read(fd.get(), content.data(), content.size());
    if (length < 0) return base::ErrnoStatus("cannot read " + file, errno);
    content.resize(static_cast<size_t>(length));
    if (!content.empty()) return content;
  }
  if (log_path.empty()) return std::string();
  base::Result<std::string> end = ReadLogEnd(log_path, kMaxLogMessageLines, kMaxLogMessageBytes);
  if (end.status().code() == base::Code::kNotFound) return std::string();
  return end;
}

class EdgeVolumeWriter final : public VolumeWriter {
 public:
  explicit EdgeVolumeWriter(base::Loop& loop) : loop_(loop) {}

  void Write(const std::string& directory, std::vector<VolumeWrite> volumes,
             DoneStatus done) override {
    Run<base::Status>(
        [directory, volumes = std::move(volumes)] { return WriteAll(directory, volumes); },
        std::move(done));
  }
  void Prepare(const std::string& directory, std::vector<FileContent> files,
               std::vector<SubPath> sub_paths, DoneStatus done) override {
    Run<base::Status>(
        [directory, files = std::move(files), sub_paths = std::move(sub_paths)] {
          return PrepareAll(directory, files, sub_paths);
        },
        std::move(done));
  }
  void ReadMessage(const std::string& file, const std::string& log_path,
                   Done<std::string> done) override {
    Run<base::Result<std::string>>([file, log_path] { return MessageOf(file, log_path); },
                                   std::move(done));
  }
  void Remove(const std::vector<std::string>& directories, DoneStatus done) override {
    Run<base::Status>([directories] { return RemoveAll(directories); }, std::move(done));
  }

 private:
  template <typename Answer>
  void Run(std::function<Answer()> work, std::function<void(Answer)> done) {
    loop_.Offload([work = std::move(work), done = std::move(done),
                   tie = lifeline_.tie()]() -> base::Loop::Task {
      return tie.Wrap([answer = work(), done] { done(answer); });
    });
  }

  base::Loop& loop_;
  base::Lifeline lifeline_;
};

}  // namespace

std::unique_ptr<VolumeWriter> NewVolumeWriter(base::Loop& loop) {
  return std::make_unique<EdgeVolumeWriter>(loop);
}

}  // namespace nodeagent
