// PlumbProcess: a real `plumb server` on loopback, as a child: started, killed, started again.
//
// One owner. The child ends with it.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/edge/files.h"
#include "base/edge/process.h"
#include "base/status.h"

namespace testsupport {

class PlumbProcess {
 public:
  // Returns once it serves; on failure with the last line that it wrote. It finds a free port by
  // itself. Its log goes to DATA_DIR.log. `descriptors`: how many it may have (ulimit -n); 0: as
  // many as this process.
  static base::Result<std::unique_ptr<PlumbProcess>> Start(const std::string& plumb,
                                                           const std::string& data_dir,
                                                           int descriptors = 0);
  ~PlumbProcess() { Kill(); }

  int port() const { return port_; }
  pid_t pid() const { return process_.pid(); }
  const std::string& data_dir() const { return data_dir_; }

  void Kill();  // SIGKILL, and waits for the end
  base::ExitStatus Stop() { return process_.Stop(base::Duration::Seconds(10)); }

 private:
  PlumbProcess(base::Process process, base::UniqueFd output, int port, std::string data_dir);

  base::Process process_;
  base::UniqueFd output_;
  int port_;
  std::string data_dir_;
};

}  // namespace testsupport
