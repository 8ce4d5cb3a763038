// Discover: which files of a commit are deployed.
//
// Pure but for `read`, which gives the content of a blob of the commit (.sourceignore files and
// symbolic links).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "gitsync/git.h"
#include "gitsync/source_error.h"

namespace gitsync {

struct ManifestFile {
  std::string path;
  std::string oid;
  uint64_t size = 0;
};

struct Discovery {
  std::vector<ManifestFile> files;  // by path
  std::vector<SourceError> errors;  // by path
};

using ReadBlobFunction = std::function<base::Result<std::string>(const std::string& oid)>;

// The errors of `read` come back; mistakes of the commit are in Discovery::errors.
base::Result<Discovery> Discover(const std::vector<TreeEntry>& entries,
                                 const ReadBlobFunction& read);

}  // namespace gitsync
