// SourceArchive: what `plumb diff` sends of a commit that the server may not have: its whole list
// of files, and the content of those that are deployed.
//
// As bytes: one line of JSON {commit, tree, entries: [[mode, oid, size, path]]}, then for each blob
// "OID SIZE\n", its bytes and "\n". Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "gitsync/source/git.h"

namespace plumb {

inline constexpr size_t kMaxArchiveBytes = 160u << 20;

struct SourceArchive {
  std::string commit, tree;
  std::vector<gitsync::TreeEntry> entries;
  std::map<std::string, std::string> blobs;  // by object id

  // kInvalid if the archive lacks it.
  base::Result<std::string> Blob(const std::string& oid) const;
};

std::string EncodeArchive(const SourceArchive& archive);
// kBadRequest if the bytes are not those of EncodeArchive, kTooLarge beyond gitsync's limits.
base::Result<SourceArchive> DecodeArchive(std::string_view bytes);

}  // namespace plumb
