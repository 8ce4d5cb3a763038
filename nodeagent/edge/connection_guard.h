// ConnectionGuard: the agents' port, in front of gRPC: how many connections may be open, of all and
// of those that have not shown a node's certificate yet.
//
// gRPC says neither when a connection has ended nor ends one when it is asked to. So a newcomer has
// a second descriptor here, by which it is ended when its time is over or others need its place;
// who is known has only gRPC's, and is looked up there.
//
// Start and Stop on one thread, Known on any.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/edge/poller.h"
#include "base/net/edge/acceptor.h"
#include "base/net/newcomers.h"
#include "base/status.h"
#include "base/time.h"

namespace nodeagent {

struct ConnectionLimits {
  size_t connections = 20'000;  // open ones
  // Before they are known as nodes'; each has two descriptors.
  size_t newcomers = 256;
  size_t newcomers_of_address = 64;  // a restarted server hears of all nodes behind one address
  base::Duration newcomer_time = base::Duration::Seconds(10);  // to show a certificate, and call
  // So long nobody has to make room: of very many who come at once, those that have begun a
  // handshake end it, and the others come again.
  base::Duration least_stay = base::Duration::Seconds(1);
};

class ConnectionGuard {
 public:
  // `hand_over` gives gRPC a descriptor, which is its from then on; called on the guard's thread.
  ConnectionGuard(const ConnectionLimits& limits, std::function<void(int fd)> hand_over);
  ~ConnectionGuard();

  // kUnavailable if the port is taken.
  base::Status Start(const std::string& address, int port);
  int port() const { return port_; }
  // No connection comes from now on; those that are gRPC's stay.
  void Stop() { poller_.Stop(); }

  // A call came on it: `peer` is as gRPC names it, "ipv4:192.0.2.7:4711".
  void Known(const std::string& peer);

 private:
  class Newcomer;
  struct Waiting {
    base::Poller::Id handler = 0;
    std::string peer;
    base::MonotonicTime since;
    int fd = -1, twin = -1;  // gRPC's, and the second one
  };

  // The rest: on the poller's thread.
  void Adopt(base::UniqueFd fd, base::AcceptedPeer peer);
  bool MakeRoom();
  void End(uint64_t number);
  void Forget(uint64_t number);
  void CountKnown();

  const ConnectionLimits limits_;
  const std::function<void(int fd)> hand_over_;
  int port_ = 0;
  uint64_t last_number_ = 0;
  base::Newcomers newcomers_;
  std::map<uint64_t, Waiting> waiting_;
  std::map<std::string, uint64_t> by_peer_;  // of waiting_
  // gRPC's descriptors and the sockets that they were: some may have ended since.
  std::map<int, ino_t> known_;
  base::Poller poller_;  // the last: its thread uses the others
};

}  // namespace nodeagent
