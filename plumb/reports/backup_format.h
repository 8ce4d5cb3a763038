// The form of a backup: one line that names it, then frames.
//
//   "plumb backup 1\n"
//   frame: 1 byte kind, 4 bytes length (little-endian), payload, 4 bytes CRC-32C of the frame's
//          number (8 bytes), kind, length and payload: a frame that is damaged, lost or out of
//          place is seen.
//
// Kinds, in this order: one kHead; kObject one an object; kFile, each followed by its kData; one
// kEnd, or kFailed with a sentence where the server could not go on.
//
// Pure; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace plumb {

inline constexpr int kBackupFormat = 1;
inline constexpr size_t kMaxFrameBytes = 32u << 20;  // more than the largest object's record
inline constexpr size_t kMaxDataBytes = 64u << 10;   // of one kData

enum class FrameKind : char {
  kHead = 'H',    // JSON {plumb, created, revision, storeFormat}
  kObject = 'O',  // 8 bytes revision (big-endian), then the record as in state/record.h
  kFile = 'F',    // a path below the data directory: "git/shop.bundle"; once also "pki/ca.key"
  kData = 'D',    // what comes next of the file
  kEnd = 'Z',     // JSON {objects, files, leftOut: [{repository, why}]}
  kFailed = 'X',  // why the backup is not complete
};

struct BackupFrame {
  FrameKind kind = FrameKind::kHead;
  std::string payload;
};

// Turns frames into bytes; the first call also gives the line in front.
class BackupWriter {
 public:
  std::string Write(FrameKind kind, std::string_view payload);

 private:
  uint64_t number_ = 0;
};

// Turns bytes, in pieces of any size, back into frames.
class BackupReader {
 public:
  // Calls `take` for each whole frame; its failure comes back. kInvalid: no backup; kUnavailable:
  // of a newer plumb; kCorruption: damaged, with the place; kInternal: a kFailed frame's sentence.
  base::Status Feed(std::string_view bytes,
                    const std::function<base::Status(const BackupFrame&)>& take);
  // kCorruption unless the end was seen.
  base::Status Finish() const;

 private:
  base::Status TakeFrame(bool& taken, const std::function<base::Status(const BackupFrame&)>& take);
  base::Status Damaged(const std::string& what) const;

  std::string pending_;
  uint64_t offset_ = 0;  // of pending_ in the backup
  uint64_t number_ = 0;
  bool named_ = false, ended_ = false;
};

}  // namespace plumb
