#include "reconciler/testing/crash_everywhere.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "reconciler/reconciler.h"

namespace reconciler {
namespace {

constexpr base::Duration kTimeToBecomeDurable = base::Duration::Millis(100);

// A controller that stops deciding once the store has taken `last` commits.
class Mortal final : public Controller {
 public:
  Mortal(std::unique_ptr<Controller> inner, const state::Store& store, uint64_t last)
      : inner_(std::move(inner)), store_(store), last_(last) {}
  std::string_view name() const override { return inner_->name(); }
  void Affects(const state::Change& change, const state::View& view,
               const Enqueue& enqueue) const override {
    inner_->Affects(change, view, enqueue);
  }
  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    if (store_.stats().commits >= last_) return base::Status();
    return inner_->Reconcile(turn, key);
  }

 private:
  const std::unique_ptr<Controller> inner_;
  const state::Store& store_;
  const uint64_t last_;
};

// One run of the scenario, on a cluster of its own.
class Course {
 public:
  explicit Course(const CrashScenario& scenario)
      : scenario_(scenario), cluster_(scenario.cluster ? *scenario.cluster : own_cluster_) {
    cluster_ = std::make_unique<state::TestCluster>();
    if (scenario_.arrange) scenario_.arrange(*cluster_);
    cluster_->Settle(kTimeToBecomeDurable);
    arranged_ = cluster_->store().stats().commits;
  }

  // Crashes after the `last` commit, if it comes to that.
  std::string Run(uint64_t last) {
    Start(last);
    if (scenario_.steps.empty()) RunStep([](state::TestCluster&) {}, last);
    for (const auto& step : scenario_.steps) RunStep(step, last);
    return scenario_.describe(*cluster_);
  }
  uint64_t Commits() const { return cluster_->store().stats().commits - arranged_; }

 private:
  void RunStep(const std::function<void(state::TestCluster&)>& step, uint64_t& last) {
    step(*cluster_);
    const bool died = cluster_->loop.RunUntil([&] { return Commits() >= last; }, scenario_.settle);
    if (!died) return;
    last = std::numeric_limits<uint64_t>::max();
    cluster_->Settle(kTimeToBecomeDurable);
    reconciler_.reset();
    cluster_->Crash();
    arranged_ = 0;
    Start(last);
    cluster_->Settle(scenario_.settle);
  }

  void Start(uint64_t last) {
    std::vector<std::unique_ptr<Controller>> controllers;
    for (std::unique_ptr<Controller>& each : scenario_.controllers()) {
      controllers.push_back(
          std::make_unique<Mortal>(std::move(each), cluster_->store(), Saturated(arranged_, last)));
    }
    reconciler_ = std::make_unique<Reconciler>(cluster_->loop, cluster_->store(),
                                               cluster_->Context(), std::move(controllers));
  }
  static uint64_t Saturated(uint64_t a, uint64_t b) {
    return b > std::numeric_limits<uint64_t>::max() - a ? b : a + b;
  }

  const CrashScenario& scenario_;
  std::unique_ptr<state::TestCluster> own_cluster_;
  std::unique_ptr<state::TestCluster>& cluster_;
  uint64_t arranged_ = 0;  // commits before the controllers started
  std::unique_ptr<Reconciler> reconciler_;
};

// Drops, at any depth, the members that name one course's moment or object.
void Normalise(base::Json& json) {
  if (json.IsArray()) {
    for (base::Json& element : json.MutableElements()) Normalise(element);
  }
  if (!json.IsObject()) return;
  for (const char* member :
       {"uid", "resourceVersion", "creationTimestamp", "lastTransitionTime", "lastUpdateTime"})
    json.Remove(member);
  for (base::Json::Member& member : json.MutableMembers()) Normalise(member.value);
}

std::string Describe(const state::Object& object) {
  const std::string owner(object.ControllerRef()["name"].AsString());
  if (object.key.resource == "pods") {
    return "pod of " + owner + ": " + std::string(object["spec"]["containers"].Bytes()) +
           (object.Deleting() ? " ending" : "");
  }
  base::Json json = object.document.ToJson();
  Normalise(json);
  if (object.key.resource == "endpointslices.discovery.k8s.io") {
    return "slice of " + owner + ": " + std::to_string(json["endpoints"].size()) + " endpoints, " +
           json["ports"].ToString();
  }
  return json.ToString();
}

}  // namespace

std::string EndState(const state::View& view) {
  std::map<std::string, int> lines;
  view.ForEach([&](const state::ObjectPtr& object) {
    if (object->key.resource != "events") ++lines[Describe(*object)];
  });
  std::string text;
  for (const auto& [line, count] : lines) text += std::to_string(count) + " x " + line + "\n";
  return text;
}

uint64_t ExpectSameEndWhereverItCrashes(const CrashScenario& scenario) {
  constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();
  std::string expected;
  uint64_t commits = 0;
  {
    Course whole(scenario);
    expected = whole.Run(kNever);
    commits = whole.Commits();
  }
  EXPECT_GT(commits, 0u) << "nothing happened";
  for (uint64_t last = 1; last <= commits; ++last) {
    EXPECT_EQ(Course(scenario).Run(last), expected) << "crash after commit " << last;
    if (testing::Test::HasFailure()) break;
  }
  return commits;
}

}  // namespace reconciler
