// Two runs of ci/bench side by side, row by row.
//
// A row is what is called the same, was measured with the same parameters (but for those that are
// themselves measured, as how many samples there were) and against the same peer. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace bench {

struct Row {
  std::string name;
  std::string parameters;  // "clients=4 objects=500", and the peer
  std::string unit;
  double value = 0;
};

// The lines that FormatFigure makes. kInvalid names the first that is none.
base::Result<std::vector<Row>> ReadRows(std::string_view text);

// A line a row, in the order of `now`, then those that are only in `before`:
//   NAME  PARAMETERS  BEFORE  NOW  RATIO  UNIT  "worse by more than a tenth"
// Rows a second are worse when they are fewer, all else when it is more. With `names`, only rows of
// those benchmarks ("rest" for "rest.lists").
std::string CompareRows(const std::vector<Row>& before, const std::vector<Row>& now,
                        const std::vector<std::string_view>& names);

}  // namespace bench
