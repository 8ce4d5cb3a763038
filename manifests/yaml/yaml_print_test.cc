#include <gtest/gtest.h>

#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

using base::Json;

std::string Printed(std::string_view json) { return ToYaml(*base::ParseJson(json)); }

TEST(YamlPrintTest, PrintsAnObjectAsKubectlDoes) {
  EXPECT_EQ(Printed(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","labels":{},
      "annotations":{"note":"yes","n":"5"}},"spec":{"containers":[{"name":"a","image":"x:1",
      "args":["-c","echo $A: b"],"ports":[{"containerPort":80}]},{"name":"b","tty":true}],
      "volumes":[],"weight":1.5,"none":null}})"),
            R"(apiVersion: v1
kind: Pod
metadata:
  annotations:
    "n": "5"
    note: "yes"
  labels: {}
  name: web
spec:
  containers:
  - args:
    - -c
    - 'echo $A: b'
    image: x:1
    name: a
    ports:
    - containerPort: 80
  - name: b
    tty: true
  none: null
  volumes: []
  weight: 1.5
)");
}

TEST(YamlPrintTest, PrintsListsOfLists) {
  EXPECT_EQ(Printed(R"([[1,[2]],[],{"a":[[{"b":1,"c":2}]]}])"), R"(- - 1
  - - 2
- []
- a:
  - - b: 1
      c: 2
)");
}

TEST(YamlPrintTest, QuotesOnlyWhereItMust) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "\"\""},
      {"a", "a"},
      {"a b", "a b"},
      {"5", "\"5\""},
      {"0644", "\"0644\""},
      {"1.5", "\"1.5\""},
      {"1e3", "\"1e3\""},
      {"1:20", "\"1:20\""},
      {".inf", "\".inf\""},
      {"yes", "\"yes\""},
      {"null", "\"null\""},
      {"~", "\"~\""},
      {"<<", "\"<<\""},
      {"10.0.0.1", "10.0.0.1"},
      {"500m", "500m"},
      {"a:b", "a:b"},
      {"a: b", "'a: b'"},
      {"a:", "'a:'"},
      {"a#b", "a#b"},
      {"a #b", "'a #b'"},
      {"#a", "'#a'"},
      {"-a", "-a"},
      {"- a", "'- a'"},
      {"-", "'-'"},
      {"?", "'?'"},
      {":80", ":80"},
      {"a, b", "a, b"},
      {"[a]", "'[a]'"},
      {"{a}", "'{a}'"},
      {"*.example.com", "'*.example.com'"},
      {"it's", "it's"},
      {"'it's'", "'''it''s'''"},
      {"\"a\"", "'\"a\"'"},
      {" a", "' a'"},
      {"a ", "'a '"},
      {"---", "'---'"},
      {"--flag", "--flag"},
      {"@a", "'@a'"},
      {"%a", "'%a'"},
      {"a\tb", "\"a\\tb\""},
      {"a\\b", "a\\b"},
      {"\xC3\xA4", "\xC3\xA4"},
      {"\x1B[0m \"\\", "\"\\u001B[0m \\\"\\\\\""},
      {"\xC2\x85\xE2\x80\xA8\xEF\xBB\xBF", "\"\\u0085\\u2028\\uFEFF\""},
      {"2001-12-14", "2001-12-14"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(ToYaml(Json(text)), expected + "\n");
}

TEST(YamlPrintTest, PrintsTextOfSeveralLinesAsABlock) {
  EXPECT_EQ(ToYaml(Json::MakeObject({{"a", "x\n  y\n\nz"},
                                     {"b", "x\ny\n"},
                                     {"c", "x\n\n\n"},
                                     {"d", "\n x\n"},
                                     {"e", Json::MakeArray({"p\nq"})},
                                     {"f", "x \ny"},
                                     {"g", "x\r\ny"},
                                     {"h", "\n\n"},
                                     {"i", "tab:\n\tx\n"}})),
            R"(a: |-
  x
    y

  z
b: |
  x
  y
c: |+
  x


d: |2

   x
e:
- |-
  p
  q
f: "x \ny"
g: "x\r\ny"
h: "\n\n"
i: |
  tab:
  	x
)");
}

TEST(YamlPrintTest, PrintsLongKeysWithAQuestionMark) {
  const std::string key(129, 'k');
  EXPECT_EQ(ToYaml(Json::MakeObject({{key, Json::MakeObject({{"a", 1}})}, {"b", 2}})),
            "b: 2\n? " + key + "\n:\n  a: 1\n");
}

TEST(YamlPrintTest, PrintsIntegralDoublesAsIntegers) {
  EXPECT_EQ(Printed("[3.0,1e300,-0.25,1e-9]"), "- 3\n- 1e+300\n- -0.25\n- 1e-09\n");
}

}  // namespace
}  // namespace manifests
