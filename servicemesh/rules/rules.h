// The packet rules of one node as data: what CompileRules says the kernel should hold, and the
// difference between two such sets as one transaction.
//
// A port of a service is one element of the verdict map `services` (or `node_ports`), which leads
// to the chain pick-PROTOCOL-N, where N is the number of its endpoints; there a random slot below N
// is looked up in the map `endpoints` that all services share. So endpoints come and go as map
// elements: no chain is made for a service, except where a client must stay with its endpoint.
//
// Values, any thread; pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "servicemesh/services.h"

namespace servicemesh {

// Where clients knock. `ip` is 0.0.0.0 for a node port.
struct Frontend {
  Ipv4 ip;
  Protocol protocol = Protocol::kTcp;
  uint16_t port = 0;
  std::string ToString() const;  // "10.96.0.1 . tcp . 80"; for a node port "tcp . 30080"
  auto operator<=>(const Frontend&) const = default;
};

// Where a connection ends.
struct Target {
  Ipv4 ip;
  uint16_t port = 0;
  auto operator<=>(const Target&) const = default;
};

// Names a chain of the table.
struct ChainRef {
  enum class Kind : uint8_t {
    kNone,
    kRefuse,       // TCP reset, ICMP port unreachable
    kDrop,         // silence: the client may try another node
    kPick,         // one of `id` slots in kEndpoints
    kPickAtNode,   // one of `id` slots in kNodePortEndpoints
    kStickyPoint,  // remembers the client, then goes to one endpoint
    kSticky,       // to the endpoint that remembers the client, else to any
  };
  Kind kind = Kind::kNone;
  uint64_t id = 0;
  Protocol protocol = Protocol::kTcp;  // of the traffic that it takes
  std::string ToString() const;        // "pick-tcp-3", "sticky-00af..."
  auto operator<=>(const ChainRef&) const = default;
};

// A chain that is made on demand. What a pick chain does follows from its reference.
struct Chain {
  ChainRef ref;
  // kStickyPoint only. The set of the clients it remembers has the chain's id.
  Target target{};
  uint32_t timeout_seconds = 0;
  // kSticky only: the ids of its kStickyPoint chains, in order.
  std::vector<uint64_t> points{};
  bool operator==(const Chain&) const = default;
};

enum class MapId : uint8_t {
  kNodeIps,            // at.ip
  kHairpin,            // at.ip: an endpoint on this node, which may meet itself
  kServices,           // at -> chain
  kNodePorts,          // at -> chain
  kClosedNodePorts,    // at -> chain kRefuse or kDrop
  kEndpoints,          // at, slot -> target
  kNodePortEndpoints,  // at, slot -> target
};

struct Element {
  MapId map = MapId::kNodeIps;
  Frontend at;
  uint32_t slot = 0;
  ChainRef chain;
  Target target;
  bool SameKey(const Element& other) const;
  auto operator<=>(const Element&) const = default;
};

// What the fixed chains are written from.
struct FixedChains {
  base::Cidr pod_cidr = NoCidr();
  base::Cidr cluster_pod_cidr = NoCidr();
  base::Cidr service_cidr = NoCidr();
  bool bridge_filtered = true;
  bool operator==(const FixedChains& other) const;
};

struct RuleSet {
  uint64_t revision = 0;
  FixedChains fixed;
  std::vector<Chain> chains;          // sorted by ref, unique
  std::vector<Element> elements;      // sorted by map, at, slot, unique
  std::vector<std::string> left_out;  // sentences: what a limit or a clash kept out
};

// Node ports lie in this range; traffic to other ports of the node is not the mesh's.
inline constexpr uint16_t kFirstNodePort = 30'000;
inline constexpr uint16_t kLastNodePort = 32'767;
// Clients that one endpoint with session affinity remembers; the next is served, not remembered.
inline constexpr uint32_t kMaxStickyClients = 65'536;
// Ports and endpoints of one node's rules; what is beyond is left out.
inline constexpr size_t kMaxElements = 4'000'000;

RuleSet CompileRules(const MeshInput& input);

// One transaction from one set to another, in the order of its members.
struct RuleDelta {
  uint64_t from_revision = 0;
  uint64_t to_revision = 0;
  std::optional<FixedChains> fixed;      // the fixed chains, if they change
  std::vector<Chain> add_chains;         // sorted so that a chain follows those that it jumps to
  std::vector<Chain> replace_chains;     // same name, new rules
  std::vector<Element> delete_elements;  // a changed value is deleted, then added
  std::vector<Element> add_elements;
  std::vector<Chain> delete_chains;  // sorted so that a chain precedes those that it jumps to
  bool empty() const;
};
RuleDelta Diff(const RuleSet& programmed, const RuleSet& wanted);

// The connection tracking entries to forget: UDP entries of `at` that lead anywhere but to `keep`.
// TCP connections to endpoints that went are left to end by themselves.
struct ConntrackFlush {
  Frontend at;
  std::vector<Target> keep;  // sorted
  bool operator==(const ConntrackFlush&) const = default;
};
// An entry is stale if its endpoint went, or if it dates from before its port had rules. Give an
// empty `programmed` at start: whatever happened while nobody looked is then forgotten too.
std::vector<ConntrackFlush> StaleUdp(const RuleSet& programmed, const RuleSet& wanted);

// The transactions as text for nft(8). A full one deletes and makes the table in one step.
std::string ToNft(const RuleSet& rules);
std::string ToNft(const RuleDelta& delta);

}  // namespace servicemesh
