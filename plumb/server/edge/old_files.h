// OldFiles: the credentials of a server whose plumb kept them in files below pki/: they are taken
// over into the vault once. The same files come out of a backup of such a plumb.
//
// Blocks; one thread.
#pragma once

#include <optional>

#include "base/status.h"
#include "plumb/data_directory.h"
#include "plumb/server/vault.h"

namespace plumb {

// Absent if there are none; without a join secret if that was not made yet. kInvalid if the
// authority is not whole.
base::Result<std::optional<VaultContents>> ReadOldFiles(const DataDirectory& data);

// For when `vault` is durable: removes each file that says what the vault says. One that says
// something else stays, and is warned of: nobody reads it any more.
base::Status RemoveOldFiles(const DataDirectory& data, const VaultContents& vault);

}  // namespace plumb
