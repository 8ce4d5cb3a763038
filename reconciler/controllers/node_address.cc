// Node addresses: every node gets a share of the cluster's pod addresses, spec.podCIDR.
//
// It is the lowest range of ClusterConfig::pod_cidr that no other node has, and stays the node's as
// long as the node exists. When all are given away a node waits, with an event, until one is free.
// Ranges that were given with another prefix length, before the configuration changed, are kept
// clear of as well.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "reconciler/controllers/all.h"
#include "reconciler/controllers/announce.h"

namespace reconciler {
namespace {

std::string_view RangeOf(const state::Object& node) { return node["spec"]["podCIDR"].AsString(); }

std::vector<base::Cidr> RangesInUse(const state::View& view) {
  std::vector<base::Cidr> used;
  for (const state::ObjectPtr& node : view.List("nodes")) {
    if (const auto range = base::Cidr::Parse(RangeOf(*node)); range.ok()) used.push_back(*range);
  }
  std::sort(used.begin(), used.end(),
            [](const base::Cidr& a, const base::Cidr& b) { return a.first() < b.first(); });
  return used;
}

// The lowest subnet of `all` that meets none of `used`, which are in order.
std::optional<base::Cidr> LowestFree(const base::Cidr& all, int prefix_length,
                                     const std::vector<base::Cidr>& used) {
  if (prefix_length < all.prefix_length()) return std::nullopt;
  const uint64_t size = uint64_t{1} << (32 - prefix_length);
  const uint64_t end = all.first() + all.size();
  uint64_t first = all.first();
  for (const base::Cidr& range : used) {
    if (first + size <= range.first()) break;
    const uint64_t range_end = range.first() + range.size();
    if (range_end > first) first = (range_end + size - 1) / size * size;
  }
  if (first + size > end) return std::nullopt;
  return base::Cidr(static_cast<uint32_t>(first), prefix_length);
}

class NodeAddressController final : public Controller {
 public:
  std::string_view name() const override { return "node-address"; }

  void Affects(const state::Change& change, const state::View& view,
               const Enqueue& enqueue) const override {
    if (change.key().resource != "nodes") return;
    if (!change.removed) {
      if (change.created() && RangeOf(*change.object).empty()) enqueue(change.key());
      return;
    }
    // What it had may be what another waits for.
    for (const state::ObjectPtr& node : view.List("nodes")) {
      if (RangeOf(*node).empty()) enqueue(node->key);
    }
  }

  base::Status Reconcile(Turn& turn, const state::Key& key) const override {
    const state::ObjectPtr node = turn.view().Get(key);
    if (node == nullptr || node->Deleting() || !RangeOf(*node).empty()) return base::Status();
    const state::ClusterConfig& config = *turn.draft().context().config;
    ASSIGN_OR_RETURN(const base::Cidr all, base::Cidr::Parse(config.pod_cidr));
    const std::optional<base::Cidr> range =
        LowestFree(all, config.pod_prefix_length, RangesInUse(turn.view()));
    if (!range) {
      EventOnce(turn, *node, EventType::kWarning, "CIDRNotAvailable",
                "all ranges of " + config.pod_cidr + " with a prefix of " +
                    std::to_string(config.pod_prefix_length) +
                    " bits are given to nodes: remove a node, or configure more pod addresses");
      return base::Status();
    }
    base::Json object = node->document.ToJson();
    object["spec"].Set("podCIDR", range->ToString());
    object["spec"].Set("podCIDRs", base::Json::MakeArray({range->ToString()}));
    return turn.draft().Update(std::move(object)).status();
  }
};

}  // namespace

std::unique_ptr<Controller> NewNodeAddressController(const ControllerSettings&) {
  return std::make_unique<NodeAddressController>();
}

}  // namespace reconciler
