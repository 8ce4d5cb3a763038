#include "plumb/commands/arguments.h"

#include <cstdio>

#include "base/printable.h"

namespace plumb {

base::Result<Arguments> Arguments::Parse(const std::vector<std::string>& words,
                                         const FlagSet& flags) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      arguments.operands_.insert(arguments.operands_.end(),
                                 words.begin() + static_cast<ptrdiff_t>(i) + 1, words.end());
      break;
    }
    if (word.size() < 2 || word[0] != '-') {
      arguments.operands_.push_back(word);
      continue;
    }
    const size_t equals = word.find('=');
    const std::string flag = word.substr(0, equals);
    if (flags.without.count(flag) != 0 && equals == std::string::npos) {
      arguments.values_[flag].emplace_back();
    } else if (flags.with_value.count(flag) == 0) {
      return base::Status(base::Code::kInvalid, "unknown flag " + flag + "; see --help");
    } else if (equals != std::string::npos) {
      arguments.values_[flag].push_back(word.substr(equals + 1));
    } else if (i + 1 < words.size()) {
      arguments.values_[flag].push_back(words[++i]);
    } else {
      return base::Status(base::Code::kInvalid, "the flag " + flag + " needs a value; see --help");
    }
  }
  return arguments;
}

std::string Arguments::Get(const std::string& flag, std::string_view fallback) const {
  const auto it = values_.find(flag);
  return it == values_.end() ? std::string(fallback) : it->second.back();
}

std::vector<std::string> Arguments::All(const std::string& flag) const {
  const auto it = values_.find(flag);
  return it == values_.end() ? std::vector<std::string>() : it->second;
}

base::Result<base::Duration> Arguments::GetDuration(const std::string& flag,
                                                    base::Duration fallback) const {
  if (!Has(flag)) return fallback;
  base::Result<base::Duration> duration = base::Duration::Parse(Get(flag));
  if (!duration.ok()) return duration.status().WithContext(flag);
  return duration;
}

int Fail(const base::Status& status) {
  std::fprintf(stderr, "plumb: %s\n", base::OneLine(status.message()).c_str());
  return base::InfoOf(status.code()).exit_code;
}

}  // namespace plumb
