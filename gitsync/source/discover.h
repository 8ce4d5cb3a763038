// Discover: which files of a commit are deployed.
//
// Pure but for `read`, which gives the content of a blob of the commit (.sourceignore files and
// symbolic links).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "gitsync/source/git.h"
#include "gitsync/source/source_error.h"
#include "gitsync/source/sourceignore.h"

namespace gitsync {

struct ManifestFile {
  std::string path;
  std::string oid;
  uint64_t size = 0;
};

// Which paths of a commit are looked at.
struct Selection {
  std::string root;    // "manifests/", or empty: the whole repository
  bool given = false;  // the root was asked for, whatever else there is
  std::map<std::string, IgnoreRules, std::less<>> ignored;  // by directory, "" or "a/b/"
  bool links = false;  // a symbolic link is among them, whose target matters

  // A submodule is a directory.
  bool Contains(std::string_view path, bool directory = false) const;
};

struct Discovery {
  std::vector<ManifestFile> files;   // by path
  std::vector<ManifestFile> unread;  // of a directory that an error is about, as a whole; by path
  std::vector<SourceError> errors;   // by path
  bool missing = false;              // the directory that was asked for; an error says so
  std::shared_ptr<const Selection> selection;
};

bool IsManifestName(std::string_view path);
// True if a change of the file at `path` changes more than the file: a .sourceignore, a
// kustomization or the like, a link or submodule, the first file of manifests/.
bool ChangesSelection(const Selection& selection, const TreeChange& change);

using ReadBlobFunction = std::function<base::Result<std::string>(const std::string& oid)>;

// What lies below the directory `path` ("apps/web/", "" for the root), or without one where the
// rule at the top of discover.cc says. The errors of `read` come back; mistakes of the commit are
// in Discovery::errors.
base::Result<Discovery> Discover(const std::vector<TreeEntry>& entries,
                                 const ReadBlobFunction& read,
                                 const std::optional<std::string>& path = std::nullopt);

}  // namespace gitsync
