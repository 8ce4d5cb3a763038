// ConfigFile: a command's flags from a YAML file: `--config FILE`. The keys are the flags' names
// without the dashes; what the command line says wins.
//
//   data-dir: /var/lib/plumb
//   listen: 0.0.0.0:6443
//   name: [cluster.example.org, 192.0.2.7]
//
// Pure but for ReadConfig.
#pragma once

#include <string>
#include <string_view>

#include "plumb/commands/arguments.h"

namespace plumb {

inline constexpr const char* kConfigFlag = "--config";
inline constexpr size_t kMaxConfigBytes = 1 << 20;

// The flags that `text` sets, as words of a command line. kInvalid with every mistake, one a line:
// "plumb.yaml:3:1: unknown key lisen; did you mean listen?".
base::Result<std::vector<std::string>> ParseConfig(std::string_view text, const std::string& path,
                                                   const FlagSet& flags);

// Parses `words`; those of the file that --config names, if there is one, come before them.
base::Result<Arguments> ParseWithConfig(const std::vector<std::string>& words, FlagSet flags);

}  // namespace plumb
