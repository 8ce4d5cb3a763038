// The backup is read twice: once to know that it is whole, then to write. A marker stands in the
// directory for as long as it is written to, so that a crash leaves nothing that looks restored.
//
// What a backup says is believed only where it can be so: frames in their order, revisions that
// leave room behind them and stand once, each object under its own key. What is wrong with a
// repository (Git could not read it, its branch is none) costs that repository only: it is made
// empty, and named.
#include "plumb/server/edge/restore.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "base/edge/files.h"
#include "gitsync/edge/git_bundle.h"
#include "gitsync/plan/repository.h"
#include "gitsync/source/git_rules.h"
#include "manifests/schema.h"
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
  const char* end = text.data() + text.size();
  if (text.empty() || std::from_chars(text.data(), end, value).ptr != end) {
    return Status(Code::kCorruption, "the backup's first frame holds no revision");
  }
  if (value > std::numeric_limits<uint64_t>::max() - kRestoreGap) {
    return Status(Code::kCorruption,
                  "the backup's revision " + std::string(text) + " leaves no room for later ones");
  }
  return value;
}

// NAME of "git/NAME.bundle"; empty for other paths.
std::string RepositoryOfFile(std::string_view path) {
  constexpr std::string_view kDirectory = "git/";
  if (!path.starts_with(kDirectory) || !path.ends_with(kBundleEnd)) return "";
  path.remove_prefix(kDirectory.size());
  path.remove_suffix(std::min(path.size(), kBundleEnd.size()));
  return gitsync::CheckRepositoryName(path).ok() ? std::string(path) : "";
}

// "pki/NAME" of a plumb that kept its credentials in files, with a NAME that leads nowhere else.
bool IsOldFile(std::string_view path) {
  constexpr std::string_view kDirectory = "pki/";
  if (!path.starts_with(kDirectory)) return false;
  const std::string_view name = path.substr(kDirectory.size());
  return !name.empty() && name.front() != '.' && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

// Whether the key is what the document says of itself. Of a kind that this plumb does not know, the
// resource cannot be told.
bool IsUnderItsKey(const state::Object& object) {
  const manifests::Kind* kind = manifests::Schema::BuiltIn()->FindKind(
      object["apiVersion"].AsString(), object["kind"].AsString());
  return object.Meta("name").AsString() == object.key.name &&
         object.Meta("namespace").AsString() == object.key.ns &&
         (kind == nullptr || kind->Resource() == object.key.resource);
}

// What a frame means, checked; the subclasses do something with it.
class Consumer {
 public:
  virtual ~Consumer() = default;
  Status Take(const BackupFrame& frame) {
    RETURN_IF_ERROR(CheckPlace(frame.kind));
    switch (frame.kind) {
      case FrameKind::kHead: return Head(frame.payload);
      case FrameKind::kObject: return TakeObject(frame.payload);
      case FrameKind::kFile: return TakeFile(frame.payload);
      case FrameKind::kData: return Data(frame.payload);
      case FrameKind::kEnd: return End(frame.payload);
      default:
        return Status(Code::kCorruption, "the backup holds a frame that this plumb does not know");
    }
  }
  const BackupSummary& summary() const { return summary_; }

 protected:
  // A hosted repository, as its GitRepository has it.
  struct Repository {
    std::string branch;
    bool has_bundle = false;
    std::string left_out;  // why it comes back empty
  };

  virtual Status Object(const state::Record& record) = 0;
  virtual Status BeginFile(const std::string& path) = 0;
  virtual Status Data(std::string_view bytes) = 0;

  std::map<std::string, Repository>& repositories() { return repositories_; }
  void LeaveOut(const std::string& what, const std::string& why) {
    summary_.left_out.push_back(what + " is left out: " + why);
  }

 private:
  // One head, objects, files each with its data, the end.
  Status CheckPlace(FrameKind kind) {
    constexpr std::string_view kOrder = "HOFZ";
    constexpr size_t kHeads = 0, kFiles = 2;
    const bool data = kind == FrameKind::kData;
    const size_t place = data ? kFiles : kOrder.find(static_cast<char>(kind));
    if (place == std::string_view::npos) return Status();  // of which more is to be said
    const bool in_order = place == kHeads ? !place_ : place_ && place >= *place_;
    const bool of_a_file = !data || place_ == kFiles;
    place_ = place;
    if (in_order && of_a_file) return Status();
    return Status(Code::kCorruption, "the backup holds a frame out of its place");
  }

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
    const state::Object& object = *record.object;
    if (record.removed || !record.last || !IsUnderItsKey(object)) {
      return Status(Code::kCorruption, "the backup holds " + object.key.ToString() +
                                           " under a key that is not its own");
    }
    if (!revisions_.insert(revision).second || !keys_.insert(object.key).second) {
      return Status(Code::kCorruption, "the backup holds " + object.key.ToString() +
                                           " twice, or two objects of one revision");
    }
    ++summary_.objects;
    // What others made of the kind elsewhere is no repository of plumb's.
    if (object.key.resource == gitsync::kGitRepositories &&
        object.key.ns == gitsync::kSystemNamespace) {
      AddRepository(object);
    }
    return Object(record);
  }

  void AddRepository(const state::Object& object) {
    const std::string& name = object.key.name;
    if (const Status named = gitsync::CheckRepositoryName(name); !named.ok()) {
      return LeaveOut("repository " + name, std::string(named.message()));
    }
    std::string branch(gitsync::BranchIn(object));
    if (!gitsync::CheckRefName("refs/heads/" + branch).ok()) {
      summary_.left_out.push_back("repository " + name +
                                  " deploys nothing until spec.ref.branch "
                                  "of its GitRepository, \"" +
                                  branch + "\", names a branch");
      branch = "main";
    }
    ++summary_.repositories;
    repositories_[name].branch = std::move(branch);
  }

  Status TakeFile(const std::string& path) {
    const std::string repository = RepositoryOfFile(path);
    if (repository.empty() && !IsOldFile(path)) {
      return Status(Code::kCorruption, "the backup holds a file of a strange name");
    }
    if (const auto known = repositories_.find(repository); known != repositories_.end()) {
      known->second.has_bundle = true;
    } else if (!repository.empty()) {
      LeaveOut(path, "there is no repository of that name");
    }
    return BeginFile(path);
  }

  Status End(const std::string& payload) {
    ASSIGN_OR_RETURN(const Json end, base::ParseJson(payload));
    for (const Json& each : end["leftOut"].Elements()) {
      const std::string name(each["repository"].AsString());
      LeaveOut("repository " + name, std::string(each["why"].AsString()));
      const auto known = repositories_.find(name);
      if (known != repositories_.end()) known->second.left_out = each["why"].AsString();
    }
    if (end["objects"].AsInt() == summary_.objects) return Status();
    return Status(Code::kCorruption, "the backup says that it holds " +
                                         std::to_string(end["objects"].AsInt()) + " objects, " +
                                         std::to_string(summary_.objects) + " are there");
  }

  BackupSummary summary_;
  std::optional<size_t> place_;  // of the last frame
  std::set<Revision> revisions_;
  std::set<state::Key> keys_;
  std::map<std::string, Repository> repositories_;
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
    return Put(state::RecordKey(record.object->revision), state::EncodeRecord(record));
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
    file_ = base::UniqueFd(
        open(file_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
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

  // A bundle that Git does not take costs its repository's history, and nothing else.
  Status MakeRepositories() {
    const std::unique_ptr<gitsync::GitStore> store = gitsync::OpenGitStore(git_);
    for (const auto& [name, repository] : repositories()) {
      RETURN_IF_ERROR(store->Create(name, repository.branch));
      if (!repository.has_bundle || !repository.left_out.empty()) continue;
      const Status taken =
          gitsync::ReadBundle(git_, name, git_.root + "/" + name + std::string(kBundleEnd));
      if (taken.ok()) continue;
      LeaveOut("repository " + name, std::string(taken.message()));
      RETURN_IF_ERROR(store->Delete(name));
      RETURN_IF_ERROR(store->Create(name, repository.branch));
    }
    ASSIGN_OR_RETURN(const std::vector<std::string> names, base::ListDirectory(git_.root));
    for (const std::string& name : names) {
      if (name.ends_with(kBundleEnd)) RETURN_IF_ERROR(base::RemoveTree(git_.root + "/" + name));
    }
    return Status();
  }

  const DataDirectory data_;
  gitsync::GitHostOptions git_;
  std::unique_ptr<state::Storage> storage_;
  std::optional<state::BatchBuilder> batch_;
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
  summary.left_out = restorer.summary().left_out;
  return summary;
}

// A directory that somebody else made could be looked into, and changed, by that somebody.
Status MakeOwn(const std::string& data_dir) {
  const base::UniqueFd directory(
      open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid() && (errno == ELOOP || errno == ENOTDIR)) {
    return Status(Code::kInvalid, data_dir +
                                      " is no directory, or a link to one; name the directory "
                                      "itself");
  }
  if (!directory.valid()) return base::ErrnoStatus("cannot open directory " + data_dir, errno);
  struct stat about = {};
  if (fstat(directory.get(), &about) != 0 || about.st_uid != geteuid()) {
    return Status(Code::kForbidden, data_dir +
                                        " belongs to another user; restore into a directory "
                                        "of your own");
  }
  if (fchmod(directory.get(), 0700) != 0) {
    return base::ErrnoStatus("cannot close directory " + data_dir + " to others", errno);
  }
  return Status();
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

base::Result<BackupSummary> TryBackup(const std::string& path) {
  const char* wanted = std::getenv("TMPDIR");
  std::string directory =
      std::string(wanted != nullptr && *wanted != '\0' ? wanted : "/var/tmp") + "/plumb-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) {
    return base::ErrnoStatus("cannot create a directory like " + directory, errno);
  }
  base::Result<BackupSummary> tried = RestoreBackup(path, directory);
  RETURN_IF_ERROR(base::RemoveTree(directory));
  return tried;
}

base::Result<BackupSummary> RestoreBackup(const std::string& path, const std::string& data_dir) {
  RETURN_IF_ERROR(CheckBackup(path).status());
  RETURN_IF_ERROR(base::MakeDirectories(data_dir, 0700));
  RETURN_IF_ERROR(MakeOwn(data_dir));
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
