// Reading one repository's objects through libgit2. One thread at a time per repository handle.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "gitsync/edge/git_handles.h"
#include "gitsync/source/git.h"

namespace gitsync {

base::Result<OdbHandle> OdbOf(git_repository* repository);
// The object a ref stands for; nothing if there is no such ref.
base::Result<std::optional<git_oid>> LookUpRef(git_repository* repository, const std::string& ref);
base::Result<CommitHandle> LookUpCommit(git_repository* repository, const git_oid& oid);

base::Result<std::string> ReadRefCommit(git_repository* repository, const std::string& ref);
// How many refs match, as in "refs/heads/*".
base::Result<size_t> CountRefsLike(git_repository* repository, const char* pattern);
bool HasObject(git_repository* repository, const std::string& oid);
base::Result<CommitInfo> ReadCommitInfo(git_repository* repository, const std::string& oid);
base::Result<std::vector<TreeEntry>> ReadCommitTree(git_repository* repository,
                                                    const std::string& commit);
base::Result<std::vector<TreeChange>> DiffCommits(git_repository* repository,
                                                  const std::string& from, const std::string& to,
                                                  size_t most);
base::Result<std::string> ReadBlobContent(git_repository* repository, const std::string& oid);

}  // namespace gitsync
