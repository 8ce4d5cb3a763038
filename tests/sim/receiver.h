// Receiver: somebody else's server that hears of deploys by webhook. It outlives the control
// plane's processes. It answers when it likes: at once, late, with 503, or not at all although it
// took the event.
//
// An event is told at least once, always with the same content, and never under two ids.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/rng.h"
#include "state/errands/testing/fake_http_caller.h"
#include "tests/sim/world.h"

namespace tests {

class Receiver final : public state::FakeHttpServer {
 public:
  // Whom it hears from, at `origin`, signs with this secret.
  static constexpr char kOrigin[] = "https://hearing.example";
  static constexpr char kSecret[] = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

  explicit Receiver(World& world) : world_(world), rng_(world.rng.Next()) {
    world.outside[kOrigin] = this;
  }

  base::Duration Latency() override;
  std::optional<state::HttpAnswer> Take(const state::HttpCall& call) override;

  // From now on it answers at once, and well.
  void Calm() { calm_ = true; }
  // Took an event that speaks of `text`.
  bool Heard(const std::string& text) const;
  uint64_t events() const { return taken_.size(); }

 private:
  World& world_;
  base::Rng rng_;
  bool calm_ = false;
  struct Event {
    std::string body;
    bool taken = false;
    int failures = 0;
  };
  std::map<std::string, Event> events_;       // by id
  std::map<std::string, std::string> taken_;  // id by body
};

}  // namespace tests
