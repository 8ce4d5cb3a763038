// Watcher: a client that lists a resource, watches it, and comes back where it was after every cut.
// What it is told must be the resource's history: in order, each change once, none left out, and
// nothing that is not durable.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/sim/invariants.h"
#include "tests/sim/sim_server.h"
#include "tests/sim/world.h"

namespace tests {

class Watcher {
 public:
  // "/api/v1/pods" of "pods".
  Watcher(World& world, SimServer& server, Invariants& invariants, std::string path,
          std::string resource);
  ~Watcher();

  void Start();
  // From now on it stays connected and reads at once.
  void Calm() { calm_ = true; }
  // What it holds is what there is: "", or what differs.
  std::string Missing() const;
  uint64_t events() const { return events_; }
  uint64_t expired() const { return expired_; }  // times that it was too late to resume

 private:
  class Client;
  void Act();
  void List();
  void Hold(const base::Json& list);
  void Connect();
  static state::Revision RevisionOf(const base::Json& object);
  state::Key KeyOf(const base::Json& object) const;
  void Hear(std::string_view line);
  void HearEvent(std::string_view type, state::Revision revision, const state::Key& key);

  World& world_;
  SimServer& server_;
  Invariants& invariants_;
  const std::string path_, resource_;
  base::Rng rng_;
  bool calm_ = false;
  const std::shared_ptr<Watcher*> self_ = std::make_shared<Watcher*>(this);

  bool listed_ = false;
  state::Revision position_ = 0;  // has seen all up to here
  std::map<state::Key, state::Revision> held_;
  Client* client_ = nullptr;  // the hub owns it; null while there is no connection
  uint64_t lives_ = 0;        // counts servers seen: an answer of an earlier one never comes
  bool asking_ = false;
  uint64_t events_ = 0, expired_ = 0;
};

}  // namespace tests
