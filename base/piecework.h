// Piecework: work on the loop that is done piece by piece, so that no turn is longer than its
// budget (kTurnBudget), however much there is to do:
//
//   Piecework work_(loop, [this] { DoOne(queue_.Take()); return !queue_.empty(); });
//   ...
//   queue_.Add(item); work_.Wake();
//
// A turn ends with the piece in which it is over; the rest continues in the next, after what was
// posted meanwhile. It costs a look at the clock a piece.
//
// Loop only. Declare it after all that its pieces touch.
#pragma once

#include <functional>
#include <utility>

#include "base/lifeline.h"
#include "base/loop.h"

namespace base {

class Piecework {
 public:
  // `piece` does the next piece, if there is one, and says whether something is left. It does not
  // destroy its owner.
  Piecework(Loop& loop, std::function<bool()> piece) : loop_(loop), piece_(std::move(piece)) {}

  // There may be something to do. It begins in a turn of its own.
  void Wake() {
    if (std::exchange(awake_, true)) return;
    loop_.Continue(lifeline_.Wrap([this] { Run(); }));
  }

 private:
  void Run() {
    bool left = true;
    do {
      left = piece_();
    } while (left && !loop_.TurnIsOver());
    awake_ = false;
    if (left) Wake();
  }

  Loop& loop_;
  const std::function<bool()> piece_;
  bool awake_ = false;
  Lifeline lifeline_;
};

}  // namespace base
