// ByteBudget: how many bytes may wait in memory, of all who share it. Any thread.
#pragma once

#include <atomic>
#include <cstddef>

namespace base {

class ByteBudget {
 public:
  explicit ByteBudget(size_t most) : most_(most) {}

  // Whether there is room left. What is taken may exceed it by its last piece, so that one that is
  // larger than all of it has its turn, too.
  bool has_room() const { return taken_ < most_; }
  void Take(size_t bytes) { taken_ += bytes; }
  void Return(size_t bytes) { taken_ -= bytes; }
  size_t taken() const { return taken_; }

 private:
  const size_t most_;
  std::atomic<size_t> taken_{0};
};

}  // namespace base
