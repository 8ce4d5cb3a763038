// Restore: a data directory from a backup.
//
// Blocks; one thread; no server may use the directory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"

namespace plumb {

// A restored server goes on from the backup's revision plus this much, so that no revision that the
// lost server gave out after the backup is ever given again: whoever watched it (kubectl, agents)
// is told that its revision is too old, and lists anew. A server at 50,000 writes a second takes a
// day for as many.
inline constexpr uint64_t kRestoreGap = uint64_t{1} << 32;

struct BackupSummary {
  std::string created;  // RFC 3339
  uint64_t revision = 0;
  int64_t objects = 0;
  int64_t repositories = 0;
  uint64_t bytes = 0;
  std::vector<std::string> left_out;  // a sentence each: what is not in it, or cannot be restored
};

// Reads all of the backup and says what is in it. kInvalid, kUnavailable (a newer format),
// kCorruption: as BackupReader, or what is in it contradicts itself.
base::Result<BackupSummary> CheckBackup(const std::string& path);

// Restores the backup into a new directory of $TMPDIR (else /var/tmp), which is then removed.
base::Result<BackupSummary> TryBackup(const std::string& path);

// Checks the backup, then fills `data_dir`, which must not exist, or be empty (kConflict) and this
// user's own (kForbidden). After a failure the directory is empty again, or marked as unfinished if
// that fails too. What is wrong with one repository is no failure: it is left out, and named.
base::Result<BackupSummary> RestoreBackup(const std::string& path, const std::string& data_dir);

// kConflict if a restore into the directory was not finished: no server may start on it.
base::Status CheckRestored(const std::string& data_dir);

}  // namespace plumb
