#include "servicemesh/testing/fake_dataplane.h"

#include <algorithm>
#include <memory>
#include <tuple>

namespace servicemesh {
namespace {

base::Status DoesNotFit(const std::string& what) {
  return base::Status(base::Code::kConflict, "the rules do not fit those of the kernel: " + what);
}

bool Fixed(const ChainRef& ref) {
  return ref.kind == ChainRef::Kind::kRefuse || ref.kind == ChainRef::Kind::kDrop;
}

}  // namespace

void FakeDataplane::Run(const char* fault, std::function<base::Status()> change, Done done) {
  CHECK(!busy_);
  busy_ = true;
  auto shared = std::make_shared<std::pair<std::function<base::Status()>, Done>>(std::move(change),
                                                                                 std::move(done));
  // The state is the loop's, so the change happens in the completion.
  loop_.Offload([this, fault, shared, session = session_] {
    return [this, fault, shared, session] {
      if (session != session_) return;
      busy_ = false;
      if (faults_ != nullptr && faults_->Hit(fault))
        shared->second(base::Status(base::Code::kUnavailable, std::string("fault ") + fault));
      else
        shared->second(shared->first());
    };
  });
}

void FakeDataplane::Disconnect() {
  ++session_;
  busy_ = false;
}

void FakeDataplane::Reboot() {
  Disconnect();
  state_ = State();
  revision_ = 0;
  udp_flows_.clear();
}

void FakeDataplane::Replace(std::shared_ptr<const RuleSet> rules, Done done) {
  Run(
      "dataplane.replace",
      [this, rules]() -> base::Status {
        RuleDelta all;
        all.fixed = rules->fixed;
        all.add_chains = rules->chains;
        all.add_elements = rules->elements;
        State state;
        RETURN_IF_ERROR(ApplyTo(state, all));
        state_ = std::move(state);
        revision_ = rules->revision;
        return {};
      },
      std::move(done));
}

void FakeDataplane::Apply(std::shared_ptr<const RuleDelta> delta, Done done) {
  Run(
      "dataplane.apply",
      [this, delta]() -> base::Status {
        State state = state_;
        RETURN_IF_ERROR(ApplyTo(state, *delta));
        state_ = std::move(state);
        revision_ = delta->to_revision;
        return {};
      },
      std::move(done));
}

void FakeDataplane::FlushUdp(std::vector<ConntrackFlush> stale, Done done) {
  Run(
      "dataplane.flush",
      [this, stale]() -> base::Status {
        for (const ConntrackFlush& flush : stale) {
          std::erase_if(udp_flows_, [&](const auto& entry) {
            const Flow& flow = entry.second;
            const bool ours =
                flow.at == flush.at || (flush.at.ip.IsAny() && flow.at.port == flush.at.port &&
                                        Find(MapId::kNodeIps, {flow.at.ip}) != nullptr);
            return ours &&
                   !std::binary_search(flush.keep.begin(), flush.keep.end(), flow.route.target);
          });
        }
        return {};
      },
      std::move(done));
}

base::Status FakeDataplane::ApplyTo(State& state, const RuleDelta& delta) const {
  const auto key = [](const Element& e) { return ElementKey(e.map, e.at, e.slot); };
  if (delta.fixed) state.fixed = *delta.fixed;
  for (const Chain& chain : delta.add_chains) {
    if (!state.chains.emplace(chain.ref, chain).second)
      return DoesNotFit("chain " + chain.ref.ToString() + " is there already");
    for (const uint64_t point : chain.points) {
      if (!state.chains.contains({ChainRef::Kind::kStickyPoint, point, chain.ref.protocol}))
        return DoesNotFit("chain " + chain.ref.ToString() + " comes before its points");
    }
  }
  for (const Chain& chain : delta.replace_chains) {
    const auto it = state.chains.find(chain.ref);
    if (it == state.chains.end()) return DoesNotFit("no chain " + chain.ref.ToString());
    it->second = chain;
  }
  for (const Element& element : delta.delete_elements) {
    if (state.elements.erase(key(element)) == 0)
      return DoesNotFit("no element " + element.at.ToString());
  }
  for (const Element& element : delta.add_elements) {
    if (!state.elements.emplace(key(element), element).second)
      return DoesNotFit("element " + element.at.ToString() + " is there already");
  }
  for (const Chain& chain : delta.delete_chains) {
    if (state.chains.erase(chain.ref) == 0) return DoesNotFit("no chain " + chain.ref.ToString());
    std::erase_if(state.seen, [&](const auto& entry) { return entry.first.first == chain.ref.id; });
  }
  return CheckReferences(state);
}

base::Status FakeDataplane::CheckReferences(const State& state) {
  for (const auto& [ref, chain] : state.chains) {
    for (const uint64_t point : chain.points) {
      if (!state.chains.contains({ChainRef::Kind::kStickyPoint, point, chain.ref.protocol}))
        return DoesNotFit("chain " + ref.ToString() + " leads to a missing chain");
    }
  }
  for (const auto& [key, element] : state.elements) {
    const ChainRef& ref = element.chain;
    if (ref.kind != ChainRef::Kind::kNone && !Fixed(ref) && !state.chains.contains(ref))
      return DoesNotFit("element " + element.at.ToString() + " leads to the missing chain " +
                        ref.ToString());
  }
  return {};
}

const Element* FakeDataplane::Find(MapId map, const Frontend& at, uint32_t slot) const {
  const auto it = state_.elements.find(ElementKey(map, at, slot));
  return it == state_.elements.end() ? nullptr : &it->second;
}

FakeDataplane::Route FakeDataplane::Lookup(Ipv4 from, Ipv4 to, Protocol protocol, uint16_t port,
                                           uint64_t random) {
  const Frontend at{to, protocol, port};
  const Frontend at_node{{}, protocol, port};
  const bool to_node = Find(MapId::kNodeIps, {to}) != nullptr;
  const Element* verdict = Find(MapId::kServices, at);
  const Frontend* key = &at;
  if (verdict == nullptr && to_node) {
    verdict = Find(MapId::kNodePorts, at_node);
    key = &at_node;
  }
  if (verdict != nullptr) {
    const Target target = Follow(*verdict, *key, from, random);
    if (target.ip.IsAny()) return {Route::Kind::kDropped, {}, false};
    return {Route::Kind::kEndpoint, target, Masqueraded(from, at, target.ip, true)};
  }
  if (Contains(state_.fixed.service_cidr, to)) return {Route::Kind::kRefused, {}, false};
  if (to_node) {
    if (const Element* closed = Find(MapId::kClosedNodePorts, at_node))
      return {closed->chain.kind == ChainRef::Kind::kDrop ? Route::Kind::kDropped
                                                          : Route::Kind::kRefused,
              {},
              false};
  }
  return {Route::Kind::kPlain, {to, port}, Masqueraded(from, at, to, false)};
}

Target FakeDataplane::Follow(const Element& verdict, const Frontend& at, Ipv4 from,
                             uint64_t random) {
  if (verdict.chain.kind == ChainRef::Kind::kSticky)
    return FollowSticky(verdict.chain, from, random);
  const MapId slots = verdict.chain.kind == ChainRef::Kind::kPickAtNode ? MapId::kNodePortEndpoints
                                                                        : MapId::kEndpoints;
  const Element* slot = Find(slots, at, static_cast<uint32_t>(random % verdict.chain.id));
  return slot == nullptr ? Target{} : slot->target;
}

Target FakeDataplane::FollowSticky(ChainRef ref, Ipv4 from, uint64_t random) {
  const base::MonotonicTime now = loop_.now().monotonic;
  const std::vector<uint64_t>& points = state_.chains.at(ref).points;
  uint64_t chosen = points[random % points.size()];
  for (const uint64_t point : points) {
    const auto it = state_.seen.find({point, from});
    if (it == state_.seen.end() || it->second <= now) continue;
    chosen = point;
    break;
  }
  const Chain& point = state_.chains.at({ChainRef::Kind::kStickyPoint, chosen, ref.protocol});
  state_.seen[{chosen, from}] = now + base::Duration::Seconds(point.timeout_seconds);
  return point.target;
}

bool FakeDataplane::Masqueraded(Ipv4 from, const Frontend& original, Ipv4 to,
                                bool translated) const {
  const FixedChains& fixed = state_.fixed;
  // What comes from the node has its address already; what ends there is not posted on.
  if (Find(MapId::kNodeIps, {from}) != nullptr || Find(MapId::kNodeIps, {to}) != nullptr)
    return false;
  const bool local = Contains(fixed.pod_cidr, to);
  if (translated && from == to && Find(MapId::kHairpin, {to}) != nullptr) return true;
  if (translated && !fixed.bridge_filtered && local && Contains(fixed.pod_cidr, from)) return true;
  const bool by_mesh = Contains(fixed.service_cidr, original.ip) ||
                       (original.port >= kFirstNodePort && original.port <= kLastNodePort);
  if (translated && by_mesh && !local && !Contains(fixed.cluster_pod_cidr, from)) return true;
  return Contains(fixed.pod_cidr, from) && !Contains(fixed.cluster_pod_cidr, to);
}

FakeDataplane::Route FakeDataplane::SendUdp(Ipv4 from, uint16_t from_port, Ipv4 to, uint16_t port,
                                            uint64_t random) {
  const Frontend at{to, Protocol::kUdp, port};
  const auto key = std::tuple(from, from_port, at);
  if (const auto it = udp_flows_.find(key); it != udp_flows_.end()) return it->second.route;
  const Route route = Lookup(from, to, Protocol::kUdp, port, random);
  if (route.kind == Route::Kind::kEndpoint || route.kind == Route::Kind::kPlain)
    udp_flows_[key] = {at, route};
  return route;
}

RuleSet FakeDataplane::Programmed() const {
  RuleSet rules;
  rules.revision = revision_;
  rules.fixed = state_.fixed;
  for (const auto& [ref, chain] : state_.chains) rules.chains.push_back(chain);
  for (const auto& [key, element] : state_.elements) rules.elements.push_back(element);
  return rules;
}

}  // namespace servicemesh
