// `plumb dev`: the command line of development clusters.
#pragma once

#include <string>
#include <vector>

namespace plumb {

// `args` are those behind "dev"; the exit code: 0 done, 1 failed, 2 not understood. `exec` gives
// the command's own.
int DevCommand(const std::vector<std::string>& args);

}  // namespace plumb
