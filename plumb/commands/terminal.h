// The terminal that a command may have around it, and its clock.
#pragma once

#include "base/time.h"
#include "plumb/reports/text.h"

namespace plumb {

// Colour if standard output is a terminal and neither NO_COLOR nor TERM=dumb is set.
Style OutputStyle();
bool OutputIsTerminal();

base::WallTime WallClock();

}  // namespace plumb
