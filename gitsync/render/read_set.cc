// What differs from a set that is at hand is patched into it; only where that cannot be, or the
// other set is no help, is the whole tree read. Either way gives the same set.
#include "gitsync/render/read_set.h"

#include <utility>

namespace gitsync {
namespace {

base::Result<std::optional<ManifestSet>> Patch(const SetSource& source, const std::string& commit,
                                               const ManifestSet* near,
                                               const ReadBlobFunction& read) {
  if (near == nullptr || near->commit.empty() || near->scope != source.scope) {
    return std::optional<ManifestSet>();
  }
  const auto changes =
      source.git.Diff(source.repository, near->commit, commit, kMaxPatchedFiles, source.quarantine);
  // Too much differs, or the other commit has been collected: its tree would not help.
  if (!changes.ok()) return std::optional<ManifestSet>();
  return PatchManifests(*near, *changes, source.schema, source.cache, read);
}

}  // namespace

base::Result<std::shared_ptr<const ManifestSet>> ReadSet(const SetSource& source,
                                                         const std::string& commit,
                                                         const ManifestSet* near) {
  const ReadBlobFunction read = [&](const std::string& oid) {
    return source.git.ReadBlob(source.repository, oid, source.quarantine);
  };
  ASSIGN_OR_RETURN(const CommitInfo info,
                   source.git.ReadCommit(source.repository, commit, source.quarantine));
  ASSIGN_OR_RETURN(std::optional<ManifestSet> set, Patch(source, commit, near, read));
  if (!set) {
    ASSIGN_OR_RETURN(const std::vector<TreeEntry> tree,
                     source.git.ReadTree(source.repository, commit, source.quarantine));
    ASSIGN_OR_RETURN(const Discovery discovery, Discover(tree, read));
    ASSIGN_OR_RETURN(set,
                     ReadManifests(discovery, source.scope, source.schema, source.cache, read));
  }
  set->commit = commit;
  set->tree = info.tree;
  return std::make_shared<const ManifestSet>(*std::move(set));
}

}  // namespace gitsync
