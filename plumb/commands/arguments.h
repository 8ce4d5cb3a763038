// Arguments: a command's flags and operands. "--name value", "--name=value"; "--" ends the flags.
//
// A value. Unknown flags and missing values are errors that name the flag.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"

namespace plumb {

struct FlagSet {
  std::set<std::string> with_value;  // "--data-dir"
  std::set<std::string> without;     // "--watch"
};

class Arguments {
 public:
  static base::Result<Arguments> Parse(const std::vector<std::string>& words, const FlagSet& flags);

  bool Has(const std::string& flag) const { return values_.count(flag) != 0; }
  // The last one given; `fallback` if there is none.
  std::string Get(const std::string& flag, std::string_view fallback = {}) const;
  std::vector<std::string> All(const std::string& flag) const;
  // kInvalid if the flag's value is no duration.
  base::Result<base::Duration> GetDuration(const std::string& flag, base::Duration fallback) const;
  const std::vector<std::string>& operands() const { return operands_; }

 private:
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> operands_;
};

// Prints "plumb: MESSAGE" and returns the status's exit code.
int Fail(const base::Status& status);

}  // namespace plumb
