// ReplicaSet: as many active pods as spec.replicas says.
//
// Its pods are those that name it as their controller. A pod that matches the selector and has no
// controller is adopted; one of its own that no longer matches is released. Of too many pods those
// go first that are worth least: not bound, not running, not ready, then those that share a node
// with most of their siblings, then the youngest. A pod that cannot be created (a quota, say) is a
// condition ReplicaFailure and an event, and is tried again.
#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "manifests/selector.h"
#include "reconciler/controllers/all.h"
#include "reconciler/pods.h"

namespace reconciler {
namespace {

constexpr int64_t kMostPerTurn = 500;  // pods made or deleted in one turn
constexpr base::Duration kRetryCreate = base::Duration::Seconds(5);

using Pods = std::vector<state::ObjectPtr>;

class ReplicaSetController final : public Controller {
 public:
  std::string_view name() const override { return "replicaset"; }

  void Affects(const state::Change& change, const state::View& view,
               const Enqueue& enqueue) const override {
    const state::Key& key = change.key();
    if (key.resource == "replicasets.apps") return enqueue(key);
    if (key.resource != "pods") return;
    for (const state::ObjectPtr& pod : {change.object, change.previous}) {
      if (pod == nullptr) continue;
      const base::Value owner = pod->ControllerRef();
      if (owner["kind"].AsString() == "ReplicaSet") {
        enqueue(state::Key{"replicasets.apps", key.ns, std::string(owner["name"].AsString())});
      }
    }
    // An orphan may find a new parent.
    if (change.removed || change.object->ControllerRef().Exists()) return;
    for (const state::ObjectPtr& set : view.List("replicasets.apps", key.ns)) {
      const auto selector = manifests::LabelSelector::FromObject((*set)["spec"]["selector"]);
      if (selector.ok() && selector->Matches(change.object->Labels())) enqueue(set->key);
    }
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    const state::ObjectPtr set = turn.view().Get(key);
    if (set == nullptr) return base::Status();
    ASSIGN_OR_RETURN(const auto selector,
                     manifests::LabelSelector::FromObject((*set)["spec"]["selector"]));
    ASSIGN_OR_RETURN(Pods pods, ClaimPods(turn, *set, selector));
    std::erase_if(pods, [](const state::ObjectPtr& pod) { return !IsActive(*pod); });

    base::Status failure;
    if (!set->Deleting()) {
      const int64_t missing =
          (*set)["spec"]["replicas"].AsInt(1) - static_cast<int64_t>(pods.size());
      if (missing > 0) failure = CreatePods(turn, *set, std::min(missing, kMostPerTurn), pods);
      if (missing < 0)
        RETURN_IF_ERROR(DeletePods(turn, *set, std::min(-missing, kMostPerTurn), pods));
      if (missing > kMostPerTurn || -missing > kMostPerTurn) turn.Again(base::Duration());
    }
    return WriteStatus(turn, *set, pods, failure);
  }

 private:
  // The set's pods, after adopting and releasing.
  static base::Result<Pods> ClaimPods(Turn& turn, const state::Object& set,
                                      const manifests::LabelSelector& selector) {
    Pods pods;
    Pods released, adopted;
    for (const state::ObjectPtr& pod : turn.view().Lookup(state::Index::kOwner, set.Uid())) {
      if (pod->key.resource != "pods" || !pod->IsControlledBy(set.Uid())) continue;
      (selector.Matches(pod->Labels()) || pod->Deleting() ? pods : released).push_back(pod);
    }
    if (!set.Deleting()) {
      for (const state::ObjectPtr& pod : turn.view().List("pods", set.key.ns)) {
        if (!pod->ControllerRef().Exists() && IsActive(*pod) && selector.Matches(pod->Labels()))
          adopted.push_back(pod);
      }
    }
    for (const state::ObjectPtr& pod : released) {
      base::Json object = pod->document.ToJson();
      std::erase_if(object["metadata"]["ownerReferences"].MutableElements(),
                    [&](const base::Json& owner) { return owner["uid"].AsString() == set.Uid(); });
      RETURN_IF_ERROR(turn.draft().Update(std::move(object)).status());
    }
    for (const state::ObjectPtr& pod : adopted) {
      base::Json object = pod->document.ToJson();
      object["metadata"]["ownerReferences"].Append(ControllerReference(set));
      ASSIGN_OR_RETURN(state::ObjectPtr updated, turn.draft().Update(std::move(object)));
      pods.push_back(std::move(updated));
    }
    return pods;
  }

  static base::Status CreatePods(Turn& turn, const state::Object& set, int64_t count, Pods& pods) {
    base::Json pod = set["spec"]["template"].ToJson();
    pod.Set("apiVersion", "v1");
    pod.Set("kind", "Pod");
    base::Json& metadata = pod["metadata"];
    metadata.Remove("name");
    metadata.Set("generateName", set.key.name + "-");
    metadata.Set("namespace", set.key.ns);
    metadata.Set("ownerReferences", base::Json::MakeArray({ControllerReference(set)}));
    for (int64_t i = 0; i < count; ++i) {
      base::Result<state::ObjectPtr> created = turn.draft().Create(pod);
      if (!created.ok()) {
        turn.Event(set, EventType::kWarning, "FailedCreate",
                   "could not create a pod: " + std::string(created.status().message()));
        turn.Again(kRetryCreate);
        return created.status();
      }
      turn.Event(set, EventType::kNormal, "SuccessfulCreate",
                 "created pod " + (*created)->key.name);
      pods.push_back(*std::move(created));
    }
    return base::Status();
  }

  static base::Status DeletePods(Turn& turn, const state::Object& set, int64_t count, Pods& pods) {
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
      const state::ObjectPtr& pod = pods[static_cast<size_t>(i)];
      RETURN_IF_ERROR(turn.draft().Delete(pod->key, state::DeleteOptions()).status());
      turn.Event(set, EventType::kNormal, "SuccessfulDelete", "deleted pod " + pod->key.name);
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

  static base::Status WriteStatus(Turn& turn, const state::Object& set, const Pods& pods,
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
};

}  // namespace

std::unique_ptr<Controller> NewReplicaSetController(const ControllerSettings&) {
  return std::make_unique<ReplicaSetController>();
}

}  // namespace reconciler
