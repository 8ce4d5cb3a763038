// A pod set: as many active pods as spec.replicas says.
//
// Its pods are those that it claims (claims.h). Of too many pods those go first that are worth
// least: not bound, not running, not ready, then those that share a node with most of their
// siblings, then the youngest. A pod that cannot be created (a quota, say) is a condition
// ReplicaFailure and an event, and is tried again.
#include "reconciler/pod_sets.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "manifests/selector.h"
#include "reconciler/owned_pods.h"
#include "reconciler/pods.h"

namespace reconciler {
namespace {

constexpr auto kMost = static_cast<int64_t>(kMaxWritesPerTurn);

class PodSetController final : public Controller {
 public:
  PodSetController(std::string_view name, const ClaimKinds& kinds) : name_(name), kinds_(kinds) {}
  std::string_view name() const override { return name_; }

  void Affects(const state::Change& change, const state::View& view,
               const Enqueue& enqueue) const override {
    if (change.key().resource == kinds_.owner_resource) return enqueue(change.key());
    EnqueueClaimants(kinds_, change, view, enqueue);
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    const state::ObjectPtr set = turn.view().Get(key);
    if (set == nullptr) return base::Status();
    ASSIGN_OR_RETURN(Objects pods, Claim(turn, *set, kinds_.owned_resource));
    std::erase_if(pods, [](const state::ObjectPtr& pod) { return !IsActive(*pod); });

    base::Status failure;
    if (!set->Deleting()) {
      const int64_t missing =
          (*set)["spec"]["replicas"].AsInt(1) - static_cast<int64_t>(pods.size());
      if (missing > 0) failure = CreatePods(turn, *set, std::min(missing, kMost), pods);
      if (missing < 0) RETURN_IF_ERROR(DeletePods(turn, *set, std::min(-missing, kMost), pods));
      if (missing > kMost || -missing > kMost) turn.Again(base::Duration());
    }
    return WriteStatus(turn, *set, pods, failure);
  }

 private:
  static base::Status CreatePods(Turn& turn, const state::Object& set, int64_t count,
                                 Objects& pods) {
    const base::Json pod = PodFromTemplate(set, set["spec"]["template"]);
    for (int64_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(state::ObjectPtr created, CreatePod(turn, set, pod));
      pods.push_back(std::move(created));
    }
    return base::Status();
  }

  static base::Status DeletePods(Turn& turn, const state::Object& set, int64_t count,
                                 Objects& pods) {
    std::map<std::string, int, std::less<>> per_node;
    for (const state::ObjectPtr& pod : pods)
      ++per_node[std::string((*pod)["spec"]["nodeName"].AsString())];
    // Worth least first.
    const auto worth = [&](const state::ObjectPtr& pod) {
      const std::string node((*pod)["spec"]["nodeName"].AsString());
      const bool running = (*pod)["status"]["phase"].AsString() == "Running";
      const std::string_view created = pod->Meta("creationTimestamp").AsString();
      return std::tuple(!node.empty(), running, IsReady(*pod), -per_node[node], Reversed(created),
                        pod->key.name);
    };
    std::sort(pods.begin(), pods.end(),
              [&](const auto& a, const auto& b) { return worth(a) < worth(b); });
    for (int64_t i = 0; i < count; ++i) {
      RETURN_IF_ERROR(DeletePod(turn, set, *pods[static_cast<size_t>(i)]));
    }
    pods.erase(pods.begin(), pods.begin() + count);
    return base::Status();
  }

  // Orders RFC 3339 times of one form with the youngest first.
  static std::string Reversed(std::string_view time) {
    std::string reversed(time);
    for (char& c : reversed) c = static_cast<char>(127 - c);
    return reversed;
  }

  static base::Status WriteStatus(Turn& turn, const state::Object& set, const Objects& pods,
                                  const base::Status& failure) {
    int64_t labeled = 0, ready = 0, available = 0;
    const base::Value template_labels = set["spec"]["template"]["metadata"]["labels"];
    const manifests::LabelSelector all_labels = manifests::LabelSelector::FromMap(template_labels);
    for (const state::ObjectPtr& pod : pods) {
      base::Duration wait;
      labeled += all_labels.Matches(pod->Labels());
      ready += IsReady(*pod);
      if (IsAvailable(*pod, set["spec"]["minReadySeconds"].AsInt(), turn.now().wall, &wait))
        ++available;
      if (wait > base::Duration()) turn.Again(wait);
    }
    base::Json status = set["status"].ToJson();
    status.Set("replicas", static_cast<int64_t>(pods.size()));
    status.Set("fullyLabeledReplicas", labeled);
    status.Set("readyReplicas", ready);
    status.Set("availableReplicas", available);
    status.Set("observedGeneration", set.Generation());
    if (failure.ok()) {
      RemoveCondition(status, "ReplicaFailure");
    } else {
      SetCondition(status, "ReplicaFailure", "True", "FailedCreate", failure.message(),
                   turn.now().wall);
    }
    return turn.draft().UpdateStatus(set.key, std::move(status)).status();
  }

  const std::string_view name_;
  const ClaimKinds kinds_;
};

}  // namespace

std::unique_ptr<Controller> NewPodSetController(std::string_view name, const ClaimKinds& kinds) {
  return std::make_unique<PodSetController>(name, kinds);
}

}  // namespace reconciler
