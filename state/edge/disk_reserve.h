// DiskReserve: a file that holds room on a disk, to be given up when there is no other: LevelDB
// needs room to open and to compact, which makes room.
//
// One thread at a time.
#pragma once

#include <cstddef>
#include <string>

namespace state {

class DiskReserve {
 public:
  DiskReserve(std::string path, size_t bytes) : path_(std::move(path)), bytes_(bytes) {}

  // Makes the file, if twice its size is free; else, and where a file system cannot hold room,
  // there is none.
  void Fill();
  bool filled() const { return filled_; }
  // False if there was nothing to give up.
  bool GiveUp();

 private:
  const std::string path_;
  const size_t bytes_;
  bool filled_ = false;
};

}  // namespace state
