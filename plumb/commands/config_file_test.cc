#include "plumb/commands/config_file.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

const FlagSet kFlags = {{"--listen", "--name", "--data-dir", "--config"}, {"--verbose", "--help"}};

std::string Parsed(const std::string& text) {
  const auto words = ParseConfig(text, "plumb.yaml", kFlags);
  if (!words.ok()) return std::string(words.status().message());
  std::string line;
  for (const std::string& word : *words) line += (line.empty() ? "" : " ") + word;
  return line;
}

TEST(ConfigFileTest, KeysAreFlagsWithoutTheirDashes) {
  EXPECT_EQ(Parsed("listen: 0.0.0.0:6443\nname: [a.example, b.example]\nverbose: true\n"),
            "--listen=0.0.0.0:6443 --name=a.example --name=b.example --verbose");
  EXPECT_EQ(Parsed(""), "");
  EXPECT_EQ(Parsed("verbose: false\ndata-dir: 7\n"), "--data-dir=7");
}

TEST(ConfigFileTest, EveryMistakeIsNamedWhereItStands) {
  EXPECT_EQ(Parsed("listen: a\nlisen: b\nverbose: 3\nname: {a: b}\nhelp: true\nconfig: x\n"),
            "plumb.yaml:6:1: unknown key config; --help lists the flags, which are the keys\n"
            "plumb.yaml:5:1: unknown key help; --help lists the flags, which are the keys\n"
            "plumb.yaml:2:1: unknown key lisen; did you mean listen?\n"
            "plumb.yaml:4:7: name takes a text; put it in quotes if it looks like something else\n"
            "plumb.yaml:3:10: verbose is true or false");
  EXPECT_EQ(Parsed("- listen\n"),
            "plumb.yaml:1:1: expected \"key: value\" lines, as in \"listen: 0.0.0.0:6443\"");
  EXPECT_EQ(Parsed("listen: a\nlisten: b\n").substr(0, 15), "plumb.yaml:2:1:");
}

}  // namespace
}  // namespace plumb
