#include "manifests/apply/field_set.h"

#include <gtest/gtest.h>

#include <set>

#include "base/rng.h"

namespace manifests {
namespace {

FieldSet Read(std::string_view json) {
  const auto parsed = base::ParseJson(json);
  EXPECT_TRUE(parsed.ok()) << json;
  auto set = FieldSet::FromJson(*parsed);
  EXPECT_TRUE(set.ok()) << set.status().ToString();
  return *std::move(set);
}

std::string Print(const FieldSet& set) {
  std::string text;
  set.AppendJson(text);
  return text;
}

TEST(FieldSetTest, ReadsAndPrintsFieldsV1) {
  const std::string text =
      R"({"f:metadata":{"f:labels":{".":{},"f:app":{}}},)"
      R"("f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:image":{}}},)"
      R"("f:finalizers":{"v:\"a/b\"":{}},"f:old":{"i:3":{}}}})";
  EXPECT_EQ(Print(Read(text)), text);
}

TEST(FieldSetTest, PathsAreThoseOfConflicts) {
  const FieldSet set =
      Read(R"({"f:spec":{"f:ports":{"k:{\"protocol\":\"TCP\",\"port\":80}":{".":{},"f:name":{}}},)"
           R"("f:replicas":{},"f:finalizers":{"v:\"x\"":{}},"f:list":{"i:0":{}}}})");
  std::string paths;
  for (const std::string& path : set.Paths()) paths += path + "\n";
  EXPECT_EQ(paths,
            ".spec.replicas\n"
            ".spec.finalizers[=\"x\"]\n"
            ".spec.list[0]\n"
            ".spec.ports[port=80,protocol=\"TCP\"]\n"
            ".spec.ports[port=80,protocol=\"TCP\"].name\n");
}

TEST(FieldSetTest, WhatIsNoFieldsV1IsRefused) {
  for (const char* text :
       {R"({"spec":{}})", R"({"f:":{}})", R"({"k:[]":{}})", R"({"k:{}":{}})", R"({"i:x":{}})",
        R"({"v:":{}})", R"({"f:a":1})", R"([])", R"({"":{}})"}) {
    EXPECT_EQ(FieldSet::FromJson(*base::ParseJson(text)).status().code(), base::Code::kInvalid)
        << text;
  }
}

// Random sets over a small tree, beside std::set of their paths.
FieldSet Random(base::Rng& rng, int depth) {
  FieldSet::Builder builder;
  for (const char* name : {"f:a", "f:b", "k:{\"n\":1}", "v:2"}) {
    if (rng.Below(2) == 0) continue;
    builder.Add(name, rng.Below(2) == 0, depth > 0 ? Random(rng, depth - 1) : FieldSet());
  }
  return builder.Build();
}

std::set<std::string> PathsOf(const FieldSet& set) {
  const std::vector<std::string> paths = set.Paths();
  return std::set<std::string>(paths.begin(), paths.end());
}

TEST(FieldSetTest, OperationsAreThoseOfSetsOfPaths) {
  base::Rng rng(7);
  for (int i = 0; i < 2000; ++i) {
    const FieldSet a = Random(rng, 2), b = Random(rng, 2);
    const std::set<std::string> in_a = PathsOf(a), in_b = PathsOf(b);
    std::set<std::string> both = in_a, common, rest;
    both.insert(in_b.begin(), in_b.end());
    for (const std::string& path : in_a) (in_b.contains(path) ? common : rest).insert(path);
    ASSERT_EQ(PathsOf(a.Union(b)), both);
    ASSERT_EQ(PathsOf(a.Intersection(b)), common);
    ASSERT_EQ(PathsOf(a.Difference(b)), rest);
    // Sets of the same paths have the same bytes, whichever way they were made.
    ASSERT_EQ(a.Difference(b).Union(a.Intersection(b)), a);
    ASSERT_EQ(Read(Print(a)), a);
    std::string bytes;
    const auto stored = FieldSet::FromBytes(std::string(a.Bytes(bytes)));
    ASSERT_TRUE(stored.ok());
    ASSERT_EQ(*stored, a);
  }
}

// A status, whose set names an address.
FieldSet Status(const std::string& ip, const std::string& more = "") {
  return Read(
      R"({"f:status":{"f:conditions":{"k:{\"type\":\"Initialized\"}":{".":{},"f:status":{}},)"
      R"("k:{\"type\":\"Ready\"}":{".":{},"f:status":{}}},"f:podIPs":{"k:{\"ip\":\")" +
      ip + R"(\"}":{".":{},"f:ip":{}}},"f:qosClass":{})" + more + "}}");
}

TEST(FieldSetTest, ADifferenceIsTheSameSet) {
  const auto base = std::make_shared<const FieldSet>(Status("10.88.1.1"));
  for (const char* ip : {"10.88.1.1", "10.88.1.2", "99.99.9.9", "10.88.1.11", "1::"}) {
    const FieldSet whole = Status(ip);
    const FieldSetPtr kept = whole.AsDifferenceFrom(base);
    // Another length stands at the front, too.
    ASSERT_EQ(kept != nullptr, std::string_view(ip).size() == 9) << ip;
    if (kept == nullptr) continue;
    EXPECT_TRUE(kept->IsDifference());
    EXPECT_EQ(*kept, whole);
    EXPECT_EQ(Print(*kept), Print(whole));
    EXPECT_EQ(kept->Paths(), whole.Paths());
    const FieldSet other = Status("10.88.1.2", R"(,"f:reason":{})");
    EXPECT_EQ(kept->Union(other), whole.Union(other));
    EXPECT_EQ(other.Union(*kept), other.Union(whole));
    EXPECT_EQ(kept->Intersection(other), whole.Intersection(other));
    EXPECT_EQ(other.Difference(*kept), other.Difference(whole));
    EXPECT_EQ(kept->Difference(other), whole.Difference(other));
    EXPECT_EQ(kept->Below("f:status"), whole.Below("f:status"));
    EXPECT_EQ(kept->Elements().size(), 1u);
    EXPECT_FALSE(kept->HasMember("f:status"));
  }
  EXPECT_EQ(FieldSet().AsDifferenceFrom(base), nullptr);
  EXPECT_EQ(Read(R"({"f:a":{}})").AsDifferenceFrom(base), nullptr);
}

TEST(FieldSetTest, BytesThatAreNoSetAreCorruption) {
  base::Rng rng(11);
  for (int i = 0; i < 2000; ++i) {
    const FieldSet random = Random(rng, 2);
    std::string buffer;
    std::string bytes(random.Bytes(buffer));
    if (bytes.empty()) continue;
    bytes[rng.Below(bytes.size())] = static_cast<char>(rng.Below(256));
    if (const auto set = FieldSet::FromBytes(bytes); set.ok()) (void)set->Paths();
    bytes.resize(rng.Below(bytes.size()));
    if (const auto set = FieldSet::FromBytes(bytes); set.ok()) (void)set->Paths();
  }
  EXPECT_EQ(FieldSet::FromBytes("\x01").status().code(), base::Code::kCorruption);
  EXPECT_EQ(FieldSet::FromBytes(std::string("\x03", 1) + "f:a").status().code(),
            base::Code::kCorruption);
}

}  // namespace
}  // namespace manifests
