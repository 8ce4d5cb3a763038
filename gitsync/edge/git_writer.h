// Writing commits through libgit2: objects first, then the ref, moved only if it still is what the
// commit was made on. One thread at a time per repository handle; other processes may push.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/status.h"
#include "base/time.h"
#include "gitsync/edge/git_handles.h"
#include "gitsync/source/git.h"
#include "gitsync/source/git_rules.h"

namespace gitsync {

struct CommitWords {
  std::string message;
  std::string author_name, author_email;
  base::WallTime time;
};

// The tree that the next commit has, given the commit the ref names now (null: no such ref).
using MakeTree = std::function<base::Result<git_oid>(const git_commit* tip)>;

// Adds a commit to `ref` and returns its id; the ref's own commit if the tree is the same. When
// another writer moves the ref meanwhile, the tree is asked for again; kConflict if that does not
// end, kUnavailable if the ref stays locked.
base::Result<std::string> AddCommit(git_repository* repository, const std::string& ref,
                                    size_t keep_history, const CommitWords& words,
                                    const MakeTree& make_tree);

base::Result<git_oid> WriteTree(git_repository* repository, const Directory& root);
// The tree of `tip` with the files of one Directory written and those of the other removed.
base::Result<git_oid> WriteChangedTree(git_repository* repository, const git_commit* tip,
                                       const Directory& written, const Directory& removed);
// The tree of `tip` (null: an empty one) with the file `name` in its root replaced.
base::Result<git_oid> WriteTreeWith(git_repository* repository, const git_commit* tip,
                                    const std::string& name, const std::string& content);

}  // namespace gitsync
