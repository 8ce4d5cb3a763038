// IgnoreRules: which files a .sourceignore takes out of what is deployed, in the syntax and with
// the meaning of gitignore (https://git-scm.com/docs/gitignore).
//
// Immutable; any thread. A match costs path length times pattern length, whatever the pattern.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace gitsync {

inline constexpr size_t kMaxIgnoreBytes = 64 << 10;  // of one .sourceignore
inline constexpr size_t kMaxIgnoreRules = 1000;
inline constexpr size_t kMaxIgnorePatternBytes = 1024;

class IgnoreRules {
 public:
  IgnoreRules() = default;  // ignores nothing
  // kTooLarge beyond the limits, with the line. Every text is a valid gitignore: a pattern that
  // cannot match, such as one with an open bracket, matches nothing.
  static base::Result<IgnoreRules> Parse(std::string_view text);

  // `path` is relative to the directory that the rules stand in, with '/', without one at its ends.
  // What lies in an ignored directory is ignored, whatever later rules say.
  bool Ignored(std::string_view path, bool is_dir) const;

 private:
  // A set of bytes: [a-z], [!0-9], [[:alpha:]].
  struct Set {
    bool Has(unsigned char c) const { return bits[c / 64] >> (c % 64) & 1; }
    void Add(unsigned char c) { bits[c / 64] |= uint64_t{1} << (c % 64); }
    uint64_t bits[4] = {};
  };
  struct Token {
    enum Kind {
      kByte,      // `byte` itself
      kAny,       // one byte but '/'
      kSet,       // one byte of sets[set], and not '/'
      kStar,      // any run without '/'; from here on, what can be nothing
      kDeepStar,  // any run
      kDirs,      // nothing, or any run that ends with '/'
    };
    Kind kind;
    unsigned char byte = 0;
    size_t set = 0;
  };
  struct Rule {
    std::vector<Token> tokens;
    bool negated = false;
    bool directories_only = false;
    bool anchored = false;  // matches the whole path, not just its last step
    bool never = false;     // malformed
  };
  static Rule ParseRule(std::string_view line, std::vector<Set>& sets);
  static Token::Kind ParseStars(std::string_view& rest, bool may_be_deep);
  static bool ParseSet(std::string_view& rest, Set& set);
  bool Matches(const Rule& rule, std::string_view path) const;
  bool StepIgnored(std::string_view path, bool is_dir) const;

  std::vector<Rule> rules_;
  std::vector<Set> sets_;
};

}  // namespace gitsync
