#include "nodeagent/testing/fake_volume_writer.h"

#include <sstream>
#include <utility>

namespace nodeagent {
namespace {

constexpr base::Duration kDiskTime = base::Duration::Millis(2);

// What was written to a container's log, without each line's "TIME STREAM TAG ".
std::string TextOfLog(const std::string& log) {
  std::istringstream in(log);
  std::string text;
  for (std::string line; std::getline(in, line);) {
    for (int word = 0; word < 3; ++word) line.erase(0, line.find(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace

std::string FakeVolumeWriter::Read(const std::string& path) const {
  for (const auto& [place, shown] : places_) {
    if (path.starts_with(place + "/")) return Read(shown + path.substr(place.size()));
  }
  const auto file = files_.find(path);
  return file == files_.end() ? "absent" : file->second;
}

void FakeVolumeWriter::RemoveBelow(const std::string& directory) {
  const auto below = [&](const auto& entry) { return entry.first.starts_with(directory + "/"); };
  std::erase_if(files_, below);
  std::erase_if(places_, below);
}

void FakeVolumeWriter::Answer(const char* verb, DoneStatus done) {
  base::Status status;
  const std::string point = std::string("volumes.") + verb + ".error";
  if (faults_.Hit(point)) status = base::Status(base::Code::kInternal, "fault " + point);
  loop_.After(kDiskTime, [done = std::move(done), status] { done(status); });
}

void FakeVolumeWriter::Write(const std::string& directory, std::vector<VolumeWrite> volumes,
                             DoneStatus done) {
  Answer("write", [this, directory, volumes = std::move(volumes),
                   done = std::move(done)](const base::Status& status) {
    if (!status.ok()) return done(status);
    for (const VolumeWrite& volume : volumes) {
      ++writes_;
      const std::string path = directory + "/volumes/" + volume.name;
      if (volume.kind == VolumeWrite::Kind::kFiles) RemoveBelow(path);
      if (volume.kind != VolumeWrite::Kind::kHost) files_.emplace(path + "/", "");
      for (const FileContent& file : volume.files) files_[path + "/" + file.path] = file.content;
    }
    done({});
  });
}

void FakeVolumeWriter::Prepare(const std::string& directory, std::vector<FileContent> files,
                               std::vector<SubPath> sub_paths, DoneStatus done) {
  Answer("prepare", [this, directory, files = std::move(files), sub_paths = std::move(sub_paths),
                     done = std::move(done)](const base::Status& status) {
    if (!status.ok()) return done(status);
    for (const FileContent& file : files) files_[directory + "/files/" + file.path] = file.content;
    for (const SubPath& sub : sub_paths) {
      files_.emplace(sub.base + "/" + sub.path + "/", "");
      places_[sub.place] = sub.base + "/" + sub.path;
    }
    done({});
  });
}

void FakeVolumeWriter::ReadMessage(const std::string& file, const std::string& log_path,
                                   Done<std::string> done) {
  Answer("read", [this, file, log_path, done = std::move(done)](const base::Status& status) {
    if (!status.ok()) return done(status);
    const auto message = files_.find(file), log = files_.find(log_path);
    if (message != files_.end() && !message->second.empty()) return done(message->second);
    done(log == files_.end() ? "" : TextOfLog(log->second));
  });
}

void FakeVolumeWriter::Remove(const std::vector<std::string>& directories, DoneStatus done) {
  Answer("remove", [this, directories, done = std::move(done)](const base::Status& status) {
    if (!status.ok()) return done(status);
    for (const std::string& directory : directories) RemoveBelow(directory);
    done({});
  });
}

}  // namespace nodeagent
