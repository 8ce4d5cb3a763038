// Rules as nft(8) reads them. One table, `ip plumb`, is ours alone.
//
// The path of a packet: prerouting (or output, for the node's own) looks its destination up and
// translates it; what is then still addressed to the service range, or to a closed node port, is
// refused; postrouting masquerades where the reply would otherwise miss this node:
//   - a pod that reached itself through a service;
//   - a client outside the pod network whose endpoint is not on this node;
//   - a pod that leaves the pod network.
// An address of the service range that this machine owns (its DNS server's) is its own affair.
//
// While a transaction lands, a packet may see the old number of slots and the new endpoints. It
// then takes slot 0, and if a port has just lost its last endpoint, its packet is dropped, so that
// TCP asks again.
#include <initializer_list>
#include <map>
#include <string_view>

#include "servicemesh/rules/rules.h"

namespace servicemesh {
namespace {

constexpr char kTable[] = "ip plumb";

void AppendLine(std::string& out, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) out.append(part);
  out.push_back('\n');
}

// The maps of slots are one for each protocol, as nft types a port by the header it is read from.
std::string MapOf(const Element& element) {
  const std::string protocol = NameOf(element.at.protocol);
  switch (element.map) {
    case MapId::kNodeIps: return "node_ips";
    case MapId::kHairpin: return "hairpin";
    case MapId::kServices: return "services";
    case MapId::kNodePorts: return "node_ports";
    case MapId::kClosedNodePorts: return "no_endpoints";
    case MapId::kEndpoints: return "endpoints_" + protocol;
    case MapId::kNodePortEndpoints: return "node_port_endpoints_" + protocol;
  }
  return "";
}

std::string SetOf(const ChainRef& point) { return "seen-" + point.ToString().substr(6); }

std::string ToText(const Target& target) {
  return target.ip.ToString() + " . " + std::to_string(target.port);
}

// "10.96.0.1 . tcp . 80 : goto pick-tcp-2"; for deletion without the value.
void AppendElement(std::string& out, const Element& element, bool with_value) {
  const Frontend& at = element.at;
  switch (element.map) {
    case MapId::kNodeIps: out += at.ip.ToString(); return;
    case MapId::kHairpin:
      out.append(at.ip.ToString()).append(" . ").append(at.ip.ToString());
      return;
    case MapId::kServices:
    case MapId::kNodePorts:
    case MapId::kClosedNodePorts:
      out += at.ToString();
      if (with_value) out.append(" : goto ").append(element.chain.ToString());
      return;
    case MapId::kEndpoints: out.append(at.ip.ToString()).append(" . "); [[fallthrough]];
    case MapId::kNodePortEndpoints:
      out.append(std::to_string(at.port)).append(" . ").append(std::to_string(element.slot));
      if (with_value) out.append(" : ").append(ToText(element.target));
      return;
  }
}

// One command for each map.
void AppendElements(std::string& out, std::string_view verb, const std::vector<Element>& elements) {
  std::map<std::string, std::string> lists;
  for (const Element& element : elements) {
    std::string& list = lists[MapOf(element)];
    list += list.empty() ? " { " : ", ";
    AppendElement(list, element, verb == "add");
  }
  for (const auto& [map, list] : lists)
    AppendLine(out, {verb, " element ", kTable, " ", map, list, " }"});
}

void AppendRule(std::string& out, const std::string& chain, std::string_view rule) {
  AppendLine(out, {"add rule ", kTable, " ", chain, " ", rule});
}

void AppendPick(std::string& out, const std::string& chain, const ChainRef& pick) {
  const bool at_node = pick.kind == ChainRef::Kind::kPickAtNode;
  const std::string protocol = NameOf(pick.protocol);
  const std::string lookup = std::string("dnat ip addr . port to ") +
                             (at_node ? "" : "ip daddr . ") + protocol +
                             " dport . numgen random mod ";
  const std::string map = (at_node ? " map @node_port_endpoints_" : " map @endpoints_") + protocol;
  AppendRule(out, chain, lookup + std::to_string(pick.id) + map);
  if (pick.id > 1) AppendRule(out, chain, lookup + "1" + map);
  AppendRule(out, chain, "drop");
}

void AppendStickyPoint(std::string& out, const std::string& chain, const Chain& point) {
  const std::string seconds = std::to_string(point.timeout_seconds) + "s";
  AppendRule(out, chain, "update @" + SetOf(point.ref) + " { ip saddr timeout " + seconds + " }");
  AppendRule(out, chain,
             std::string("meta l4proto ") + NameOf(point.ref.protocol) + " dnat ip to " +
                 point.target.ip.ToString() + ":" + std::to_string(point.target.port));
}

void AppendSticky(std::string& out, const std::string& chain, const Chain& sticky) {
  std::string choice = "numgen random mod " + std::to_string(sticky.points.size()) + " vmap ";
  std::string_view separator = "{ ";
  size_t slot = 0;
  for (const uint64_t id : sticky.points) {
    const ChainRef ref{ChainRef::Kind::kStickyPoint, id, sticky.ref.protocol};
    const std::string point = ref.ToString();
    AppendRule(out, chain, "ip saddr @" + SetOf(ref) + " goto " + point);
    choice.append(separator).append(std::to_string(slot++)).append(" : goto ").append(point);
    separator = ", ";
  }
  AppendRule(out, chain, choice + " }");
}

void AppendRules(std::string& out, const Chain& chain) {
  const std::string name = chain.ref.ToString();
  switch (chain.ref.kind) {
    case ChainRef::Kind::kPick:
    case ChainRef::Kind::kPickAtNode: return AppendPick(out, name, chain.ref);
    case ChainRef::Kind::kStickyPoint: return AppendStickyPoint(out, name, chain);
    case ChainRef::Kind::kSticky: return AppendSticky(out, name, chain);
    case ChainRef::Kind::kNone:
    case ChainRef::Kind::kRefuse:
    case ChainRef::Kind::kDrop: return;  // fixed
  }
}

void AppendChain(std::string& out, const Chain& chain) {
  if (chain.ref.kind == ChainRef::Kind::kStickyPoint)
    AppendLine(out, {"add set ", kTable, " ", SetOf(chain.ref),
                     " { type ipv4_addr; flags dynamic,timeout; timeout ",
                     std::to_string(chain.timeout_seconds), "s; size ",
                     std::to_string(kMaxStickyClients), "; }"});
  AppendLine(out, {"add chain ", kTable, " ", chain.ref.ToString()});
  AppendRules(out, chain);
}

void AppendFixedChains(std::string& out, const FixedChains& fixed) {
  const std::string pods = fixed.pod_cidr.ToString();
  const std::string all_pods = fixed.cluster_pod_cidr.ToString();
  const std::string services = fixed.service_cidr.ToString();
  const std::string masquerade = " masquerade fully-random";
  const std::string from_outside_to_elsewhere =
      "ct status dnat ip saddr != " + all_pods + " ip daddr != " + pods;
  AppendRule(out, "dispatch", "ip daddr . meta l4proto . th dport vmap @services");
  AppendRule(out, "dispatch", "ip daddr @node_ips meta l4proto . th dport vmap @node_ports");

  AppendRule(out, "hide", "ct status dnat ip saddr . ip daddr @hairpin" + masquerade);
  AppendRule(out, "hide",
             from_outside_to_elsewhere + " ct original ip daddr " + services + masquerade);
  AppendRule(out, "hide",
             "meta l4proto { tcp, udp, sctp } " + from_outside_to_elsewhere +
                 " ct original ip daddr @node_ips ct original proto-dst " +
                 std::to_string(kFirstNodePort) + "-" + std::to_string(kLastNodePort) + masquerade);
  AppendRule(out, "hide", "ip saddr " + pods + " ip daddr != " + all_pods + masquerade);
  if (!fixed.bridge_filtered)
    AppendRule(out, "hide", "ct status dnat ip saddr " + pods + " ip daddr " + pods + masquerade);

  AppendRule(out, "undelivered", "ip daddr " + services + " fib daddr type != local goto refuse");
  AppendRule(out, "undelivered", "ip daddr @node_ips meta l4proto . th dport vmap @no_endpoints");
}

constexpr std::string_view kFrameChains[] = {"dispatch", "hide", "undelivered"};

void AppendTable(std::string& out) {
  constexpr std::string_view kSets[] = {
      "set ip plumb node_ips { type ipv4_addr; }",
      "set ip plumb hairpin { type ipv4_addr . ipv4_addr; }",
      "map ip plumb services { type ipv4_addr . inet_proto . inet_service : verdict; }",
      "map ip plumb node_ports { type inet_proto . inet_service : verdict; }",
      "map ip plumb no_endpoints { type inet_proto . inet_service : verdict; }",
  };
  // Added first, so that deleting it never fails.
  AppendLine(out, {"add table ", kTable});
  AppendLine(out, {"delete table ", kTable});
  AppendLine(out, {"add table ", kTable});
  for (const std::string_view set : kSets) AppendLine(out, {"add ", set});
  for (const Protocol protocol : {Protocol::kTcp, Protocol::kUdp, Protocol::kSctp}) {
    const std::string_view name = NameOf(protocol);
    const std::string port = std::string(name) + " dport";
    const std::string types = port + " . numgen random mod 2 : ip daddr . " + port + "; }";
    AppendLine(out, {"add map ip plumb endpoints_", name, " { typeof ip daddr . ", types});
    AppendLine(out, {"add map ip plumb node_port_endpoints_", name, " { typeof ", types});
  }
  for (const std::string_view chain : {"refuse", "silent", "dispatch", "hide", "undelivered"})
    AppendLine(out, {"add chain ", kTable, " ", chain});
  AppendRule(out, "refuse", "meta l4proto tcp reject with tcp reset");
  AppendRule(out, "refuse", "reject with icmp type port-unreachable");
  AppendRule(out, "silent", "drop");

  constexpr struct {
    std::string_view name, hook, jump;
  } kBase[] = {
      {"nat-prerouting", "type nat hook prerouting priority dstnat", "jump dispatch"},
      {"nat-output", "type nat hook output priority -100", "jump dispatch"},
      {"nat-postrouting", "type nat hook postrouting priority srcnat", "jump hide"},
      // Just after the translation.
      {"filter-prerouting", "type filter hook prerouting priority -90", "jump undelivered"},
      {"filter-output", "type filter hook output priority -90", "jump undelivered"},
  };
  for (const auto& base : kBase) {
    AppendLine(out, {"add chain ", kTable, " ", base.name, " { ", base.hook, "; policy accept; }"});
    AppendRule(out, std::string(base.name), base.jump);
  }
}

}  // namespace

std::string ToNft(const RuleSet& rules) {
  std::string out;
  AppendTable(out);
  AppendFixedChains(out, rules.fixed);
  for (const Chain& chain : rules.chains) AppendChain(out, chain);
  AppendElements(out, "add", rules.elements);
  return out;
}

std::string ToNft(const RuleDelta& delta) {
  std::string out;
  if (delta.fixed) {
    for (const std::string_view chain : kFrameChains)
      AppendLine(out, {"flush chain ", kTable, " ", chain});
    AppendFixedChains(out, *delta.fixed);
  }
  for (const Chain& chain : delta.add_chains) AppendChain(out, chain);
  for (const Chain& chain : delta.replace_chains) {
    AppendLine(out, {"flush chain ", kTable, " ", chain.ref.ToString()});
    AppendRules(out, chain);
  }
  AppendElements(out, "delete", delta.delete_elements);
  AppendElements(out, "add", delta.add_elements);
  for (const Chain& chain : delta.delete_chains) {
    AppendLine(out, {"delete chain ", kTable, " ", chain.ref.ToString()});
    if (chain.ref.kind == ChainRef::Kind::kStickyPoint)
      AppendLine(out, {"delete set ", kTable, " ", SetOf(chain.ref)});
  }
  return out;
}

}  // namespace servicemesh
