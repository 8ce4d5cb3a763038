// Random clusters: the scheduler that ships and the reference must agree on
// every node and every choice, and a pod that was refused must wake for each
// change that lets it in. A failure prints its seed, for kFirstSeed.
#include <gtest/gtest.h>

#include "base/rng.h"
#include "scheduler/schedule.h"
#include "scheduler/testing/cluster_text.h"
#include "scheduler/testing/reference_scheduler.h"

namespace scheduler {
namespace {

constexpr uint64_t kFirstSeed = 1;
constexpr uint64_t kSeeds = 100;

// Draws lines of cluster text; few names and labels, so that they meet.
class Draw {
 public:
  explicit Draw(uint64_t seed) : rng_(seed) {}

  std::string Node(size_t number) {
    std::string line = "node n" + std::to_string(number);
    line += " host=n" + std::to_string(number);
    if (!rng_.Chance(1, 6)) line += " zone=z" + std::to_string(rng_.Below(3));
    if (rng_.Chance(1, 2)) line += " disk=" + Of({"ssd", "tape"});
    if (rng_.Chance(1, 8)) line += " taint=gpu:" + Of({"NoSchedule", "PreferNoSchedule"});
    if (rng_.Chance(1, 12)) line += " cordoned";
    return line + " cpu=" + std::to_string(1 + rng_.Below(4)) +
           " pods=" + std::to_string(3 + rng_.Below(8));
  }

  // Without a name: equal texts make pods of one batch.
  std::string Pod() {
    std::string line = " in " + Of({"default", "shop"}) + Labels() + " owner=" + Of({"r1", "r2"});
    if (rng_.Chance(1, 2)) line += " cpu=" + std::to_string(100 + 100 * rng_.Below(8)) + "m";
    if (rng_.Chance(1, 3)) line += " memory=" + std::to_string(1 + rng_.Below(3)) + "Gi";
    if (rng_.Chance(1, 10)) line += " port=80";
    if (rng_.Chance(1, 8)) line += " select=disk=" + Of({"ssd", "tape"});
    if (rng_.Chance(1, 8)) line += " tolerate=gpu:NoSchedule";
    if (rng_.Chance(1, 4)) line += " near=" + Term();
    if (rng_.Chance(1, 8)) line += " near=" + Term();
    if (rng_.Chance(1, 4)) line += " apart=" + Term();
    if (rng_.Chance(1, 4))
      line += " rather-near=" + std::to_string(1 + rng_.Below(100)) + ":" + Term();
    if (rng_.Chance(1, 4))
      line += " rather-apart=" + std::to_string(1 + rng_.Below(100)) + ":" + Term();
    if (rng_.Chance(1, 3)) line += " spread=" + Constraint(true);
    if (rng_.Chance(1, 8)) line += " spread=" + Constraint(true);
    if (rng_.Chance(1, 3)) line += " rather-spread=" + Constraint(false);
    if (rng_.Chance(1, 6)) line += " rather-spread=" + Constraint(false);
    return line;
  }

  std::string Namespace(const std::string& name) {
    return "namespace " + name + " team=" + Of({"a", "b"});
  }

  uint64_t Below(uint64_t bound) { return rng_.Below(bound); }
  bool Chance(uint64_t numerator, uint64_t denominator) {
    return rng_.Chance(numerator, denominator);
  }

 private:
  std::string Of(std::initializer_list<const char*> choices) {
    return *(choices.begin() + rng_.Below(choices.size()));
  }
  std::string Labels() {
    return " app=" + Of({"web", "db"}) + (rng_.Chance(1, 2) ? " rev=" + Of({"1", "2"}) : "");
  }
  std::string Selector() {
    return Of({"app=web", "app=db", "app=web", "app=db", "app=web,rev=1", "*", "-"});
  }
  std::string Key() { return Of({"zone", "host", "zone", "host", "disk", "rack"}); }
  std::string Term() {
    std::string term = Selector() + "@" + Key();
    if (rng_.Chance(1, 8)) term += ";namespaces=" + Of({"shop", "default", "default,shop"});
    if (rng_.Chance(1, 8)) term += ";namespaceSelector=" + Of({"team=a", "*"});
    if (rng_.Chance(1, 8)) term += ";matchLabelKeys=[\"rev\"]";
    if (rng_.Chance(1, 8)) term += ";mismatchLabelKeys=[\"rev\"]";
    return term;
  }
  std::string Constraint(bool hard) {
    std::string text = std::to_string(1 + rng_.Below(2)) + ":" + Selector() + "@" + Key();
    if (hard && rng_.Chance(1, 4)) text += ";minDomains=" + std::to_string(1 + rng_.Below(4));
    if (rng_.Chance(1, 4)) text += ";nodeAffinityPolicy=\"" + Of({"Ignore", "Honor"}) + "\"";
    if (rng_.Chance(1, 4)) text += ";nodeTaintsPolicy=\"" + Of({"Ignore", "Honor"}) + "\"";
    if (rng_.Chance(1, 4)) text += ";matchLabelKeys=[\"rev\"]";
    return text;
  }

  base::Rng rng_;
};

std::string Cluster(Draw& draw) {
  std::string text = draw.Namespace("default") + "\n" + draw.Namespace("shop") + "\n";
  const size_t nodes = 1 + draw.Below(7);
  for (size_t i = 0; i < nodes; ++i) text += draw.Node(i) + "\n";
  const size_t pods = draw.Below(8);
  for (size_t i = 0; i < pods; ++i) {
    text += "pod old" + std::to_string(i) + " on n" + std::to_string(draw.Below(nodes)) +
            draw.Pod() + (draw.Chance(1, 8) ? " leaving" : "") + "\n";
  }
  return text;
}

// "n1 340, n2 no, ..."
std::string Shown(ClusterTable& table, const PodInfo& pod) {
  std::string text;
  for (const Verdict& verdict : Judge(table, pod))
    text += verdict.node + " " +
            (verdict.refused_by == nullptr ? std::to_string(verdict.score) : "no") + ", ";
  return text;
}

std::string ShownByReference(const state::View& view, const state::Object& pod) {
  std::string text;
  for (const ReferenceVerdict& verdict : JudgeByReference(view, pod))
    text += verdict.node + " " + (verdict.fits ? std::to_string(verdict.score) : "no") + ", ";
  return text;
}

state::ObjectPtr Bound(const state::Object& pod, const std::string& node) {
  auto bound = std::make_shared<state::Object>(pod);
  base::Json json = pod.document.ToJson();
  json["spec"].Set("nodeName", node);
  bound->document = base::Document(json);
  return bound;
}

TEST(SchedulerProperty, EveryVerdictAndChoiceIsTheReferences) {
  int placed = 0, refused = 0;
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + kSeeds; ++seed) {
    Draw draw(seed);
    const std::string text = Cluster(draw);
    state::View view = ViewFromText(text);
    ClusterTable table(view);
    std::vector<PodInfo> pods;
    std::string pods_text;
    for (size_t batch = 0; batch < 4; ++batch) {
      const std::string like = draw.Pod();
      const size_t count = 1 + draw.Below(5);
      for (size_t i = 0; i < count; ++i) {
        const std::string line = "pod new" + std::to_string(batch) + "-" + std::to_string(i) + like;
        pods.emplace_back(PodFromText(line));
        pods_text += line + "\n";
      }
    }
    const auto context = [&](const state::Key& pod) {
      return "seed " + std::to_string(seed) + ", " + pod.ToString() + " of\n" + text + pods_text;
    };
    ClusterTable fresh(view);
    for (const PodInfo& pod : pods) {
      ASSERT_EQ(Shown(fresh, pod), ShownByReference(view, *pod.object)) << context(pod.key());
    }
    const std::vector<Decision> decisions = Schedule(table, pods);
    for (size_t i = 0; i < pods.size(); ++i) {
      ASSERT_EQ(decisions[i].node, ChooseByReference(view, *pods[i].object))
          << context(pods[i].key());
      ++(decisions[i].node.empty() ? refused : placed);
      if (!decisions[i].node.empty()) view.Put(Bound(*pods[i].object, decisions[i].node));
    }
  }
  // A test of pods that all fit, or none of which does, would show little.
  EXPECT_GT(placed, 200);
  EXPECT_GT(refused, 100);
}

TEST(SchedulerProperty, ARefusedPodWakesForEveryChangeThatLetsItIn) {
  int woken = 0, helped = 0, asked = 0;
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + kSeeds; ++seed) {
    Draw draw(seed);
    const std::string text = Cluster(draw);
    state::View view = ViewFromText(text);
    ClusterTable table(view);
    std::vector<std::shared_ptr<const Refusal>> refusals;
    for (size_t i = 0; i < 8; ++i) {
      std::vector<PodInfo> one;
      one.emplace_back(PodFromText("pod waits" + std::to_string(i) + draw.Pod()));
      ClusterTable scratch(view);
      const std::vector<Decision> decisions = Schedule(scratch, one);
      if (decisions[0].refusal != nullptr) refusals.push_back(decisions[0].refusal);
    }
    for (size_t step = 0; step < 12; ++step) {
      state::ObjectPtr object;
      bool remove = draw.Chance(1, 3);
      switch (draw.Below(8)) {
        case 0: object = ViewFromText(draw.Namespace("shop")).Get("namespaces", "", "shop"); break;
        case 1:
        case 2: {
          const size_t number = draw.Below(7);
          object = ViewFromText(draw.Node(number)).Get("nodes", "", "n" + std::to_string(number));
          break;
        }
        default:
          object = PodFromText("pod old" + std::to_string(draw.Below(8)) + " on n" +
                               std::to_string(draw.Below(7)) + draw.Pod() +
                               (draw.Chance(1, 6) ? " leaving" : ""));
      }
      if (object->key.resource == "namespaces") remove = false;
      const state::ObjectPtr before = view.Get(object->key);
      if (remove && before == nullptr) continue;
      remove ? view.Remove(object->key) : view.Put(object);
      const auto moved = table.Apply({1, remove ? before : object, before, remove}, view);
      std::vector<std::shared_ptr<const Refusal>> still;
      for (const auto& refusal : refusals) {
        const bool wakes = moved && refusal->WakesOn(*moved);
        std::vector<PodInfo> one = {refusal->pod};
        const bool fits = !ChooseByReference(view, *refusal->pod.object).empty();
        ++asked;
        woken += wakes ? 1 : 0;
        helped += fits ? 1 : 0;
        ASSERT_TRUE(wakes || !fits)
            << "seed " << seed << ", step " << step << ": " << refusal->pod.key().ToString()
            << " sleeps on (" << refusal->why << ")";
        if (!wakes) {
          still.push_back(refusal);
          continue;
        }
        ClusterTable scratch(view);
        const std::vector<Decision> decisions = Schedule(scratch, one);
        if (decisions[0].refusal != nullptr) still.push_back(decisions[0].refusal);
      }
      refusals = std::move(still);
      // And the table that followed the change says what one built anew does.
      ClusterTable anew(view);
      const PodInfo probe(PodFromText("pod probe" + draw.Pod()));
      ASSERT_EQ(Shown(table, probe), Shown(anew, probe)) << "seed " << seed << ", step " << step;
    }
  }
  EXPECT_GT(helped, 50);
  // Not every change wakes everybody.
  EXPECT_LT(woken * 3, asked * 2);
}

}  // namespace
}  // namespace scheduler
