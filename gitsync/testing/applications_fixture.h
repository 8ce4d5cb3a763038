// A repository "site" with applications "front" and "back" over a fake Git and a store on virtual
// time: for tests of what several applications of one source come to.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "gitsync/deploy/sync_engine.h"
#include "gitsync/testing/fake_git.h"
#include "gitsync/testing/manifests.h"
#include "gitsync/testing/terminal.h"
#include "state/testing/test_cluster.h"

namespace gitsync {

// A repository "site", and applications "front" and "back" of it instead of the one of its name.
class ApplicationsFixture : public testing::Test {
 protected:
  static std::string Map(const std::string& name, const std::string& value = "one") {
    return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {a: " + value +
           "}\n";
  }
  // Names the ConfigMap "conf", which has to be there.
  static constexpr char kReader[] = R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: reader}
spec:
  replicas: 0
  selector: {matchLabels: {app: reader}}
  template:
    metadata: {labels: {app: reader}}
    spec: {containers: [{name: main, image: "hello:1", envFrom: [{configMapRef: {name: conf}}]}]}
)";
  static constexpr char kShop[] = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
  static constexpr char kHealthyWeb[] =
      "{observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1}";
  static constexpr char kFailedWeb[] =
      "{observedGeneration: 1, conditions: [{type: Progressing, status: \"False\", reason: "
      "ProgressDeadlineExceeded, message: timed out}]}";

  ApplicationsFixture() : git_(&cluster_.faults) {
    cluster_.AddNamespace("team");
    Start();
    engine_->CreateRepository("site", {}, [](base::Status s) { EXPECT_TRUE(s.ok()); });
    cluster_.Settle();
    cluster_.Delete(kKustomizations, kSystemNamespace, "site");
    Add("front", "path: front");
    Add("back", "path: ./back, targetNamespace: team");
  }

  void Start() {
    engine_ =
        std::make_unique<SyncEngine>(cluster_.loop, cluster_.store(), git_, cluster_.Context());
  }
  void Restart() {
    engine_.reset();
    cluster_.Crash();
    Start();
    cluster_.Settle();
  }

  // Makes or changes an application; `spec` is what it asks for beside the source.
  void Add(const std::string& name, const std::string& spec, const std::string& prune = "true") {
    cluster_.Apply(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: " +
        name + ", namespace: plumb-system}\nspec: {interval: 10m, prune: " + prune +
        ", sourceRef: {kind: GitRepository, name: site}, " + spec + "}\n");
    cluster_.Settle();
  }

  // Both ends of a push, as far as it goes at once; commit ids are shown as HEAD.
  std::shared_ptr<Terminal> Push(const FakeGit::Files& files,
                                 const std::vector<std::string>& options = {}) {
    auto terminal = std::make_shared<Terminal>();
    const auto staged =
        git_.Stage("site", "refs/heads/main", files, "change\n", cluster_.loop.now().wall);
    PushRequest request{"site",
                        "ann",
                        {{staged.old_oid, staged.new_oid, "refs/heads/main"}},
                        options,
                        staged.quarantine,
                        groups_,
                        branches_};
    engine_->PreReceive(request, terminal);
    cluster_.loop.RunUntil([&] { return terminal->finished(); }, base::Duration::Seconds(5));
    if (terminal->text.find("exit 0") == std::string::npos) {
      git_.Drop(staged);
      return terminal;
    }
    EXPECT_TRUE(git_.Accept(staged).ok());
    head_ = staged.new_oid;
    terminal->text.clear();
    request.quarantine = {};
    engine_->PostReceive(request, terminal);
    cluster_.Settle();
    return terminal;
  }

  std::string Told(const Terminal& terminal) const {
    std::string text = terminal.text;
    for (size_t at; (at = text.find(head_.substr(0, 12))) != std::string::npos;) {
      text.replace(at, 12, "HEAD");
    }
    return text;
  }

  std::string Ready(const std::string& application) {
    for (int i = 0; i < 3; ++i) {
      const std::string at = "status.conditions[" + std::to_string(i) + "].";
      const auto field = [&](const std::string& name) {
        return cluster_.Field(kKustomizations, kSystemNamespace, application, at + name);
      };
      if (field("type") == "\"Ready\"") return field("status") + " " + field("message");
    }
    return "absent";
  }

  void Annotate(const std::string& application, const std::string& value,
                std::string_view annotation = kRequestedAnnotation) {
    state::Draft draft(cluster_.store().view(), cluster_.Context());
    base::Json object = draft.view().Get(KustomizationKey(application))->document.root().ToJson();
    object["metadata"]["annotations"].Set(annotation, value);
    EXPECT_TRUE(draft.Update(std::move(object)).ok());
    EXPECT_TRUE(cluster_.store().Commit(draft.Finish()).ok());
    cluster_.Settle();
  }
  std::string Handled(const std::string& application) {
    return cluster_.Field(kKustomizations, kSystemNamespace, application,
                          "status.lastHandledReconcileAt");
  }

  std::string InventoryOf(const std::string& application) {
    std::string text;
    const auto keys = ReadInventory(cluster_.store().view(), *cluster_.schema, application).keys;
    for (const state::Key& key : *keys) {
      text += (text.empty() ? "" : " ") + key.ns + "/" + key.name;
    }
    return text;
  }

  std::string Uid(const std::string& ns, const std::string& name) {
    return cluster_.Field("configmaps", ns, name, "metadata.uid");
  }

  state::TestCluster cluster_;
  FakeGit git_;
  std::unique_ptr<SyncEngine> engine_;
  std::string head_;
  std::vector<std::string> groups_ = {"plumb:admin"};  // of whoever pushes
  std::vector<std::string> branches_;                  // that the token is bound to
};

}  // namespace gitsync
