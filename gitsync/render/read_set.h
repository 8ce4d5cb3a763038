// ReadSet: the manifests of a commit, read from a GitStore. Blocks: for workers.
#pragma once

#include <memory>
#include <string>

#include "gitsync/render/manifest_set.h"
#include "gitsync/source/git.h"

namespace gitsync {

inline constexpr size_t kMaxPatchedFiles = 1'000;  // more than these differ: the tree is read anew

// What a commit is read with. Its cache serves one call at a time.
struct SetSource {
  GitStore& git;
  std::string repository;
  Quarantine quarantine;
  RepositoryScope scope;
  manifests::SchemaPtr schema;
  ParseCache& cache;
};

// Errors of the store come back; mistakes of the commit are in ManifestSet::errors. `near`, if it
// is there, is the set of a commit that differs little: then the cost is that of the difference.
base::Result<std::shared_ptr<const ManifestSet>> ReadSet(const SetSource& source,
                                                         const std::string& commit,
                                                         const ManifestSet* near);

}  // namespace gitsync
