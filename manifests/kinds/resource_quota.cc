#include "manifests/kinds/cells.h"
#include "manifests/kinds/kind_facts.h"

namespace manifests {
namespace {

// "cpu: 1/2, pods: 3/10" of the resources that are limits, or of those that are not.
std::string Use(base::Value quota, bool limits) {
  std::vector<std::string> parts;
  for (const auto& [name, hard] : quota["status"]["hard"].Members()) {
    if (name.starts_with("limits.") != limits) continue;
    parts.push_back(std::string(name) + ": " +
                    std::string(quota["status"]["used"][name].AsString("0")) + "/" +
                    std::string(hard.AsString()));
  }
  return JoinCell(parts, ", ");
}

base::Json QuotaRequests(base::Value quota, base::WallTime) { return Use(quota, false); }
base::Json QuotaLimits(base::Value quota, base::WallTime) { return Use(quota, true); }

constexpr NamedCell kCells[] = {
    {"quotaLimits", QuotaLimits},
    {"quotaRequests", QuotaRequests},
};

}  // namespace

extern constinit const KindFacts kResourceQuotaFacts = {
    .resource = "resourcequotas",
    .settled = true,
    .rules_namespace = true,
    .short_quota = true,
    .cells = kCells,
};

}  // namespace manifests
