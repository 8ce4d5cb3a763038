// What every Dataplane promises, told by packets: who answers whom. An implementation passes it by
// giving a MeshWorld and one line:
//   INSTANTIATE_TEST_SUITE_P(Dataplanes, DataplaneContract,
//                            testing::Values(WorldUnderTest{"Fake", &MakeFakeWorld}), WorldName);
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "base/loop.h"
#include "servicemesh/rules/dataplane.h"

namespace servicemesh {

// Who lives in a world. All but the client's machine have a route to everything; pods a and b share
// the node's bridge, pod c is on another node, the client is outside the cluster. Servers listen on
// TCP and UDP port kServerPort everywhere but on the node.
enum class Host { kNode, kA, kB, kC, kClient };
inline constexpr Host kHosts[] = {Host::kNode, Host::kA, Host::kB, Host::kC, Host::kClient};
inline constexpr uint16_t kServerPort = 8080;
std::string NameOf(Host host);     // "a"
std::string AddressOf(Host host);  // node 10.89.0.1, a 10.88.1.2, b 10.88.1.3, c 10.88.2.2,
                                   // client 10.89.0.9

// A node with its dataplane, and the hosts around it. Answers are "b direct" or "b masqueraded" (b
// answered, and saw the asker's own address or another as its source), "refused" or "silence".
class MeshWorld {
 public:
  virtual ~MeshWorld() = default;
  virtual base::Loop& loop() = 0;
  virtual Dataplane& dataplane() = 0;
  // Runs the loop until a call of Finish.
  virtual void Run() = 0;
  virtual void Finish() = 0;

  // Opens a TCP connection, asks once, closes.
  virtual std::string AskTcp(Host from, const std::string& ip, uint16_t port) = 0;
  // True if a TCP connection attempt finds no answer of any kind within a short time.
  virtual bool IsSilent(Host from, const std::string& ip, uint16_t port) = 0;
  // Opens a TCP connection that stays; asks on it.
  virtual int OpenTcp(Host from, const std::string& ip, uint16_t port) = 0;
  virtual std::string AskOpen(int connection) = 0;
  // Asks by a datagram from a socket of the given local port.
  virtual std::string AskUdp(Host from, uint16_t from_port, const std::string& ip,
                             uint16_t port) = 0;
};

struct WorldUnderTest {
  std::string name;
  std::unique_ptr<MeshWorld> (*make)();
};

// Names the cases; being defined beside the suite, it also makes the linker bring the suite in.
std::string WorldName(const testing::TestParamInfo<WorldUnderTest>& info);

class DataplaneContract : public testing::TestWithParam<WorldUnderTest> {
 protected:
  void SetUp() override;
  // Makes the services of the text (mesh_text.h) the node's: whole the first time, by delta after.
  void Program(const std::string& text, bool bridge_filtered = true);
  base::Status Replace(const RuleSet& rules);
  base::Status Apply(const RuleDelta& delta);
  base::Status Flush(const std::vector<ConntrackFlush>& stale);
  // The different answers to many questions, sorted: "a direct, c direct".
  std::string AskOften(Host from, const std::string& ip, uint16_t port, int times = 40);

  std::unique_ptr<MeshWorld> world_;
  RuleSet programmed_;
  RuleSet before_;  // what was programmed before the last Program
  uint64_t revision_ = 0;

 private:
  base::Status Await(const std::function<void(Dataplane::Done)>& call);
};

}  // namespace servicemesh
