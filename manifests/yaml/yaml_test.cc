#include "manifests/yaml/yaml.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace manifests {
namespace {

using base::Json;
using base::Mark;

std::string At(Mark mark) { return std::to_string(mark.line) + ":" + std::to_string(mark.column); }

// The documents as JSON, then the errors with their places: all on one line.
std::string Read(std::string_view text) {
  const YamlFile file = ParseYaml(text);
  std::string out;
  for (const Json& document : file.documents) out += document.ToString() + " ";
  for (const TextError& error : file.errors) {
    out += At(error.mark) + " " + error.message.substr(0, error.message.find(';')) + " ";
  }
  if (!out.empty()) out.pop_back();
  return out;
}

struct Case {
  std::string text;
  std::string expected;
};

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(Read(c.text), c.expected) << c.text;
}

TEST(YamlTest, ReadsStructures) {
  Check({
      {"a: 1\nb:\n  c: [x, 2]\n  d: {e: f}\nlist:\n- 1\n-\n- - 2\n  - 3\n- k: v\n  w: x\n",
       R"({"a":1,"b":{"c":["x",2],"d":{"e":"f"}},"list":[1,null,[2,3],{"k":"v","w":"x"}]})"},
      {"just text", R"("just text")"},
      {"- a\n- b", R"(["a","b"])"},
      {"{}", "{}"},
      {"a:\nb: ~\nc: ''", R"({"a":null,"b":null,"c":""})"},
      {"? a\n: b\n? c\n", R"({"a":"b","c":null})"},
      {"{a, b: }", R"({"a":null,"b":null})"},
      {"[a: 1, b, ]", R"([{"a":1},"b"])"},
      {"a:\tb", R"({"a":"b"})"},
      {"a: b # c\n# d\ne: 'f # g'\nh: i#j\n", R"({"a":"b","e":"f # g","h":"i#j"})"},
  });
}

TEST(YamlTest, ReadsWordsAndNumbersAsKubernetesDoes) {
  Check({
      {"[yes, Yes, YES, y, Y, on, On, ON, true, True, TRUE]",
       "[true,true,true,true,true,true,true,true,true,true,true]"},
      {"[no, No, NO, n, N, off, Off, OFF, false, False, FALSE]",
       "[false,false,false,false,false,false,false,false,false,false,false]"},
      {"[yEs, oN, tRUE, nO, NuLL, yess, o]", R"(["yEs","oN","tRUE","nO","NuLL","yess","o"])"},
      {"[~, null, Null, NULL]", "[null,null,null,null]"},
      {"[0, 7, -7, +7, 0644, -0644, 0o17, 0O17, 0x1F, 0X1f, 0b101, -0b101, 1_000, 00]",
       "[0,7,-7,7,420,-420,15,15,31,31,5,-5,1000,0]"},
      {"[08, 0o8, 0xG, 0b2, 0x, _1, 1__0, 1_]", R"([8,"0o8","0xG","0b2","0x","_1",10,1])"},
      {"[1.5, .5, 1., -.5, +.5, 1e3, 1E-3, 1.5e+2, 3.0, 6.02e23, 1e-400]",
       "[1.5,0.5,1,-0.5,0.5,1000,0.001,150,3,6.02e+23,0]"},
      {"[., -, +, e1, 1e, 1e+, 1.2.3, 1:20, 1:20:30, 2001-12-14, 10.0.0.1, 1e400, 5m, 1Gi, .5_]",
       R"([".","-","+","e1","1e","1e+","1.2.3","1:20","1:20:30","2001-12-14","10.0.0.1","1e400",)"
       R"("5m","1Gi",".5_"])"},
      {"[9223372036854775807, -9223372036854775808, 9223372036854775808, 18446744073709551616]",
       "[9223372036854775807,-9223372036854775808,9223372036854775808.0,18446744073709551616.0]"},
      {R"(['yes', "1", '0644', "null", '~', ""])", R"(["yes","1","0644","null","~",""])"},
      {"a: |\n  yes\nb: >-\n  12\n", R"({"a":"yes\n","b":"12"})"},
  });
}

TEST(YamlTest, ReadsTags) {
  Check({
      {"[!!str 5, !!str yes, !!str , !!int '5', !!float '2.5', !!bool 'on', !!null '', ! 5]",
       R"(["5","yes","",5,2.5,true,null,"5"])"},
      {"a: !!map {}\nb: !!seq []\nc: !!timestamp 2001-12-14\nd: !<tag:yaml.org,2002:str> 1",
       R"({"a":{},"b":[],"c":"2001-12-14","d":"1"})"},
      {"a: !!int x", R"({"a":"x"} 1:4 "x" is not an integer)"},
      {"a: !!int 1.5", R"({"a":"1.5"} 1:4 "1.5" is not an integer)"},
      {"a: !secret x", R"({"a":"x"} 1:4 the tag !secret means nothing here)"},
      {"a: !!binary aGk=", R"({"a":"aGk="} 1:4 the tag !!binary is not supported)"},
      {"a: !!set {b, c}",
       R"({"a":{"b":null,"c":null}} 1:4 the tag tag:yaml.org,2002:set means nothing for a map or a list)"},
  });
}

TEST(YamlTest, RefusesWhatJsonCannotHold) {
  EXPECT_EQ(ParseYaml("a: .inf").errors.at(0).message,
            ".inf has no place in an object: write a number, or quote it if it is a text");
  Check(
      {{"a: -.Inf\nb: .NAN\nc: '.inf'",
        R"({"a":"-.Inf","b":".NAN","c":".inf"} 1:4 -.Inf has no place in an object: write a number,)"
        R"( or quote it if it is a text 2:4 .NAN has no place in an object: write a number, or quote)"
        R"( it if it is a text)"}});
}

TEST(YamlTest, ReadsTextOfSeveralLines) {
  Check({
      {"a: |\n  x\n    y\n\n  z\n", R"({"a":"x\n  y\n\nz\n"})"},
      {"a: |-\n  x\n\n", R"({"a":"x"})"},
      {"a: |+\n  x\n\n\nb: 1", R"({"a":"x\n\n\n","b":1})"},
      {"a: |2-\n   x\n  y\n", R"({"a":" x\ny"})"},
      {"a: >\n  x\n  y\n\n  z\n", R"({"a":"x y\nz\n"})"},
      {"a: x\n  y\n", R"({"a":"x y"})"},
      {"a: 'x\n  y'\nb: 'it''s'", R"({"a":"x y","b":"it's"})"},
      {"a: \"x\\\n  y\\n\\t\\x41\\u00e4\"", "{\"a\":\"xy\\n\\tA\xC3\xA4\"}"},
      {"a: |\n  tab\there\n  \tand here\n", R"({"a":"tab\there\n\tand here\n"})"},
  });
}

TEST(YamlTest, ReadsWindowsLineEndsAndTheByteOrderMark) {
  Check({
      {"\xEF\xBB\xBF"
       "a: 1\r\nb: |\r\n  x\r\n  y\r\nc: \"d\r\n  e\"\r\n---\r\nf: g\r\n...\r\n# end\r\n",
       R"({"a":1,"b":"x\ny\n","c":"d e"} {"f":"g"})"},
      {"a: b\rc: d", "1:5 a carriage return without a line feed"},
  });
}

TEST(YamlTest, ReadsSeveralDocuments) {
  Check({
      {"a: 1\n---\nb: 2\n---\n# nothing\n---\nc: 3\n...\nd: 4\n",
       R"({"a":1} {"b":2} {"c":3} {"d":4})"},
      {"--- a\n--- |\n  b\n--- {c: d}\n", R"("a" "b\n" {"c":"d"})"},
      {"%YAML 1.2\n# c\n---\na: 1\n", R"({"a":1})"},
      {"---\n---\n", ""},
      {"null\n---\n~\n", ""},
      {"a: |\n  ---\n  b\n ---\n", "4:2 this does not fit what stands before it"},
      {"a: 1\n---x: 2\n", R"({"---x":2,"a":1})"},
  });
}

TEST(YamlTest, EmptyFilesHaveNoDocuments) {
  Check({{"", ""},
         {"\n\n", ""},
         {"# only\n  # this\n", ""},
         {"\xEF\xBB\xBF", ""},
         {"...\n", ""},
         {"---", ""}});
}

TEST(YamlTest, ReadsJsonFiles) {
  Check({
      {"{\n\t\"a\": [1, 2.0, \"\\ud83d\\ude00\"],\n\t\"b\":{\"c\":null}}\n",
       "{\"a\":[1,2,\"\xF0\x9F\x98\x80\"],\"b\":{\"c\":null}}"},
      {"{\"a\":1}\n---\n{\"b\":2}\n", R"({"a":1} {"b":2})"},
      {"{\"a\":1,\n \"a\":2}", R"({"a":1} 2:2 the key "a" stands twice in this map)"},
      {"{\"a\": [1, 2}", "1:12 this bracket closes nothing"},
      {"{\"a\": [1, 2\n", "2:1 the '[' before this is not closed"},
      {"{\"a\": 1} {\"b\": 2}", "1:10 this does not belong to what stands before it"},
  });
}

// Every value and key with its place.
void Marks(const Json& json, std::string& out) {
  out += At(json.mark);
  if (json.IsArray()) {
    out += "[ ";
    for (const Json& element : json.Elements()) Marks(element, out);
    out += "] ";
  } else if (json.IsObject()) {
    out += "{ ";
    for (const Json::Member& member : json.Members()) {
      out += member.key + "@" + At(member.value.key_mark) + " ";
      Marks(member.value, out);
    }
    out += "} ";
  } else {
    out += "=" + json.ToString() + " ";
  }
}

std::string MarksOf(std::string_view text) {
  std::string out;
  for (const Json& document : ParseYaml(text).documents) Marks(document, out);
  return out;
}

TEST(YamlTest, MarksEveryKeyAndValue) {
  EXPECT_EQ(MarksOf("a: 1\nb:\n  - x\n  - c: [w]\n\xC3\xA4: 'z'\n"),
            "1:1{ a@1:1 1:4=1 b@2:1 3:3[ 3:5=\"x\" 4:5{ c@4:5 4:8[ 4:9=\"w\" ] } ] \xC3\xA4@5:1 "
            "5:5=\"z\" } ");
}

TEST(YamlTest, MarksCountLinesOfTheWholeFile) {
  EXPECT_EQ(MarksOf("# c\n\n---\na: 1\n...\n---\nb: 2\n---\n\n{\"c\": 3.0}\n--- {\"d\": 4}"),
            "4:1{ a@4:1 4:4=1 } 7:1{ b@7:1 7:4=2 } 10:1{ c@10:2 10:7=3 } 11:5{ d@11:6 11:11=4 } ");
  EXPECT_EQ(Read("a: 1\n---\nb: 1\n---\nc: [\n"),
            R"({"a":1} {"b":1} 6:1 the '[' before this is not closed)");
}

TEST(YamlTest, MarksOfAnAliasAreItsOwnThenThoseOfTheAnchor) {
  EXPECT_EQ(MarksOf("a: &x {k: 1}\nb: *x\n"),
            "1:1{ a@1:1 1:4{ k@1:8 1:11=1 } b@2:1 2:4{ k@1:8 1:11=1 } } ");
}

TEST(YamlTest, WritesOutAliasesAndMergesMaps) {
  Check({
      {"a: &x [1, {b: 2}]\nc: *x\nd: *x\n", R"({"a":[1,{"b":2}],"c":[1,{"b":2}],"d":[1,{"b":2}]})"},
      {"- &a 1\n- *a\n- &a 2\n- *a\n", "[1,1,2,2]"},
      {"- &k key\n- *k : 1\n", R"(["key",{"key":1}])"},
      {"a: &n ~\nb: *n", R"({"a":null,"b":null})"},
      {"x: &x {a: 1, b: 2}\nz: {<<: *x, b: 3, c: 4}",
       R"({"x":{"a":1,"b":2},"z":{"a":1,"b":3,"c":4}})"},
      {"x: &x {a: 1, b: 2}\nz:\n  b: 3\n  <<: *x\n", R"({"x":{"a":1,"b":2},"z":{"a":1,"b":3}})"},
      {"- &x {a: 1, b: 1}\n- &y {b: 2, c: 2}\n- {<<: [*x, *y], c: 3}",
       R"([{"a":1,"b":1},{"b":2,"c":2},{"a":1,"b":1,"c":3}])"},
      {"<<: {a: 1}\nb: 2", R"({"a":1,"b":2})"},
      {"'<<': {a: 1}", R"({"<<":{"a":1}})"},
      {"a: <<", R"({"a":"<<"})"},
      {"<<: 1\na: 2", R"({"a":2} 1:5 "<<" takes a map or a list of maps, mostly an alias)"},
      {"<<: [{a: 1}, b]", R"({"a":1} 1:14 "<<" takes a map or a list of maps, mostly an alias)"},
      {"a: *b", "1:4 no anchor of this name stands before it"},
      {"a: &x [*x]", "1:8 an alias inside what it stands for"},
      {"a: &x 1\n---\nb: *x", R"({"a":1} 3:4 no anchor of this name stands before it)"},
  });
}

TEST(YamlTest, ReportsEveryDuplicateKeyAtTheSecond) {
  Check({
      {"a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\na: 2\n'a': 3\n",
       R"({"a":1,"b":{"c":1,"d":2}} 5:3 the key "c" stands twice in this map 6:1 the key "a" stands twice)"
       R"( in this map 7:1 the key "a" stands twice in this map)"},
      {"a: 1\na: 2\n---\nb: 1\nb: 2\n",
       R"({"a":1} {"b":1} 2:1 the key "a" stands twice in this map 5:1 the key "b" stands twice in this map)"},
  });
}

TEST(YamlTest, MakesIntegersAndBooleansStringsAsKeys) {
  Check({
      {"1: a\ntrue: b\non: c\n0x10: d\n'5': e\n1.5: f\n",
       R"({"1":"a","1.5":"f","16":"d","5":"e","true":"b"} 3:1 the key "true" stands twice in this map)"},
      {"1.10: a", R"({"1.10":"a"} 1:1 the key 1.10 reads as the number 1.1)"},
      {"~: a\nb: c", R"({"b":"c"} 1:1 a key cannot be null)"},
      {": a\nb: c", R"({"b":"c"} 1:1 a key cannot be null)"},
      {"? [a]\n: b\nc: d", R"({"c":"d"} 1:3 a key cannot be a map or a list)"},
      {"{a: b}: c\nd: e", R"({"d":"e"} 1:1 a key cannot be a map or a list)"},
  });
}

TEST(YamlTest, ASyntaxErrorEndsTheFile) {
  Check({{"a: 1\n---\nb: [1\n---\nc: 3\n", R"({"a":1} 4:1 the '[' before this is not closed)"}});
}

TEST(YamlTest, SaysWhatIsWrongAndWhere) {
  Check({
      {"a: b: c", "1:5 a ':' where no key can stand"},
      {"a: 1\n b: 2\n", "2:3 a ':' where no key can stand"},
      {"a:\n- b\nc\n", R"(3:1 ": " and a value should follow "c")"},
      {"a: 1\nb\n", R"(2:1 ": " and a value should follow "b")"},
      {"a: 'b' c\n", "1:8 this does not fit what stands before it"},
      {"- a\nb: 1\n", "2:1 this does not belong to what stands before it"},
      {"\"a\":1\n", "1:4 this does not belong to what stands before it"},
      {"a: 'x\nb: 1\n", "1:4 a text in quotes is not closed"},
      {"a: !!str &x \"x\\\"\nb: 1\n", "1:4 a text in quotes is not closed"},
      {"a: 'it''s\n", "1:4 a text in quotes is not closed"},
      {"a: 'x", "1:6 a text in quotes is not closed before this"},
      {"a: - b", "1:4 a list cannot start here"},
      {"a: {b: c}}", "1:10 this bracket closes nothing"},
      {"a: @x", "1:4 this character cannot start a value"},
      {"a: *\n", "1:5 a name should follow '*'"},
      {"a: \"\\q\"", "1:7 no such escape"},
      {"a: [b,,c]", "1:7 an element is missing before ','"},
      {"a: |x\n  y\n", "1:5 this cannot follow '|' or '>'"},
      {"a: 1\n%b\n", "2:1 a line that starts with '%' can only stand before \"---\""},
  });
}

TEST(YamlTest, RefusesTabsAsIndentation) {
  Check({
      {"\ta: 1", "1:1 a tab in the indentation"},
      {"a:\n\tb: 1\n", "2:1 a tab in the indentation"},
      {"a:\n  b: 1\n \tc: 2\n", "3:2 a tab in the indentation"},
      {"a:\n\t- b\n", "2:1 a tab in the indentation"},
      {"a: |\n\tb\n", "2:1 a tab in the indentation"},
  });
}

TEST(YamlTest, RefusesBytesThatAreNoText) {
  Check({
      {std::string("a: 1\n---\nb: \0\n", 13),
       R"({"a":1} 3:4 a control character, which YAML does not allow)"},
      {"a: \x04", "1:4 a control character, which YAML does not allow"},
      {"a: b\xC2\x80", "1:5 a control character, which YAML does not allow"},
      {"a: \xFF", "1:4 bytes that are not UTF-8"},
      {"a: \xC3", "1:4 bytes that are not UTF-8"},
      {"a: \xED\xA0\x80", "1:4 bytes that are not UTF-8"},
      {std::string("\xFF\xFE"
                   "a\0",
                   4),
       "1:1 bytes that are not UTF-8"},
      {"a: 1\n\xEF\xBB\xBF"
       "b: 2\n",
       "2:1 a control character, which YAML does not allow"},
  });
}

std::string Repeated(std::string_view part, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += part;
  return out;
}

TEST(YamlTest, RefusesWhatIsTooDeep) {
  EXPECT_EQ(Read(Repeated("[", 100) + Repeated("]", 100)), Repeated("[", 100) + Repeated("]", 100));
  const std::string yaml = "!!seq " + Repeated("[", 101);
  EXPECT_EQ(Read(yaml), "1:57 nested deeper than 100 levels");
  EXPECT_EQ(Read(Repeated("[", 101) + Repeated("]", 101)), "1:101 nested deeper than 100 levels");
  EXPECT_EQ(Read(Repeated("{\"a\":", 101) + "1" + Repeated("}", 101)),
            "1:501 nested deeper than 100 levels");
  EXPECT_EQ(Read(Repeated("- ", 200)), "1:201 nested deeper than 100 levels");
  EXPECT_EQ(Read(Repeated("? ", 200)), "1:201 nested deeper than 100 levels");
  EXPECT_EQ(Read("- &x " + Repeated("[", 60) + Repeated("]", 60) + "\n- " + Repeated("[", 50) +
                 "*x" + Repeated("]", 50)),
            "2:53 nested deeper than 100 levels");
}

TEST(YamlTest, RefusesWhatIsTooLarge) {
  EXPECT_EQ(Read(std::string(kMaxYamlBytes + 1, '#')), "1:1 the file has 16777217 bytes");
  EXPECT_EQ(Read(Repeated("---\n1\n", kMaxYamlDocuments + 1)).substr(kMaxYamlDocuments * 2),
            "20001:1 more than 10000 documents in one file");
  EXPECT_EQ(Read("[" + Repeated("1,", kMaxYamlNodes) + "1]"),
            "1:2000000 more than 1000000 values in the file");
  EXPECT_EQ(Read("[" + Repeated("'',", kMaxYamlNodes)),
            "1:1 more than 1000000 of the characters []{},:?&*!\"' in one document");
}

TEST(YamlTest, AliasesCannotMakeASmallFileLarge) {
  std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'j'; ++c) {
    laughs += std::string(1, c) + ": &" + c + " [" +
              Repeated("*" + std::string(1, static_cast<char>(c - 1)) + ", ", 9) + "1]\n";
  }
  EXPECT_EQ(Read(laughs), "6:4 more than 1000000 values in the file, aliases written out");
  EXPECT_EQ(Read("- &a " + std::string(1 << 20, 'x') + "\n" + Repeated("- *a\n", 100)),
            "65:3 the file's aliases stand for more than 67108864 bytes");
}

TEST(YamlTest, ManyErrorsAreBounded) {
  EXPECT_EQ(ParseYaml(Repeated("a: 1\n", 5000)).errors.size(), 1000u);
}

// Random input

Json RandomJson(base::Rng& rng, int depth);

std::string RandomText(base::Rng& rng) {
  static const std::vector<std::string> kParts = {"a",
                                                  "b1",
                                                  " ",
                                                  "  ",
                                                  "\n",
                                                  "\n\n",
                                                  "\t",
                                                  ":",
                                                  ": ",
                                                  "#",
                                                  " #",
                                                  "-",
                                                  "- ",
                                                  "?",
                                                  "? ",
                                                  "'",
                                                  "\"",
                                                  "\\",
                                                  "yes",
                                                  "no",
                                                  "null",
                                                  "~",
                                                  "1",
                                                  "0644",
                                                  "0x1F",
                                                  "1.5",
                                                  ".inf",
                                                  "<<",
                                                  "=",
                                                  "[",
                                                  "]",
                                                  "{",
                                                  "}",
                                                  ",",
                                                  "&a",
                                                  "*a",
                                                  "!",
                                                  "|",
                                                  ">",
                                                  "%",
                                                  "@",
                                                  "`",
                                                  "---",
                                                  "...",
                                                  "\r",
                                                  "\x01",
                                                  "\x7F",
                                                  "\xC2\x85",
                                                  "\xE2\x80\xA8",
                                                  "\xC3\xA4",
                                                  "\xF0\x9F\x98\x80",
                                                  "\xEF\xBB\xBF",
                                                  "1e3",
                                                  "1:20",
                                                  "2001-12-14",
                                                  "word",
                                                  "\\n",
                                                  "\xC2\x9F",
                                                  "_",
                                                  "+"};
  std::string text;
  for (uint64_t i = rng.Below(rng.Chance(1, 4) ? 12 : 4); i > 0; --i)
    text += kParts[rng.Below(kParts.size())];
  if (rng.Chance(1, 50)) text.append(200, 'k');
  return text;
}

Json RandomScalar(base::Rng& rng) {
  switch (rng.Below(6)) {
    case 0: return Json();
    case 1: return Json(rng.Chance(1, 2));
    case 2:
      return Json(static_cast<int64_t>(rng.Next() >> rng.Below(64)) * (rng.Chance(1, 2) ? 1 : -1));
    case 3:
      return Json((static_cast<double>(rng.Below(2000)) - 1000.5) *
                  (rng.Chance(1, 4) ? 1e-9 : 0.5));
    default: return Json(RandomText(rng));
  }
}

Json RandomJson(base::Rng& rng, int depth) {
  const uint64_t kind = depth > 0 ? rng.Below(4) : 0;
  if (kind < 2) return RandomScalar(rng);
  Json json = kind == 2 ? Json::MakeArray() : Json::MakeObject();
  for (uint64_t i = rng.Below(5); i > 0; --i) {
    if (kind == 2) {
      json.Append(RandomJson(rng, depth - 1));
    } else {
      json.Set(RandomText(rng), RandomJson(rng, depth - 1));
    }
  }
  return json;
}

TEST(YamlTest, WhatIsPrintedReadsBackAsTheSame) {
  base::Rng rng(1);
  for (int round = 0; round < 20'000; ++round) {
    const Json json = RandomJson(rng, 4);
    const std::string text = ToYaml(json);
    const std::string expected = json.IsNull() ? "" : json.ToString();
    ASSERT_EQ(Read(text), expected) << "round " << round << ":\n" << text;
  }
}

TEST(YamlTest, RandomYamlNeverCrashes) {
  static const std::vector<std::string> kParts = {
      "a",    "b: ",  "- ", "\n", "\n  ",  "\n    ", ": ",  "[",        "]",      "{",
      "}",    ", ",   "'",  "\"", "&x ",   "*x",     "|\n", ">\n",      "!!str ", "!",
      "? ",   "<<: ", "#",  "\t", "---\n", "...\n",  "1",   "~",        "\\",     "%",
      "\r\n", "\x04", "@",  "`",  "&x",    "*x, ",   "'a'", "\xC3\xA4", "\xFF"};
  base::Rng rng(2);
  size_t documents = 0;
  size_t errors = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string text;
    for (uint64_t i = rng.Below(30); i > 0; --i) text += kParts[rng.Below(kParts.size())];
    const YamlFile file = ParseYaml(text);
    documents += file.documents.size();
    errors += file.errors.size();
    for (const Json& document : file.documents) {
      // What was read can be printed and read again.
      ASSERT_EQ(Read(ToYaml(document)), document.ToString()) << text;
    }
    for (const TextError& error : file.errors) {
      ASSERT_GE(error.mark.line, 1u) << text;
      ASSERT_GE(error.mark.column, 1u) << text;
      ASSERT_FALSE(error.message.empty()) << text;
    }
  }
  EXPECT_GT(documents, 1000u);
  EXPECT_GT(errors, 1000u);
}

TEST(YamlTest, RandomBytesNeverCrash) {
  base::Rng rng(3);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (uint64_t i = rng.Below(40); i > 0; --i)
      text += static_cast<char>(rng.Below(rng.Chance(1, 2) ? 128 : 256));
    ParseYaml(text);
  }
}

}  // namespace
}  // namespace manifests
