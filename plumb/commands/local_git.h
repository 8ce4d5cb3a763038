// LocalGit: the Git checkout that a command is run in, through the git program.
//
// Blocks; one thread.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "plumb/server/source_archive.h"

namespace plumb {

class LocalGit {
 public:
  // kNotFound if `directory` (empty: the current one) is in no checkout.
  static base::Result<LocalGit> Open(const std::string& directory = "");

  // The commit that `revision` names; kNotFound if there is none.
  base::Result<std::string> Commit(const std::string& revision) const;
  base::Result<SourceArchive> Archive(const std::string& commit, bool whole) const;
  // The names of the repositories of plumb that the remotes are, each once, sorted.
  std::vector<std::string> Repositories() const;
  bool HasUncommittedChanges() const;
  bool IsAncestor(const std::string& ancestor, const std::string& descendant) const;

 private:
  explicit LocalGit(std::string directory) : directory_(std::move(directory)) {}
  base::Result<std::string> Git(std::vector<std::string> words, std::string_view input = {}) const;
  base::Result<std::vector<gitsync::TreeEntry>> ListTree(const std::string& commit) const;
  base::Status ReadBlobs(const std::vector<gitsync::TreeEntry>& wanted,
                         SourceArchive& archive) const;

  std::string directory_;
};

// "shop" of ".../git/shop.git", the form of plumb's URLs; empty for any other.
std::string RepositoryOfUrl(std::string_view url);

}  // namespace plumb
