// GitStore: the repositories that plumb hosts, as the sync engine sees them: refs, trees, blobs in;
// commits and notes out.
//
// edge/git_store reads and writes bare repositories through libgit2; testing/fake_git keeps real
// state in memory; both pass testing/git_contract. Calls block and are made from workers
// (Loop::Offload); an implementation is safe for one call at a time per repository. Object ids are
// 40 lower-case hexadecimal digits.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"

namespace gitsync {

struct TreeEntry {
  std::string path;         // from the root, with '/'
  std::string oid;          // of the blob
  uint32_t mode = 0100644;  // 0120000 is a symbolic link
  uint64_t size = 0;
};

// A file that two trees have differently; absent on the side that lacks it.
struct TreeChange {
  std::optional<TreeEntry> before, after;

  const std::string& path() const { return after ? after->path : before->path; }
};

struct CommitInfo {
  std::string oid;
  std::string tree;
  std::vector<std::string> parents;
  std::string author_name, author_email;
  base::WallTime author_time;
  std::string subject;
  std::string body;
};

inline constexpr size_t kMaxTreeEntries = 200'000;  // files in one commit
inline constexpr size_t kMaxBlobBytes = 4u << 20;   // of a manifest
inline constexpr size_t kMaxTreeDepth = 64;
inline constexpr size_t kMaxRefs = 10'000;  // branches and tags of a repository
// Of a push, of which it is found out whether what comes before them is there.
inline constexpr size_t kMaxNewCommits = 50'000;

// Where a push's objects wait before it is accepted (GIT_QUARANTINE_PATH); empty for accepted
// objects.
struct Quarantine {
  std::string object_directory;
};

class GitStore {
 public:
  virtual ~GitStore() = default;

  // Creates a bare repository with plumb's settings and hooks; kAlreadyExists.
  virtual base::Status Create(const std::string& repository, const std::string& default_branch) = 0;
  virtual base::Status Delete(const std::string& repository) = 0;

  // The commit a ref names ("refs/heads/main"); kNotFound.
  virtual base::Result<std::string> Resolve(const std::string& repository,
                                            const std::string& ref) = 0;
  // How many branches and tags there are.
  virtual base::Result<size_t> CountRefs(const std::string& repository) = 0;
  // The first commit that is missing among those that come before the commits `heads`: a push from
  // a shallow clone brings such a gap. Empty if there is none; looks at what is in the quarantine
  // only, and at kMaxNewCommits at most. kInvalid if one of `heads` is no commit.
  virtual base::Result<std::string> MissingAncestor(const std::string& repository,
                                                    const std::vector<std::string>& heads,
                                                    const Quarantine& quarantine) = 0;
  virtual base::Result<CommitInfo> ReadCommit(const std::string& repository, const std::string& oid,
                                              const Quarantine& quarantine = {}) = 0;
  // All blobs and links of a commit's tree, by path. kTooLarge beyond the limits.
  virtual base::Result<std::vector<TreeEntry>> ReadTree(const std::string& repository,
                                                        const std::string& commit,
                                                        const Quarantine& quarantine = {}) = 0;
  // What differs between the trees of two commits, by path; of `before` the size is not told.
  // kTooLarge beyond the limits, or if more than `most` files differ: then read the tree.
  virtual base::Result<std::vector<TreeChange>> Diff(const std::string& repository,
                                                     const std::string& from, const std::string& to,
                                                     size_t most,
                                                     const Quarantine& quarantine = {}) = 0;
  virtual base::Result<std::string> ReadBlob(const std::string& repository, const std::string& oid,
                                             const Quarantine& quarantine = {}) = 0;
  // `from` and what came before it, newest first, at most `most`.
  virtual base::Result<std::vector<CommitInfo>> History(const std::string& repository,
                                                        const std::string& from, size_t most) = 0;

  struct NewCommit {
    std::string ref;                           // "refs/heads/plumb/status"
    std::map<std::string, std::string> files;  // the whole tree: path -> content
    // If not empty, `files` and `removed` are what changes in the tree of this commit: the cost is
    // that of the change. kConflict if it is not what the ref names.
    std::string base;
    std::set<std::string> removed;  // paths
    std::string message;
    std::string author_name, author_email;
    base::WallTime time;
    size_t keep_history =
        0;  // more commits than this behind the ref: start again without parents; 0: no bound
  };
  // Commits and moves the ref; when the tree is that of the ref already, nothing is written. The
  // commit's id.
  virtual base::Result<std::string> Commit(const std::string& repository,
                                           const NewCommit& commit) = 0;
  // Sets the note of `commit` under `ref` ("refs/notes/plumb"), replacing an older one.
  virtual base::Status WriteNote(const std::string& repository, const std::string& ref,
                                 const std::string& commit, const std::string& text,
                                 base::WallTime time) = 0;
  virtual base::Result<std::string> ReadNote(const std::string& repository, const std::string& ref,
                                             const std::string& commit) = 0;
};

}  // namespace gitsync
