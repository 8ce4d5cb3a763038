#include "manifests/selector.h"

#include <gtest/gtest.h>

#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

base::Document Yaml(std::string_view text) {
  const YamlFile file = ParseYaml(text);
  return file.documents.empty() ? base::Document() : base::Document(file.documents[0]);
}

// The selector as it prints, or the error.
std::string Text(const base::Result<LabelSelector>& selector) {
  return selector.ok() ? selector->ToString() : selector.status().ToString();
}

std::string Parsed(std::string_view text) { return Text(LabelSelector::Parse(text)); }

std::string FromYaml(std::string_view text) {
  const base::Document document = Yaml(text);
  return Text(LabelSelector::FromObject(document["selector"]));
}

TEST(SelectorTest, ReadsTheQueryForm) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", ""},
      {"  ", ""},
      {"a=b", "a=b"},
      {"a==b", "a=b"},
      {" a = b , c != d ", "a=b,c!=d"},
      {"a=", "a="},
      {"a", "a"},
      {"!a", "!a"},
      {"a in (c,b,c)", "a in (b,c)"},
      {"a in(b)", "a=b"},
      {"a notin (b, c)", "a notin (b,c)"},
      {"a in (,b)", "a in (,b)"},
      {"a>1,b<-2", "a>1,b<-2"},
      {"z=1,example.com/a=2,!m", "example.com/a=2,!m,z=1"},
      {"in in (in)", "in=in"},
      {"a,a!=b", "a,a!=b"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(Parsed(text), expected) << text;
    EXPECT_EQ(Parsed(expected), expected);
  }
}

TEST(SelectorTest, RefusesWhatItCannotRead) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a,", "a label's name should stand at byte 3"},
      {",a", "a label's name should stand at byte 1"},
      {"=b", "a label's name should stand at byte 1"},
      {"a=b c", "',' should stand at byte 5"},
      {"a is b", "after \"a\" write =, ==, !=, in (...), notin (...), < or >"},
      {"a in b", "'(' should follow in and notin"},
      {"a in (b", "the list of values is not closed; add ')'"},
      {"a in ()", "In and NotIn need at least one value; add one"},
      {"!a=b", "',' should stand at byte 3"},
      {"a>b", "Gt and Lt need exactly one value, an integer; write it like \"4\""},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(Parsed(text),
              "BadRequest: the selector \"" + text + "\" cannot be read: " + expected);
  }
  EXPECT_EQ(Parsed("-a=b").substr(0, 77),
            "BadRequest: the selector \"-a=b\" cannot be read: \"-a\" is not a qualified name:");
  EXPECT_EQ(Parsed("a=b_").substr(0, 74),
            "BadRequest: the selector \"a=b_\" cannot be read: \"b_\" is not a label value:");
  EXPECT_EQ(Parsed(std::string(70'000, 'a')),
            "BadRequest: a selector of 70000 bytes; the limit is 65536");
}

TEST(SelectorTest, ReadsTheObjectForm) {
  EXPECT_EQ(FromYaml(R"(
selector:
  matchLabels: {tier: web, app: x}
  matchExpressions:
  - {key: env, operator: In, values: [prod, dev]}
  - {key: old, operator: DoesNotExist}
  - {key: new, operator: Exists}
  - {key: zone, operator: NotIn, values: [b]}
)"),
            "app=x,env in (dev,prod),new,!old,tier=web,zone!=b");
  EXPECT_EQ(FromYaml("selector: {}"), "");
  EXPECT_EQ(FromYaml("selector: ~"), "<none>");
  EXPECT_EQ(FromYaml("other: 1"), "<none>");
  EXPECT_EQ(Text(LabelSelector::FromObject(
                base::Json::MakeObject({{"matchLabels", base::Json::MakeObject({{"a", "b"}})}}))),
            "a=b");
}

TEST(SelectorTest, RefusesBadObjects) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"selector: {matchExpressions: [{key: a, operator: Is}]}",
       "Invalid: matchExpressions[0].operator: \"Is\" is unknown; write In, NotIn, Exists or "
       "DoesNotExist"},
      {"selector: {matchExpressions: [{key: a, operator: Exists}, {key: b, operator: Gt, values: "
       "['1']}]}",
       "Invalid: matchExpressions[1].operator: \"Gt\" is unknown; write In, NotIn, Exists or "
       "DoesNotExist"},
      {"selector: {matchExpressions: [{key: a, operator: In}]}",
       "Invalid: matchExpressions[0]: In and NotIn need at least one value; add one"},
      {"selector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}",
       "Invalid: matchExpressions[0]: Exists and DoesNotExist take no values; remove them"},
      {"selector: {matchExpressions: x}",
       "Invalid: matchExpressions: write a list of {key, operator, values}"},
      {"selector: x",
       "Invalid: a selector is a map with matchLabels (a map of strings) and matchExpressions (a "
       "list)"},
      {"selector: {matchLabels: [a]}",
       "Invalid: a selector is a map with matchLabels (a map of strings) and matchExpressions (a "
       "list)"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(FromYaml(text), expected) << text;
}

TEST(SelectorTest, ReadsNodeExpressions) {
  const base::Document document = Yaml(R"(
good:
- {key: cpus, operator: Gt, values: ['4']}
- {key: cpus, operator: Lt, values: ['16']}
- {key: zone, operator: In, values: [a, 'a_']}
two: [{key: a, operator: Gt, values: ['1', '2']}]
text: [{key: a, operator: Lt, values: [x]}]
)");
  EXPECT_EQ(Text(LabelSelector::FromExpressions(document["good"])),
            "cpus>4,cpus<16,zone in (a,a_)");
  for (const char* key : {"two", "text"}) {
    EXPECT_EQ(
        Text(LabelSelector::FromExpressions(document[key])),
        "Invalid: matchExpressions[0]: Gt and Lt need exactly one value, an integer; write it "
        "like \"4\"");
  }
  EXPECT_EQ(Text(LabelSelector::FromExpressions(document["missing"])), "");
}

TEST(SelectorTest, Matches) {
  const base::Document document = Yaml("labels: {app: web, tier: '', m: '5', word: x}");
  const std::vector<std::pair<std::string, bool>> cases = {
      {"", true},
      {"app=web", true},
      {"app=db", false},
      {"app!=db", true},
      {"app!=web", false},
      {"app", true},
      {"!app", false},
      {"none", false},
      {"!none", true},
      {"none=", false},
      {"none!=a", true},
      {"tier=", true},
      {"tier!=", false},
      {"app in (a,web)", true},
      {"app in (a,b)", false},
      {"none in (a,b)", false},
      {"app notin (web,b)", false},
      {"none notin (a)", true},
      {"m>4", true},
      {"m>5", false},
      {"m<6", true},
      {"m<5", false},
      {"word>1", false},
      {"word<1", false},
      {"none>1", false},
      {"app=web,m>4", true},
      {"app=web,m>5", false},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(LabelSelector::Parse(text)->Matches(document["labels"]), expected) << text;
  }
}

// Of many requirements each label is met once.
TEST(SelectorTest, ManyRequirementsMatchAsFewDo) {
  base::Json labels = base::Json::MakeObject();
  std::string text = "!a,!k50x,!zz,k7 in (v,w),k7!=u";
  for (int i = 0; i < 100; ++i) {
    const std::string label = "k" + std::to_string(i);
    labels.Set(label, "v");
    if (i % 3 == 0) text += "," + label + "=v";
    if (i % 5 == 0) text += "," + label;
  }
  labels.Set("a\"", "v");  // no label, but nothing goes astray
  const base::Document document(labels);
  EXPECT_TRUE(LabelSelector::Parse(text)->Matches(document.root()));
  for (const char* wrong :
       {"a", "!k0", "k0=w", "k50x", "k50!=v", "!k99", "k99=w", "zz", "k7 notin (v)"})
    EXPECT_FALSE(LabelSelector::Parse(text + "," + wrong)->Matches(document.root())) << wrong;
  EXPECT_FALSE(LabelSelector::Parse(text)->Matches(base::Value()));
}

TEST(SelectorTest, WithoutLabelsOnlyAbsenceMatches) {
  EXPECT_TRUE(LabelSelector::Everything().Matches(base::Value()));
  EXPECT_FALSE(LabelSelector::Nothing().Matches(base::Value()));
  EXPECT_TRUE(LabelSelector::Parse("!a,b!=c")->Matches(base::Value()));
  EXPECT_FALSE(LabelSelector::Parse("a")->Matches(base::Value()));
}

TEST(SelectorTest, EverythingAndNothingSayWhatTheyAre) {
  EXPECT_TRUE(LabelSelector::Everything().IsEverything());
  EXPECT_FALSE(LabelSelector::Everything().IsNothing());
  EXPECT_TRUE(LabelSelector::Nothing().IsNothing());
  EXPECT_FALSE(LabelSelector::Nothing().IsEverything());
}

TEST(SelectorTest, AnEmptyMapSelectsNothing) {
  const base::Document document = Yaml("map: {a: b, c: d}\nempty: {}");
  EXPECT_EQ(LabelSelector::FromMap(document["map"]).ToString(), "a=b,c=d");
  EXPECT_TRUE(LabelSelector::FromMap(document["empty"]).IsNothing());
  EXPECT_TRUE(LabelSelector::FromMap(document["missing"]).IsNothing());
}

std::string Fields(std::string_view text) {
  const base::Result<FieldSelector> selector = FieldSelector::Parse(text);
  if (!selector.ok()) return selector.status().ToString();
  std::string out;
  for (const FieldSelector::Requirement& r : selector->requirements()) {
    out += "[" + r.path + (r.equal ? "=" : "!=") + r.value + "]";
  }
  return out;
}

TEST(SelectorTest, ReadsFieldSelectors) {
  EXPECT_EQ(Fields(""), "");
  EXPECT_EQ(Fields("metadata.name=web,status.phase!=Running,spec.nodeName=="),
            "[metadata.name=web][status.phase!=Running][spec.nodeName=]");
  EXPECT_EQ(Fields("a=x\\,y\\=z\\\\,b=c"), "[a=x,y=z\\][b=c]");
  EXPECT_EQ(Fields(",a=b,"), "[a=b]");
}

TEST(SelectorTest, RefusesBadFieldSelectors) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a", "each part needs =, == or !=, like status.phase!=Running"},
      {"a,b=c", "each part needs =, == or !=, like status.phase!=Running"},
      {"a!b", "each part needs =, == or !=, like status.phase!=Running"},
      {"=b", "a field's path should stand before the operator"},
      {"a=b=c", "an '=' in a value needs a backslash before it"},
      {"a=\\b", "a backslash can only stand before ',', '=' and '\\'"},
      {"a=b\\", "a backslash can only stand before ',', '=' and '\\'"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(Fields(text),
              "BadRequest: the field selector \"" + text + "\" cannot be read: " + expected);
  }
}

}  // namespace
}  // namespace manifests
