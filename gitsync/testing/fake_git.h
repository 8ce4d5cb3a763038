// FakeGit: a GitStore in memory with git's own object model: blobs, trees and commits by their
// SHA-1, refs, notes. Ids are the ones that git would give.
//
// One thread. A user's push is two steps, as in git: Stage puts the objects into a quarantine,
// Accept moves the ref. Faults: "git.read.fail" fails any read, "git.commit.fail" Commit and
// WriteNote, both with kUnavailable and without an effect.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/faults.h"
#include "gitsync/source/git.h"
#include "gitsync/source/git_rules.h"

namespace gitsync {

class FakeGit : public GitStore {
 public:
  using Files = std::map<std::string, std::string>;  // path -> content

  explicit FakeGit(base::Faults* faults = nullptr) : faults_(faults) {}

  // A commit of `files` (the whole tree) that waits for Accept or Drop.
  struct Staged {
    std::string repository;
    std::string ref;
    std::string old_oid;  // zeros if the ref is new
    std::string new_oid;
    Quarantine quarantine;
  };
  // On top of the ref's commit, or with `force` without a parent. The repository must exist.
  Staged Stage(const std::string& repository, const std::string& ref, const Files& files,
               const std::string& message, base::WallTime time, bool force = false);
  // From a shallow clone: on top of a commit that nobody has.
  Staged StageShallow(const std::string& repository, const std::string& ref, const Files& files,
                      base::WallTime time);
  // kConflict, and nothing moved, if the ref is no longer staged.old_oid.
  base::Status Accept(const Staged& staged);
  void Drop(const Staged& staged);

  // Stage and Accept; the commit's id.
  std::string Push(const std::string& repository, const std::string& ref, const Files& files,
                   const std::string& message, base::WallTime time);
  std::string ForcePush(const std::string& repository, const std::string& ref, const Files& files,
                        const std::string& message, base::WallTime time);
  // As a push of a commit that is there already, or of a deletion.
  void SetRef(const std::string& repository, const std::string& ref, const std::string& oid);
  void DeleteRef(const std::string& repository, const std::string& ref);

  // All refs with their commits, sorted.
  std::map<std::string, std::string> Refs(const std::string& repository) const;

  base::Status Create(const std::string& repository, const std::string& default_branch) override;
  base::Status Delete(const std::string& repository) override;
  base::Result<std::string> Resolve(const std::string& repository, const std::string& ref) override;
  base::Result<size_t> CountRefs(const std::string& repository) override;
  base::Result<std::string> MissingAncestor(const std::string& repository,
                                            const std::vector<std::string>& heads,
                                            const Quarantine& quarantine) override;
  base::Result<CommitInfo> ReadCommit(const std::string& repository, const std::string& oid,
                                      const Quarantine& quarantine = {}) override;
  base::Result<std::vector<TreeEntry>> ReadTree(const std::string& repository,
                                                const std::string& commit,
                                                const Quarantine& quarantine = {}) override;
  base::Result<std::vector<TreeChange>> Diff(const std::string& repository, const std::string& from,
                                             const std::string& to, size_t most,
                                             const Quarantine& quarantine = {}) override;
  base::Result<std::string> ReadBlob(const std::string& repository, const std::string& oid,
                                     const Quarantine& quarantine = {}) override;
  base::Result<std::vector<CommitInfo>> History(const std::string& repository,
                                                const std::string& from, size_t most) override;
  base::Result<std::string> Commit(const std::string& repository, const NewCommit& commit) override;
  base::Status WriteNote(const std::string& repository, const std::string& ref,
                         const std::string& commit, const std::string& text,
                         base::WallTime time) override;
  base::Result<std::string> ReadNote(const std::string& repository, const std::string& ref,
                                     const std::string& commit) override;

 private:
  Staged StageOn(const std::string& repository, const std::string& ref, const Files& files,
                 const std::string& message, base::WallTime time, const std::string& parent);

  struct Tree {
    struct Child {
      std::string oid;
      bool directory = false;
    };
    std::map<std::string, Child> children;
  };
  struct Objects {
    std::map<std::string, std::string> blobs;
    std::map<std::string, Tree> trees;
    std::map<std::string, CommitInfo> commits;
  };
  struct Repository {
    std::string head;  // the ref that HEAD stands for
    std::map<std::string, std::string> refs;
    Objects objects;
    std::map<std::string, Objects> quarantines;  // by object directory
  };
  // Where to look an object up: the quarantine first, if one is given.
  using Scope = std::vector<const Objects*>;

  base::Result<Repository*> Find(const std::string& repository);
  base::Result<Scope> Look(const std::string& repository, const Quarantine& quarantine);
  base::Status Fail(std::string_view point) const;
  base::Status AddTree(const Scope& scope, const std::string& tree, const std::string& prefix,
                       std::vector<TreeEntry>& entries) const;

  static std::string WriteBlob(Objects& objects, const std::string& content);
  static std::string WriteTree(Objects& objects, const Directory& directory);
  static std::string WriteTreeObject(Objects& objects, Tree tree);
  static std::string WriteCommit(Objects& objects, CommitInfo commit, const std::string& message);
  std::string AddCommit(Repository& repository, const std::string& ref, size_t keep_history,
                        const std::string& tree, CommitInfo words, const std::string& message);

  base::Faults* faults_;
  std::map<std::string, Repository> repositories_;
  uint64_t next_quarantine_ = 1;
};

}  // namespace gitsync
