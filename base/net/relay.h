// Relay: what comes out of one Duplex goes into another, both ways, each held back by the other.
//
// Loop only. `asker` is whoever wanted the connection: when it is gone, the other is hung up; when
// the other ends, the asker is told and has time to take what was said. Then `done` is called,
// which may destroy the Relay.
#pragma once

#include <functional>
#include <memory>

#include "base/net/duplex.h"

namespace base {

class Relay {
 public:
  Relay(std::unique_ptr<Duplex> asker, std::unique_ptr<Duplex> other, std::function<void()> done);

  // Lets pass what the asker wrote while it was paused, before there was a Relay.
  void Resume() { asker_->SetPaused(false); }

 private:
  static void Pass(Duplex& from, Duplex* to, std::string_view bytes);

  std::unique_ptr<Duplex> asker_, other_;
  std::function<void()> done_;
};

}  // namespace base
