// SourceError: a mistake in a pushed file, where a person finds it: "path:line:column: what; what
// to do". A value.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace gitsync {

struct SourceError {
  std::string path;
  base::Mark mark;  // 0:0 for the file as a whole
  std::string message;

  // "manifests/web.yaml:3:7: spec.replica: unknown field; did you mean replicas?"
  std::string ToString() const {
    std::string place = path;
    if (mark.line != 0) {
      place += ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column);
    }
    return place + ": " + message;
  }
};

// A line for each mistake. What is wrong in the same way at many places is one line: that of the
// first place, and how many more there are.
std::vector<std::string> LinesOf(const std::vector<SourceError>& errors);

}  // namespace gitsync
