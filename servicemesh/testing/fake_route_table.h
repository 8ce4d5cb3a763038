// FakeRouteTable: routes kept in memory, as the kernel keeps them when an agent ends.
//
// Loop only. The fault points are "routes.forwarding" and "routes.set"; `faults`, if given, outlives
// this.
#pragma once

#include <functional>
#include <utility>

#include "base/faults.h"
#include "base/loop.h"
#include "servicemesh/network/route_table.h"

namespace servicemesh {

class FakeRouteTable final : public RouteTable {
 public:
  explicit FakeRouteTable(base::Loop& loop, base::Faults* faults = nullptr)
      : loop_(loop), faults_(faults) {}

  void EnableForwarding(std::function<void(base::Result<bool>)> done) override {
    Run(
        "routes.forwarding", [this] { forwarding_ = true; },
        [done = std::move(done)](const base::Status& status) {
          done(status.ok() ? base::Result<bool>(true) : base::Result<bool>(status));
        });
  }
  void Set(RoutePlan plan, std::function<void(base::Status)> done) override {
    Run(
        "routes.set", [this, plan = std::move(plan)]() mutable { plan_ = std::move(plan); },
        std::move(done));
  }

  // What a crash of the agent does: nobody hears of the call under way, and it changes nothing.
  void Disconnect() { ++session_; }
  // And what one of the machine does.
  void Reboot() {
    Disconnect();
    forwarding_ = false;
    plan_ = {};
  }

  bool forwarding() const { return forwarding_; }
  const RoutePlan& plan() const { return plan_; }

 private:
  void Run(const char* point, std::function<void()> change,
           std::function<void(base::Status)> done) {
    loop_.Post(
        [this, point, change = std::move(change), done = std::move(done), session = session_] {
          if (session != session_) return;
          if (faults_ != nullptr && faults_->Hit(point)) {
            return done(base::Status(base::Code::kUnavailable, point));
          }
          change();
          done(base::Status());
        });
  }

  base::Loop& loop_;
  base::Faults* const faults_;
  uint64_t session_ = 0;  // counts agents
  bool forwarding_ = false;
  RoutePlan plan_;
};

}  // namespace servicemesh
