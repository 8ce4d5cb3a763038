// Node lifecycle: what follows when nothing is heard of a node.
//
// A node's agent gives signs of life: its Lease kube-node-lease/NODE is renewed, or condition Ready
// has a new lastHeartbeatTime. Once its Lease has run out, and kNodeGracePeriod after the last of
// the others, its conditions become Unknown and its pods are marked not ready, so that no service
// sends them anything. (A node that is silent is noticed earlier, by the hub that its agent
// connects to: its pods are not ready from then on, too.) The time before this server started
// counts for nothing: a restart grants everybody the full period.
//
// Taints follow condition Ready: Unknown is node.kubernetes.io/unreachable, False (or not reported
// yet) is node.kubernetes.io/not-ready, each NoSchedule and NoExecute; True removes them. It is the
// agent that says True again.
//
// A NoExecute taint, ours or anybody's, evicts the pods that do not tolerate it, at once, and those
// that tolerate it for tolerationSeconds, that long after its timeAdded (set here where it is
// missing). Of several tolerations of a taint the most patient counts, of several taints the one
// that ends first.
//
// When more than kMaxUnhealthyPercent of at least kMinNodes nodes are unhealthy it is the
// network, or this server, that is ill rather than they: then our own taints evict nobody.
#include <algorithm>
#include <optional>
#include <string>

#include "reconciler/controllers/all.h"
#include "reconciler/controllers/announce.h"
#include "reconciler/pods.h"

namespace reconciler {
namespace {

constexpr base::Duration kNodeGracePeriod = base::Duration::Seconds(40);
constexpr base::Duration kPausedRecheck = base::Duration::Seconds(10);
constexpr int kMaxUnhealthyPercent = 55;
constexpr int kMinNodes = 3;

constexpr std::string_view kLeaseNamespace = "kube-node-lease";
constexpr std::string_view kUnreachable = "node.kubernetes.io/unreachable";
constexpr std::string_view kNotReady = "node.kubernetes.io/not-ready";
constexpr const char* kAgentConditions[] = {"Ready", "MemoryPressure", "DiskPressure",
                                            "PIDPressure"};

bool IsOutageTaint(std::string_view key) { return key == kUnreachable || key == kNotReady; }

// When a node last gave a sign of life; a node that never did counts from when it was made. A Lease
// counts for as long as it says, so that it may be renewed rarely.
base::WallTime LastSign(const state::View& view, const state::Object& node) {
  base::WallTime last = std::max(TimeOf(node.Meta("creationTimestamp")),
                                 TimeOf(ConditionOf(node["status"], "Ready")["lastHeartbeatTime"]));
  const state::ObjectPtr lease =
      view.Get("leases.coordination.k8s.io", kLeaseNamespace, node.key.name);
  if (lease == nullptr) return last;
  const base::WallTime valid_until =
      TimeOf((*lease)["spec"]["renewTime"]) +
      base::Duration::Seconds(
          (*lease)["spec"]["leaseDurationSeconds"].AsInt(kNodeGracePeriod.seconds()));
  return std::max(last, valid_until - kNodeGracePeriod);
}

bool Tolerates(base::Value toleration, base::Value taint) {
  const std::string_view key = toleration["key"].AsString();
  const std::string_view effect = toleration["effect"].AsString();
  if (!effect.empty() && effect != taint["effect"].AsString()) return false;
  if (!key.empty() && key != taint["key"].AsString()) return false;
  if (toleration["operator"].AsString() == "Exists") return true;
  return !key.empty() && toleration["value"].AsString() == taint["value"].AsString();
}

// When the pod must leave because of one taint; nothing: it may stay.
std::optional<base::WallTime> Deadline(base::Value tolerations, base::Value taint) {
  const base::WallTime added = TimeOf(taint["timeAdded"]);
  base::WallTime deadline = added;
  for (base::Value toleration : tolerations.Elements()) {
    if (!Tolerates(toleration, taint)) continue;
    const base::Value seconds = toleration["tolerationSeconds"];
    if (!seconds.Exists()) return std::nullopt;
    deadline = std::max(deadline, added + base::Duration::Seconds(seconds.AsInt()));
  }
  return deadline;
}

base::Json Taint(std::string_view key, const char* effect, base::WallTime now) {
  return base::Json::MakeObject({{"key", key}, {"effect", effect}, {"timeAdded", now.ToString()}});
}

class NodeLifecycleController final : public Controller {
 public:
  explicit NodeLifecycleController(base::WallTime started) : started_(started) {}
  std::string_view name() const override { return "node-lifecycle"; }

  void Affects(const state::Change& change, const state::View& view,
               const Enqueue& enqueue) const override {
    const state::Key& key = change.key();
    if (key.resource == "nodes") enqueue(key);
    if (key.resource == "leases.coordination.k8s.io" && key.ns == kLeaseNamespace) {
      // A renewal is seen when the time of the one before has run out, unless it already has.
      const state::ObjectPtr node = view.Get("nodes", "", key.name);
      if (node && !ConditionIs((*node)["status"], "Ready", "True")) enqueue(node->key);
    }
    if (key.resource != "pods" || change.removed) return;
    // A pod that is bound to, or reported ready on, a node that is tainted.
    const std::string_view node_name = (*change.object)["spec"]["nodeName"].AsString();
    if (node_name.empty()) return;
    const state::ObjectPtr node = view.Get("nodes", "", node_name);
    if (node != nullptr && !(*node)["spec"]["taints"].empty()) enqueue(node->key);
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    const state::ObjectPtr node = turn.view().Get(key);
    if (node == nullptr) return base::Status();
    const base::Duration left = GraceLeft(turn, *node);
    if (left > base::Duration()) turn.Again(left);
    if (left <= base::Duration()) RETURN_IF_ERROR(WriteSilence(turn, *node));
    if (left <= base::Duration() || ConditionIs((*node)["status"], "Ready", "Unknown"))
      RETURN_IF_ERROR(MarkPodsNotReady(turn, key.name));
    RETURN_IF_ERROR(WriteTaints(turn, *turn.view().Get(key)));
    return EvictPods(turn, *turn.view().Get(key));
  }

 private:
  // How much longer the node may be silent; nothing or less: it has been for too long.
  base::Duration GraceLeft(Turn& turn, const state::Object& node) const {
    const base::WallTime since = std::max(LastSign(turn.view(), node), started_);
    return since + kNodeGracePeriod - turn.now().wall;
  }

  static base::Status WriteSilence(Turn& turn, const state::Object& node) {
    const base::WallTime now = turn.now().wall;
    const std::string message = "nothing was heard of the node's agent since " +
                                LastSign(turn.view(), node).ToString() +
                                ": look whether the machine is up and reaches the control plane";
    base::Json status = node["status"].ToJson();
    for (const char* type : kAgentConditions) {
      const bool reported = ConditionOf(node["status"], type).Exists();
      if (reported || type == std::string_view("Ready"))
        SetCondition(status, type, "Unknown", "NodeStatusUnknown", message, now);
    }
    if (!ConditionIs(node["status"], "Ready", "Unknown"))
      turn.Event(node, EventType::kWarning, "NodeNotReady", message);
    return turn.draft().UpdateStatus(node.key, std::move(status)).status();
  }

  // Puts our taints as condition Ready wants them, and gives every NoExecute taint its time.
  static base::Status WriteTaints(Turn& turn, const state::Object& node) {
    const base::Value status = node["status"];
    std::string_view wanted = kNotReady;
    if (ConditionIs(status, "Ready", "Unknown")) wanted = kUnreachable;
    if (ConditionIs(status, "Ready", "True")) wanted = "";
    base::Json object = node.document.ToJson();
    base::Json::Array& taints = object["spec"]["taints"].MutableElements();
    std::erase_if(taints, [&](const base::Json& taint) {
      return IsOutageTaint(taint["key"].AsString()) && taint["key"].AsString() != wanted;
    });
    for (const char* effect : {"NoSchedule", "NoExecute"}) {
      const bool there = std::any_of(taints.begin(), taints.end(), [&](const base::Json& taint) {
        return taint["key"].AsString() == wanted && taint["effect"].AsString() == effect;
      });
      if (!there && !wanted.empty()) taints.push_back(Taint(wanted, effect, turn.now().wall));
    }
    for (base::Json& taint : taints) {
      if (std::as_const(taint)["effect"].AsString() == "NoExecute" && !taint.Has("timeAdded"))
        taint.Set("timeAdded", turn.now().wall.ToString());
    }
    if (taints.empty()) object["spec"].Remove("taints");
    return turn.draft().Update(std::move(object)).status();
  }

  static base::Status MarkPodsNotReady(Turn& turn, const std::string& node) {
    const state::View before = turn.view();
    for (const state::ObjectPtr& pod : before.Lookup(state::Index::kNode, node)) {
      RETURN_IF_ERROR(MarkPodNotReady(turn, pod->key, "NodeStatusUnknown",
                                      "nothing is heard of the pod's node " + node));
    }
    return base::Status();
  }

  base::Status EvictPods(Turn& turn, const state::Object& node) const {
    const bool outage_evicts = OutageEvicts(turn, node);
    const state::View before = turn.view();
    size_t evicted = 0;
    for (const state::ObjectPtr& pod : before.Lookup(state::Index::kNode, node.key.name)) {
      if (pod->Deleting() || HasEnded(*pod)) continue;
      for (base::Value taint : node["spec"]["taints"].Elements()) {
        const bool ours = IsOutageTaint(taint["key"].AsString());
        if (taint["effect"].AsString() != "NoExecute" || (ours && !outage_evicts)) continue;
        const std::optional<base::WallTime> deadline =
            Deadline((*pod)["spec"]["tolerations"], taint);
        if (!deadline) continue;
        if (*deadline > turn.now().wall) {
          turn.Again(*deadline - turn.now().wall);
          continue;
        }
        if (++evicted > kMaxWritesPerTurn) {
          turn.Again(base::Duration());
          return base::Status();
        }
        RETURN_IF_ERROR(Evict(turn, *pod, node.key.name, taint["key"].AsString()));
        break;
      }
    }
    return base::Status();
  }

  // Whether our own taints evict: not before every node had its grace period with this server, and
  // not while most nodes are unhealthy.
  bool OutageEvicts(Turn& turn, const state::Object& node) const {
    if (ConditionIs(node["status"], "Ready", "True")) return false;
    const base::Duration settling = started_ + kNodeGracePeriod - turn.now().wall;
    if (settling > base::Duration()) {
      turn.Again(settling);
      return false;
    }
    int nodes = 0, unhealthy = 0;
    for (const state::ObjectPtr& each : turn.view().List("nodes")) {
      ++nodes;
      unhealthy += !ConditionIs((*each)["status"], "Ready", "True") ||
                   GraceLeft(turn, *each) <= base::Duration();
    }
    if (nodes < kMinNodes || unhealthy * 100 <= nodes * kMaxUnhealthyPercent) return true;
    EventOnce(turn, node, EventType::kWarning, "EvictionPaused",
              "more than " + std::to_string(kMaxUnhealthyPercent) +
                  " % of all nodes are unhealthy: no pod is evicted for it until fewer are. Look "
                  "at the network between the nodes and the control plane");
    turn.Again(kPausedRecheck);
    return false;
  }

  static base::Status Evict(Turn& turn, const state::Object& pod, const std::string& node,
                            std::string_view taint) {
    const std::string message =
        "node " + node + " is tainted " + std::string(taint) + ", which the pod does not tolerate";
    base::Json status = pod["status"].ToJson();
    SetCondition(status, "DisruptionTarget", "True", "DeletionByTaintManager", message,
                 turn.now().wall);
    RETURN_IF_ERROR(turn.draft().UpdateStatus(pod.key, std::move(status)).status());
    turn.Event(pod, EventType::kNormal, "TaintManagerEviction", message);
    return turn.draft().Delete(pod.key, state::DeleteOptions()).status();
  }

  const base::WallTime started_;
};

}  // namespace

std::unique_ptr<Controller> NewNodeLifecycleController(const ControllerSettings& settings) {
  return std::make_unique<NodeLifecycleController>(settings.started);
}

}  // namespace reconciler
