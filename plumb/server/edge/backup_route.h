// BackupRoute: GET /plumb/v1/backup: everything that a working server is made of, as
// backup_format.h says: the objects of one View, the vault with all credentials among them, and
// every repository as a Git bundle. What a node keeps is not in it: it comes back by itself.
//
// Administrators only; one at a time; streamed by a worker, never held as a whole.
#pragma once

#include "base/loop.h"
#include "base/net/exchange.h"
#include "gitsync/edge/git_host.h"
#include "plumb/server/edge/git_routes.h"
#include "state/store.h"

namespace plumb {

struct BackupSource {
  base::Loop& loop;
  state::Store& store;
  gitsync::GitHostOptions git;
};

void AddBackupRoute(base::Routes& routes, const BackupSource& source, Authenticator authenticate);

}  // namespace plumb
