// GzipReader: undoes Content-Encoding: gzip piece by piece (RFC 1952, through zlib).
//
// One owner, any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "base/status.h"

namespace base {

class GzipReader {
 public:
  GzipReader();
  ~GzipReader();
  // Passes what `in` unpacks to on to `sink`, in pieces of at most 64 KiB, until it returns false.
  // kBadRequest if `in` is no gzip or goes on after its end.
  Status Feed(std::string_view in, const std::function<bool(std::string_view)>& sink);
  // kBadRequest if the data ended early.
  Status Finish() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace base
