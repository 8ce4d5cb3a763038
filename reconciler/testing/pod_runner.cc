#include "reconciler/testing/pod_runner.h"

#include "base/hash.h"
#include "base/ip.h"
#include "reconciler/daemon_pods.h"
#include "reconciler/pods.h"

namespace reconciler {
namespace {

constexpr uint32_t kFirstAddress = 10u << 24 | 88u << 16;

class PodRunner final : public Controller {
 public:
  explicit PodRunner(PodRules rules) : rules_(std::move(rules)) {}
  std::string_view name() const override { return "pod-runner"; }

  void Affects(const state::Change& change, const state::View&,
               const Enqueue& enqueue) const override {
    if (change.key().resource == "pods") enqueue(change.key());
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    const state::ObjectPtr pod = turn.view().Get(key);
    if (pod == nullptr) return base::Status();
    if (pod->Deleting()) return End(turn, *pod);
    if (HasEnded(*pod)) return base::Status();
    if ((*pod)["spec"]["nodeName"].AsString().empty()) {
      const std::string made_for = NodeOfDaemon(*pod);
      RETURN_IF_ERROR(turn.draft().Bind(key, made_for.empty() ? "n1" : made_for).status());
    }
    return Run(turn, *pod);
  }

 private:
  base::Status End(Turn& turn, const state::Object& pod) const {
    ASSIGN_OR_RETURN(const auto latest,
                     base::WallTime::Parse(pod.Meta("deletionTimestamp").AsString()));
    const auto grace = base::Duration::Seconds(pod.Meta("deletionGracePeriodSeconds").AsInt());
    const base::Duration left =
        latest - grace + std::min(grace, rules_.ends_after) - turn.now().wall;
    if (left > base::Duration()) {
      turn.Again(left);
      return base::Status();
    }
    state::DeleteOptions now;
    now.grace_period_seconds = 0;
    return turn.draft().Delete(pod.key, now).status();
  }

  base::Status Run(Turn& turn, const state::Object& pod) const {
    base::Json status = pod["status"].ToJson();
    status.Set("phase", "Running");
    status.Set("podIP", base::FormatIpv4(kFirstAddress + base::Crc32c(pod.Uid()) % 65'536));
    ASSIGN_OR_RETURN(const auto created,
                     base::WallTime::Parse(pod.Meta("creationTimestamp").AsString()));
    const base::Duration left = created + rules_.ready_after - turn.now().wall;
    const bool broken = rules_.broken && rules_.broken(pod);
    const bool ready = IsReady(pod) || (!broken && left <= base::Duration());
    if (!ready && !broken) turn.Again(left);
    SetCondition(status, "Ready", ready ? "True" : "False", "", "", turn.now().wall);
    return turn.draft().UpdateStatus(pod.key, std::move(status)).status();
  }

  const PodRules rules_;
};

}  // namespace

std::unique_ptr<Controller> NewPodRunner(PodRules rules) {
  return std::make_unique<PodRunner>(std::move(rules));
}

}  // namespace reconciler
