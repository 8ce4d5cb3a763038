// What differs from a set that is at hand is patched into it; only where that cannot be, or the
// other set is no help, is the whole tree read. Either way gives the same set.
//
// A commit that waits in quarantine may be refused, and gone: it is remembered for the deploy that
// follows an accepted push, but nothing is patched from it before it was read again as accepted.
#include "gitsync/render/read_set.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace gitsync {
namespace {

using SetPtr = std::shared_ptr<const ManifestSet>;

// One commit. What several sets need of it is asked for once.
class CommitReader {
 public:
  CommitReader(GitStore& git, const std::string& repository, const Quarantine& quarantine,
               const std::string& commit)
      : git_(git), repository_(repository), quarantine_(quarantine), commit_(commit) {}

  base::Result<SetPtr> Read(const Part& part, const manifests::SchemaPtr& schema, ParseCache& cache,
                            const ManifestSet* near, ManifestBudget& budget) {
    const ReadBlobFunction read = [&](const std::string& oid) {
      return git_.ReadBlob(repository_, oid, quarantine_);
    };
    if (!info_) {
      ASSIGN_OR_RETURN(info_, git_.ReadCommit(repository_, commit_, quarantine_));
    }
    std::optional<ManifestSet> set;
    if (near != nullptr && !near->commit.empty() && near->scope == part.scope &&
        near->path == part.path) {
      // Too much differs, or the other commit has been collected: its tree would not help.
      if (const auto& changes = ChangesFrom(near->commit); changes.ok()) {
        ASSIGN_OR_RETURN(set, PatchManifests(*near, *changes, schema, cache, read, budget));
      }
    }
    if (!set) {
      if (!tree_) {
        ASSIGN_OR_RETURN(tree_, git_.ReadTree(repository_, commit_, quarantine_));
      }
      ASSIGN_OR_RETURN(const Discovery discovery, Discover(*tree_, read, part.path));
      ASSIGN_OR_RETURN(set, ReadManifests(discovery, part.scope, schema, cache, read, budget));
      set->path = part.path;
    }
    set->commit = commit_;
    set->tree = info_->tree;
    return std::make_shared<const ManifestSet>(*std::move(set));
  }

 private:
  const base::Result<std::vector<TreeChange>>& ChangesFrom(const std::string& near) {
    auto known = changes_.find(near);
    if (known == changes_.end()) {
      known =
          changes_
              .emplace(near, git_.Diff(repository_, near, commit_, kMaxPatchedFiles, quarantine_))
              .first;
    }
    return known->second;
  }

  GitStore& git_;
  const std::string& repository_;
  const Quarantine& quarantine_;
  const std::string& commit_;
  std::optional<CommitInfo> info_;
  std::optional<std::vector<TreeEntry>> tree_;
  std::map<std::string, base::Result<std::vector<TreeChange>>> changes_;  // by the other commit
};

// The application's set in `sets`; null if there is none that is as `part` asks.
SetPtr Find(const SourceSets* sets, const Part& part) {
  if (sets == nullptr) return nullptr;
  const auto found = sets->sets.find(part.application);
  if (found == sets->sets.end()) return nullptr;
  const ManifestSet& set = *found->second;
  return set.scope == part.scope && set.path == part.path ? found->second : nullptr;
}

}  // namespace

base::Result<SetPtr> ReadSet(const SetSource& source, const std::string& commit,
                             const ManifestSet* near) {
  ManifestBudget budget;
  return CommitReader(source.git, source.repository, source.quarantine, commit)
      .Read(Part{"", source.path, source.scope}, source.schema, source.cache, near, budget);
}

base::Result<std::shared_ptr<const SourceSets>> SourceReader::Read(
    const std::string& commit, const Quarantine& quarantine, const Parts& parts,
    const manifests::SchemaPtr& schema) {
  CommitReader reader(git_, repository_, quarantine, commit);
  SourceSets sets;
  sets.commit = commit;
  sets.unclear = parts.unclear;
  // What a patched set costs is known to be no more than it says: if the budget does not last, it
  // is counted anew.
  for (const bool from_known : {true, false}) {
    ManifestBudget budget;
    for (const Part& part : parts.parts) {
      SetPtr& set = sets.sets[part.application];
      set = from_known ? Known(commit, part, *schema) : nullptr;
      if (set != nullptr && budget.Spend(set->cost)) continue;
      const SetPtr near = from_known ? Find(near_.get(), part) : nullptr;
      ASSIGN_OR_RETURN(set, reader.Read(part, schema, cache_, near.get(), budget));
    }
    if (!budget.exceeded()) break;
  }
  sets.Index(near_.get());
  auto read = std::make_shared<const SourceSets>(std::move(sets));
  // What is likely to be refused is not kept for whoever pushes next.
  const bool waits = !quarantine.object_directory.empty();
  if (waits && std::any_of(read->sets.begin(), read->sets.end(),
                           [](const auto& each) { return !each.second->errors.empty(); })) {
    return read;
  }
  last_ = std::move(read);
  if (!waits) near_ = last_;
  return last_;
}

// The set of the commit that is at hand.
SetPtr SourceReader::Known(const std::string& commit, const Part& part,
                           const manifests::Schema& schema) const {
  for (const auto& known : {last_, near_}) {
    if (known == nullptr || known->commit != commit) continue;
    SetPtr set = Find(known.get(), part);
    if (set != nullptr && set->schema->version() == schema.version()) return set;
  }
  return nullptr;
}

void SourceReader::Accepted(const std::string& commit) {
  if (last_ != nullptr && last_->commit == commit) near_ = last_;
}

}  // namespace gitsync
