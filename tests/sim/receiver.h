// Receiver: somebody else's server that hears of deploys by webhook. It outlives the control
// plane's processes. It answers when it likes: at once, late, with 503, or not at all although it
// took the event.
//
// An event is told at least once, always with the same content, and never under two ids.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/loop.h"
#include "base/rng.h"
#include "gitsync/report/webhook.h"
#include "tests/sim/world.h"

namespace tests {

class Receiver {
 public:
  explicit Receiver(World& world) : world_(world), rng_(world.rng.Next()) {}

  // A process's way to it. What is under way when the process ends is not answered.
  std::unique_ptr<gitsync::WebhookSender> NewSender(base::Loop& process);
  // From now on it answers at once, and well.
  void Calm() { calm_ = true; }
  // Took an event that speaks of `text`.
  bool Heard(const std::string& text) const;
  uint64_t events() const { return taken_.size(); }

 private:
  class Sender;
  gitsync::WebhookAnswer Take(const gitsync::WebhookCall& call);
  base::Duration SomeTime();

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
