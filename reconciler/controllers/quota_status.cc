// ResourceQuota: its status shows its limits and what its namespace uses of them, by the same sums
// that admission goes by. Names that nothing counts show zero.
#include <string>
#include <vector>

#include "reconciler/controllers/all.h"
#include "reconciler/pods.h"
#include "state/admission/quota.h"

namespace reconciler {
namespace {

// Whether the sums of a namespace may differ after the change. Kinds that are only counted change
// them by coming and going.
bool ChangesUsage(const state::Change& change) {
  if (change.created() || change.removed) return true;
  const state::Object &before = *change.previous, &after = *change.object;
  if (change.key().resource == "pods")
    return HasEnded(before) != HasEnded(after) || !(before["spec"] == after["spec"]);
  return change.key().resource == "services" && !(before["spec"] == after["spec"]);
}

// Amounts of bytes read better with a binary suffix: "1Gi".
bool IsBytes(std::string_view name) {
  return name.ends_with("memory") || name.ends_with("storage") ||
         name.find("hugepages-") != std::string_view::npos;
}

class QuotaStatusController final : public Controller {
 public:
  std::string_view name() const override { return "quota-status"; }

  void Affects(const state::Change& change, const state::View& view,
               const Enqueue& enqueue) const override {
    const state::Key& key = change.key();
    if (key.resource == "resourcequotas") enqueue(key);
    if (key.ns.empty() || !ChangesUsage(change)) return;
    for (const state::ObjectPtr& quota : view.List("resourcequotas", key.ns)) enqueue(quota->key);
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    const state::ObjectPtr quota = turn.view().Get(key);
    if (quota == nullptr) return base::Status();
    std::vector<std::string> names;
    base::Json hard = base::Json::MakeObject(), used = base::Json::MakeObject();
    for (const auto& [name, limit] : (*quota)["spec"]["hard"].Members()) {
      names.emplace_back(name);
      hard.Set(name, limit.ToJson());
    }
    const manifests::ResourceList sums =
        state::QuotaUsage(turn.view(), turn.draft().schema(), *quota, names);
    for (const auto& [name, sum] : sums) used.Set(name, sum.ToString(IsBytes(name)));
    base::Json status = (*quota)["status"].ToJson();
    status.Set("hard", std::move(hard));
    status.Set("used", std::move(used));
    return turn.draft().UpdateStatus(key, std::move(status)).status();
  }
};

}  // namespace

std::unique_ptr<Controller> NewQuotaStatusController(const ControllerSettings&) {
  return std::make_unique<QuotaStatusController>();
}

}  // namespace reconciler
