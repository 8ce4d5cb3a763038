#include "state/by_labels.h"

#include <gtest/gtest.h>

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
