#include "gitsync/render/manifest_set.h"

#include <gtest/gtest.h>

namespace gitsync {
namespace {

constexpr char kConfig[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

class ManifestSetTest : public testing::Test {
 protected:
  // The keys, then a line for each error. The content of a file is its blob's id.
  std::string Read(const std::map<std::string, std::string>& files) {
    Discovery discovery;
    for (const auto& [path, text] : files) {
      discovery.files.push_back(ManifestFile{path, text, text.size()});
    }
    const auto set =
        ReadManifests(discovery, scope_, manifests::Schema::BuiltIn(), cache_,
                      [](const std::string& oid) { return base::Result<std::string>(oid); });
    EXPECT_TRUE(set.ok());
    std::string text;
    for (const Manifest& manifest : set->manifests) text += manifest.key.ToString() + ", ";
    for (const SourceError& error : set->errors) text += "\n" + error.ToString();
    return text;
  }

  ApplicationScope scope_;
  ParseCache cache_;
};

TEST_F(ManifestSetTest, FillsInTheDefaultNamespaceAndExpandsLists) {
  scope_.default_namespace = "shop";
  EXPECT_EQ(
      Read({{"a.yaml",
             "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: "
             "{name: s}}\n- {apiVersion: v1, kind: Namespace, metadata: {name: nine}}\n---\n" +
                 std::string(kConfig)},
            {"b.json",
             "{\"apiVersion\": \"v1\", \"kind\": \"Pod\",\n\t\"metadata\": {\"name\": \"p\", "
             "\"namespace\": \"x\"}}"}}),
      "configmaps shop/a, namespaces nine, pods x/p, secrets shop/s, ");
}

TEST_F(ManifestSetTest, ADocumentThatIsNoObjectIsAnErrorThatNamesBothWaysOut) {
  EXPECT_EQ(Read({{"values.yaml", "\nreplicas: 3\n"}}),
            "\nvalues.yaml:2:1: this document has no apiVersion and kind, so it is no Kubernetes "
            "object; correct it, or if it is no manifest move the file out of what is deployed or "
            "list it in .sourceignore");
}

TEST_F(ManifestSetTest, EveryMistakeOfAllFilesIsReported) {
  EXPECT_EQ(Read({{"a.yaml",
                   "apiVersion: v1\nkind: Deployment\nmetadata: {name: a}\n---\n"
                   "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}\n"},
                  {"b.json", "{\"apiVersion\":\n \"v1\",,}"}}),
            "\na.yaml:2:7: no kind Deployment is known in v1; write apiVersion: apps/v1"
            "\na.yaml:7:11: metadata.name: what is deployed from Git needs a name of its own; "
            "replace generateName by name"
            "\nb.json:2:7: a key in double quotes should be here");
}

TEST_F(ManifestSetTest, AKeyThatIsWrittenTwiceNamesBothPlaces) {
  EXPECT_EQ(Read({{"a.yaml", "\n" + std::string(kConfig)}, {"b.yaml", kConfig}}),
            "configmaps default/a, \nb.yaml:1:1: configmaps default/a is written twice, first at "
            "a.yaml:2:1: keep one of them");
}

TEST_F(ManifestSetTest, ARepositoryMayHaveSoManyObjects) {
  Discovery discovery;
  const auto add_list = [&](size_t file, size_t count) {
    std::string items;
    for (size_t i = 0; i < count; ++i) {
      items += (i == 0 ? "" : ",") + std::string("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",") +
               "\"metadata\":{\"name\":\"c" + std::to_string(file) + "-" + std::to_string(i) +
               "\"}}";
    }
    const std::string text = "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[" + items + "]}";
    discovery.files.push_back(ManifestFile{std::to_string(file) + ".json", text, text.size()});
  };
  const auto errors = [&] {
    const auto set =
        ReadManifests(discovery, scope_, manifests::Schema::BuiltIn(), cache_,
                      [](const std::string& oid) { return base::Result<std::string>(oid); });
    std::string text;
    for (const SourceError& error : set->errors) text += error.ToString();
    return text;
  };
  for (size_t file = 0; file < 20; ++file) add_list(file, kMaxManifests / 20);
  EXPECT_EQ(errors(), "");
  add_list(20, 1);
  EXPECT_NE(errors().find("the commit has 100001 objects, and a repository may have 100000; "
                          "split it"),
            std::string::npos)
      << errors();
}

TEST_F(ManifestSetTest, ARepositoryTouchesItsNamespacesOnly) {
  scope_ = ApplicationScope{"shop", {"shop"}};
  EXPECT_EQ(
      Read({{"a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: bank}"},
            {"b.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}"},
            {"c.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: n1}"},
            {"d.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: n}"}}),
      "namespaces shop, "
      "\na.yaml:3:32: this repository may not touch namespace bank, only shop; correct "
      "metadata.namespace, or allow it with plumb repo"
      "\nc.yaml:3:18: this repository may touch shop only, and nodes belong to the whole "
      "cluster; deploy it from another repository"
      "\nd.yaml:3:18: metadata.name: a name is text, and false is none to YAML; put it in quotes");
  scope_ = ApplicationScope();
  EXPECT_EQ(Read({{"a.yaml",
                   "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: plumb-system}"}}),
            "\na.yaml:3:32: this repository may not touch namespace plumb-system, only any but "
            "plumb-system; correct metadata.namespace, or allow it with plumb repo");
}

TEST_F(ManifestSetTest, ATargetNamespaceOverridesAllOthers) {
  scope_.target_namespace = "shop";
  EXPECT_EQ(Read({{"a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: bank}"},
                  {"b.yaml", kConfig},
                  {"c.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: bank}"}}),
            "configmaps shop/a, namespaces bank, secrets shop/s, ");
  scope_.namespaces = {"team"};
  EXPECT_EQ(Read({{"a.yaml", kConfig}}),
            "\na.yaml:3:18: this repository may not touch namespace shop, only team; correct "
            "spec.targetNamespace of the Kustomization");
}

TEST_F(ManifestSetTest, AChangeOfOneFileParsesOneFile) {
  std::map<std::string, std::string> files;
  for (int i = 0; i < 20; ++i) {
    const std::string name = "c" + std::to_string(i);
    files[name + ".yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\n";
  }
  Read(files);
  EXPECT_EQ(cache_.parsed(), 20u);
  files["c7.yaml"] += "data: {a: b}\n";
  Read(files);
  EXPECT_EQ(cache_.parsed(), 21u);
}

TEST_F(ManifestSetTest, TheCacheDropsWhatWasUsedLongestAgo) {
  ParseCache probe;
  const std::string any(kConfig);
  ASSERT_TRUE(probe
                  .Get(ManifestFile{"a.yaml", any, any.size()},
                       [](const std::string& oid) { return base::Result<std::string>(oid); })
                  .ok());
  const size_t two_files = 2 * probe.bytes();
  ParseCache cache(two_files);
  const auto get = [&](const std::string& text) {
    const auto file =
        cache.Get(ManifestFile{"a.yaml", text, text.size()},
                  [](const std::string& oid) { return base::Result<std::string>(oid); });
    ASSERT_TRUE(file.ok());
    cache.EndRound();
  };
  const std::string one(kConfig), two = one + "# two\n", three = one + "# three\n";
  get(one);
  get(two);
  get(three);  // drops one
  EXPECT_LE(cache.bytes(), two_files);
  get(three);
  get(two);
  EXPECT_EQ(cache.parsed(), 3u);
  get(one);
  EXPECT_EQ(cache.parsed(), 4u);
}

TEST_F(ManifestSetTest, AFailedReadIsNotRemembered) {
  Discovery discovery{{ManifestFile{"a.yaml", "oid", 3}}, {}};
  bool fails = true;
  const auto read = [&](const std::string&) {
    return fails ? base::Result<std::string>(base::Code::kUnavailable, "torn fetch")
                 : base::Result<std::string>(std::string(kConfig));
  };
  const manifests::SchemaPtr schema = manifests::Schema::BuiltIn();
  EXPECT_EQ(ReadManifests(discovery, scope_, schema, cache_, read).status().ToString(),
            "ServiceUnavailable: torn fetch");
  fails = false;
  EXPECT_EQ(ReadManifests(discovery, scope_, schema, cache_, read)->manifests.size(), 1u);
}

// Each stands for 900,010 values or so.
std::string Expanding(const std::string& name) {
  std::string text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\nx:\n";
  std::string ten = "1";
  for (int i = 1; i < 10; ++i) ten += ",1";
  text += "- &a [" + ten + "]\n";
  for (char c = 'b'; c <= 'd'; ++c) {
    const std::string below = std::string("*") + static_cast<char>(c - 1);
    text += std::string("- &") + c + " [" + below;
    for (int i = 1; i < 10; ++i) text += "," + below;
    text += "]\n";
  }
  text += "- [*d";
  for (int i = 1; i < 70; ++i) text += ",*d";
  return text + "]\n";
}

constexpr char kTooCostly[] =
    "with this file the manifests of the commit pass 10000000 values, or 1000000 values or "
    "67108864 "
    "bytes that aliases stand for; write out what they stand for, or split the repository";

TEST_F(ManifestSetTest, WhatAliasesStandForCountsOverAllFilesOfACommit) {
  EXPECT_EQ(Read({{"a.yaml", Expanding("a")}}), "configmaps default/a, ");
  EXPECT_EQ(Read({{"a.yaml", Expanding("a")}, {"b.yaml", Expanding("b")}}),
            std::string("configmaps default/a, \nb.yaml: ") + kTooCostly);
  // One blob at two paths is not twice as much to parse, but as much to look at.
  EXPECT_EQ(Read({{"a.yaml", Expanding("a")}, {"c.yaml", Expanding("a")}}),
            std::string("configmaps default/a, \nc.yaml: ") + kTooCostly);
}

TEST_F(ManifestSetTest, ABudgetIsSharedByAllThatTakeOfACommit) {
  ManifestBudget budget;
  Discovery discovery;
  const std::string text = Expanding("a");
  discovery.files.push_back(ManifestFile{"a.yaml", text, text.size()});
  const auto read = [&] {
    const auto set = ReadManifests(
        discovery, scope_, manifests::Schema::BuiltIn(), cache_,
        [](const std::string& oid) { return base::Result<std::string>(oid); }, budget);
    return set->errors.empty() ? "" : set->errors.front().message;
  };
  EXPECT_EQ(read(), "");
  EXPECT_FALSE(budget.exceeded());
  EXPECT_EQ(read(), kTooCostly);
  EXPECT_TRUE(budget.exceeded());
}

TEST_F(ManifestSetTest, JsonCountsAsWell) {
  const auto schema = manifests::Schema::BuiltIn();
  Discovery discovery;
  discovery.files.push_back(ManifestFile{
      "a.json",
      R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "x": [1, 2, 3]})",
      9});
  const auto errors = [&](size_t values) {
    ManifestBudget budget({values, 0, 0});
    ParseCache cache;
    return ReadManifests(
               discovery, scope_, schema, cache,
               [](const std::string& oid) { return base::Result<std::string>(oid); }, budget)
        ->errors.size();
  };
  EXPECT_EQ(errors(9), 0u);
  EXPECT_EQ(errors(8), 1u);
}

TEST_F(ManifestSetTest, ACachedFileCountsAsWhatItTakes) {
  ParseCache cache;
  const std::string text = Expanding("a");
  ASSERT_TRUE(cache
                  .Get(ManifestFile{"a.yaml", text, text.size()},
                       [](const std::string& oid) { return base::Result<std::string>(oid); })
                  .ok());
  EXPECT_GT(cache.bytes(), 700'000 * sizeof(base::Json));
}

// Two hundred thousand paths may name one small file.
TEST_F(ManifestSetTest, ReadingEndsWhereThereAreTooManyObjects) {
  std::string list = "apiVersion: v1\nkind: List\nitems:\n";
  for (int i = 0; i < 40'000; ++i)
    list += "- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n";
  std::map<std::string, std::string> files;
  for (char c = 'a'; c <= 'z'; ++c) files[std::string(1, c) + ".yaml"] = list;
  EXPECT_NE(Read(files).find("\nc.yaml: the commit has 120000 objects, and a repository may have "
                             "100000; split it"),
            std::string::npos);
}

TEST_F(ManifestSetTest, APointerOfLfsIsNamedAsOne) {
  EXPECT_EQ(
      Read({{"a.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:0f\nsize 7\n"}}),
      "\na.yaml:1:1: this is a pointer of Git LFS, not the file that it stands for, which plumb "
      "does not have; keep manifests out of LFS (git lfs migrate export --include=PATTERN)");
}

}  // namespace
}  // namespace gitsync
