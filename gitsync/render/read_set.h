// ReadSet and SourceReader: the manifests of a commit, read from a GitStore. They block: for
// workers.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gitsync/render/manifest_set.h"
#include "gitsync/render/source_sets.h"
#include "gitsync/source/git.h"

namespace gitsync {

inline constexpr size_t kMaxPatchedFiles = 1'000;  // more than these differ: the tree is read anew

// What a commit is read with. Its cache serves one call at a time.
struct SetSource {
  GitStore& git;
  std::string repository;
  Quarantine quarantine;
  ApplicationScope scope;
  manifests::SchemaPtr schema;
  ParseCache& cache;
  std::optional<std::string> path = std::nullopt;
};

// Errors of the store come back; mistakes of the commit are in ManifestSet::errors. `near`, if it
// is not null, is a set of the same repository: what differs little from it is read quickly.
base::Result<std::shared_ptr<const ManifestSet>> ReadSet(const SetSource& source,
                                                         const std::string& commit,
                                                         const ManifestSet* near);

// Reads the commits of one source, for all of its applications at once, and remembers the last.
// One call at a time.
class SourceReader {
 public:
  SourceReader(GitStore& git, std::string repository)
      : git_(git), repository_(std::move(repository)) {}

  base::Result<std::shared_ptr<const SourceSets>> Read(const std::string& commit,
                                                       const Quarantine& quarantine,
                                                       const Parts& parts,
                                                       const manifests::SchemaPtr& schema);
  // A push of `commit`, which was read from its quarantine, was accepted: it is there for sure.
  void Accepted(const std::string& commit);

 private:
  std::shared_ptr<const ManifestSet> Known(const std::string& commit, const Part& part,
                                           const manifests::Schema& schema) const;

  GitStore& git_;
  const std::string repository_;
  ParseCache cache_;
  std::shared_ptr<const SourceSets> last_;  // maybe of a push that was refused
  std::shared_ptr<const SourceSets> near_;  // of a commit that is there for sure
};

}  // namespace gitsync
