#include "plumb/reports/text_diff.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

std::string Text(const std::vector<DiffLine>& lines) {
  std::string text;
  for (const DiffLine& line : lines) {
    text += "@ -+"[static_cast<int>(line.kind)] + line.text + "\n";
  }
  return text;
}

constexpr char kBefore[] =
    "kind: Deployment\n"
    "metadata:\n"
    "  name: web\n"
    "spec:\n"
    "  replicas: 2\n"
    "  template:\n"
    "    spec:\n"
    "      containers:\n"
    "      - args:\n"
    "        - serve\n"
    "        image: hello:1\n"
    "        name: web\n"
    "        ports: []\n"
    "      dnsPolicy: ClusterFirst\n";

std::string Changed(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(TextDiffTest, EqualTextsHaveNoDifference) { EXPECT_EQ(Text(DiffYaml(kBefore, kBefore)), ""); }

TEST(TextDiffTest, AChangeIsShownWithTheFieldItIsIn) {
  EXPECT_EQ(Text(DiffYaml(kBefore, Changed(kBefore, "hello:1", "hello:2"))),
            "@spec.template.spec.containers\n"
            "       - args:\n"
            "         - serve\n"
            "-        image: hello:1\n"
            "+        image: hello:2\n"
            "         name: web\n"
            "         ports: []\n");
}

TEST(TextDiffTest, ChangesFarApartAreHunksOfTheirOwn) {
  const std::string after = Changed(Changed(kBefore, "replicas: 2", "replicas: 3"),
                                    "      dnsPolicy: ClusterFirst\n", "");
  EXPECT_EQ(Text(DiffYaml(kBefore, after)),
            "@metadata\n"
            "   name: web\n"
            " spec:\n"
            "-  replicas: 2\n"
            "+  replicas: 3\n"
            "   template:\n"
            "     spec:\n"
            "@spec.template.spec.containers\n"
            "         name: web\n"
            "         ports: []\n"
            "-      dnsPolicy: ClusterFirst\n");
}

TEST(TextDiffTest, TextsBeyondTheLimitAreReplacedWhole) {
  std::string before, after;
  for (int i = 0; i < 3000; ++i) {
    before += "a" + std::to_string(i) + ": 1\n";
    after += "b" + std::to_string(i) + ": 1\n";
  }
  const std::vector<DiffLine> lines = DiffYaml(before, after + "a0: 1\n");
  EXPECT_EQ(lines.size(), 6001u);
  EXPECT_EQ(lines[2999].text + " " + lines[3000].text, "a2999: 1 b0: 1");
}

}  // namespace
}  // namespace plumb
