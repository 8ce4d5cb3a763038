// FakeDataplane: rules kept in memory and followed as the kernel would follow them. It refuses what
// the kernel refuses: adding what is there, deleting what is not, leading to a chain that is not
// there, deleting a chain that is still led to.
//
// Loop only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "base/faults.h"
#include "base/loop.h"
#include "servicemesh/rules/dataplane.h"

namespace servicemesh {

class FakeDataplane final : public Dataplane {
 public:
  // `faults`, if given, outlives this; the points are "dataplane.replace", ".apply" and ".flush".
  explicit FakeDataplane(base::Loop& loop, base::Faults* faults = nullptr)
      : loop_(loop), faults_(faults) {}

  void Replace(std::shared_ptr<const RuleSet> rules, Done done) override;
  void Apply(std::shared_ptr<const RuleDelta> delta, Done done) override;
  void FlushUdp(std::vector<ConntrackFlush> stale, Done done) override;

  // What a crash of the agent does: the call under way is not answered, and changes nothing. The
  // rules stay.
  void Disconnect();
  // And what one of the machine does: nothing stays.
  void Reboot();

  // What becomes of the first packet of a connection.
  struct Route {
    enum class Kind { kPlain, kEndpoint, kRefused, kDropped };
    Kind kind = Kind::kPlain;  // kPlain: no service's; it goes where it is addressed to
    Target target;
    bool masqueraded = false;  // the endpoint sees an address of this node as its source
  };
  // `random` stands for the kernel's choice.
  Route Lookup(Ipv4 from, Ipv4 to, Protocol protocol, uint16_t port, uint64_t random);

  // As Lookup for a datagram of a socket: later ones of it follow the tracked connection.
  Route SendUdp(Ipv4 from, uint16_t from_port, Ipv4 to, uint16_t port, uint64_t random);

  // What is programmed; the chains and elements sorted as CompileRules sorts them.
  RuleSet Programmed() const;

 private:
  using ElementKey = std::tuple<MapId, Frontend, uint32_t>;
  struct State {
    FixedChains fixed;
    std::map<ChainRef, Chain> chains;
    std::map<ElementKey, Element> elements;
    std::map<std::pair<uint64_t, Ipv4>, base::MonotonicTime> seen;  // client of a point -> expiry
  };
  struct Flow {
    Frontend at;  // as the client addressed it
    Route route;
  };

  void Run(const char* fault, std::function<base::Status()> change, Done done);
  base::Status ApplyTo(State& state, const RuleDelta& delta) const;
  static base::Status CheckReferences(const State& state);
  const Element* Find(MapId map, const Frontend& at, uint32_t slot = 0) const;
  Target Follow(const Element& verdict, const Frontend& at, Ipv4 from, uint64_t random);
  Target FollowSticky(ChainRef ref, Ipv4 from, uint64_t random);
  bool Masqueraded(Ipv4 from, const Frontend& original, Ipv4 to, bool translated) const;

  base::Loop& loop_;
  base::Faults* faults_;
  bool busy_ = false;
  uint64_t session_ = 0;  // counts agents
  uint64_t revision_ = 0;
  State state_;
  std::map<std::tuple<Ipv4, uint16_t, Frontend>, Flow> udp_flows_;
};

}  // namespace servicemesh
