#include "state/by_labels.h"

#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/rng.h"
#include "manifests/selector.h"

namespace state {
namespace {

using Labels = std::map<std::string, std::string>;

base::Json ToJson(const Labels& labels) {
  base::Json json = base::Json::MakeObject();
  for (const auto& [label, value] : labels) json.Set(label, value);
  return json;
}

void Put(View& view, const Key& key, base::Json document) {
  base::Json& metadata = document["metadata"];
  metadata.Set("name", key.name);
  metadata.Set("namespace", key.ns);
  view.Put(std::make_shared<const Object>(Object{key, 1, base::Document(document)}));
}

void PutPod(View& view, const std::string& ns, const std::string& name, const Labels& labels) {
  base::Json pod;
  pod["metadata"].Set("labels", ToJson(labels));
  Put(view, {"pods", ns, name}, std::move(pod));
}

void PutService(View& view, const std::string& ns, const std::string& name, const Labels& wanted) {
  base::Json service;
  service["spec"].Set("selector", ToJson(wanted));
  Put(view, {"services", ns, name}, std::move(service));
}

void PutDeployment(View& view, const std::string& ns, const std::string& name,
                   const Labels& wanted) {
  base::Json deployment;
  deployment["spec"]["selector"].Set("matchLabels", ToJson(wanted));
  Put(view, {"deployments.apps", ns, name}, std::move(deployment));
}

std::string NamesOf(const std::vector<ObjectPtr>& objects) {
  std::set<std::string> names;
  for (const ObjectPtr& object : objects) names.insert(object->key.name);
  std::string text;
  for (const std::string& name : names) text += name + " ";
  return text;
}

// Up to four of a few labels, one of them of the kind that is not filed.
Labels Some(base::Rng& rng) {
  Labels labels;
  for (const char* label : {"app", "env", "pod-template-hash", "tier"})
    if (rng.Chance(1, 2)) labels[label] = std::string(1, static_cast<char>('a' + rng.Below(3)));
  return labels;
}

// What a look at each object finds.
std::string Carriers(const View& view, const std::string& ns, base::Value labels) {
  std::vector<ObjectPtr> found;
  for (const ObjectPtr& pod : view.List("pods", ns)) {
    bool carries = true;
    for (const auto& [label, value] : labels.Members()) carries &= pod->Labels()[label] == value;
    if (carries) found.push_back(pod);
  }
  return NamesOf(found);
}

std::string Selectors(const View& view, const std::string& resource, const std::string& ns,
                      base::Value labels) {
  std::vector<ObjectPtr> found;
  for (const ObjectPtr& object : view.List(resource, ns)) {
    const base::Value wanted = manifests::EqualLabelsOf((*object)["spec"]["selector"]);
    bool all = true;
    for (const auto& [label, value] : wanted.Members()) all &= labels[label] == value;
    if (all) found.push_back(object);
  }
  return NamesOf(found);
}

TEST(ByLabelsTest, FindsWhatALookAtEachFindsUnderRandomChanges) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    base::Rng rng(seed);
    View view;
    for (int step = 0; step < 400; ++step) {
      const std::string ns = rng.Chance(1, 2) ? "one" : "two";
      const std::string name = "n" + std::to_string(rng.Below(60));
      switch (rng.Below(5)) {
        case 0:
        case 1: PutPod(view, ns, name, Some(rng)); break;
        case 2: PutService(view, ns, name, Some(rng)); break;
        case 3: PutDeployment(view, ns, name, Some(rng)); break;
        default: view.Remove({rng.Chance(1, 2) ? "pods" : "services", ns, name});
      }
      if (step % 4 != 0) continue;
      const base::Document labels(ToJson(Some(rng)));
      const std::string shown = std::string(labels.Bytes()) + " seed " + std::to_string(seed);
      EXPECT_EQ(NamesOf(CarriersOf(view, "pods", ns, labels.root())),
                Carriers(view, ns, labels.root()))
          << shown;
      for (const char* resource : {"services", "deployments.apps"}) {
        EXPECT_EQ(NamesOf(SelectorsOf(view, resource, ns, labels.root())),
                  Selectors(view, resource, ns, labels.root()))
            << resource << " " << shown;
      }
    }
  }
}

TEST(ByLabelsTest, TheOrphansAmongThem) {
  View view;
  base::Json owned;
  owned["metadata"].Set("labels", ToJson({{"app", "a"}}));
  owned["metadata"]["ownerReferences"].Append(
      base::Json::MakeObject({{"uid", "u"}, {"controller", true}}));
  Put(view, {"pods", "one", "owned"}, owned);
  PutPod(view, "one", "orphan", {{"app", "a"}});
  PutPod(view, "one", "other", {{"app", "b"}});
  const base::Document labels(ToJson({{"app", "a"}}));
  const View::Term orphans{Index::kOrphan, "one"};
  EXPECT_EQ(NamesOf(CarriersOf(view, "pods", "one", labels.root(), orphans)), "orphan ");
  EXPECT_EQ(NamesOf(CarriersOf(view, "pods", "one", base::Value(), orphans)), "orphan other ");
}

// Names and values that begin alike, of which some are written with escapes, or stand in another
// order as text ('!' is less than '"'): more than a valid label may have.
Labels Odd(base::Rng& rng, size_t most) {
  constexpr const char* kNames[] = {"",     "a",   "a!",  "a\"",    "a\",\"b", "a-b", "a.b/c",
                                    "a\nb", "app", "apq", "app\\x", "z",       "{",   "}"};
  constexpr const char* kValues[] = {"", "a", "a1", "a\"", "a\",\"b\":\"a", "}", "\\", "\n"};
  Labels labels;
  for (size_t count = rng.Below(most + 1); count > 0; --count) {
    std::string name = kNames[rng.Below(std::size(kNames))];
    if (rng.Chance(1, 4)) name += std::to_string(rng.Below(20));
    labels[name] = kValues[rng.Chance(1, 2) ? 1 : rng.Below(std::size(kValues))];
  }
  return labels;
}

// Some of `labels`, one of them changed at times: what finds them, or nearly.
Labels Part(base::Rng& rng, const Labels& labels) {
  Labels part;
  const uint64_t of = 1 + rng.Below(8);
  for (const auto& [label, value] : labels)
    if (rng.Chance(1, of)) part[label] = rng.Chance(1, 40) ? value + "1" : value;
  return part;
}

TEST(ByLabelsTest, NoLabelIsTakenForOneThatBeginsAlike) {
  size_t found = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    base::Rng rng(seed);
    View view;
    const Labels base = Odd(rng, rng.Chance(1, 2) ? 6 : 60);
    for (int i = 0; i < 60; ++i) {
      const std::string ns = rng.Chance(3, 4) ? "one" : "two";
      const std::string name = "n" + std::to_string(i);
      const Labels wanted = rng.Chance(1, 2) ? Part(rng, base) : Odd(rng, 4);
      PutService(view, ns, name, wanted);
      PutDeployment(view, ns, name, rng.Chance(1, 2) ? Part(rng, base) : Odd(rng, 4));
      PutPod(view, ns, name, rng.Chance(1, 2) ? base : Odd(rng, 20));
    }
    // What no label is: a number, an object. It begins as another may.
    base::Json service;
    service["spec"]["selector"] = base::Json::MakeObject({{"a", 1}, {"app", "a"}});
    Put(view, {"services", "one", "number"}, service);
    service["spec"]["selector"] = base::Json::MakeObject({{"a", base::Json()}, {"app", "a"}});
    service["spec"]["selector"]["a"].Set("a", "a");
    Put(view, {"services", "one", "object"}, service);
    for (int i = 0; i < 20; ++i) {
      const base::Document labels(ToJson(i == 0 ? base : i < 10 ? Part(rng, base) : Odd(rng, 40)));
      const std::string shown = std::string(labels.Bytes()) + " seed " + std::to_string(seed);
      for (const char* resource : {"services", "deployments.apps"}) {
        const std::string names = NamesOf(SelectorsOf(view, resource, "one", labels.root()));
        EXPECT_EQ(names, Selectors(view, resource, "one", labels.root())) << shown;
        found += !names.empty();
      }
      EXPECT_EQ(NamesOf(CarriersOf(view, "pods", "one", labels.root())),
                Carriers(view, "one", labels.root()))
          << shown;
    }
  }
  EXPECT_GT(found, 1'000u);
}

TEST(ByLabelsTest, ALabelThatIsANumberFindsNothingAndEnds) {
  View view;
  base::Json service;
  service["spec"]["selector"] = base::Json::MakeObject({{"a", 1}, {"b", "x"}});
  Put(view, {"services", "one", "number"}, service);
  const base::Document carried(base::Json::MakeObject({{"a", 12}, {"b", "x"}}));
  EXPECT_EQ(NamesOf(SelectorsOf(view, "services", "one", carried.root())), "");
}

Labels Numbered(size_t count, const std::string& value) {
  Labels labels;
  for (size_t i = 0; i < count; ++i) labels["l" + std::to_string(10'000 + i)] = value;
  return labels;
}

// As many as an object's bytes allow: the selectors that there are lead, not what could be made of
// the labels.
TEST(ByLabelsTest, ManyLabelsCostWhatIsFound) {
  constexpr size_t kLabels = 2'000;
  View view;
  const Labels all = Numbered(kLabels, "v");
  PutService(view, "one", "all", all);
  PutDeployment(view, "one", "all", all);
  Labels more = all;
  more["m"] = "v";
  PutService(view, "one", "more", more);
  PutService(view, "one", "one", {{"l11999", "v"}});
  PutService(view, "one", "none", {});
  for (int i = 0; i < 3'000; ++i) {
    const std::string name = "s" + std::to_string(i);
    // Begin as the labels do, and go on with what is not carried: before, and after all that is.
    PutService(view, "one", name + "a", {{"l10000", "v"}, {"l10000" + name, "v"}});
    PutService(view, "one", name + "b", {{"l10000", "v"}, {"m" + name, "v"}});
    PutService(view, "two", name + "c", {{"l10001", "w" + name}});
  }
  const base::Document labels(ToJson(all));
  size_t visits = 0;
  view.CountVisits(&visits);
  EXPECT_EQ(NamesOf(SelectorsOf(view, "services", "one", labels.root())), "all none one ");
  EXPECT_LE(visits, 24u);
  visits = 0;
  EXPECT_EQ(NamesOf(SelectorsOf(view, "deployments.apps", "one", labels.root())), "all ");
  EXPECT_LE(visits, 24u);

  // A look at each of those that want one label of 2,000, carried or not, and at what is found.
  View singles;
  singles.CountVisits(&visits);
  for (const auto& [label, value] : all) {
    PutService(singles, "one", label, {{label, value}});
    PutService(singles, "one", label + "w", {{label, "w"}});
  }
  visits = 0;
  EXPECT_EQ(SelectorsOf(singles, "services", "one", labels.root()).size(), kLabels);
  EXPECT_LE(visits, 3 * kLabels);

  // Carriers of many labels: one look a label, and no more.
  View pods;
  pods.CountVisits(&visits);
  Labels fewer = all;
  fewer.erase("l11000");
  for (int i = 0; i < 10; ++i) PutPod(pods, "one", "p" + std::to_string(i), i == 7 ? all : fewer);
  visits = 0;
  EXPECT_EQ(NamesOf(CarriersOf(pods, "pods", "one", labels.root())), "p7 ");
  EXPECT_LE(visits, 10 * kLabels);
}

// Every pod and every Service has a label that all have.
TEST(ByLabelsTest, CostsWhatIsFound) {
  View view;
  for (int i = 0; i < 10'000; ++i) {
    const std::string app = "a" + std::to_string(i / 2);
    PutPod(view, "one", "p" + std::to_string(i), {{"app", app}, {"env", "prod"}, {"zone", "z"}});
    PutService(view, "one", "s" + std::to_string(i), {{"env", "prod"}, {"service", app}});
  }
  size_t visits = 0;
  view.CountVisits(&visits);
  const base::Document wanted(ToJson({{"app", "a7"}, {"env", "prod"}}));
  EXPECT_EQ(NamesOf(CarriersOf(view, "pods", "one", wanted.root())), "p14 p15 ");
  EXPECT_LE(visits, 8u);
  visits = 0;
  const base::Document carried(
      ToJson({{"app", "x"}, {"env", "prod"}, {"service", "a7"}, {"zone", "z"}}));
  EXPECT_EQ(NamesOf(SelectorsOf(view, "services", "one", carried.root())), "s14 s15 ");
  EXPECT_LE(visits, 4u);
}

}  // namespace
}  // namespace state
