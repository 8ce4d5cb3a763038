// The backup is read twice: once to know that it is whole, then to write. A marker stands in the
// directory for as long as it is written to, so that a crash leaves nothing that looks restored.
#include "plumb/server/edge/restore.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <map>
#include <optional>

#include "base/edge/files.h"
#include "gitsync/edge/git_bundle.h"
#include "gitsync/plan/repository.h"
#include "plumb/data_directory.h"
#include "plumb/reports/backup_format.h"
#include "state/edge/leveldb_storage.h"
#include "state/record.h"

namespace plumb {
namespace {

using base::Code;
using base::Json;
using base::Status;
using state::Revision;

constexpr size_t kReadBytes = 1 << 20;
constexpr std::string_view kBundleEnd = ".bundle";

base::Result<uint64_t> Number(std::string_view text) {
  uint64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ptr != text.end()) {
    return Status(Code::kCorruption, "the backup's first frame holds no revision");
  }
  return value;
}

// "git/NAME.bundle", or "pki/NAME" of a plumb that kept its credentials in files, with a NAME that
// leads nowhere else.
bool IsFilePath(std::string_view path) {
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view directory = path.substr(0, slash), name = path.substr(slash + 1);
  if (name.empty() || name.front() == '.' || name.find('/') != std::string_view::npos) return false;
  if (name.find('\0') != std::string_view::npos) return false;
  return directory == "pki" || directory == "git";
}

// What a frame means, checked; the subclasses do something with it.
class Consumer {
 public:
  virtual ~Consumer() = default;
  Status Take(const BackupFrame& frame) {
    switch (frame.kind) {
      case FrameKind::kHead: return Head(frame.payload);
      case FrameKind::kObject: return TakeObject(frame.payload);
      case FrameKind::kFile:
        if (!IsFilePath(frame.payload)) {
          return Status(Code::kCorruption, "the backup holds a file of a strange name");
        }
        return BeginFile(frame.payload);
      case FrameKind::kData: return Data(frame.payload);
      case FrameKind::kEnd: return End(frame.payload);
      default:
        return Status(Code::kCorruption, "the backup holds a frame that this plumb does not know");
    }
  }
  const BackupSummary& summary() const { return summary_; }

 protected:
  virtual Status Object(const state::Record& record) = 0;
  virtual Status BeginFile(const std::string& path) = 0;
  virtual Status Data(std::string_view bytes) = 0;

 private:
  Status Head(const std::string& payload) {
    ASSIGN_OR_RETURN(const Json head, base::ParseJson(payload));
    if (head["storeFormat"].AsInt() > state::kFormatVersion) {
      return Status(Code::kUnavailable,
                    "the backup's objects have format " +
                        std::to_string(head["storeFormat"].AsInt()) + ", this plumb reads up to " +
                        std::to_string(state::kFormatVersion) + "; restore it with a newer plumb");
    }
    summary_.created = head["created"].AsString();
    ASSIGN_OR_RETURN(summary_.revision, Number(head["revision"].AsString()));
    return Status();
  }

  Status TakeObject(std::string_view payload) {
    if (payload.size() < sizeof(Revision)) {
      return Status(Code::kCorruption, "the backup holds an object without a revision");
    }
    ASSIGN_OR_RETURN(const Revision revision,
                     state::ParseRecordKey(std::string(state::kLogFirst) +
                                           std::string(payload.substr(0, sizeof(Revision)))));
    if (revision == 0 || revision > summary_.revision) {
      return Status(Code::kCorruption, "the backup holds an object newer than itself");
    }
    ASSIGN_OR_RETURN(const state::Record record,
                     state::DecodeRecord(revision, payload.substr(sizeof(Revision))));
    ++summary_.objects;
    summary_.repositories += record.object->key.resource == gitsync::kGitRepositories;
    return Object(record);
  }

  Status End(const std::string& payload) {
    ASSIGN_OR_RETURN(const Json end, base::ParseJson(payload));
    if (end["objects"].AsInt() == summary_.objects) return Status();
    return Status(Code::kCorruption, "the backup says that it holds " +
                                         std::to_string(end["objects"].AsInt()) + " objects, " +
                                         std::to_string(summary_.objects) + " are there");
  }

  BackupSummary summary_;
};

class Checker final : public Consumer {
  Status Object(const state::Record&) override { return Status(); }
  Status BeginFile(const std::string&) override { return Status(); }
  Status Data(std::string_view) override { return Status(); }
};

class Restorer final : public Consumer {
 public:
  explicit Restorer(std::string data_dir) : data_(std::move(data_dir)) {
    git_.root = data_.git();
    git_.hook_socket = data_.git_hook_socket();
    git_.hook_program = data_.git_hook_program();  // which the server writes
  }

  Status Open() {
    RETURN_IF_ERROR(base::MakeDirectories(data_.pki(), 0700));
    RETURN_IF_ERROR(base::MakeDirectories(git_.root, 0700));
    ASSIGN_OR_RETURN(storage_, state::OpenLevelDb(data_.store()));
    batch_.emplace(storage_->limits());
    return Status();
  }

  Status Close() {
    RETURN_IF_ERROR(EndFile());
    const Revision floor = summary().revision + kRestoreGap;
    RETURN_IF_ERROR(Put(std::string(state::kFormatKey), std::to_string(state::kFormatVersion)));
    RETURN_IF_ERROR(Put(std::string(state::kFloorKey), std::to_string(floor)));
    RETURN_IF_ERROR(Flush());
    storage_.reset();
    return MakeRepositories();
  }

 private:
  Status Object(const state::Record& record) override {
    const state::Object& object = *record.object;
    if (object.key.resource == gitsync::kGitRepositories) {
      branches_[object.key.name] = object["spec"]["ref"]["branch"].AsString("main");
    }
    return Put(state::RecordKey(object.revision), state::EncodeRecord(record));
  }

  Status Put(std::string key, std::string value) {
    if (!batch_->Fits(key.size() + value.size())) RETURN_IF_ERROR(Flush());
    batch_->Put(std::move(key), std::move(value));
    return Status();
  }

  Status Flush() { return storage_->Write(batch_->Take(), {}); }

  Status BeginFile(const std::string& path) override {
    RETURN_IF_ERROR(EndFile());
    file_path_ = data_.root() + "/" + path;
    file_ = base::UniqueFd(open(file_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file_.valid()) return base::ErrnoStatus("cannot create " + file_path_, errno);
    return Status();
  }

  Status Data(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return base::ErrnoStatus("cannot write " + file_path_, errno);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return Status();
  }

  Status EndFile() {
    if (file_.valid() && fsync(file_.get()) != 0) {
      return base::ErrnoStatus("cannot write " + file_path_, errno);
    }
    file_.Reset();
    return Status();
  }

  Status MakeRepositories() {
    const std::unique_ptr<gitsync::GitStore> store = gitsync::OpenGitStore(git_);
    for (const auto& [name, branch] : branches_) {
      RETURN_IF_ERROR(store->Create(name, branch));
      const std::string bundle = git_.root + "/" + name + std::string(kBundleEnd);
      if (access(bundle.c_str(), F_OK) != 0) continue;  // it had no commit
      RETURN_IF_ERROR(gitsync::ReadBundle(git_, name, bundle));
      RETURN_IF_ERROR(base::RemoveTree(bundle));
    }
    return Status();
  }

  const DataDirectory data_;
  gitsync::GitHostOptions git_;
  std::unique_ptr<state::Storage> storage_;
  std::optional<state::BatchBuilder> batch_;
  std::map<std::string, std::string> branches_;  // by repository
  std::string file_path_;
  base::UniqueFd file_;
};

base::Result<BackupSummary> ReadBackup(const std::string& path, Consumer& consumer) {
  const base::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return base::ErrnoStatus("cannot read " + path, errno);
  BackupReader reader;
  std::string buffer(kReadBytes, '\0');
  uint64_t bytes = 0;
  for (;;) {
    const ssize_t got = read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::ErrnoStatus("cannot read " + path, errno);
    if (got == 0) break;
    bytes += static_cast<uint64_t>(got);
    const Status status =
        reader.Feed(std::string_view(buffer).substr(0, static_cast<size_t>(got)),
                    [&](const BackupFrame& frame) { return consumer.Take(frame); });
    if (!status.ok()) return status.WithContext(path);
  }
  if (const Status status = reader.Finish(); !status.ok()) return status.WithContext(path);
  BackupSummary summary = consumer.summary();
  summary.bytes = bytes;
  return summary;
}

base::Result<BackupSummary> Fill(const std::string& path, const std::string& data_dir) {
  Restorer restorer(data_dir);
  RETURN_IF_ERROR(restorer.Open());
  ASSIGN_OR_RETURN(BackupSummary summary, ReadBackup(path, restorer));
  RETURN_IF_ERROR(restorer.Close());
  return summary;
}

Status MakeEmpty(const std::string& data_dir) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, base::ListDirectory(data_dir));
  const std::string marker = DataDirectory(data_dir).restore_marker();
  for (const std::string& name : names) {
    const std::string path = data_dir + "/" + name;
    if (path != marker) RETURN_IF_ERROR(base::RemoveTree(path));
  }
  return base::RemoveTree(marker);
}

}  // namespace

base::Result<BackupSummary> CheckBackup(const std::string& path) {
  Checker checker;
  return ReadBackup(path, checker);
}

base::Result<BackupSummary> RestoreBackup(const std::string& path, const std::string& data_dir) {
  RETURN_IF_ERROR(CheckBackup(path).status());
  RETURN_IF_ERROR(base::MakeDirectories(data_dir, 0700));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, base::ListDirectory(data_dir));
  if (!names.empty()) {
    return Status(Code::kConflict, data_dir +
                                       " is not empty; restore into another directory, or "
                                       "move away what is there");
  }
  const std::string marker = DataDirectory(data_dir).restore_marker();
  RETURN_IF_ERROR(base::WriteFileAtomic(
      marker, "plumb restore did not finish here; what is here may be removed\n", 0600));
  base::Result<BackupSummary> summary = Fill(path, data_dir);
  if (!summary.ok()) {
    (void)MakeEmpty(data_dir);  // if not, the marker stays
    return summary;
  }
  RETURN_IF_ERROR(base::RemoveTree(marker));
  return summary;
}

base::Status CheckRestored(const std::string& data_dir) {
  if (access(DataDirectory(data_dir).restore_marker().c_str(), F_OK) != 0) return Status();
  return Status(Code::kConflict, "a restore into " + data_dir +
                                     " was not finished; empty the directory and restore again");
}

}  // namespace plumb
