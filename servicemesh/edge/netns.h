// ScopedNetns: the calling thread works in another network namespace for a while. Sockets stay in
// the namespace they were opened in.
//
// One thread; needs CAP_SYS_ADMIN unless the path is "".
#pragma once

#include <string>
#include <utility>

#include "base/edge/files.h"
#include "base/status.h"

namespace servicemesh {

class ScopedNetns {
 public:
  // `path` as "/run/netns/NAME"; "" stays where the thread is.
  static base::Result<ScopedNetns> Enter(const std::string& path);
  ScopedNetns(ScopedNetns&&) = default;
  ScopedNetns& operator=(ScopedNetns&&) = delete;
  ~ScopedNetns();  // goes back; a thread that cannot would do harm, so the process then ends

 private:
  explicit ScopedNetns(base::UniqueFd home) : home_(std::move(home)) {}
  base::UniqueFd home_;  // the namespace to go back to; none: the thread did not leave
};

}  // namespace servicemesh
