// Git bundles: a whole hosted repository as one stream, for backups.
//
// Block; any thread. All branches, tags and notes are in it, plumb's own included; a bundle is
// consistent also while pushes go on.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "gitsync/edge/git_host.h"

namespace gitsync {

// Hands the bundle to `sink` piecewise; nothing of a repository without commits. kCancelled if
// `sink` returns false.
base::Status WriteBundle(const GitHostOptions& options, const std::string& repository,
                         const std::function<bool(std::string_view)>& sink);

// Takes all refs of the bundle file into a repository that exists; its objects are checked.
base::Status ReadBundle(const GitHostOptions& options, const std::string& repository,
                        const std::string& bundle_path);

}  // namespace gitsync
