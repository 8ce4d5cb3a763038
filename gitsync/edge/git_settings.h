// The settings of every hosted repository, and the hooks through which the daemon judges a push.
//
// Blocks; any thread. The settings are written into a new repository for people who look at it, and
// handed to each receive-pack and upload-pack as well: those are the ones that count, so that a
// changed limit holds for old repositories and no repository can loosen its own.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "gitsync/edge/git_host.h"

namespace gitsync {

using GitSetting = std::pair<std::string, std::string>;
std::vector<GitSetting> GitSettings(const GitHostOptions& options);

// What every git child sees of the world: the path to programs, nothing of this machine's
// configuration, and no replacements or grafts.
std::vector<std::string> GitEnvironment();

// The configuration file of a bare repository with these settings.
std::string GitConfigText(const GitHostOptions& options);

std::string RepositoryPath(const GitHostOptions& options, const std::string& repository);

// Makes sure that the hooks directory holds exactly the hooks of this program. Git skips a hook
// that is missing, so this runs before every push.
base::Status EnsureHooks(const GitHostOptions& options);

}  // namespace gitsync
