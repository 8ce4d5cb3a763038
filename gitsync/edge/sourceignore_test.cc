// IgnoreRules against git check-ignore: every rule of a table with every path of another, and rules
// made up from a seed.
#include "gitsync/source/sourceignore.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "base/rng.h"
#include "gitsync/edge/git_sandbox.h"

namespace gitsync {
namespace {

// Files of the work tree; their directories are asked about as well.
const std::vector<std::string> kFiles = {
    "q/a",         "b.yaml",    "foo",         "foo.yaml",    "x/foo/bar",   "x/foo/y/z",
    "x/foobar",    "doc/foo",   "doc/a/b/foo", "doc/a.txt",   "doc/b/a.txt", "#hash",
    "!bang",       "sp ace",    "end ",        "st*r",        "que?y",       "br[ack]et",
    "back\\slash", "z/abc",     "aXc",         "a-c",         "a]c",         "A1",
    "x/y/z/w",     "abc/x/def", "abc/def",     "abc/x/y/def", "abcdef",      ".hidden/f",
    "tab\tname",   "a/b",       "naïve",       "x/doc/foo",   "foo.d/foo",   "z/a^c"};

class CheckIgnoreTest : public testing::Test {
 protected:
  CheckIgnoreTest() {
    sandbox_.Git({"init", "--quiet", "work"});
    for (const std::string& file : kFiles) {
      const std::filesystem::path path = sandbox_.root() + "/work/" + file;
      std::filesystem::create_directories(path.parent_path());
      EXPECT_TRUE(base::WriteFileAtomic(path.string(), "", 0644).ok());
    }
    const std::string root = sandbox_.root() + "/work";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      const std::string path = entry.path().string().substr(root.size() + 1);
      if (path.starts_with(".git")) continue;
      paths_.emplace_back(path, entry.is_directory());
      input_ += path;
      input_ += '\0';
    }
  }

  // Both answers: a line for each path that is ignored.
  std::string AskGit(const std::string& rules) {
    std::ofstream(sandbox_.root() + "/work/.git/info/exclude") << rules;
    const base::RunOutput run =
        sandbox_.Try({"-C", "work", "check-ignore", "--no-index", "-z", "--stdin"}, input_);
    std::set<std::string> ignored;
    std::string_view rest = run.output;
    while (!rest.empty()) {
      ignored.emplace(rest.substr(0, rest.find('\0')));
      rest.remove_prefix(std::min(rest.find('\0') + 1, rest.size()));
    }
    return Join(ignored);
  }
  std::string AskUs(const std::string& rules) {
    const base::Result<IgnoreRules> parsed = IgnoreRules::Parse(rules);
    if (!parsed.ok()) return parsed.status().ToString();
    std::set<std::string> ignored;
    for (const auto& [path, is_dir] : paths_) {
      if (parsed->Ignored(path, is_dir)) ignored.insert(path);
    }
    return Join(ignored);
  }

 private:
  static std::string Join(const std::set<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  }

  GitSandbox sandbox_;
  std::vector<std::pair<std::string, bool>> paths_;
  std::string input_;
};

TEST_F(CheckIgnoreTest, EveryPatternMeansWhatItMeansToGit) {
  const std::vector<std::string> kRules = {"foo",
                                           "/foo",
                                           "foo/",
                                           "/foo/",
                                           "x/foo",
                                           "/x/foo",
                                           "*",
                                           "/*",
                                           "*/",
                                           "!*",
                                           "/",
                                           "!",
                                           "//",
                                           "*.yaml",
                                           "f*",
                                           "*o",
                                           "f?o",
                                           "?",
                                           "??c",
                                           "[",
                                           "[a",
                                           "[]",
                                           "[]]",
                                           "a[]]c",
                                           "a[!X]c",
                                           "a[^X]c",
                                           "a[X-]c",
                                           "a[a-z]c",
                                           "a[z-a]c",
                                           "a[[:upper:]]c",
                                           "a[[:nope:]]c",
                                           "a[!-]c",
                                           "[[:alpha:]]*",
                                           "a[\\]]c",
                                           "a[\\X]c",
                                           "[!a]*",
                                           "[[:upper:][:digit:]]*",
                                           "a[[:punct:]]c",
                                           "z/a[\\^]c",
                                           "**",
                                           "**/",
                                           "/**",
                                           "**/foo",
                                           "**/foo/",
                                           "/**/foo",
                                           "foo/**",
                                           "x/**",
                                           "x/**/",
                                           "x/**/z",
                                           "abc/**/def",
                                           "abc**def",
                                           "abc/**def",
                                           "abc**/def",
                                           "**abc",
                                           "abc**",
                                           "a**/b",
                                           "***",
                                           "x/***",
                                           "x/***/z",
                                           "x/*",
                                           "x/*/z",
                                           "x/*/*",
                                           "*/foo",
                                           "*/*/foo",
                                           "doc/*.txt",
                                           "doc/**/a.txt",
                                           "doc/**/*.txt",
                                           "#hash",
                                           "\\#hash",
                                           "!bang",
                                           "\\!bang",
                                           "sp ace",
                                           "sp\\ ace",
                                           "end ",
                                           "end\\ ",
                                           "end\\  ",
                                           "foo ",
                                           "foo\t",
                                           "foo  \r",
                                           "st\\*r",
                                           "st*r",
                                           "que\\?y",
                                           "br\\[ack\\]et",
                                           "br[[]ack[]]et",
                                           "back\\\\slash",
                                           "back\\slash",
                                           "trailing\\",
                                           "foo\\",
                                           "\\f\\o\\o",
                                           "foo/bar",
                                           "/foo/bar",
                                           "x/foo/",
                                           "x//foo",
                                           "./foo",
                                           "x/./foo",
                                           ".*",
                                           ".hidden",
                                           ".hidden/",
                                           "tab\tname",
                                           "na\xc3\xafve",
                                           "na??ve",
                                           "na?ve",
                                           "na*ve",
                                           "a\\/b",
                                           "x\\/foo",
                                           "x/**\\/z",
                                           "[x]/foo",
                                           "x[/]foo",
                                           "x?foo",
                                           "x*foo",
                                           "\xef\xbb\xbf"
                                           "foo",
                                           "*c",
                                           "a*c",
                                           "*a*c*",
                                           "*/**",
                                           "**/*/z",
                                           "foo\n!foo",
                                           "*\n!foo",
                                           "*\n!x/\n!x/foo/",
                                           "x/\n!x/foo",
                                           "x/*\n!x/foo",
                                           "!foo\nfoo",
                                           "*.yaml\n!/b.yaml",
                                           "/*\n!/x\n/x/*\n!/x/foo",
                                           "doc/**\n!doc/**/\n!doc/**/foo",
                                           "foo\r\n!x/foo\r\n",
                                           "\\\\",
                                           "a\\",
                                           "**/**/foo",
                                           "x/**/**/z",
                                           "x/**/y/**",
                                           "[[:alpha:]",
                                           "[a-",
                                           "[!]",
                                           "[!]a]*",
                                           "[a-]*",
                                           "[]-a]*",
                                           "[\\a-\\c]*",
                                           "a[--X]c"};
  for (const std::string& rules : kRules) {
    EXPECT_EQ(AskUs(rules + "\n"), AskGit(rules + "\n")) << "for " << testing::PrintToString(rules);
  }
}

TEST_F(CheckIgnoreTest, RulesMadeUpMeanWhatTheyMeanToGit) {
  const std::vector<std::string> kParts = {"a",     "x",    "foo", "doc", "abc",  "def",
                                           "/",     "/",    "*",   "**",  "/**/", "?",
                                           "[a-f]", "[!x]", ".",   "z",   "\\",   "y"};
  base::Rng rng(7);
  int ignored = 0;
  for (int round = 0; round < 500; ++round) {
    std::string rules;
    for (uint64_t lines = 1 + rng.Below(4); lines > 0; --lines) {
      if (rng.Below(4) == 0) rules += "!";
      for (uint64_t parts = 1 + rng.Below(5); parts > 0; --parts) {
        rules += kParts[rng.Below(kParts.size())];
      }
      if (rng.Below(5) == 0) rules += "/";
      rules += "\n";
    }
    const std::string expected = AskGit(rules);
    ignored += !expected.empty();
    ASSERT_EQ(AskUs(rules), expected) << "for " << testing::PrintToString(rules);
  }
  EXPECT_GT(ignored, 50);  // the seed makes rules that matter
}

}  // namespace
}  // namespace gitsync
