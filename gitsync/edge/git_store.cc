// Repositories are directories NAME.git below the root. One is made under a temporary name and
// renamed into place, and renamed away before it is removed: no half repository is ever served.
//
// Handles stay open between calls, because a push of a large repository is read blob by blob; each
// has a lock, so that calls on one repository follow each other. Objects in quarantine are read
// through an object database of their own, made when a new quarantine directory is first asked
// for and dropped with it: what a refused push brought is never found among accepted objects.
//
// No configuration file is read, neither this machine's, which must not change what a commit means,
// nor the repository's, which says what git programs are to do.
#include <fcntl.h>
#include <git2/sys/repository.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <system_error>

#include "base/edge/files.h"
#include "gitsync/edge/git_handles.h"
#include "gitsync/edge/git_host.h"
#include "gitsync/edge/git_reader.h"
#include "gitsync/edge/git_settings.h"
#include "gitsync/edge/git_writer.h"
#include "gitsync/source/git_rules.h"

namespace gitsync {

using base::Code;
using base::Result;
using base::Status;

namespace {

inline constexpr size_t kMaxOpenRepositories = 64;
inline constexpr size_t kMaxCacheBytes = 32u << 20;  // of libgit2, over all repositories

// Once a process, before the first repository is opened.
void SetUpLibrary() {
  static std::once_flag once;
  std::call_once(once, [] {
    git_libgit2_init();
    for (const int level : {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
                            GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL}) {
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    }
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, static_cast<ssize_t>(kMaxCacheBytes));
  });
}

// What a quarantine directory is besides its name, which git may use again.
std::string Fingerprint(const std::string& directory) {
  struct stat info = {};
  if (stat(directory.c_str(), &info) != 0) return "";
  return directory + "|" + std::to_string(info.st_ino) + "|" + std::to_string(info.st_ctim.tv_sec) +
         "." + std::to_string(info.st_ctim.tv_nsec);
}

// A repository that is open, with at most one quarantine beside it.
class OpenRepository {
 public:
  explicit OpenRepository(std::string path) : path_(std::move(path)) {}

  std::mutex& mutex() { return mutex_; }

  Result<git_repository*> Accepted() {
    if (accepted_ == nullptr) {
      const int error = git_repository_open_bare(OwnedBy(accepted_), path_.c_str());
      if (error < 0) return GitFailure(error, "cannot open repository " + path_);
      RETURN_IF_ERROR(ForgoConfiguration());
    }
    return accepted_.get();
  }

  Result<git_repository*> With(const Quarantine& quarantine) {
    if (quarantine.object_directory.empty()) {
      if (!fingerprint_.empty() && Fingerprint(quarantine_directory_) != fingerprint_) {
        DropQuarantine();  // its push is over
      }
      return Accepted();
    }
    RETURN_IF_ERROR(CheckInside(quarantine.object_directory));
    const std::string fingerprint = Fingerprint(quarantine.object_directory);
    if (fingerprint.empty() || fingerprint != fingerprint_) {
      RETURN_IF_ERROR(OpenQuarantine(quarantine.object_directory));
      quarantine_directory_ = quarantine.object_directory;
      fingerprint_ = fingerprint;
    }
    return quarantined_.get();
  }

 private:
  // libgit2 would read it whenever it opens one.
  Status ForgoConfiguration() {
    ConfigHandle none;
    int error = git_config_new(OwnedBy(none));
    if (error == 0) error = git_repository_set_config(accepted_.get(), none.get());
    if (error == 0) return {};
    const Status failed = GitFailure(error, "cannot open repository " + path_);
    accepted_.reset();
    return failed;
  }

  // The path comes from a hook's environment: it must lie where git puts quarantines.
  Status CheckInside(const std::string& directory) const {
    std::error_code error;
    const std::string real = std::filesystem::canonical(directory, error).string();
    if (error) return Status(Code::kNotFound, "there is no quarantine " + directory);
    const std::string objects = std::filesystem::canonical(path_ + "/objects", error).string();
    if (!error && real.starts_with(objects + "/")) return {};
    return Status(Code::kInvalid, "quarantine " + directory + " does not lie in " + path_);
  }

  Status OpenQuarantine(const std::string& directory) {
    DropQuarantine();
    OdbHandle odb;
    int error = git_odb_open(OwnedBy(odb), (path_ + "/objects").c_str());
    if (error == 0) error = git_odb_add_disk_alternate(odb.get(), directory.c_str());
    if (error == 0) error = git_repository_wrap_odb(OwnedBy(quarantined_), odb.get());
    if (error < 0) return GitFailure(error, "cannot read quarantine " + directory);
    return {};
  }
  void DropQuarantine() {
    quarantined_.reset();
    fingerprint_.clear();
  }

  const std::string path_;
  std::mutex mutex_;
  RepositoryHandle accepted_;
  RepositoryHandle quarantined_;
  std::string quarantine_directory_;  // the one that quarantined_ reads
  std::string fingerprint_;           // its
};

// By hand: libgit2 would rewrite the settings for each of them, and leave files that nobody reads.
Status InitRepository(const std::string& path, const std::string& default_branch,
                      const GitHostOptions& options) {
  for (const char* directory : {"/objects/info", "/objects/pack", "/refs/heads", "/refs/tags"})
    RETURN_IF_ERROR(base::MakeDirectories(path + directory, 0700));
  RETURN_IF_ERROR(base::WriteFileAtomic(path + "/config", GitConfigText(options), 0600));
  return base::WriteFileAtomic(path + "/HEAD", "ref: refs/heads/" + default_branch + "\n", 0600);
}

class LibgitStore : public GitStore {
 public:
  explicit LibgitStore(GitHostOptions options) : options_(std::move(options)) { SetUpLibrary(); }

  Status Create(const std::string& repository, const std::string& default_branch) override {
    RETURN_IF_ERROR(CheckRepositoryName(repository));
    RETURN_IF_ERROR(CheckRefName("refs/heads/" + default_branch));
    RETURN_IF_ERROR(EnsureHooks(options_));
    const std::string path = RepositoryPath(options_, repository);
    const std::string draft = options_.root + "/.new-" + repository + ".git";
    RETURN_IF_ERROR(base::RemoveTree(draft));
    RETURN_IF_ERROR(InitRepository(draft, default_branch, options_));
    if (renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
      return {};
    }
    const int error = errno;
    RETURN_IF_ERROR(base::RemoveTree(draft));
    if (error == EEXIST) {
      return Status(Code::kAlreadyExists, "repository " + repository + " exists already");
    }
    return base::ErrnoStatus("cannot create " + path, error);
  }

  Status Delete(const std::string& repository) override {
    RETURN_IF_ERROR(CheckRepositoryName(repository));
    const std::string gone = options_.root + "/.deleted-" + repository + ".git";
    RETURN_IF_ERROR(base::RemoveTree(gone));
    if (rename(RepositoryPath(options_, repository).c_str(), gone.c_str()) != 0) {
      if (errno == ENOENT) return NoRepository(repository);
      return base::ErrnoStatus("cannot delete repository " + repository, errno);
    }
    {
      const std::lock_guard lock(mutex_);
      open_.erase(repository);
    }
    return base::RemoveTree(gone);
  }

  Result<std::string> Resolve(const std::string& repository, const std::string& ref) override {
    if (ref != "HEAD") RETURN_IF_ERROR(CheckRefName(ref));
    return Use<std::string>(repository, {},
                            [&](git_repository* handle) { return ReadRefCommit(handle, ref); });
  }
  Result<size_t> CountRefs(const std::string& repository) override {
    return Use<size_t>(repository, {}, [&](git_repository* handle) -> Result<size_t> {
      ASSIGN_OR_RETURN(const size_t branches, CountRefsLike(handle, "refs/heads/*"));
      ASSIGN_OR_RETURN(const size_t tags, CountRefsLike(handle, "refs/tags/*"));
      return branches + tags;
    });
  }
  Result<std::string> MissingAncestor(const std::string& repository,
                                      const std::vector<std::string>& heads,
                                      const Quarantine& quarantine) override {
    if (quarantine.object_directory.empty()) return std::string();
    ASSIGN_OR_RETURN(const std::shared_ptr<OpenRepository> open, Open(repository));
    const std::lock_guard lock(open->mutex());
    ASSIGN_OR_RETURN(git_repository * accepted, open->Accepted());
    ASSIGN_OR_RETURN(git_repository * all, open->With(quarantine));
    return FindGap(
        heads, [&](const std::string& oid) { return HasObject(accepted, oid); },
        [&](const std::string& oid) { return HasObject(all, oid); },
        [&](const std::string& oid) { return ReadCommitInfo(all, oid); });
  }
  Result<CommitInfo> ReadCommit(const std::string& repository, const std::string& oid,
                                const Quarantine& quarantine) override {
    return Use<CommitInfo>(repository, quarantine,
                           [&](git_repository* handle) { return ReadCommitInfo(handle, oid); });
  }
  Result<std::vector<TreeEntry>> ReadTree(const std::string& repository, const std::string& commit,
                                          const Quarantine& quarantine) override {
    return Use<std::vector<TreeEntry>>(repository, quarantine, [&](git_repository* handle) {
      return ReadCommitTree(handle, commit);
    });
  }
  Result<std::vector<TreeChange>> Diff(const std::string& repository, const std::string& from,
                                       const std::string& to, size_t most,
                                       const Quarantine& quarantine) override {
    return Use<std::vector<TreeChange>>(repository, quarantine, [&](git_repository* handle) {
      return DiffCommits(handle, from, to, most);
    });
  }
  Result<std::string> ReadBlob(const std::string& repository, const std::string& oid,
                               const Quarantine& quarantine) override {
    return Use<std::string>(repository, quarantine,
                            [&](git_repository* handle) { return ReadBlobContent(handle, oid); });
  }

  Result<std::vector<CommitInfo>> History(const std::string& repository, const std::string& from,
                                          size_t most) override {
    return Use<std::vector<CommitInfo>>(repository, {}, [&](git_repository* handle) {
      return WalkHistory(from, most,
                         [&](const std::string& oid) { return ReadCommitInfo(handle, oid); });
    });
  }

  Result<std::string> Commit(const std::string& repository, const NewCommit& commit) override {
    RETURN_IF_ERROR(CheckRefName(commit.ref));
    RETURN_IF_ERROR(CheckAuthor(commit.author_name, commit.author_email));
    RETURN_IF_ERROR(CheckMessage(commit.message));
    ASSIGN_OR_RETURN(const Directory root, NestFiles(commit.files));
    std::map<std::string, std::string> no_content;
    for (const std::string& path : commit.removed) no_content[path];
    ASSIGN_OR_RETURN(const Directory removed, NestFiles(no_content));
    return Use<std::string>(repository, {}, [&](git_repository* handle) -> Result<std::string> {
      const CommitWords words{commit.message, commit.author_name, commit.author_email, commit.time};
      if (commit.base.empty()) {
        ASSIGN_OR_RETURN(const git_oid tree, WriteTree(handle, root));
        return AddCommit(handle, commit.ref, commit.keep_history, words,
                         [&](const git_commit*) -> Result<git_oid> { return tree; });
      }
      return AddCommit(handle, commit.ref, commit.keep_history, words,
                       [&](const git_commit* tip) -> Result<git_oid> {
                         if (tip == nullptr || ToText(*git_commit_id(tip)) != commit.base) {
                           return NotTheBase(commit.ref);
                         }
                         return WriteChangedTree(handle, tip, root, removed);
                       });
    });
  }

  Status WriteNote(const std::string& repository, const std::string& ref, const std::string& commit,
                   const std::string& text, base::WallTime time) override {
    RETURN_IF_ERROR(CheckRefName(ref));
    RETURN_IF_ERROR(CheckNote(commit, text));
    const CommitWords words{NoteMessage(commit), std::string(kNoteAuthor), std::string(kNoteEmail),
                            time};
    const auto write = [&](git_repository* handle) -> Result<std::string> {
      ASSIGN_OR_RETURN(const git_oid oid, ParseOid(commit));
      RETURN_IF_ERROR(LookUpCommit(handle, oid).status());
      return AddCommit(handle, ref, 0, words, [&](const git_commit* tip) {
        return WriteTreeWith(handle, tip, commit, text);
      });
    };
    return Use<std::string>(repository, {}, write).status();
  }

  Result<std::string> ReadNote(const std::string& repository, const std::string& ref,
                               const std::string& commit) override {
    RETURN_IF_ERROR(CheckRefName(ref));
    return Use<std::string>(repository, {}, [&](git_repository* handle) -> Result<std::string> {
      ASSIGN_OR_RETURN(const git_oid oid, ParseOid(commit));
      NoteHandle note;
      const int error = git_note_read(OwnedBy(note), handle, ref.c_str(), &oid);
      if (error == GIT_ENOTFOUND) return Status(Code::kNotFound, "no note on commit " + commit);
      if (error < 0) return GitFailure(error, "cannot read the note on commit " + commit);
      return std::string(git_note_message(note.get()));
    });
  }

 private:
  static Status NoRepository(const std::string& repository) {
    return Status(Code::kNotFound, "there is no repository " + repository +
                                       "; `plumb repo create " + repository + "` makes it");
  }

  Result<std::shared_ptr<OpenRepository>> Open(const std::string& repository) {
    RETURN_IF_ERROR(CheckRepositoryName(repository));
    const std::lock_guard lock(mutex_);
    if (const auto found = open_.find(repository); found != open_.end()) return found->second;
    const std::string path = RepositoryPath(options_, repository);
    struct stat info = {};
    if (stat(path.c_str(), &info) != 0) return NoRepository(repository);
    if (open_.size() >= kMaxOpenRepositories) open_.clear();  // those in use live on until they end
    return open_[repository] = std::make_shared<OpenRepository>(path);
  }

  // Runs `work` with the handle of the repository, or of the quarantine in it.
  template <typename T, typename Work>
  Result<T> Use(const std::string& repository, const Quarantine& quarantine, const Work& work) {
    ASSIGN_OR_RETURN(const std::shared_ptr<OpenRepository> open, Open(repository));
    const std::lock_guard lock(open->mutex());
    ASSIGN_OR_RETURN(git_repository * handle, open->With(quarantine));
    return work(handle);
  }

  const GitHostOptions options_;
  std::mutex mutex_;  // guards open_
  std::map<std::string, std::shared_ptr<OpenRepository>> open_;
};

}  // namespace

std::unique_ptr<GitStore> OpenGitStore(const GitHostOptions& options) {
  return std::make_unique<LibgitStore>(options);
}

}  // namespace gitsync
