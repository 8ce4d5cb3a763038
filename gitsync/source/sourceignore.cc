// The rules of gitignore:
//  - one pattern a line; blank lines and lines that start with '#' are none; '\' takes the meaning
//    from the next character; trailing blanks go, unless escaped;
//  - '!' takes back what an earlier pattern ignored; of all matching patterns the last decides;
//  - a slash at the end: directories only; a slash elsewhere: the pattern is for the whole path,
//  else
//    for the last step of it, at any depth;
//  - '*' and '?' do not match a slash; "**/" in front, "/**/" between and "/**" behind match any
//    directories; any other "**" is a '*', except that git lets it match directories also behind a
//    beginning without special characters: "abc**/def" matches "abc/x/def";
//  - nothing in an ignored directory can be taken back.
//
// A pattern is compiled to tokens, and matched by the set of tokens that can be reached after each
// byte of the path: no backtracking, so no pattern is expensive.
#include "gitsync/source/sourceignore.h"

#include <algorithm>
#include <utility>

namespace gitsync {

using base::Code;
using base::Result;
using base::Status;

namespace {

// The POSIX classes, of ASCII.
bool InClass(std::string_view name, unsigned char c) {
  const bool upper = c >= 'A' && c <= 'Z';
  const bool lower = c >= 'a' && c <= 'z';
  const bool digit = c >= '0' && c <= '9';
  const bool graph = c > ' ' && c < 0x7f;
  if (name == "alnum") return upper || lower || digit;
  if (name == "alpha") return upper || lower;
  if (name == "blank") return c == ' ' || c == '\t';
  if (name == "cntrl") return c < 0x20 || c == 0x7f;
  if (name == "digit") return digit;
  if (name == "graph") return graph;
  if (name == "lower") return lower;
  if (name == "print") return graph || c == ' ';
  if (name == "punct") return graph && !upper && !lower && !digit;
  if (name == "space") return c == ' ' || (c >= '\t' && c <= '\r');
  if (name == "upper") return upper;
  return digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');  // xdigit
}

bool IsClassName(std::string_view name) {
  constexpr std::string_view kNames[] = {"alnum", "alpha", "blank", "cntrl", "digit", "graph",
                                         "lower", "print", "punct", "space", "upper", "xdigit"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

bool IsSpecial(char c) { return c == '*' || c == '?' || c == '[' || c == '\\'; }

// Without the blanks at its end that no backslash protects.
std::string_view TrimEnd(std::string_view line) {
  size_t end = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) {
      end = ++i + 1;
    } else if (line[i] != ' ') {
      end = i + 1;
    }
  }
  return line.substr(0, end);
}

}  // namespace

Result<IgnoreRules> IgnoreRules::Parse(std::string_view text) {
  if (text.size() > kMaxIgnoreBytes) {
    return Status(Code::kTooLarge, "an ignore file of " + std::to_string(text.size()) +
                                       " bytes is larger than " + std::to_string(kMaxIgnoreBytes));
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
  IgnoreRules rules;
  for (size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('#')) continue;
    line = TrimEnd(line);
    if (line.empty()) continue;
    if (line.size() > kMaxIgnorePatternBytes || rules.rules_.size() == kMaxIgnoreRules) {
      return Status(Code::kTooLarge, "line " + std::to_string(number) +
                                         ": an ignore file has at most " +
                                         std::to_string(kMaxIgnoreRules) + " patterns of " +
                                         std::to_string(kMaxIgnorePatternBytes) + " bytes");
    }
    rules.rules_.push_back(ParseRule(line, rules.sets_));
  }
  return rules;
}

IgnoreRules::Rule IgnoreRules::ParseRule(std::string_view line, std::vector<Set>& sets) {
  Rule rule;
  if (line.starts_with('!')) {
    rule.negated = true;
    line.remove_prefix(1);
  }
  if (line.ends_with('/')) {
    rule.directories_only = true;
    line.remove_suffix(1);
  }
  rule.anchored = line.find('/') != std::string_view::npos;
  if (line.starts_with('/')) line.remove_prefix(1);
  rule.never = line.empty();
  bool after_slash = true;  // at the start of a step
  bool literal = true;      // nothing special yet
  while (!line.empty()) {
    const char c = line.front();
    line.remove_prefix(1);
    const bool step_starts = std::exchange(after_slash, c == '/');
    const bool was_literal = std::exchange(literal, literal && !IsSpecial(c));
    if (c == '*') {
      const bool may_be_deep = rule.anchored && (step_starts || was_literal);
      rule.tokens.push_back({ParseStars(line, may_be_deep)});
      after_slash = rule.tokens.back().kind == Token::kDirs;
    } else if (c == '?') {
      rule.tokens.push_back({Token::kAny});
    } else if (c == '[') {
      sets.emplace_back();
      rule.tokens.push_back({Token::kSet, 0, sets.size() - 1});
      rule.never = rule.never || !ParseSet(line, sets.back());
    } else if (c == '\\') {
      rule.never = rule.never || line.empty();
      if (line.empty()) break;
      after_slash = line.front() == '/';
      rule.tokens.push_back({Token::kByte, static_cast<unsigned char>(line.front())});
      line.remove_prefix(1);
    } else {
      rule.tokens.push_back({Token::kByte, static_cast<unsigned char>(c)});
    }
  }
  return rule;
}

// `rest` stands behind the first star; afterwards behind the token.
IgnoreRules::Token::Kind IgnoreRules::ParseStars(std::string_view& rest, bool may_be_deep) {
  const bool several = rest.starts_with('*');
  rest.remove_prefix(std::min(rest.find_first_not_of('*'), rest.size()));
  if (!several || !may_be_deep) return Token::kStar;
  if (rest.starts_with('/')) {
    rest.remove_prefix(1);
    return Token::kDirs;
  }
  return rest.empty() || rest.starts_with("\\/") ? Token::kDeepStar : Token::kStar;
}

// `rest` stands behind the '['; afterwards behind the ']'. False if there is none.
bool IgnoreRules::ParseSet(std::string_view& rest, Set& set) {
  const bool negated = rest.starts_with('!') || rest.starts_with('^');
  if (negated) rest.remove_prefix(1);
  Set listed;
  int previous = -1;  // the start of a range, if a '-' comes
  for (bool first = true; first || !rest.starts_with(']'); first = false) {
    if (rest.empty()) return false;
    if (rest.starts_with("[:")) {
      const size_t end = rest.find(":]");
      if (end != std::string_view::npos && IsClassName(rest.substr(2, end - 2))) {
        for (int c = 0; c < 256; ++c) {
          if (InClass(rest.substr(2, end - 2), static_cast<unsigned char>(c))) {
            listed.Add(static_cast<unsigned char>(c));
          }
        }
        rest.remove_prefix(end + 2);
        previous = -1;
        continue;
      }
    }
    const bool range = previous >= 0 && rest.size() > 1 && rest[0] == '-' && rest[1] != ']';
    if (range) rest.remove_prefix(1);
    if (rest.starts_with('\\')) rest.remove_prefix(1);
    if (rest.empty()) return false;
    const unsigned char c = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    for (int i = range ? previous : c; i <= c; ++i) listed.Add(static_cast<unsigned char>(i));
    previous = range ? -1 : c;
  }
  rest.remove_prefix(1);
  for (int c = 0; c < 256; ++c) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (byte != '/' && listed.Has(byte) != negated) set.Add(byte);
  }
  return true;
}

bool IgnoreRules::Matches(const Rule& rule, std::string_view path) const {
  if (rule.never) return false;
  if (!rule.anchored) path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0
  const size_t count = rule.tokens.size();
  std::vector<char> here(count + 1), next(count + 1);  // [i]: the tokens before i match so far
  const auto enter = [&](std::vector<char>& reached, size_t i) {
    reached[i] = 1;
    for (; i < count && rule.tokens[i].kind >= Token::kStar; ++i) reached[i + 1] = 1;
  };
  enter(here, 0);
  for (const char c : path) {
    const unsigned char byte = static_cast<unsigned char>(c);
    std::fill(next.begin(), next.end(), 0);
    for (size_t i = 0; i < count; ++i) {
      if (!here[i]) continue;
      const Token& token = rule.tokens[i];
      bool stays = false;
      bool passes = false;
      switch (token.kind) {
        case Token::kByte: passes = byte == token.byte; break;
        case Token::kAny: passes = byte != '/'; break;
        case Token::kSet: passes = sets_[token.set].Has(byte); break;
        case Token::kStar: stays = passes = byte != '/'; break;
        case Token::kDeepStar: stays = passes = true; break;
        case Token::kDirs: stays = true, passes = byte == '/'; break;
      }
      if (stays) next[i] = 1;
      if (passes) enter(next, i + 1);
    }
    here.swap(next);
  }
  return here[count];
}

bool IgnoreRules::StepIgnored(std::string_view path, bool is_dir) const {
  for (size_t i = rules_.size(); i-- > 0;) {
    const Rule& rule = rules_[i];
    if (rule.directories_only && !is_dir) continue;
    if (Matches(rule, path)) return !rule.negated;
  }
  return false;
}

bool IgnoreRules::Ignored(std::string_view path, bool is_dir) const {
  for (size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    if (StepIgnored(path.substr(0, slash), true)) return true;
  }
  return StepIgnored(path, is_dir);
}

}  // namespace gitsync
