// ControllerTest: a TestCluster with the controllers under test running over it, for *_test.cc.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reconciler/controllers/all.h"
#include "reconciler/reconciler.h"
#include "reconciler/testing/crash_everywhere.h"
#include "state/testing/test_cluster.h"

namespace reconciler {

class ControllerTest : public testing::Test {
 protected:
  ControllerTest() : cluster_(std::make_unique<state::TestCluster>()) {}
  ~ControllerTest() override { reconciler_.reset(); }

  // The controllers under test, made anew at every start.
  virtual std::vector<std::unique_ptr<Controller>> Controllers() = 0;

  void Start() {
    reconciler_.reset();
    reconciler_ = std::make_unique<Reconciler>(cluster_->loop, cluster_->store(),
                                               cluster_->Context(), Controllers());
  }
  void Crash() {
    reconciler_.reset();
    cluster_->Crash();
  }
  void Settle(int64_t seconds = 1) { cluster_->Settle(base::Duration::Seconds(seconds)); }

  // A second pass over the same state writes nothing. Time stands still but for what is due now.
  void ExpectNothingMoreToWrite() {
    Settle();
    const state::Revision revision = cluster_->store().revision();
    Start();
    Settle();
    EXPECT_EQ(cluster_->store().revision(), revision) << "a second pass writes nothing";
  }

  // Runs `arrange`, then the controllers for `seconds`: without a crash, and again for every commit
  // that they made, with a crash as soon as that one is durable. `describe` says the same every
  // time. Both find the cluster in cluster_.
  void ExpectSameEndWhereverItCrashes(const std::function<void()>& arrange, int64_t seconds,
                                      const std::function<std::string()>& describe) {
    reconciler_.reset();
    CrashScenario scenario;
    scenario.arrange = [&](state::TestCluster&) { arrange(); };
    scenario.settle = base::Duration::Seconds(seconds);
    scenario.controllers = [this] { return Controllers(); };
    scenario.describe = [&](state::TestCluster&) { return describe(); };
    scenario.cluster = &cluster_;
    reconciler::ExpectSameEndWhereverItCrashes(scenario);
  }

  // `more` continues the metadata, or the spec: ", labels: {a: b}".
  static std::string ConfigMap(const std::string& name, const std::string& more = "") {
    return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + more + "}\n---\n";
  }
  static std::string Pod(const std::string& name, const std::string& spec = "") {
    return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
           "}\nspec: {containers: [{name: c, image: x}]" + spec + "}\n---\n";
  }

  std::unique_ptr<state::TestCluster> cluster_;
  std::unique_ptr<Reconciler> reconciler_;
};

}  // namespace reconciler
