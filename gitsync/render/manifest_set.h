// ManifestSet: the objects that a commit asks for, each with the place it was written at.
//
// Parsing is memoised by blob: a commit that changes one line of one file of 10,000 parses one
// file. Sets are immutable and shared; a ParseCache belongs to one worker at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "gitsync/source/discover.h"
#include "gitsync/source/source_error.h"
#include "manifests/schema.h"
#include "manifests/yaml/yaml.h"
#include "state/object.h"
#include "state/own_secrets.h"

namespace gitsync {

inline constexpr size_t kMaxManifests = 100'000;           // objects of one repository
inline constexpr size_t kMaxManifestBytes = 128u << 20;    // of all files of one commit
inline constexpr size_t kMaxParseCacheBytes = 256u << 20;  // of one repository
inline constexpr size_t kMaxSourceErrors = 10'000;  // after so many the commit is not read further
// What all files of one commit may hold together: ten million values, which take about a gigabyte
// while it is judged, a million of them and 64 MiB of text by aliases.
inline constexpr manifests::YamlCost kMaxManifestCost = {10'000'000, 1'000'000, 64u << 20};

// One blob, parsed. Lists are expanded.
struct ParsedFile {
  std::vector<base::Json> objects;  // with marks
  std::vector<manifests::TextError> errors;
  manifests::YamlCost cost;
  bool exceeded = false;  // it was not read to its end since it costs more than it was given
};

// What a commit may still cost, for all applications that take some of it.
class ManifestBudget {
 public:
  explicit ManifestBudget(const manifests::YamlCost& most = kMaxManifestCost) : left_(most) {}
  const manifests::YamlCost& left() const { return left_; }
  bool exceeded() const { return exceeded_; }
  // False, and nothing is left, if there is not so much left.
  bool Spend(const manifests::YamlCost& cost);
  // It was not enough.
  void Exceed();

 private:
  manifests::YamlCost left_;
  bool exceeded_ = false;
};

class ParseCache {
 public:
  explicit ParseCache(size_t max_bytes = kMaxParseCacheBytes) : max_bytes_(max_bytes) {}

  // Reads no further than `most` goes.
  base::Result<std::shared_ptr<const ParsedFile>> Get(
      const ManifestFile& file, const ReadBlobFunction& read,
      const manifests::YamlCost& most = kMaxManifestCost);
  // Once a commit was read: drops what was used longest ago while there is too much.
  void EndRound();

  uint64_t parsed() const { return parsed_; }  // blobs, so far
  size_t bytes() const { return bytes_; }      // of memory that the files take

 private:
  struct Entry {
    std::shared_ptr<const ParsedFile> file;
    size_t bytes = 0;
    uint64_t round = 0;
  };
  const size_t max_bytes_;
  std::map<std::string, Entry> entries_;  // by "yaml OID" or "json OID"
  size_t bytes_ = 0;
  uint64_t round_ = 1;
  uint64_t parsed_ = 0;
};

// Which namespaces an application may touch, and where its objects go.
struct ApplicationScope {
  std::string default_namespace = "default";  // for those that name none
  std::vector<std::string> namespaces;        // empty: all but plumb's own
  std::string target_namespace;               // for all that have one; empty: where they say

  bool Allows(std::string_view ns) const;
  // The same of an object: a Namespace is in itself, and what belongs to the whole cluster only in
  // the scope that is not confined.
  bool Covers(const state::Key& key) const;
  bool operator==(const ApplicationScope&) const = default;
};

using state::kSystemNamespace;

struct Manifest {
  state::Key key;                            // with the default namespace filled in
  const manifests::Kind* kind = nullptr;     // of its set's schema
  std::shared_ptr<const base::Json> object;  // as it was written; the same while its blob is
  std::string path;

  SourceError Error(base::Mark mark, std::string message) const {
    return SourceError{path, mark, std::move(message)};
  }
};

struct ManifestSet {
  std::string commit, tree;         // what it was read from
  manifests::SchemaPtr schema;      // of the kinds
  std::vector<Manifest> manifests;  // by key, each key once
  std::vector<SourceError> errors;  // by path and place
  std::shared_ptr<const Selection> selection;
  std::optional<std::string> path;  // where discovery began, see discover.h
  bool missing = false;             // the commit has no such directory, as an error says
  ApplicationScope scope;
  uint64_t bytes = 0;        // of the files, or more
  manifests::YamlCost cost;  // of the files, or more

  const Manifest* Find(const state::Key& key) const;
};

// Errors of `read` come back (they say nothing about the commit); mistakes are in
// ManifestSet::errors. What the files cost is taken from `budget`; a file that is too much for it
// is a mistake, and the rest is not read.
base::Result<ManifestSet> ReadManifests(const Discovery& discovery, const ApplicationScope& scope,
                                        const manifests::SchemaPtr& schema, ParseCache& cache,
                                        const ReadBlobFunction& read, ManifestBudget& budget);
// With a budget of its own.
base::Result<ManifestSet> ReadManifests(const Discovery& discovery, const ApplicationScope& scope,
                                        const manifests::SchemaPtr& schema, ParseCache& cache,
                                        const ReadBlobFunction& read);

// What ReadManifests would make of the commit that `changes` lead to from that of `set`, at the
// cost of the changes. Nothing if that takes looking at more than the changed files: where mistakes
// are, where a change selects other files, or where the budget may not last.
base::Result<std::optional<ManifestSet>> PatchManifests(const ManifestSet& set,
                                                        const std::vector<TreeChange>& changes,
                                                        const manifests::SchemaPtr& schema,
                                                        ParseCache& cache,
                                                        const ReadBlobFunction& read,
                                                        ManifestBudget& budget);

}  // namespace gitsync
